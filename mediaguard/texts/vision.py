"""Models: what operators read."""

EN = {
    "model-file-missing": "The model {model} is not installed: the file {file} is missing. It comes "
    "with {source}. Install mediaguard again, or put the file into the home's folder models.",
    "model-file-wrong": "The file {path} is not the {model} model that was measured. Replace it by the "
    "one of {source}. Nothing is done with an unknown model.",
}

NL = {
    "model-file-missing": "Het model {model} is niet geïnstalleerd: het bestand {file} ontbreekt. Het "
    "hoort bij {source}. Installeer mediaguard opnieuw, of zet het bestand in de map models.",
    "model-file-wrong": "Het bestand {path} is niet het gemeten model {model}. Vervang het door dat van "
    "{source}. Met een onbekend model wordt niets gedaan.",
}
