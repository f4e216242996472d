"""What a file is, by its first bytes; its name is never asked."""

from mediaguard.errors import MediaError

READABLE = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "GIF")
"""The formats that are opened; each is Pillow's name of the one decoder that is tried."""

HEAD_BYTES = 512
"""So many bytes from the start tell what a file is."""

_HEIF_STILL = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"}
_HEIF_SEQUENCE = {b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"}

# Recognised only to say something better than "unreadable".
_UNSUPPORTED = (
    (b"%PDF-", "PDF"),
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop"),
    (b"PK\x03\x04", "ZIP"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x1a\x45\xdf\xa3", "video"),
    (b"\x00\x00\x01\xba", "video"),
    (b"\x00\x00\x01\xb3", "video"),
    (b"FLV\x01", "video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video"),
    (b"FUJIFILMCCD-RAW", "RAW"),
)


def sniff(data: bytes) -> str:
    """The format of `data`, one of `READABLE`.

    Raises:
        MediaError: ``photo-empty``, ``photo-unsupported`` (known, but not opened),
            ``photo-animated-unsupported`` or ``photo-unreadable``.
    """
    if not data:
        raise MediaError("photo-empty")
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF"):
        if data[8:12] == b"WEBP":
            return "WEBP"
        raise MediaError("photo-unsupported", kind="video")
    if data.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        if data[8:10] == b"CR":  # Canon's CR2 is a TIFF whose first page is a preview
            raise MediaError("photo-unsupported", kind="RAW")
        return "TIFF"
    if data[4:8] == b"ftyp":
        return _sniff_iso_media(data)
    if data[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        raise MediaError("photo-unsupported", kind="video")
    for prefix, kind in _UNSUPPORTED:
        if data.startswith(prefix):
            raise MediaError("photo-unsupported", kind=kind)
    if b"<svg" in data[:4096].lower():
        raise MediaError("photo-unsupported", kind="SVG")
    raise MediaError("photo-unreadable", detail="unknown format")


def clip_format(head: bytes) -> str | None:
    """The container of a video by its first bytes (64 or more): mov, matroska, avi; else None.

    The name is that of the one demuxer that is then allowed to open it.
    """
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head[4:8] == b"ftyp":
        try:
            _sniff_iso_media(head)
        except MediaError as error:
            return "mov" if error.params.get("kind") == "video" else None
    return None


def _sniff_iso_media(data: bytes) -> str:
    """HEIF and AVIF share their container with MP4; the brands tell them apart (ISO 23008-12)."""
    size = min(max(int.from_bytes(data[:4], "big"), 16), 512)
    major = data[8:12]
    brands = {major, *(data[i : i + 4] for i in range(16, size - 3, 4))}
    if major == b"avis":
        raise MediaError("photo-animated-unsupported", kind="AVIF")
    if major == b"avif" or (major in {b"mif1", b"miaf"} and b"avif" in brands):
        return "AVIF"
    if major in _HEIF_SEQUENCE:
        raise MediaError("photo-animated-unsupported", kind="HEIC")
    if major in _HEIF_STILL:
        return "HEIF"
    kind = "RAW" if major == b"crx " else "JPEG XL" if major == b"jxl " else "video"
    raise MediaError("photo-unsupported", kind=kind)
