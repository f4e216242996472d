"""Configuration, files and commands: what staff and operators read."""

EN = {
    "home-missing": "There is no mediaguard home in {home}. Make one with: mediaguard --home "
    "{home} init",
    "home-unwritable": "The home {home} cannot be made or written to ({detail}). Choose another "
    "folder with --home, or ask for the right to write there.",
    "import-mapping": "Say with --mapping which column means what: a file, or one of these names: "
    "{known}. Your own layouts belong in {folder}.",
    "import-no-mapping": "There is no column layout {mapping}: no such file, and none of these "
    "names: {known}. Your own layouts belong in {folder}.",
    "config-missing": "Only the configuration is missing: {path}. The keys and records are there, "
    "and nothing is lost. Put the file back from your backup. If there is none, copy {template} "
    "there, and set language, channels and database in it as they were.",
    "config-mistake": "{place}: {detail}",
    "config-no-setting": "{section}there is no setting `{setting}`; is `{known}` meant?",
    "config-no-such": "{section}there is no setting `{setting}`; there are: {known}",
    "config-unreadable": "The configuration {path} cannot be read ({detail}).",
    "config-invalid": "The configuration {path} has a mistake: {detail}. Nothing was done; "
    "correct it and try again.",
    "unexpected": "Something unexpected went wrong ({detail}). Nothing more was done; what was "
    "finished before stays. Please report it with the lines above.",
    "channel-unknown": "There is no channel {channel}. The configuration has: {known}.",
    "group-unknown": "There is no subject in group {group}. Look at: mediaguard subject list",
    "init-created": "The home {home} is ready. Next: put the rules of your channels in "
    "mediaguard.toml, then add people with: mediaguard subject add, consent grant, subject enrol.",
    "init-exists": "The home {home} exists already and is complete. Its records are up to date.",
    "file-vanished": "The file {name} disappeared while it was being read. Offer it again.",
    "file-missing": "There is no file or folder {path}.",
    "file-no-permission": "The file {name} may not be read by mediaguard. Give it the right to "
    "read the file, then offer it again.",
    "file-unreadable": "The file {name} could not be read ({detail}). Copy it again.",
    "file-too-large": "The file {name} is larger than {limit} MB. Export a smaller version, or "
    "raise max_file_mb in the configuration.",
    "not-a-file": "{name} is not an ordinary file. Offer the picture itself.",
    "report-title": "Check for {channel}",
    "report-summary": "{items} files for {channel}: {release} as they are, {redact} with faces "
    "made unrecognisable, {block} blocked, {hold} held.",
    "report-shown": "shown",
    "report-redacted": "redacted",
    "report-before": "Before, with what was decided",
    "report-after": "What goes out",
    "report-nothing": "nothing goes out",
    "report-unknown": "somebody unknown",
    "note": "This photo or video was not published on {channel}.\n\nFile: {name}\nWhy: {reason}\n\n"
    "The original is kept safe, encrypted. Item: {item}\n",
    "note-left": "This photo or video was not published on {channel}.\n\nFile: {name}\nWhy: {reason}\n\n"
    "The file was left in the inbox folder, unchanged.\n",
    "watch-started": "Watching {count} inbox folders in {path}. Stop with Ctrl+C.",
    "watch-trouble": "{reason} Nothing is lost: pictures stay in the inbox, and this is tried "
    "again in {seconds} seconds.",
    "watch-stopped": "Stopped. What is in the inbox folders is taken up at the next start.",
    "enrolled": "{photo}: stored as a reference of {subject} ({count} now).",
    "enrol-few": "Three or more references make {subject} much easier to recognise; there are "
    "{count}.",
    "enrol-near": "Warning: {photo} looks much like {other} (distance {distance:.2f}). Siblings "
    "or twins? Or the wrong picture? Look at both before you rely on it.",
    "enrol-doubtful": "Nothing was stored of {photo}: it looks more like {other} (distance "
    "{distance:.2f}) than like the other references of {subject} ({own:.2f}). If you looked and it "
    "is {subject}, say so with --sure.",
    "enrol-odd": "Warning: {photo} does not look like the other references of {subject} "
    "(distance {distance:.2f}). Look at it; remove them all with: mediaguard subject forget "
    "{subject}",
    "enrol-none": "{photo}: no face was found. Take a picture with one face that looks at the "
    "camera.",
    "enrol-many": "{photo}: {count} faces were found. A reference must show exactly one person; "
    "crop the picture.",
    "enrol-small": "{photo}: the face is only {pixels} pixels high. Take a picture from nearer; "
    "the face must be at least {height} pixels high.",
    "enrol-blurred": "{photo}: the face is not sharp. Take a sharp picture.",
    "enrol-turned": "{photo}: the face is turned away. Take a picture from the front.",
    "reference-animated": "{name} moves. A reference is an ordinary photo.",
    "forgot": "{count} references of {subject} were removed, and their key was destroyed.",
    "publication-none": "Nothing was published.",
    "audit-ok": "The audit log is complete and unchanged: {count} entries.",
    "audit-bad": "The audit log was tampered with or damaged: {detail}",
    "model-ok": "the measured file",
    "model-present": "installed",
    "model-absent": "not installed",
    "model-wrong": "NOT the measured file; it will be refused",
    "demo-intro": "The sample school: {subjects} people with consents, {photos} photos and a "
    "video for {channel}. Nobody in it is real.",
    "demo-serves": "The console of the sample school. Open this link in your browser (it works once, for a quarter of an hour):\n\n    {link}\n\nStop with Ctrl+C.",
    "demo-done": "The contact sheet, before and after: {png} and {html}; the finished video: "
    "{video}",
    "demo-taken-down": "What else showed {subject} there was taken down: {count} publications, each "
    "confirmed gone.",
    "demo-withdrawn": "Consent of {subject} for {channel} is withdrawn. The same photo again: "
    "{outcome}.",
}

NL = {
    "home-missing": "In {home} is geen mediaguard-map. Maak er een met: mediaguard --home "
    "{home} init",
    "home-unwritable": "De map {home} kan niet worden gemaakt of beschreven ({detail}). Kies een "
    "andere map met --home, of vraag om schrijfrechten.",
    "import-mapping": "Geef met --mapping aan welke kolom wat betekent: een bestand, of een van "
    "deze namen: {known}. Eigen indelingen horen in {folder}.",
    "import-no-mapping": "Er is geen kolomindeling {mapping}: geen bestand, en geen van deze "
    "namen: {known}. Eigen indelingen horen in {folder}.",
    "config-missing": "Alleen de configuratie ontbreekt: {path}. De sleutels en gegevens zijn er, "
    "en er is niets verloren. Zet het bestand terug uit uw reservekopie. Is die er niet, kopieer "
    "dan {template} daarheen, en stel taal, kanalen en database in zoals ze waren.",
    "config-mistake": "{place}: {detail}",
    "config-no-setting": "{section}er is geen instelling `{setting}`; is `{known}` bedoeld?",
    "config-no-such": "{section}er is geen instelling `{setting}`; wel zijn er: {known}",
    "config-unreadable": "De configuratie {path} kan niet worden gelezen ({detail}).",
    "config-invalid": "De configuratie {path} bevat een fout: {detail}. Er is niets gedaan; "
    "verbeter de fout en probeer het opnieuw.",
    "unexpected": "Er ging iets onverwachts mis ({detail}). Er is niets meer gedaan; wat al klaar "
    "was, blijft. Meld het alstublieft met de regels hierboven.",
    "channel-unknown": "Er is geen kanaal {channel}. De configuratie kent: {known}.",
    "group-unknown": "Niemand zit in groep {group}. Kijk met: mediaguard subject list",
    "init-created": "De map {home} is klaar. Zet nu de regels van uw kanalen in "
    "mediaguard.toml en voeg mensen toe met: mediaguard subject add, consent grant, subject enrol.",
    "init-exists": "De map {home} bestaat al en is compleet. De gegevens zijn bijgewerkt.",
    "file-vanished": "Het bestand {name} verdween tijdens het lezen. Bied het opnieuw aan.",
    "file-missing": "Er is geen bestand of map {path}.",
    "file-no-permission": "mediaguard mag het bestand {name} niet lezen. Geef leesrechten en bied "
    "het opnieuw aan.",
    "file-unreadable": "Het bestand {name} kon niet worden gelezen ({detail}). Kopieer het "
    "opnieuw.",
    "file-too-large": "Het bestand {name} is groter dan {limit} MB. Maak een kleinere versie, of "
    "verhoog max_file_mb in de configuratie.",
    "not-a-file": "{name} is geen gewoon bestand. Bied de foto zelf aan.",
    "report-title": "Controle voor {channel}",
    "report-summary": "{items} bestanden voor {channel}: {release} zoals ze zijn, {redact} met "
    "onherkenbaar gemaakte gezichten, {block} geblokkeerd, {hold} vastgehouden.",
    "report-shown": "zichtbaar",
    "report-redacted": "onherkenbaar",
    "report-before": "Vooraf, met wat is besloten",
    "report-after": "Wat naar buiten gaat",
    "report-nothing": "er gaat niets naar buiten",
    "report-unknown": "een onbekende",
    "note": "Deze foto of video is niet gepubliceerd op {channel}.\n\nBestand: {name}\nWaarom: {reason}\n\n"
    "Het origineel wordt veilig en versleuteld bewaard. Item: {item}\n",
    "note-left": "Deze foto of video is niet gepubliceerd op {channel}.\n\nBestand: {name}\nWaarom: {reason}\n\n"
    "Het bestand staat nog ongewijzigd in de map.\n",
    "watch-started": "Er wordt gekeken naar {count} mappen in {path}. Stop met Ctrl+C.",
    "watch-trouble": "{reason} Er gaat niets verloren: foto's blijven in de map, en over {seconds} "
    "seconden wordt het opnieuw geprobeerd.",
    "watch-stopped": "Gestopt. Wat nog in de mappen staat, komt bij de volgende start aan de beurt.",
    "enrolled": "{photo}: bewaard als referentie van {subject} (nu {count}).",
    "enrol-few": "Met drie of meer referenties wordt {subject} veel beter herkend; er zijn er "
    "{count}.",
    "enrol-near": "Let op: {photo} lijkt sterk op {other} (afstand {distance:.2f}). Broers, "
    "zussen, een tweeling? Of de verkeerde foto? Bekijk beide voordat u erop vertrouwt.",
    "enrol-doubtful": "Van {photo} is niets bewaard: het lijkt meer op {other} (afstand "
    "{distance:.2f}) dan op de andere referenties van {subject} ({own:.2f}). Hebt u gekeken en is het "
    "{subject}, geef dan --sure.",
    "enrol-odd": "Let op: {photo} lijkt niet op de andere referenties van {subject} (afstand "
    "{distance:.2f}). Bekijk de foto; verwijder alle referenties met: mediaguard subject forget "
    "{subject}",
    "enrol-none": "{photo}: er is geen gezicht gevonden. Neem een foto met één gezicht dat in de "
    "camera kijkt.",
    "enrol-many": "{photo}: er zijn {count} gezichten gevonden. Een referentie toont precies één "
    "persoon; snijd de foto bij.",
    "enrol-small": "{photo}: het gezicht is maar {pixels} pixels hoog. Neem een foto van dichterbij; "
    "het gezicht moet minstens {height} pixels hoog zijn.",
    "enrol-blurred": "{photo}: het gezicht is niet scherp. Neem een scherpe foto.",
    "enrol-turned": "{photo}: het gezicht is afgewend. Neem een foto van voren.",
    "reference-animated": "{name} beweegt. Een referentie is een gewone foto.",
    "forgot": "{count} referenties van {subject} zijn verwijderd, en hun sleutel is vernietigd.",
    "publication-none": "Er is niets gepubliceerd.",
    "audit-ok": "Het logboek is compleet en ongewijzigd: {count} regels.",
    "audit-bad": "Het logboek is veranderd of beschadigd: {detail}",
    "model-ok": "het gemeten bestand",
    "model-present": "geïnstalleerd",
    "model-absent": "niet geïnstalleerd",
    "model-wrong": "NIET het gemeten bestand; het wordt geweigerd",
    "demo-intro": "De voorbeeldschool: {subjects} mensen met toestemmingen, {photos} foto's en "
    "een video voor {channel}. Niemand ervan bestaat echt.",
    "demo-serves": "De console van de voorbeeldschool. Open deze link in uw browser (hij werkt één keer, een kwartier lang):\n\n    {link}\n\nStop met Ctrl+C.",
    "demo-done": "Het contactblad, voor en na: {png} en {html}; de video die naar buiten kan: "
    "{video}",
    "demo-taken-down": "Wat {subject} daar verder toonde, is weggehaald: {count} publicaties, elk "
    "bevestigd weg.",
    "demo-withdrawn": "De toestemming van {subject} voor {channel} is ingetrokken. Dezelfde foto "
    "opnieuw: {outcome}.",
}
