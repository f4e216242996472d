"""What can be wrong with a video, and what is said while one is handled."""

EN = {
    # opening a video
    "clip-unreadable": "The file cannot be read as a video ({detail}). Play it on the device it "
    "came from; if it plays there, save it as MP4 (H.264), and offer that file.",
    "clip-no-video": "There is no picture in this file, only sound or other things. Offer the "
    "video itself.",
    "clip-several-videos": "The file holds {count} videos at once, and it is not clear which one "
    "is meant. Save the one that is meant as a file of its own.",
    "clip-empty": "The video holds no frames. Copy it again from the camera or phone.",
    "clip-truncated": "The video is incomplete: its end is missing. Probably copying was "
    "interrupted; copy it again.",
    "clip-corrupt": "The video is damaged inside. Copy it again from the camera or phone; if it "
    "plays well there, save it as a new MP4.",
    "clip-encrypted": "The video is protected against copying and cannot be opened. Offer one "
    "without protection.",
    "clip-too-large": "The video's picture has {megapixels} megapixels; at most {limit} can be "
    "handled. Save it smaller and offer that file.",
    "clip-too-long": "The video lasts {minutes} minutes; at most {limit} can be handled. Cut it "
    "into parts, or ask the administrator to raise max_video_minutes.",
    "clip-too-fast": "The video has {fps} frames a second; from 1 to {limit} can be handled. Save "
    "it with 25 or 30 frames a second.",
    "clip-timing": "The times of the video's frames are missing or run backwards. Save it as a new "
    "MP4 with a video program and offer that file.",
    "clip-transparent": "The video has transparent parts, and what lies under them cannot be "
    "judged. Save it without transparency.",
    "clip-orientation": "The video is stored slanted or stretched. Save it upright with a video "
    "program and offer that file.",
    "clip-sound": "The video has sound, and this channel holds videos with sound, because names "
    "can be spoken in it. Listen to it; if it may not go out, save the video without sound.",
    # handling it
    "clip-changed": "The video changed while it was handled. Offer it again when nothing writes to "
    "it any more.",
    "file-changed": "{name} changed while it was handled. Offer it again when nothing writes to it "
    "any more.",
    "no-room-clip": "Handling this video needs {needed} MB of free space in {folder}, and there "
    "are {free} MB. Make room, then offer it again.",
    "clip-encode-failed": "The finished video could not be written ({detail}). Offer the video "
    "again; if it stays, ask the administrator.",
    "work-unwritable": "The folder for work in progress, {folder}, cannot be written ({detail}). "
    "Ask the administrator to check the disk and its permissions.",
    "work-taken": "This video is being handled by another mediaguard at this moment. It is tried "
    "again later.",
    "cancelled": "Stopped on request. Nothing was published; offer the video again, and the work "
    "goes on where it was.",
    "interrupted": "Stopped. Give the same command again: a video goes on where it was.",
    # what verification objects to
    "output-frames": "the finished video has {count} frames instead of {wanted}",
    "output-times": "a frame of the finished video is shown at another time (frame {frame})",
    "output-streams": "the finished video holds other things than it should ({found})",
    "output-sound": "the sound of the finished video is not that of the original",
    # progress
    "progress-look": "looking for faces",
    "progress-write": "writing and checking",
    "watch-progress": "{channel}: a video: {step}, {percent} % ({left} left)",
}

NL = {
    "clip-unreadable": "Het bestand kan niet als video worden gelezen ({detail}). Speel het af op "
    "het apparaat waar het vandaan komt; lukt dat, bewaar het dan als MP4 (H.264) en bied dat "
    "bestand aan.",
    "clip-no-video": "In dit bestand zit geen beeld, alleen geluid of iets anders. Bied de video "
    "zelf aan.",
    "clip-several-videos": "Het bestand bevat {count} video's tegelijk; welke bedoeld is, is niet "
    "duidelijk. Bewaar de bedoelde video als apart bestand.",
    "clip-empty": "De video bevat geen beelden. Kopieer hem opnieuw van de camera of telefoon.",
    "clip-truncated": "De video is niet compleet: het einde ontbreekt. Waarschijnlijk is het "
    "kopiëren onderbroken; kopieer hem opnieuw.",
    "clip-corrupt": "De video is van binnen beschadigd. Kopieer hem opnieuw van de camera of "
    "telefoon; speelt hij daar goed af, bewaar hem dan als nieuwe MP4.",
    "clip-encrypted": "De video is tegen kopiëren beveiligd en kan niet worden geopend. Bied er "
    "een zonder beveiliging aan.",
    "clip-too-large": "Het beeld van de video heeft {megapixels} megapixels; hoogstens {limit} is "
    "mogelijk. Bewaar hem kleiner en bied dat bestand aan.",
    "clip-too-long": "De video duurt {minutes} minuten; hoogstens {limit} is mogelijk. Knip hem in "
    "delen, of vraag de beheerder max_video_minutes te verhogen.",
    "clip-too-fast": "De video heeft {fps} beelden per seconde; 1 tot {limit} is mogelijk. Bewaar "
    "hem met 25 of 30 beelden per seconde.",
    "clip-timing": "De tijden van de beelden ontbreken of lopen terug. Bewaar de video met een "
    "videoprogramma als nieuwe MP4 en bied dat bestand aan.",
    "clip-transparent": "De video heeft doorzichtige delen, en wat daaronder ligt kan niet worden "
    "beoordeeld. Bewaar hem zonder doorzichtigheid.",
    "clip-orientation": "De video is scheef of uitgerekt opgeslagen. Bewaar hem rechtop met een "
    "videoprogramma en bied dat bestand aan.",
    "clip-sound": "De video heeft geluid, en dit kanaal houdt video's met geluid vast, omdat er "
    "namen in kunnen worden genoemd. Luister ernaar; mag het geluid niet naar buiten, bewaar de "
    "video dan zonder geluid.",
    "clip-changed": "De video veranderde terwijl hij werd verwerkt. Bied hem opnieuw aan als er "
    "niets meer naar schrijft.",
    "file-changed": "{name} veranderde tijdens de verwerking. Bied het opnieuw aan als er niets "
    "meer naar schrijft.",
    "no-room-clip": "Voor deze video is {needed} MB vrije ruimte nodig in {folder}; er is {free} "
    "MB. Maak ruimte en bied hem opnieuw aan.",
    "clip-encode-failed": "De video kon niet worden geschreven ({detail}). Bied hem opnieuw aan; "
    "blijft het zo, vraag dan de beheerder.",
    "work-unwritable": "De map voor werk in uitvoering, {folder}, kan niet worden beschreven "
    "({detail}). Vraag de beheerder de schijf en de rechten te controleren.",
    "work-taken": "Deze video wordt op dit moment door een andere mediaguard verwerkt. Later wordt "
    "het opnieuw geprobeerd.",
    "cancelled": "Op verzoek gestopt. Er is niets gepubliceerd; bied de video opnieuw aan, dan "
    "gaat het werk verder waar het was.",
    "interrupted": "Gestopt. Geef dezelfde opdracht opnieuw: een video gaat verder waar hij was.",
    "output-frames": "de video heeft {count} beelden in plaats van {wanted}",
    "output-times": "een beeld van de video wordt op een ander moment getoond (beeld {frame})",
    "output-streams": "de video bevat andere dingen dan de bedoeling is ({found})",
    "output-sound": "het geluid van de video is niet dat van het origineel",
    "progress-look": "gezichten zoeken",
    "progress-write": "schrijven en controleren",
    "watch-progress": "{channel}: een video: {step}, {percent} % (nog {left})",
}
