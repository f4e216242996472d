"""What can be wrong with a picture, and what verification objects to."""

EN = {
    # opening a picture
    "photo-empty": "The file is empty. Copy it again from the camera or phone.",
    "photo-unreadable": "The file cannot be read as a picture ({detail}). Open it in a photo "
    "program, save it as JPEG, and offer that file.",
    "photo-truncated": "The picture is incomplete: its end is missing. Probably copying was "
    "interrupted; copy it again.",
    "photo-corrupt": "The picture is damaged inside ({detail}). Copy it again from the camera or "
    "phone; if it looks right there, save it as a new JPEG.",
    "photo-too-large": "The picture has {megapixels} megapixels; at most {limit} can be handled. "
    "Save it smaller and offer that file.",
    "photo-too-much-memory": "The picture needs more memory than there is. Save it smaller and "
    "offer that file.",
    "photo-too-many-frames": "The animation has more than {limit} frames, and more cannot be "
    "handled. Shorten it.",
    "photo-unsupported": "Files of this kind ({kind}) cannot be handled. Save a photo as JPEG, "
    "PNG, WebP, GIF, HEIC, AVIF or TIFF, and a video as MP4.",
    "photo-animated-unsupported": "Animated {kind} pictures cannot be handled. Offer a still "
    "picture, or an animated GIF or WebP.",
    "photo-several-pages": "The file holds several pictures. Save each as a file of its own.",
    # writing
    "photo-encode-failed": "The finished picture could not be written ({detail}). Offer the "
    "picture again; if it stays, ask the administrator.",
    "no-room": "The disk is full, so {name} was not written; nothing half-written was left. "
    "Make room, then offer the picture again.",
    "write-failed": "{name} could not be written ({detail}). Ask the administrator to check the "
    "folder and its permissions, then offer the picture again.",
    # what verification objects to
    "bytes-not-format": "the finished file is not a {format} file",
    "bytes-broken": "the finished file is damaged at byte {offset}",
    "bytes-foreign": "the finished file holds something that does not belong in it: {part}, at "
    "byte {offset}",
    "bytes-trailing": "{count} bytes follow the end of the finished picture",
    "output-unreadable": "the finished file cannot be opened again ({why})",
    "output-differs": "the finished picture differs from the original outside the redacted faces "
    "(frame {frame})",
    "redaction-incomplete": "a head is not covered completely (frame {frame})",
    "redaction-recognisable": "redacted people can still be recognised: {count} (frame {frame})",
    "face-visible": "faces can be seen that nobody decided to show: {count} (frame {frame})",
}

NL = {
    "photo-empty": "Het bestand is leeg. Kopieer het opnieuw van de camera of telefoon.",
    "photo-unreadable": "Het bestand kan niet als foto worden gelezen ({detail}). Open het in een "
    "fotoprogramma, bewaar het als JPEG en bied dat bestand aan.",
    "photo-truncated": "De foto is niet compleet: het einde ontbreekt. Waarschijnlijk is het "
    "kopiëren onderbroken; kopieer de foto opnieuw.",
    "photo-corrupt": "De foto is van binnen beschadigd ({detail}). Kopieer de foto opnieuw van de "
    "camera of telefoon; ziet hij er daar goed uit, bewaar hem dan als nieuwe JPEG.",
    "photo-too-large": "De foto heeft {megapixels} megapixels; hoogstens {limit} is mogelijk. "
    "Bewaar hem kleiner en bied dat bestand aan.",
    "photo-too-much-memory": "De foto heeft meer geheugen nodig dan er is. Bewaar hem kleiner en "
    "bied dat bestand aan.",
    "photo-too-many-frames": "De animatie heeft meer dan {limit} beelden, en meer kunnen er niet "
    "worden verwerkt. Maak haar korter.",
    "photo-unsupported": "Dit soort bestand ({kind}) kan niet worden verwerkt. Bewaar een foto als "
    "JPEG, PNG, WebP, GIF, HEIC, AVIF of TIFF, en een video als MP4.",
    "photo-animated-unsupported": "Bewegende {kind}-afbeeldingen kunnen niet worden verwerkt. "
    "Bied een stilstaande foto aan, of een bewegende GIF of WebP.",
    "photo-several-pages": "Het bestand bevat meer foto's. Bewaar elke foto als een eigen bestand.",
    "photo-encode-failed": "De bewerkte foto kon niet worden geschreven ({detail}). Bied de foto "
    "opnieuw aan; blijft het zo, vraag dan de beheerder.",
    "no-room": "De schijf is vol; {name} is niet geschreven en er is niets half achtergebleven. "
    "Maak ruimte en bied de foto dan opnieuw aan.",
    "write-failed": "{name} kon niet worden geschreven ({detail}). Vraag de beheerder de map en de "
    "rechten na te kijken en bied de foto dan opnieuw aan.",
    "bytes-not-format": "het bewerkte bestand is geen {format}-bestand",
    "bytes-broken": "het bewerkte bestand is beschadigd bij byte {offset}",
    "bytes-foreign": "in het bewerkte bestand staat iets dat er niet in hoort: {part}, bij byte "
    "{offset}",
    "bytes-trailing": "na het einde van de bewerkte foto volgen nog {count} bytes",
    "output-unreadable": "het bewerkte bestand kan niet opnieuw worden geopend ({why})",
    "output-differs": "de bewerkte foto wijkt buiten de onherkenbaar gemaakte gezichten af van het "
    "origineel (beeld {frame})",
    "redaction-incomplete": "een hoofd is niet helemaal bedekt (beeld {frame})",
    "redaction-recognisable": "onherkenbaar gemaakte mensen zijn nog te herkennen: {count} "
    "(beeld {frame})",
    "face-visible": "er zijn gezichten te zien waarover niemand heeft beslist: {count} (beeld "
    "{frame})",
}
