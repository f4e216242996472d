"""What opens and writes media files: decoding, redaction, encoding, verification."""
