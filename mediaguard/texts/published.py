"""What is public, what has to come down, and who does it."""

EN = {
    "publication-live": "public",
    "publication-intended": "perhaps public",
    "publication-removed": "removed",
    "publication-ambiguous": "Several publications begin with {publication}. Give more characters; "
    "look at: mediaguard publication list --all --format json",
    "publication-fact-id": "publication",
    "publication-fact-item": "item",
    "publication-fact-channel": "channel",
    "publication-fact-state": "state",
    "publication-fact-subjects": "shows",
    "publication-fact-consents": "by consents",
    "publication-fact-published": "published",
    "publication-fact-removed": "removed",
    "publication-fact-urls": "places",
    "publication-fact-takedown": "takedown",
    "no-takedown": "There is no takedown {takedown}. Give at least four characters of its id; look "
    "at: mediaguard takedown list --all",
    "takedown-ambiguous": "Several takedowns begin with {takedown}. Give more characters.",
    "takedown-none": "There is nothing to take down.",
    "takedown-fact-id": "takedown",
    "takedown-fact-publication": "publication",
    "takedown-fact-channel": "channel",
    "takedown-fact-subject": "for",
    "takedown-fact-reason": "why",
    "takedown-fact-action": "how",
    "takedown-fact-state": "state",
    "takedown-fact-requested": "requested",
    "takedown-fact-removed": "removed",
    "takedown-fact-confirmed": "confirmed gone",
    "takedown-fact-next": "next try",
    "takedown-fact-problem": "problem",
    "takedown-fact-places": "places, and what answered there",
    "takedown-gone": "gone",
    "takedown-not-gone": "not gone",
    "takedown-action-remove": "remove it",
    "takedown-action-replace": "replace it by a version in which the subject is unrecognisable",
    "takedown-state-requested": "to be removed",
    "takedown-state-removed": "removed, to be confirmed",
    "takedown-state-confirmed": "confirmed gone",
    "takedown-state-unrecallable": "cannot be recalled",
    "takedown-overdue": "overdue",
    "takedown-lingers": "It was removed, but can still be seen. It is removed and looked for again "
    "by itself.",
    "takedown-elsewhere": "It was published with other settings of this channel (another "
    "connector or page). With those of now it can neither be deleted nor looked for: put the "
    "earlier ones back until it is gone.",
    "takedown-doubtful": "It was on its way to the channel when something broke off, and is not "
    "there now. It is looked for some minutes longer.",
    "superseded": "Another version of the picture took its place, or it was published twice.",
    "removed-there": "Somebody deleted it where it was published.",
    "item-held": "The picture was looked at again and is held.",
    "item-blocked": "The picture was looked at again and is blocked.",
    "channel-later": "The channel did not take it; this is tried again by itself, by mediaguard "
    "watch or mediaguard work. {problem}",
    "item-busy": "Somebody else is handling item {item} just now. Try again in half a minute.",
    "item-lost": "Item {item} was taken over by another process while this one was stopped. "
    "Nothing was changed; the other one goes on.",
    "names-none": "There is no list of names to compare the text with. Put one in the home and name "
    'it in mediaguard.toml: names = "names.csv".',
    "names-unusable": "The list of names {path} cannot be used: {problem} Without it nobody can say "
    "whose name stands in a text, so nothing was done. It needs the columns subject_id, first_name "
    "and last_name.",
    "named-without-consent": "Somebody is named in a text that goes with it, and has not agreed to "
    "this channel. Take the name out and offer it again, or approve it if it is somebody else.",
    "named-word": "'{word}' in {field} is a name: of {subjects}.",
    "field-caption": "the caption",
    "field-alt_text": "the alternative text",
    "field-title": "the title",
    "field-file_name": "the file name",
    "secret-missing": "The secret {reference} is not there or empty. Set the environment variable "
    "of that name, or put the secret in that file in the home.",
    "secret-exposed": "The file {path} holds a secret and other users of the machine may read it. "
    "Correct that with: chmod 600 {path}",
    "consent-takedown-next": "mediaguard watch and mediaguard work take them down by themselves; "
    "without waiting: mediaguard takedown run --subject {subject}",
    "consent-questions": "In {count} more pictures somebody shown under another name may be this "
    "subject. Look at them: mediaguard review list",
    "review-question": "{subject} may be shown here as {shown_as}. Look at it, then: review approve "
    "if it is {shown_as}, review tag and approve if it is {subject}, or review reject.",
    "overdue-more": "And {count} more: mediaguard takedown list --overdue",
    "work-started": "Working on {home}. Stop with Ctrl+C.",
    "work-stopped": "Stopped. What is left is taken up at the next start.",
    "work-trouble": "{reason} Nothing is lost; this is tried again in {seconds} seconds.",
}

NL = {
    "publication-live": "openbaar",
    "publication-intended": "misschien openbaar",
    "publication-removed": "verwijderd",
    "publication-ambiguous": "Meerdere publicaties beginnen met {publication}. Geef meer tekens; "
    "kijk met: mediaguard publication list --all --format json",
    "publication-fact-id": "publicatie",
    "publication-fact-item": "item",
    "publication-fact-channel": "kanaal",
    "publication-fact-state": "toestand",
    "publication-fact-subjects": "toont",
    "publication-fact-consents": "volgens toestemmingen",
    "publication-fact-published": "gepubliceerd",
    "publication-fact-removed": "verwijderd",
    "publication-fact-urls": "plaatsen",
    "publication-fact-takedown": "verwijdering",
    "no-takedown": "Er is geen verwijdering {takedown}. Geef minstens vier tekens van de code; kijk "
    "met: mediaguard takedown list --all",
    "takedown-ambiguous": "Meerdere verwijderingen beginnen met {takedown}. Geef meer tekens.",
    "takedown-none": "Er hoeft niets te worden verwijderd.",
    "takedown-fact-id": "verwijdering",
    "takedown-fact-publication": "publicatie",
    "takedown-fact-channel": "kanaal",
    "takedown-fact-subject": "voor",
    "takedown-fact-reason": "waarom",
    "takedown-fact-action": "hoe",
    "takedown-fact-state": "toestand",
    "takedown-fact-requested": "gevraagd",
    "takedown-fact-removed": "verwijderd",
    "takedown-fact-confirmed": "bevestigd weg",
    "takedown-fact-next": "volgende poging",
    "takedown-fact-problem": "probleem",
    "takedown-fact-places": "plaatsen, en wat daar antwoordde",
    "takedown-gone": "weg",
    "takedown-not-gone": "niet weg",
    "takedown-action-remove": "verwijderen",
    "takedown-action-replace": "vervangen door een versie waarin de persoon onherkenbaar is",
    "takedown-state-requested": "te verwijderen",
    "takedown-state-removed": "verwijderd, nog te bevestigen",
    "takedown-state-confirmed": "bevestigd weg",
    "takedown-state-unrecallable": "kan niet worden teruggehaald",
    "takedown-overdue": "te laat",
    "takedown-lingers": "Het is verwijderd, maar nog te zien. Het wordt vanzelf opnieuw verwijderd "
    "en gezocht.",
    "takedown-elsewhere": "Het is gepubliceerd met andere instellingen van dit kanaal (een ander "
    "soort kanaal of een andere pagina). Met die van nu is het niet te verwijderen en niet te "
    "zoeken: zet de eerdere terug tot het weg is.",
    "takedown-doubtful": "Het was op weg naar het kanaal toen er iets afbrak, en staat er nu niet. "
    "Er wordt nog enkele minuten naar gezocht.",
    "superseded": "Een andere versie van de foto kwam ervoor in de plaats, of hij was dubbel "
    "gepubliceerd.",
    "removed-there": "Iemand verwijderde het waar het gepubliceerd was.",
    "item-held": "De foto is opnieuw bekeken en wordt vastgehouden.",
    "item-blocked": "De foto is opnieuw bekeken en is geblokkeerd.",
    "channel-later": "Het kanaal nam het niet aan; dit wordt vanzelf opnieuw geprobeerd, door "
    "mediaguard watch of mediaguard work. {problem}",
    "item-busy": "Iemand anders is juist met item {item} bezig. Probeer het over een halve minuut "
    "opnieuw.",
    "item-lost": "Item {item} is overgenomen door een ander proces terwijl dit stilstond. Er is "
    "niets veranderd; het andere gaat verder.",
    "names-none": "Er is geen namenlijst om de tekst mee te vergelijken. Zet er een in de map en "
    'noem hem in mediaguard.toml: names = "names.csv".',
    "names-unusable": "De namenlijst {path} is niet bruikbaar: {problem} Zonder die lijst weet "
    "niemand wiens naam in een tekst staat, dus er is niets gedaan. Nodig zijn de kolommen "
    "subject_id, first_name en last_name.",
    "named-without-consent": "In een tekst die erbij hoort staat de naam van iemand zonder "
    "toestemming voor dit kanaal. Haal de naam weg en bied het opnieuw aan, of keur het goed als "
    "het iemand anders is.",
    "named-word": "'{word}' in {field} is een naam: van {subjects}.",
    "field-caption": "het bijschrift",
    "field-alt_text": "de alternatieve tekst",
    "field-title": "de titel",
    "field-file_name": "de bestandsnaam",
    "secret-missing": "Het geheim {reference} is er niet of is leeg. Stel de omgevingsvariabele "
    "met die naam in, of zet het geheim in dat bestand in de map.",
    "secret-exposed": "Het bestand {path} bevat een geheim dat andere gebruikers van de machine "
    "kunnen lezen. Herstel dat met: chmod 600 {path}",
    "consent-takedown-next": "mediaguard watch en mediaguard work halen ze vanzelf weg; zonder te "
    "wachten: mediaguard takedown run --subject {subject}",
    "consent-questions": "Op nog {count} foto's kan iemand die onder een andere naam staat deze "
    "persoon zijn. Bekijk ze: mediaguard review list",
    "review-question": "{subject} staat hier misschien als {shown_as}. Bekijk het en kies dan: "
    "review approve als het {shown_as} is, review tag en approve als het {subject} is, of review "
    "reject.",
    "overdue-more": "En nog {count}: mediaguard takedown list --overdue",
    "work-started": "Aan het werk in {home}. Stop met Ctrl+C.",
    "work-stopped": "Gestopt. Wat over is, komt bij de volgende start aan de beurt.",
    "work-trouble": "{reason} Er gaat niets verloren; over {seconds} seconden wordt het opnieuw "
    "geprobeerd.",
}
