"""Reviewing: what the commands and the page with pictures say."""

EN = {
    # items, and how to name them
    "item-short": "'{item}' is too short to say which item is meant. Give at least {least} "
    "characters of its code; look at: mediaguard review list --all",
    "item-ambiguous": "Several items begin with {item}: {found}. Give more characters of the code.",
    "state-received": "being handled",
    "state-held": "held",
    "state-blocked": "blocked",
    "state-released": "published",
    "state-rejected": "rejected",
    "media-photo": "photo",
    "media-video": "video",
    "rejected": "Somebody looked at it and decided that it may not go out. If it may after all: "
    "approve it in review.",
    "heading-item": "item",
    "heading-state": "state",
    "heading-faces": "faces",
    "heading-since": "since",
    "heading-reason": "why",
    # what cannot be done
    "review-no-report": "Item {item} was not looked at yet, so nothing can be said about its "
    "faces. Wait until it is handled.",
    "review-number": "Item {item} has {count} faces; there is no face {number}. Look at: "
    "mediaguard review show {item}",
    "review-somebody": "Face {number} was recognised as {subject}, so it is a face. If it is "
    "somebody else, say who: mediaguard review tag",
    "review-nobody": "Nobody was recognised in face {number}, so it is redacted already.",
    "review-redacted": "Somebody said that face {number} is to be redacted, and that counts more than "
    "anything else. Take that back first.",
    "review-no-place": "That is no place in the picture, which is {width} by {height} pixels.",
    "review-no-span": "{first} to {last} are no frames of a video.",
    "review-what-to-redact": "Give either the number of a face or --box X Y W H; --frames goes with "
    "--box only.",
    "review-busy": "The item is being handled at this moment. Wait until that is done.",
    "review-changed": "The item changed since you looked at it: somebody else worked on it, or it was "
    "handled. Look at it as it is now and try again.",
    "review-no-marks": "There is no mark on item {item} that could be taken back.",
    "review-no-original": "The original of item {item} is not kept any more, so it cannot be shown "
    "or handled again. Offer the file again.",
    # what was found
    "review-none": "Nothing is held.",
    "review-none-at-all": "Nothing was handled yet.",
    "review-head": "{kind} for {channel}, {state} since {since}",
    "review-no-faces": "No faces are on record.",
    "review-like": "looks like: {candidates}",
    "review-mark-no-face": "marked on {at}: no face",
    "review-mark-subject": "marked on {at}: {subject}",
    "review-mark-not-subject": "marked on {at}: not {subject}",
    "review-mark-redact": "marked on {at}: redact",
    "review-mark-loose": "fits none of these faces any more",
    "review-pending": "Marks count when the item is handled anew: mediaguard review approve {item}",
    "review-marked-no-face": "Face {number} of {item} is marked as no face. It will stay visible.",
    "review-marked-subject": "Face {number} of {item} is marked as {subject}. Whether it may be "
    "seen is asked of that consent.",
    "review-marked-not-subject": "Face {number} of {item} is marked as not being {subject}. It will be "
    "redacted.",
    "review-marked-redact": "Face {number} of {item} is marked to be redacted.",
    "review-marked-place": "The place {x},{y}, {w} by {h} pixels, of {item} is marked to be redacted.",
    "review-undone": "The last mark on {item} was taken back.",
    "review-rejected": "Item {item} is rejected. It was not public.",
    "review-taken-away": "Item {item} is rejected, and what was published of it was taken away.",
    "review-written": "Pictures and a page: {page}",
    "review-warning": "These pictures show faces that were not made unrecognisable. Show them to "
    "nobody who need not see them, and delete them after use.",
    # the page
    "review-title": "Review of {item}",
    "review-poster": "The item, with the numbers of the faces that are known to be in this frame",
    "review-no-picture": "this face cannot be shown",
    "review-how": "What you can say about it",
    "review-how-veto": "number 1 is no face, it stays visible",
    "review-how-tag": "number 1 is S-1001, whose consent is then asked",
    "review-how-not": "number 1 is not who it was taken for; it is redacted",
    "review-how-redact": "number 1 is to be redacted, whoever it is",
    "review-how-undo": "take back the last of these",
    "review-how-approve": "handle it anew and publish what may go out",
    "review-how-reject": "it may not go out",
}

NL = {
    "item-short": "'{item}' is te kort om te weten welk item bedoeld is. Geef minstens {least} "
    "tekens van de code; kijk met: mediaguard review list --all",
    "item-ambiguous": "Meer items beginnen met {item}: {found}. Geef meer tekens van de code.",
    "state-received": "in behandeling",
    "state-held": "vastgehouden",
    "state-blocked": "geblokkeerd",
    "state-released": "gepubliceerd",
    "state-rejected": "afgewezen",
    "media-photo": "foto",
    "media-video": "video",
    "rejected": "Iemand heeft ernaar gekeken en besloten dat het niet naar buiten mag. Mag het "
    "toch: keur het bij Beoordelen goed.",
    "heading-item": "item",
    "heading-state": "toestand",
    "heading-faces": "gezichten",
    "heading-since": "sinds",
    "heading-reason": "waarom",
    "review-no-report": "Item {item} is nog niet bekeken; over de gezichten kan dus niets worden "
    "gezegd. Wacht tot het behandeld is.",
    "review-number": "Item {item} heeft {count} gezichten; gezicht {number} is er niet. Kijk met: "
    "mediaguard review show {item}",
    "review-somebody": "Gezicht {number} is herkend als {subject}, dus het is een gezicht. Is het "
    "iemand anders, zeg dan wie: mediaguard review tag",
    "review-nobody": "In gezicht {number} is niemand herkend; het wordt al onherkenbaar gemaakt.",
    "review-redacted": "Iemand heeft gezegd dat gezicht {number} onherkenbaar moet; dat gaat voor al het "
    "andere. Neem dat eerst terug.",
    "review-no-place": "Dat is geen plek op de foto, die {width} bij {height} pixels groot is.",
    "review-no-span": "{first} tot {last} zijn geen beelden van een video.",
    "review-what-to-redact": "Geef het nummer van een gezicht óf --box X Y W H; --frames hoort alleen "
    "bij --box.",
    "review-busy": "Het item wordt op dit moment behandeld. Wacht tot dat klaar is.",
    "review-changed": "Het item is veranderd sinds u ernaar keek: iemand anders werkte eraan, of het is "
    "behandeld. Bekijk het zoals het nu is en probeer het opnieuw.",
    "review-no-marks": "Op item {item} staat geen aanwijzing die kan worden teruggenomen.",
    "review-no-original": "Het origineel van item {item} wordt niet meer bewaard; het kan niet "
    "worden getoond of opnieuw behandeld. Bied het bestand opnieuw aan.",
    "review-none": "Er wordt niets vastgehouden.",
    "review-none-at-all": "Er is nog niets behandeld.",
    "review-head": "{kind} voor {channel}, {state} sinds {since}",
    "review-no-faces": "Er zijn geen gezichten bekend.",
    "review-like": "lijkt op: {candidates}",
    "review-mark-no-face": "aangewezen op {at}: geen gezicht",
    "review-mark-subject": "aangewezen op {at}: {subject}",
    "review-mark-not-subject": "aangewezen op {at}: niet {subject}",
    "review-mark-redact": "aangewezen op {at}: onherkenbaar maken",
    "review-mark-loose": "past op geen van deze gezichten meer",
    "review-pending": "Aanwijzingen tellen als het item opnieuw wordt behandeld: mediaguard review "
    "approve {item}",
    "review-marked-no-face": "Gezicht {number} van {item} geldt als geen gezicht. Het blijft "
    "zichtbaar.",
    "review-marked-subject": "Gezicht {number} van {item} geldt als {subject}. Die toestemming "
    "bepaalt of het te zien mag zijn.",
    "review-marked-not-subject": "Gezicht {number} van {item} geldt als niet {subject}. Het wordt "
    "onherkenbaar gemaakt.",
    "review-marked-redact": "Gezicht {number} van {item} moet onherkenbaar worden gemaakt.",
    "review-marked-place": "De plek {x},{y}, {w} bij {h} pixels, van {item} moet onherkenbaar worden "
    "gemaakt.",
    "review-undone": "De laatste aanwijzing op {item} is teruggenomen.",
    "review-rejected": "Item {item} is afgewezen. Het was niet openbaar.",
    "review-taken-away": "Item {item} is afgewezen, en wat ervan gepubliceerd was, is weggehaald.",
    "review-written": "Foto's en een pagina: {page}",
    "review-warning": "Op deze foto's zijn gezichten te zien die niet onherkenbaar zijn gemaakt. "
    "Toon ze aan niemand die ze niet hoeft te zien, en verwijder ze na gebruik.",
    "review-title": "Beoordeling van {item}",
    "review-poster": "Het item, met de nummers van de gezichten die in dit beeld bekend zijn",
    "review-no-picture": "dit gezicht kan niet worden getoond",
    "review-how": "Wat u erover kunt zeggen",
    "review-how-veto": "nummer 1 is geen gezicht, het blijft zichtbaar",
    "review-how-tag": "nummer 1 is S-1001, wiens toestemming dan geldt",
    "review-how-not": "nummer 1 is iemand anders dan gedacht; het wordt onherkenbaar",
    "review-how-redact": "nummer 1 moet onherkenbaar worden, wie het ook is",
    "review-how-undo": "neem de laatste van deze terug",
    "review-how-approve": "behandel het opnieuw en publiceer wat naar buiten mag",
    "review-how-reject": "het mag niet naar buiten",
}
