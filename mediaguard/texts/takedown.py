"""What staff is told of what should have been gone, and what a parent gets when it is."""

EN = {
    # dates
    "month-1": "January",
    "month-2": "February",
    "month-3": "March",
    "month-4": "April",
    "month-5": "May",
    "month-6": "June",
    "month-7": "July",
    "month-8": "August",
    "month-9": "September",
    "month-10": "October",
    "month-11": "November",
    "month-12": "December",
    "date": "{day} {month} {year}",
    "moment": "{date}, {time}",
    # mail
    "mail-failed": "The mail could not be sent through {server} ({detail}). Check the section "
    "[mail] of the configuration, and the server.",
    "mail-refused": "The mail server does not accept these recipients: {recipients}. The others "
    "got the mail. Correct the section [mail] of the configuration.",
    # what is overdue
    "overdue-mail-failed": "Nobody could be told of what is overdue; this is tried again. {reason}",
    "overdue-told": "Somebody was told of {count} takedowns: see {note}",
    "overdue-note-failed": "The list of what is overdue cannot be kept at {path} ({detail}). Make "
    "room, or give mediaguard the right to write there.",
    "overdue-subject": "mediaguard: overdue takedowns: {overdue}; cannot be recalled: {lost}",
    "overdue-mail": "mediaguard in {home} reports what needs somebody's attention. Everything that "
    "is open: mediaguard takedown list --overdue",
    "overdue-note": "What needs somebody's attention in {home}. mediaguard keeps this list itself, "
    "and removes it when there is nothing left.",
    "overdue-heading": "THESE SHOULD HAVE BEEN GONE ({count}). They may be public still. "
    "mediaguard goes on trying by itself.",
    "overdue-lost-heading": "THESE WERE SENT AND CANNOT BE RECALLED ({count}).",
    "overdue-nobody": "nobody in particular",
    "overdue-receivers": "was sent to",
    "overdue-receivers-unknown": "the configuration does not say; ask whoever sent it",
    "overdue-seen": "still seen at",
    "overdue-next": "what to do",
    "overdue-no-problem": "no attempt was made yet",
    "overdue-unexpected": "Something unexpected went wrong ({detail}). It is tried again.",
    "overdue-next-lost": "Tell those who received it to delete it and not to pass it on; note "
    "that you did.",
    "overdue-next-channel": "The channel {channel} is not in the configuration any more, so "
    "mediaguard cannot reach it. Put it back, or delete it by hand where it stands and tell the "
    "administrator.",
    "overdue-next-untried": "Check that mediaguard work (or watch) is running, or do it now: "
    "mediaguard takedown run {takedown}",
    "overdue-next-lingers": "Look at these places. If it is there: delete it by hand, empty the "
    "site's cache, then: mediaguard takedown run {takedown}. If the settings of the channel were "
    "changed since then, mediaguard can only look whether it is gone, and not delete it.",
    "overdue-next-elsewhere": "Put the earlier settings of the channel {channel} back, then: "
    "mediaguard takedown run {takedown}. If that is not possible, delete it by hand; it stays on "
    "this list, since nobody can prove then that it is gone.",
    "overdue-next-general": "Remove the cause, then: mediaguard takedown run {takedown}. Or delete "
    "it by hand where it stands; mediaguard then finds that it is gone.",
    # the certificate
    "no-takedown-of": "For {subject} nothing was ever to be taken down, or not on that channel. "
    "Look at: mediaguard takedown list --all",
    "certificate": "Certificate of removal",
    "statement": "Statement on removal",
    "certificate-done": "Everything listed here is gone: each place was looked at after the removal.",
    "certificate-none-left": "Everything listed here that could be removed is gone: each place was "
    "looked at after the removal.",
    "certificate-open": "This is not finished. Not confirmed gone: {open} of {count}. mediaguard "
    "goes on trying until it is. Ask the school for a new statement later.",
    "certificate-lost": "Sent, and cannot be recalled: {lost} of {count}.",
    "certificate-intro": "Photos and videos that showed the person whom the school knows under "
    "this pseudonym, and that were to be taken down.",
    "certificate-pseudonym": "pseudonym",
    "certificate-channel": "channel",
    "certificate-made": "made on",
    "certificate-zone": "times are those of",
    "certificate-every-channel": "every channel",
    "certificate-photo": "Photo",
    "certificate-video": "Video",
    "certificate-state-open": "NOT CONFIRMED GONE",
    "certificate-state-removed": "removed and confirmed gone",
    "certificate-state-replaced": "replaced by a version in which this person is unrecognisable; "
    "the earlier one is confirmed gone",
    "certificate-state-unrecallable": "CANNOT BE RECALLED",
    "certificate-code": "code",
    "certificate-why": "why",
    "certificate-why-event": "{reason} (answer no. {event}, recorded on {at})",
    "certificate-why-event-only": "{reason} (answer no. {event})",
    "certificate-why-until": "{reason} (answer no. {event}, valid up to and including {until})",
    "certificate-requested": "removal requested",
    "certificate-removed": "removed",
    "certificate-removed-not": "not yet",
    "certificate-confirmed": "confirmed gone",
    "certificate-confirmed-not": "not yet",
    "certificate-places": "places, and what was found there last",
    "certificate-nowhere": "It was looked for on the channel and was not there: it never became "
    "public, or was gone already.",
    "certificate-nowhere-open": "It is not known yet whether it became public.",
    "certificate-proof": "entry in the audit log",
    "certificate-proof-entry": "no. {sequence}, digest {digest}",
    "certificate-sent": "This was sent out or printed. What others have received cannot be taken "
    "back. The school has to tell those who received it: {receivers}.",
    "certificate-sent-unknown": "This was sent out or printed. What others have received cannot "
    "be taken back. The school has to find out who received it, and tell them.",
    "certificate-scope": "This lists what was asked to be taken down, as recorded by the school's "
    "system mediaguard. Copies that others made cannot be seen from here. If you find a photo or "
    "video that is missing here, tell the school.",
    "certificate-audit": "An entry in the audit log cannot be changed afterwards without that "
    "being noticed; with its number and digest the school can show it.",
    "certificate-signature": "On behalf of the school: name, date, signature",
    "place-gone": "gone",
    "place-replaced": "another version stands there now",
    "place-there": "STILL THERE",
    "place-unknown": "not confirmed",
    "place-unseen": "not looked at yet",
    "answer-cached": "{status} from a cache",
    "answer-no-answer": "no answer",
    "answer-no-file": "no file",
    "answer-new-file": "new file",
    "answer-file": "file",
    "answer-object": "on record at the channel",
    "answer-no-object": "not on record at the channel",
    "answer-elsewhere": "published with other settings of the channel",
}

NL = {
    "month-1": "januari",
    "month-2": "februari",
    "month-3": "maart",
    "month-4": "april",
    "month-5": "mei",
    "month-6": "juni",
    "month-7": "juli",
    "month-8": "augustus",
    "month-9": "september",
    "month-10": "oktober",
    "month-11": "november",
    "month-12": "december",
    "date": "{day} {month} {year}",
    "moment": "{date}, {time}",
    "mail-failed": "De mail kon niet worden verstuurd via {server} ({detail}). Controleer de "
    "sectie [mail] van de configuratie, en de server.",
    "mail-refused": "De mailserver aanvaardt deze ontvangers niet: {recipients}. De anderen kregen "
    "de mail wel. Verbeter de sectie [mail] van de configuratie.",
    "overdue-mail-failed": "Niemand kon op de hoogte worden gebracht van wat te laat is; dit wordt "
    "opnieuw geprobeerd. {reason}",
    "overdue-told": "Iemand is op de hoogte gebracht van {count} verwijderingen: zie {note}",
    "overdue-note-failed": "De lijst van wat te laat is, kan niet worden bijgehouden in {path} "
    "({detail}). Maak ruimte, of geef mediaguard daar schrijfrechten.",
    "overdue-subject": "mediaguard: verwijderingen te laat: {overdue}; niet terug te halen: {lost}",
    "overdue-mail": "mediaguard in {home} meldt wat iemands aandacht nodig heeft. Alles wat "
    "openstaat: mediaguard takedown list --overdue",
    "overdue-note": "Wat iemands aandacht nodig heeft in {home}. mediaguard houdt deze lijst zelf "
    "bij, en verwijdert haar als er niets meer over is.",
    "overdue-heading": "DIT HAD WEG MOETEN ZIJN ({count}). Het is misschien nog openbaar. "
    "mediaguard blijft het zelf proberen.",
    "overdue-lost-heading": "DIT IS VERSTUURD EN NIET TERUG TE HALEN ({count}).",
    "overdue-nobody": "niemand in het bijzonder",
    "overdue-receivers": "verstuurd aan",
    "overdue-receivers-unknown": "de configuratie zegt het niet; vraag het aan wie het verstuurde",
    "overdue-seen": "nog te zien op",
    "overdue-next": "wat te doen",
    "overdue-no-problem": "er is nog geen poging gedaan",
    "overdue-unexpected": "Er ging iets onverwachts mis ({detail}). Het wordt opnieuw geprobeerd.",
    "overdue-next-lost": "Vraag wie het ontving om het te wissen en niet door te geven; noteer dat "
    "u dat deed.",
    "overdue-next-channel": "Het kanaal {channel} staat niet meer in de configuratie; mediaguard "
    "kan er dus niet bij. Zet het terug, of verwijder het met de hand waar het staat en licht de "
    "beheerder in.",
    "overdue-next-untried": "Ga na of mediaguard work (of watch) draait, of doe het nu: mediaguard "
    "takedown run {takedown}",
    "overdue-next-lingers": "Bekijk deze plaatsen. Staat het er: verwijder het met de hand, maak "
    "de cache van de site leeg, en dan: mediaguard takedown run {takedown}. Zijn de instellingen "
    "van het kanaal sindsdien veranderd, dan kan mediaguard alleen kijken of het weg is, en het "
    "niet verwijderen.",
    "overdue-next-elsewhere": "Zet de eerdere instellingen van het kanaal {channel} terug, en dan: "
    "mediaguard takedown run {takedown}. Kan dat niet, verwijder het dan met de hand; het blijft in "
    "deze lijst staan, want dat het weg is kan dan niemand bewijzen.",
    "overdue-next-general": "Neem de oorzaak weg, en dan: mediaguard takedown run {takedown}. Of "
    "verwijder het met de hand waar het staat; mediaguard ziet dan dat het weg is.",
    "no-takedown-of": "Voor {subject} hoefde nooit iets te worden verwijderd, of niet op dat "
    "kanaal. Kijk met: mediaguard takedown list --all",
    "certificate": "Bewijs van verwijdering",
    "statement": "Overzicht van verwijdering",
    "certificate-done": "Alles wat hier staat, is weg: elke plaats is na de verwijdering bekeken.",
    "certificate-none-left": "Alles wat hier staat en kon worden verwijderd, is weg: elke plaats is "
    "na de verwijdering bekeken.",
    "certificate-open": "Dit is nog niet klaar. Niet bevestigd weg: {open} van {count}. mediaguard "
    "blijft het proberen tot dat zo is. Vraag de school later opnieuw om het bewijs.",
    "certificate-lost": "Verstuurd en niet terug te halen: {lost} van {count}.",
    "certificate-intro": "Foto's en video's waarop de persoon te zien was die de school onder dit "
    "pseudoniem kent, en die moesten worden verwijderd.",
    "certificate-pseudonym": "pseudoniem",
    "certificate-channel": "kanaal",
    "certificate-made": "gemaakt op",
    "certificate-zone": "tijden zijn die van",
    "certificate-every-channel": "alle kanalen",
    "certificate-photo": "Foto",
    "certificate-video": "Video",
    "certificate-state-open": "NIET BEVESTIGD WEG",
    "certificate-state-removed": "verwijderd en bevestigd weg",
    "certificate-state-replaced": "vervangen door een versie waarin deze persoon onherkenbaar is; "
    "de eerdere is bevestigd weg",
    "certificate-state-unrecallable": "NIET TERUG TE HALEN",
    "certificate-code": "code",
    "certificate-why": "waarom",
    "certificate-why-event": "{reason} (antwoord nr. {event}, vastgelegd op {at})",
    "certificate-why-event-only": "{reason} (antwoord nr. {event})",
    "certificate-why-until": "{reason} (antwoord nr. {event}, geldig tot en met {until})",
    "certificate-requested": "verwijdering gevraagd",
    "certificate-removed": "verwijderd",
    "certificate-removed-not": "nog niet",
    "certificate-confirmed": "bevestigd weg",
    "certificate-confirmed-not": "nog niet",
    "certificate-places": "plaatsen, en wat daar het laatst is gevonden",
    "certificate-nowhere": "Er is op het kanaal naar gezocht en het was er niet: het is nooit "
    "openbaar geworden, of het was al weg.",
    "certificate-nowhere-open": "Het is nog niet bekend of het openbaar is geworden.",
    "certificate-proof": "regel in het logboek",
    "certificate-proof-entry": "nr. {sequence}, kenmerk {digest}",
    "certificate-sent": "Dit is verstuurd of gedrukt. Wat anderen hebben ontvangen, is niet terug "
    "te halen. De school moet inlichten wie het ontving: {receivers}.",
    "certificate-sent-unknown": "Dit is verstuurd of gedrukt. Wat anderen hebben ontvangen, is niet "
    "terug te halen. De school moet nagaan wie het ontving, en hen inlichten.",
    "certificate-scope": "Dit is wat moest worden verwijderd volgens mediaguard, het systeem van de "
    "school. Kopieën die anderen maakten, zijn van hieruit niet te zien. Ziet u een foto of video "
    "die hier ontbreekt, meld dat dan aan de school.",
    "certificate-audit": "Een regel in het logboek kan achteraf niet worden veranderd zonder dat "
    "het opvalt; met nummer en kenmerk kan de school hem laten zien.",
    "certificate-signature": "Namens de school: naam, datum, handtekening",
    "place-gone": "weg",
    "place-replaced": "er staat nu een andere versie",
    "place-there": "STAAT ER NOG",
    "place-unknown": "niet bevestigd",
    "place-unseen": "nog niet bekeken",
    "answer-cached": "{status} uit een cache",
    "answer-no-answer": "geen antwoord",
    "answer-no-file": "geen bestand",
    "answer-new-file": "nieuw bestand",
    "answer-file": "bestand",
    "answer-object": "bekend bij het kanaal",
    "answer-no-object": "niet bekend bij het kanaal",
    "answer-elsewhere": "gepubliceerd met andere instellingen van het kanaal",
}
