"""What channels answer, and what to do about it."""

EN = {
    "channel-folder": "The channel's folder cannot be used: {path} ({detail}). Give mediaguard the "
    "right to write there, or make room.",
    "channel-unreachable": "{host} cannot be reached ({detail}). This is tried again. If it stays "
    "so, check the address in the configuration and the network.",
    "channel-busy": "{host} asks to wait. This is tried again later.",
    "channel-credentials": "{host} does not accept mediaguard's credentials (status {status}). "
    "Renew the password, token or secret, and check what it is allowed to do; then this is tried "
    "again.",
    "channel-failed": "{host} failed (status {status}). This is tried again. If it stays so, tell "
    "whoever runs it.",
    "channel-refuses": "{host} refuses this (status {status}): {detail}",
    "channel-answer": "{host} answered something that mediaguard does not understand ({detail}). "
    "Nobody knows whether it did what was asked; this is tried again. Check that the address in "
    "the configuration is right.",
    "channel-cannot-replace": "This channel cannot put another picture in the place of one that "
    'it published. Set takedown to "remove" in the configuration.',
    "rendition-changed": "The finished file of item {item} is not the one that was verified. It was "
    "not published. Process the item again.",
    "signing-secret": "A secret for signing has to be whsec_ and the base64 of 24 to 64 random "
    "bytes. Make one with: python -c \"import base64, secrets; print('whsec_' + "
    'base64.b64encode(secrets.token_bytes(32)).decode())"',
}

NL = {
    "channel-folder": "De map van het kanaal is niet bruikbaar: {path} ({detail}). Geef mediaguard "
    "er schrijfrechten, of maak ruimte.",
    "channel-unreachable": "{host} is niet bereikbaar ({detail}). Dit wordt opnieuw geprobeerd. "
    "Blijft het zo, controleer dan het adres in de configuratie en het netwerk.",
    "channel-busy": "{host} vraagt om te wachten. Dit wordt later opnieuw geprobeerd.",
    "channel-credentials": "{host} aanvaardt de gegevens van mediaguard niet (status {status}). "
    "Vernieuw het wachtwoord, token of geheim en controleer de rechten ervan; dan wordt dit "
    "opnieuw geprobeerd.",
    "channel-failed": "Bij {host} ging iets mis (status {status}). Dit wordt opnieuw geprobeerd. "
    "Blijft het zo, meld het dan aan de beheerder ervan.",
    "channel-refuses": "{host} weigert dit (status {status}): {detail}",
    "channel-answer": "{host} gaf een antwoord dat mediaguard niet begrijpt ({detail}). Niemand "
    "weet of het gedaan is; dit wordt opnieuw geprobeerd. Controleer of het adres in de "
    "configuratie klopt.",
    "channel-cannot-replace": "Dit kanaal kan een gepubliceerde foto niet vervangen door een "
    'andere. Zet takedown op "remove" in de configuratie.',
    "rendition-changed": "Het eindbestand van item {item} is niet het bestand dat is gecontroleerd. "
    "Het is niet gepubliceerd. Verwerk het item opnieuw.",
    "signing-secret": "Een geheim om mee te ondertekenen bestaat uit whsec_ en de base64 van 24 tot "
    "64 willekeurige bytes. Maak er een met: python -c \"import base64, secrets; print('whsec_' + "
    'base64.b64encode(secrets.token_bytes(32)).decode())"',
}
