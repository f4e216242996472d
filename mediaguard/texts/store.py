"""The database, keys, vault, consent and imports: rules, errors, and what the commands say."""

EN = {
    # why somebody may or may not be shown
    "consent-granted": "has agreed",
    "consent-none": "has not agreed (no answer on record)",
    "consent-refused": "has refused",
    "consent-withdrawn": "has withdrawn consent",
    "consent-expired": "the consent has expired",
    "consent-not-yet": "the consent is not in force yet",
    "consent-signatory": "the consent was not given by the person who may decide (a guardian "
    "under 16, the subject itself from 16 on)",
    "consent-unclear": "the record of the consent is not clear",
    "consent-wording": "agreed to an older wording that no longer counts",
    "subject-unknown": "is not a known subject",
    # the database
    "database-url": "The setting 'database' is not the address of a SQLite or PostgreSQL "
    "database, such as sqlite:////srv/mediaguard/mediaguard.db or "
    "postgresql+psycopg://user@host/name. Correct it in mediaguard.toml.",
    "database-missing": "There are no records at {database}. If this home is new, run: mediaguard "
    "init. If there were records, put back the backup first: without them nobody has consented.",
    "database-older": "The records at {database} are of an older mediaguard. Make a backup, then "
    "run: mediaguard init (it brings them up to date and keeps everything).",
    "database-newer": "The records at {database} are of a newer mediaguard than this one. Install "
    "the newer version; nothing was changed.",
    "database-not-one": "The file {database} is not a database. Check the setting 'database', or "
    "put back the backup.",
    "database-damaged": "The database {database} is damaged. Stop mediaguard and put back the "
    "backup; until then nothing is published.",
    "database-locked": "The database {database} is in use by another program for too long. Try "
    "again; if it stays, look which program holds it (a backup, a file sync?).",
    "database-busy": "The database server {database} has no room for another connection. Try "
    "again in a minute, or ask its administrator.",
    "database-unwritable": "The database {database} cannot be opened or written to ({detail}). "
    "Check the rights on the file and its folder, and the disk.",
    "database-unreachable": "The database server {database} does not answer. Check that it runs "
    "and that the network is up; nothing is lost, work goes on when it is back.",
    "database-password": "The database server {database} refuses the user '{user}' or the "
    "password. Check the user in mediaguard.toml and the password in ~/.pgpass.",
    "database-unknown": "The server has no database or user as in {database} (user '{user}'). "
    "Ask its administrator to create it.",
    "database-error": "The database {database} refused a step ({detail}). Nothing was changed. Try "
    "again; if it stays, give this message to the administrator.",
    "disk-full": "The disk that holds {database} is full. Make room; nothing was lost, and what "
    "was not finished is tried again.",
    # keys and vault
    "key-exists": "There is a master key at {path} already. It is never replaced: everything "
    "encrypted with it would be lost.",
    "key-missing": "The master key {path} is missing. Put it back from your backup of the keys; "
    "without it originals and references cannot be read.",
    "key-unreadable": "The master key {path} cannot be read ({detail}).",
    "key-unwritable": "The master key {path} cannot be written ({detail}). Choose a home on a disk "
    "you may write to.",
    "key-exposed": "Other users of this machine can read the master key {path} (rights {mode}). "
    "Run: chmod 600 {path} — and consider whether somebody has copied it.",
    "key-damaged": "The file {path} is not a master key. Put it back from your backup of the keys.",
    "key-mismatch": "A stored key does not open with this master key. Was the master key replaced? "
    "Put the right one back from your backup of the keys.",
    "record-tampered": "A stored reference was changed or belongs to somebody else. It is not "
    "used. Remove the references of the subject and enrol it again.",
    "vault-missing": "The original of item {item} is not in the vault.",
    "vault-tampered": "The stored original of item {item} was changed or is damaged. It is not "
    "used. Put it back from the backup, or offer the picture again.",
    "vault-unreadable": "The stored original of item {item} cannot be read ({detail}).",
    "vault-unwritable": "The vault cannot be written to ({detail}). Check the rights on the "
    "folder and the disk.",
    "vault-full": "The disk that holds the vault is full. Make room and offer the picture again; "
    "nothing was left half-written.",
    "item-conflict": "The item {item} exists with other content. Give this message to the "
    "administrator.",
    "publication-exists": "The publication {publication} exists already. Give this message to the "
    "administrator.",
    "no-item": "There is no item {item}.",
    "no-publication": "There is no publication {publication}.",
    # subjects and consent
    "no-subject": "There is no subject {subject}. Look at: mediaguard subject list",
    "no-opt-in": "{subject} has not opted in to being recognised, so no reference may be stored. "
    "With its consent on record: mediaguard consent grant {subject} --channel matching …",
    "subject-exists": "The subject {subject} exists already.",
    "subject-id-invalid": "'{subject}' cannot be a pseudonym. Use up to 64 letters, digits, dots, "
    "dashes and underscores, and no name.",
    "text-unusable": "The {field} is empty, longer than {limit} characters, or holds control "
    "characters.",
    "consent-evidence": "A consent of {subject} needs evidence: say where the signed form or the "
    "answer in the app can be found.",
    "consent-signatory-unknown": "It is not known who gave the consent of {subject}: say guardian "
    "or subject.",
    "consent-dates": "The consent would end ({last}) before it begins ({first}).",
    # imports
    "import-unreadable": "The file {path} cannot be read ({detail}).",
    "import-too-large": "The file {path} is larger than {limit} MB; that is no list of pupils.",
    "import-failed-one": "Nothing was imported from {path}: it has 1 mistake. Correct it and import "
    "the file again.",
    "import-failed": "Nothing was imported from {path}: it has {count} mistakes. Correct them "
    "and import it again.",
    "import-changed": "Meanwhile something else was recorded, so that the file would change other "
    "things than what you saw. Nothing was changed; look at it again.",
    "mapping-invalid": "The mapping {path} has a mistake: {detail}. There is an example in "
    "config/examples/parent-app.toml.",
    "mapping-channel": "The mapping {path} has a channel {channel} that is not in mediaguard.toml.",
    "import-line": "line {line}, {column}: {problem}",
    "import-line-whole": "line {line}: {problem}",
    "import-whole": "{problem}",
    "problem-encoding": "not written in {encoding}; save the file as CSV UTF-8, or set the "
    "encoding in the mapping",
    "problem-nul": "holds NUL bytes: this is not a CSV file",
    "problem-csv": "is not proper CSV ({detail})",
    "problem-empty": "the file has no heading and rows",
    "problem-header-missing": "there is no column with this heading",
    "problem-header-twice": "two columns have this heading",
    "problem-fields": "has {found} fields where the heading has {expected}",
    "problem-value": "'{value}' is not one of the expected answers ({expected})",
    "problem-signatory": "'{value}' does not say who answered ({expected})",
    "problem-date": "'{value}' is not a date such as {example}",
    "problem-dates": "the last day is before the first",
    "problem-subject-missing": "no pseudonym",
    "problem-subject-invalid": "'{value}' cannot be a pseudonym",
    "problem-subject-twice": "{value} stands in an earlier line too (line {earlier})",
    "problem-subject-unknown": "{value} is not a known subject; add it first, or use "
    "--add-subjects",
    "problem-text": "holds control characters or more than {limit} characters",
    "problem-kind": "'{value}' is not 'student' or 'staff'",
    "problem-xml": "is not proper XML ({detail})",
    "problem-xml-dtd": "has a document type or entities, which are refused: no EDEXML file "
    "needs them",
    "problem-not-edexml": "is not an EDEXML file",
    # what the commands say
    "subject-added": "{subject} was added ({kind}).",
    "subject-list-empty": "There are no subjects yet. Add one: mediaguard subject add ID",
    "subject-imported": "{added} added, {changed} corrected, {unchanged} unchanged.",
    "subject-missing-note": "Not in the file, and left as they are: {subjects}",
    "heading-subject": "subject",
    "heading-kind": "kind",
    "heading-groups": "groups",
    "heading-born": "born",
    "heading-references": "references",
    "heading-channel": "channel",
    "heading-ruling": "now",
    "heading-when": "recorded",
    "heading-answer": "answer",
    "heading-signatory": "by",
    "heading-wording": "wording",
    "heading-validity": "valid",
    "heading-evidence": "evidence",
    "heading-number": "no.",
    "kind-student": "student",
    "kind-staff": "staff",
    "answer-granted": "granted",
    "answer-refused": "refused",
    "answer-withdrawn": "withdrawn",
    "signatory-guardian": "guardian",
    "signatory-subject": "subject",
    "signatory-unattributed": "not stated",
    "consent-yes": "yes",
    "consent-no": "no",
    "consent-recorded": "Recorded as event {event}: {subject}, {channel}, {answer}.",
    "consent-in-force": "{subject} may be shown on {channel}.",
    "consent-not-in-force": "{subject} may not be shown on {channel}: {why}.",
    "consent-withdrawn-done": "Withdrawn, in force now: {subject}, {channel}.",
    "consent-nothing-to-withdraw": "{subject} has given no consent that could be withdrawn; "
    "nothing was recorded.",
    "consent-still-public": "{count} publications on {channel} show {subject} and are to be "
    "taken down:",
    "consent-templates-forgotten": "{count} references of {subject} were deleted with their key.",
    "consent-history-empty": "No consent was ever recorded.",
    "consent-channel-or-all": "Say which consent is withdrawn: --channel CHANNEL, or --all.",
    "import-questions": "In {count} pictures somebody shown under another name may be a person whose "
    "consent ended. Look at them: mediaguard review list",
    "import-summary": "{added} subjects added, {granted} granted, {refused} refused, {withdrawn} "
    "withdrawn, {kept} kept at no, {unchanged} unchanged.",
    "import-dry-run": "This is what would change; nothing was changed.",
    "change-add": "add subject {subject}",
    "change-granted": "{subject}, {channel}: granted ({detail})",
    "change-refused": "{subject}, {channel}: refused ({detail})",
    "change-withdrawn": "{subject}, {channel}: WITHDRAWN ({detail})",
    "change-kept": "{subject}, {channel}: stays NO ({detail}). The file says yes, but since "
    "{since} a no stands that was recorded in another way, or the last day of the yes is over and "
    "the file names no days. If the yes is newer: mediaguard consent grant {subject}",
}

NL = {
    "consent-granted": "heeft toestemming gegeven",
    "consent-none": "heeft geen toestemming gegeven (geen antwoord bekend)",
    "consent-refused": "heeft geweigerd",
    "consent-withdrawn": "heeft de toestemming ingetrokken",
    "consent-expired": "de toestemming is verlopen",
    "consent-not-yet": "de toestemming geldt nog niet",
    "consent-signatory": "de toestemming is niet gegeven door wie erover gaat (een ouder of "
    "verzorger onder de 16, vanaf 16 de leerling zelf)",
    "consent-unclear": "de vastgelegde toestemming is niet duidelijk",
    "consent-wording": "heeft ingestemd met een oudere tekst die niet meer geldt",
    "subject-unknown": "is niet bekend",
    "database-url": "De instelling 'database' is geen adres van een SQLite- of "
    "PostgreSQL-database, zoals sqlite:////srv/mediaguard/mediaguard.db of "
    "postgresql+psycopg://user@host/name. Verbeter die in mediaguard.toml.",
    "database-missing": "Er staan geen gegevens in {database}. Is deze map nieuw, voer dan uit: "
    "mediaguard init. Waren er gegevens, zet dan eerst de reservekopie terug: zonder die "
    "gegevens heeft niemand toestemming gegeven.",
    "database-older": "De gegevens in {database} zijn van een oudere mediaguard. Maak een "
    "reservekopie en voer dan uit: mediaguard init (dat werkt ze bij en bewaart alles).",
    "database-newer": "De gegevens in {database} zijn van een nieuwere mediaguard dan deze. "
    "Installeer de nieuwere versie; er is niets veranderd.",
    "database-not-one": "Het bestand {database} is geen database. Controleer de instelling "
    "'database', of zet de reservekopie terug.",
    "database-damaged": "De database {database} is beschadigd. Stop mediaguard en zet de "
    "reservekopie terug; tot dan wordt er niets gepubliceerd.",
    "database-locked": "De database {database} is te lang in gebruik door een ander programma. "
    "Probeer het opnieuw; blijft het zo, zoek dan welk programma dat is (een reservekopie, een "
    "synchronisatie?).",
    "database-busy": "De databaseserver {database} heeft geen plaats voor nog een verbinding. "
    "Probeer het over een minuut opnieuw, of vraag de beheerder.",
    "database-unwritable": "De database {database} kan niet worden geopend of beschreven "
    "({detail}). Controleer de rechten op het bestand en de map, en de schijf.",
    "database-unreachable": "De databaseserver {database} antwoordt niet. Controleer of hij "
    "draait en of het netwerk werkt; er gaat niets verloren, het werk gaat verder als hij terug "
    "is.",
    "database-password": "De databaseserver {database} weigert gebruiker '{user}' of het "
    "wachtwoord. Controleer de gebruiker in mediaguard.toml en het wachtwoord in ~/.pgpass.",
    "database-unknown": "De server heeft geen database of gebruiker zoals in {database} "
    "(gebruiker '{user}'). Vraag de beheerder die aan te maken.",
    "database-error": "De database {database} weigerde een stap ({detail}). Er is niets "
    "veranderd. Probeer het opnieuw; blijft het zo, geef deze melding dan aan de beheerder.",
    "disk-full": "De schijf met {database} is vol. Maak ruimte; er is niets verloren, en wat "
    "niet af is, wordt opnieuw geprobeerd.",
    "key-exists": "Er is al een hoofdsleutel in {path}. Die wordt nooit vervangen: alles wat "
    "ermee versleuteld is, zou verloren gaan.",
    "key-missing": "De hoofdsleutel {path} ontbreekt. Zet hem terug uit uw reservekopie van de "
    "sleutels; zonder hem zijn originelen en referenties niet te lezen.",
    "key-unreadable": "De hoofdsleutel {path} kan niet worden gelezen ({detail}).",
    "key-unwritable": "De hoofdsleutel {path} kan niet worden geschreven ({detail}). Kies een "
    "map op een schijf waarop u mag schrijven.",
    "key-exposed": "Andere gebruikers van deze computer kunnen de hoofdsleutel {path} lezen "
    "(rechten {mode}). Voer uit: chmod 600 {path} — en ga na of iemand hem heeft gekopieerd.",
    "key-damaged": "Het bestand {path} is geen hoofdsleutel. Zet hem terug uit uw reservekopie "
    "van de sleutels.",
    "key-mismatch": "Een bewaarde sleutel gaat niet open met deze hoofdsleutel. Is de "
    "hoofdsleutel vervangen? Zet de goede terug uit uw reservekopie van de sleutels.",
    "record-tampered": "Een bewaarde referentie is veranderd of hoort bij iemand anders. Zij "
    "wordt niet gebruikt. Verwijder de referenties van deze persoon en leg ze opnieuw vast.",
    "vault-missing": "Het origineel van item {item} ligt niet in de kluis.",
    "vault-tampered": "Het bewaarde origineel van item {item} is veranderd of beschadigd. Het "
    "wordt niet gebruikt. Zet het terug uit de reservekopie, of bied de foto opnieuw aan.",
    "vault-unreadable": "Het bewaarde origineel van item {item} kan niet worden gelezen "
    "({detail}).",
    "vault-unwritable": "De kluis kan niet worden beschreven ({detail}). Controleer de rechten "
    "op de map en de schijf.",
    "vault-full": "De schijf met de kluis is vol. Maak ruimte en bied de foto opnieuw aan; er is "
    "niets half geschreven.",
    "item-conflict": "Item {item} bestaat met een andere inhoud. Geef deze melding aan de "
    "beheerder.",
    "publication-exists": "Publicatie {publication} bestaat al. Geef deze melding aan de "
    "beheerder.",
    "no-item": "Er is geen item {item}.",
    "no-publication": "Er is geen publicatie {publication}.",
    "no-subject": "Er is niemand met het pseudoniem {subject}. Kijk in: mediaguard subject list",
    "no-opt-in": "{subject} heeft geen toestemming gegeven voor herkenning; er mag geen "
    "referentie worden bewaard. Is die toestemming er wel: mediaguard consent grant {subject} "
    "--channel matching …",
    "subject-exists": "{subject} bestaat al.",
    "subject-id-invalid": "'{subject}' kan geen pseudoniem zijn. Gebruik hoogstens 64 letters, "
    "cijfers, punten, streepjes en onderstrepingen, en geen naam.",
    "text-unusable": "Het veld {field} is leeg, langer dan {limit} tekens, of bevat stuurtekens.",
    "consent-evidence": "Bij de toestemming van {subject} hoort een bewijs: geef aan waar het "
    "getekende formulier of het antwoord in de app te vinden is.",
    "consent-signatory-unknown": "Niet bekend is wie de toestemming van {subject} gaf: kies "
    "guardian (ouder) of subject (zelf).",
    "consent-dates": "De toestemming zou eindigen ({last}) voordat zij begint ({first}).",
    "import-unreadable": "Het bestand {path} kan niet worden gelezen ({detail}).",
    "import-too-large": "Het bestand {path} is groter dan {limit} MB; dat is geen leerlingenlijst.",
    "import-failed-one": "Uit {path} is niets overgenomen: er is 1 fout. Verbeter die en lees het "
    "bestand opnieuw in.",
    "import-failed": "Uit {path} is niets overgenomen: er zijn {count} fouten. Verbeter ze en "
    "lees het bestand opnieuw in.",
    "import-changed": "Intussen is er iets anders vastgelegd, zodat het bestand iets anders zou "
    "veranderen dan wat u zag. Er is niets veranderd; bekijk het opnieuw.",
    "mapping-invalid": "In de kolomindeling {path} staat een fout: {detail}. Een voorbeeld staat "
    "in config/examples/parent-app.toml.",
    "mapping-channel": "De kolomindeling {path} noemt een kanaal {channel} dat niet in "
    "mediaguard.toml staat.",
    "import-line": "regel {line}, {column}: {problem}",
    "import-line-whole": "regel {line}: {problem}",
    "import-whole": "{problem}",
    "problem-encoding": "niet geschreven in {encoding}; bewaar het bestand als CSV UTF-8, of "
    "geef de codering op in de kolomindeling",
    "problem-nul": "bevat NUL-bytes: dit is geen CSV-bestand",
    "problem-csv": "is geen geldige CSV ({detail})",
    "problem-empty": "het bestand heeft geen kop en regels",
    "problem-header-missing": "er is geen kolom met deze kop",
    "problem-header-twice": "twee kolommen hebben deze kop",
    "problem-fields": "heeft {found} velden, de kop {expected}",
    "problem-value": "'{value}' is geen van de verwachte antwoorden ({expected})",
    "problem-signatory": "'{value}' zegt niet wie antwoordde ({expected})",
    "problem-date": "'{value}' is geen datum zoals {example}",
    "problem-dates": "de laatste dag ligt voor de eerste",
    "problem-subject-missing": "geen pseudoniem",
    "problem-subject-invalid": "'{value}' kan geen pseudoniem zijn",
    "problem-subject-twice": "{value} staat ook in een eerdere regel (regel {earlier})",
    "problem-subject-unknown": "{value} is niet bekend; voeg die eerst toe, of gebruik "
    "--add-subjects",
    "problem-text": "bevat stuurtekens of meer dan {limit} tekens",
    "problem-kind": "'{value}' is niet 'student' of 'staff'",
    "problem-xml": "is geen geldige XML ({detail})",
    "problem-xml-dtd": "heeft een documenttype of entiteiten; die worden geweigerd, want geen "
    "EDEXML-bestand heeft ze nodig",
    "problem-not-edexml": "is geen EDEXML-bestand",
    "subject-added": "{subject} is toegevoegd ({kind}).",
    "subject-list-empty": "Er is nog niemand. Voeg iemand toe: mediaguard subject add ID",
    "subject-imported": "{added} toegevoegd, {changed} verbeterd, {unchanged} ongewijzigd.",
    "subject-missing-note": "Niet in het bestand, en gelaten zoals ze zijn: {subjects}",
    "heading-subject": "persoon",
    "heading-kind": "soort",
    "heading-groups": "groepen",
    "heading-born": "geboren",
    "heading-references": "referenties",
    "heading-channel": "kanaal",
    "heading-ruling": "nu",
    "heading-when": "vastgelegd",
    "heading-answer": "antwoord",
    "heading-signatory": "door",
    "heading-wording": "tekst",
    "heading-validity": "geldig",
    "heading-evidence": "bewijs",
    "heading-number": "nr.",
    "kind-student": "leerling",
    "kind-staff": "medewerker",
    "answer-granted": "gegeven",
    "answer-refused": "geweigerd",
    "answer-withdrawn": "ingetrokken",
    "signatory-guardian": "ouder",
    "signatory-subject": "zelf",
    "signatory-unattributed": "niet vermeld",
    "consent-yes": "ja",
    "consent-no": "nee",
    "consent-recorded": "Vastgelegd als gebeurtenis {event}: {subject}, {channel}, {answer}.",
    "consent-in-force": "{subject} mag zichtbaar zijn op {channel}.",
    "consent-not-in-force": "{subject} mag niet zichtbaar zijn op {channel}: {why}.",
    "consent-withdrawn-done": "Ingetrokken, met ingang van nu: {subject}, {channel}.",
    "consent-nothing-to-withdraw": "{subject} heeft geen toestemming gegeven die kan worden "
    "ingetrokken; er is niets vastgelegd.",
    "consent-still-public": "Op {channel} staan {count} publicaties met {subject}; die worden "
    "weggehaald:",
    "consent-templates-forgotten": "{count} referenties van {subject} zijn gewist, met hun "
    "sleutel.",
    "consent-history-empty": "Er is nooit een toestemming vastgelegd.",
    "consent-channel-or-all": "Geef aan welke toestemming wordt ingetrokken: --channel KANAAL, "
    "of --all.",
    "import-questions": "Op {count} foto's is iemand die onder een andere naam staat misschien een "
    "persoon van wie de toestemming eindigde. Bekijk ze: mediaguard review list",
    "import-summary": "{added} toegevoegd, {granted} toestemmingen, {refused} weigeringen, "
    "{withdrawn} intrekkingen, {kept} op nee gehouden, {unchanged} ongewijzigd.",
    "import-dry-run": "Dit zou er veranderen; er is niets veranderd.",
    "change-add": "{subject} toevoegen",
    "change-granted": "{subject}, {channel}: toestemming ({detail})",
    "change-refused": "{subject}, {channel}: weigering ({detail})",
    "change-withdrawn": "{subject}, {channel}: INGETROKKEN ({detail})",
    "change-kept": "{subject}, {channel}: blijft NEE ({detail}). Het bestand zegt ja, maar sinds "
    "{since} geldt een nee dat op een andere manier is vastgelegd, of de laatste dag van het ja is "
    "voorbij en het bestand noemt geen dagen. Is het ja nieuwer: mediaguard consent grant {subject}",
}
