"""Rules and outcomes, as staff read them."""

EN = {
    # outcomes
    "outcome-release": "may go out as it is",
    "outcome-redact": "goes out with faces made unrecognisable",
    "outcome-block": "may not go out",
    "outcome-hold": "is held",
    # why an item goes out or not
    "all-consented": "Everyone who can be recognised has agreed to this channel.",
    "no-faces": "No faces were found.",
    "some-redacted": "Some people have not agreed to this channel, or are not known to have; "
    "they are made unrecognisable.",
    "channel-blocks": "Somebody in it has not agreed to this channel, and this channel does not "
    "accept such pictures. Choose another picture.",
    "channel-holds": "Somebody in it has not agreed to this channel, and this channel holds such "
    "pictures until somebody has looked at them.",
    "too-many-redacted": "So many people in it have not agreed to this channel that little would "
    "be left to see. Choose another picture.",
    "verification-failed": "The finished picture was checked and is not safe yet ({findings}). "
    "Choose another picture, or ask the administrator.",
    "consent-moved": "Consent changed several times while the picture was being handled. "
    "Offer it again.",
    "internal-error": "Something unexpected went wrong ({detail}), so the picture is held. Offer "
    "it again; if it stays, ask the administrator.",
    # why a face is shown or not
    "face-small": "too small to recognise, redacted to be safe",
    "face-unclear": "not clear enough to recognise, redacted to be safe",
    "face-unknown": "not known to have agreed",
    "face-uncertain": "looks like somebody known, but not surely enough",
    "face-remembered": "was recognised as this person before and is not any more: redacted until somebody says in review who it is",
    "marked-no-face": "somebody looked: this is no face",
    "marked-not-subject": "somebody looked: it is not the person it was taken for, so nobody is known to have agreed",
    "reviewer-redacted": "somebody looked and wants it redacted",
}

NL = {
    "outcome-release": "mag zo naar buiten",
    "outcome-redact": "gaat naar buiten met onherkenbaar gemaakte gezichten",
    "outcome-block": "mag niet naar buiten",
    "outcome-hold": "wordt vastgehouden",
    "all-consented": "Iedereen die herkenbaar is, heeft voor dit kanaal toestemming gegeven.",
    "no-faces": "Er zijn geen gezichten gevonden.",
    "some-redacted": "Van sommige mensen is geen toestemming voor dit kanaal bekend; "
    "zij zijn onherkenbaar gemaakt.",
    "channel-blocks": "Iemand op deze foto heeft geen toestemming gegeven voor dit kanaal, en dit "
    "kanaal neemt zulke foto's niet aan. Kies een andere foto.",
    "channel-holds": "Iemand op deze foto heeft geen toestemming gegeven voor dit kanaal; zulke "
    "foto's worden vastgehouden tot iemand ernaar heeft gekeken.",
    "too-many-redacted": "Zoveel mensen op deze foto hebben geen toestemming gegeven voor dit "
    "kanaal dat er weinig te zien overblijft. Kies een andere foto.",
    "verification-failed": "De bewerkte foto is nagekeken en is nog niet veilig ({findings}). "
    "Kies een andere foto, of vraag de beheerder.",
    "consent-moved": "De toestemming veranderde enkele keren terwijl de foto werd bewerkt. "
    "Bied de foto opnieuw aan.",
    "internal-error": "Er ging iets onverwachts mis ({detail}); de foto wordt vastgehouden. Bied "
    "de foto opnieuw aan; blijft het zo, vraag dan de beheerder.",
    "face-small": "te klein om te herkennen, voor de zekerheid onherkenbaar gemaakt",
    "face-unclear": "niet duidelijk genoeg om te herkennen, voor de zekerheid onherkenbaar gemaakt",
    "face-unknown": "geen toestemming bekend",
    "face-uncertain": "lijkt op een bekende, maar niet zeker genoeg",
    "face-remembered": "werd eerder als deze persoon herkend en nu niet meer: onherkenbaar tot iemand bij Beoordelen zegt wie het is",
    "marked-no-face": "iemand heeft gekeken: dit is geen gezicht",
    "marked-not-subject": "iemand heeft gekeken: het is niet de persoon voor wie het werd gehouden; geen toestemming bekend",
    "reviewer-redacted": "iemand heeft gekeken en wil het onherkenbaar",
}
