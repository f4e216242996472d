"""Builds pictures that carry what must not get out; nothing here is copied from anywhere.

Each builder hides `CANARY`, or pixels nobody may see, in one of the places where real
cameras, phones and programs put such things.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pillow_heif
from PIL import Image as Pil
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

pillow_heif.register_heif_opener()

CANARY = b"Canary Janssen"
TEXT = CANARY.decode()


@dataclass(frozen=True)
class Nasty:
    """A file, and byte strings of it that must not be found in what is made of it."""

    data: bytes
    needles: tuple[bytes, ...] = (CANARY,)
    in_source: bool = field(default=True)  # False: compressed, so not to be seen as it stands


def scene(width: int = 96, height: int = 64, seed: int = 1) -> np.ndarray:
    """A smooth picture with some structure, unlike its own mirror images."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    noise = rng.normal(0, 3, (height, width, 3))
    base = np.stack([60 + 150 * x, 40 + 180 * y, 200 - 120 * x * y], axis=-1)
    spot = 40 * np.exp(-((x - 0.2) ** 2 + (y - 0.15) ** 2) * 60)[..., None]
    return (base + spot + noise).clip(0, 255).astype(np.uint8)


def saved(picture: np.ndarray | Pil.Image, target: str, **options) -> bytes:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Pil.Image) else Pil.fromarray(picture)
    image.save(buffer, target, **options)
    return buffer.getvalue()


def thumbnail(seed: int = 9) -> bytes:
    """A small JPEG with a comment: what an EXIF thumbnail looks like."""
    return saved(scene(48, 32, seed), "JPEG", comment=b"thumb " + CANARY)


def exif(*, orientation: int = 1, with_thumbnail: bool = True) -> bytes:
    """EXIF with artist, GPS, a maker note, owner and a thumbnail in IFD1 (built by hand)."""
    thumb = thumbnail() if with_thumbnail else b""
    out = bytearray(b"MM\x00*\x00\x00\x00\x08")

    def entry(tag: int, kind: int, count: int, value: int | bytes) -> bytes:
        raw = value if isinstance(value, bytes) else struct.pack(">I", value)
        return struct.pack(">HHI", tag, kind, count) + raw

    name = CANARY + b"\0"
    short = struct.pack(">HH", orientation, 0)
    sub, gps, ifd1, blobs = 100, 160, 220, 300
    offset = {"artist": blobs, "maker": blobs + 32, "gps": blobs + 64, "thumb": blobs + 128}
    out += struct.pack(">H", 4)
    out += entry(0x0112, 3, 1, short) + entry(0x013B, 2, len(name), offset["artist"])
    out += entry(0x8769, 4, 1, sub) + entry(0x8825, 4, 1, gps)
    out += struct.pack(">I", ifd1 if thumb else 0)
    out = out.ljust(sub, b"\0")
    out += struct.pack(">H", 2) + entry(0x927C, 7, len(name), offset["maker"])
    out += entry(0xA430, 2, len(name), offset["artist"]) + b"\0" * 4
    out = out.ljust(gps, b"\0")
    out += struct.pack(">H", 2) + entry(0x0001, 2, 2, b"N\0\0\0")
    out += entry(0x0002, 5, 3, offset["gps"]) + b"\0" * 4
    out = out.ljust(ifd1, b"\0")
    out += struct.pack(">H", 3) + entry(0x0103, 3, 1, struct.pack(">HH", 6, 0))
    out += entry(0x0201, 4, 1, offset["thumb"]) + entry(0x0202, 4, 1, len(thumb)) + b"\0" * 4
    out = out.ljust(offset["artist"], b"\0") + name
    out = out.ljust(offset["maker"], b"\0") + name
    out = out.ljust(offset["gps"], b"\0") + struct.pack(">6I", 52, 1, 22, 1, 12, 1)
    return bytes(out.ljust(offset["thumb"], b"\0") + thumb)


def xmp() -> bytes:
    """XMP as Lightroom, Picasa (mwg-rs) and Windows (MP) write the names of faces."""
    return (
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        "xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/' "
        "xmlns:MPReg='http://ns.microsoft.com/photo/1.2/t/Region#'>"
        f"<mwg-rs:Regions><rdf:Bag><rdf:li mwg-rs:Name='{TEXT}' mwg-rs:Type='Face'/></rdf:Bag>"
        f"</mwg-rs:Regions><MPReg:PersonDisplayName>{TEXT}</MPReg:PersonDisplayName>"
        "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()


def iptc() -> bytes:
    """IPTC keywords and caption writer in a Photoshop resource."""
    records = b"".join(
        b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(CANARY)) + CANARY
        for number in (25, 80, 120, 122)
    )
    return b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(records)) + records


def profile() -> bytes:
    """A working sRGB profile whose description is a name."""
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Profiles keep unused header bytes (100-127) and their description as UTF-16 in 'mluc'.
    icc[100 : 100 + len(CANARY)] = CANARY
    return bytes(icc)


# --- JPEG ---------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jpeg_with(*segments: bytes, trailer: bytes = b"", **options) -> bytes:
    """A JPEG with segments right behind its first marker."""
    data = saved(scene(), "JPEG", **{"quality": 90, **options})
    return data[:2] + b"".join(segments) + data[2:] + trailer


def jpeg_mpf() -> Nasty:
    first, second = scene(), scene(seed=5)
    data = saved(Pil.fromarray(first), "MPO", save_all=True, append_images=[Pil.fromarray(second)])
    return Nasty(data, (b"MPF\0", saved(second, "JPEG")[-200:-10]))


def jpeg_jfif_thumbnail() -> Nasty:
    pixels = scene(16, 16, seed=7).tobytes()
    data = saved(scene(), "JPEG")
    head = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\x10\x10" + pixels)
    return Nasty(data[:2] + head + data[20:], (pixels[:64],))


def motion_photo() -> Nasty:
    movie = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x40mdat" + CANARY * 4
    return Nasty(jpeg_with(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()), trailer=movie))


def ultra_hdr() -> Nasty:
    gain_map = thumbnail(11)
    return Nasty(jpeg_with(trailer=gain_map), (CANARY, gain_map[-120:-10]))


# --- PNG ----------------------------------------------------------------------------


def chunk(name: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(name + payload)
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", checksum)


def png_with(*chunks: bytes, trailer: bytes = b"") -> bytes:
    """A PNG with chunks right behind its header."""
    data = saved(scene(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:] + trailer


def png_all_texts() -> bytes:
    info = PngInfo()
    info.add_text("Author", TEXT)
    info.add_itxt("XML:com.adobe.xmp", xmp().decode())
    return saved(scene(), "PNG", pnginfo=info, exif=exif(), icc_profile=profile())


def png_behind_pixels() -> Nasty:
    """A secret behind the last pixel, inside the picture data's chunk."""
    data = saved(scene(), "PNG")
    start = data.index(b"IDAT") - 4
    size = struct.unpack(">I", data[start : start + 4])[0]
    body = data[start + 8 : start + 8 + size] + CANARY
    return Nasty(data[:start] + chunk(b"IDAT", body) + data[start + 12 + size :])


def hidden_pixels() -> np.ndarray:
    """RGBA whose left half is fully transparent but still holds a picture."""
    rgba = np.dstack([scene(), np.full((64, 96), 255, np.uint8)])
    rgba[:, :48, 3] = 0
    return rgba


# --- WebP, GIF, TIFF, HEIF ----------------------------------------------------------


def webp_chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def webp_with(*chunks: bytes, trailer: bytes = b"") -> bytes:
    """A still WebP with chunks behind its picture."""
    data = saved(scene(), "WEBP", quality=85) + b"".join(chunks)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:] + trailer


def gif_with(*blocks: bytes, trailer: bytes = b"") -> bytes:
    """An animated GIF with blocks before its end."""
    return animated("GIF")[:-1] + b"".join(blocks) + b";" + trailer


def animated(target: str, frames: int = 4, **options) -> bytes:
    pictures = [Pil.fromarray(scene(seed=i)) for i in range(frames)]
    return saved(
        pictures[0],
        target,
        save_all=True,
        append_images=pictures[1:],
        **{"duration": [100 + 20 * i for i in range(frames)], "loop": 0, **options},
    )


def tiff_tagged(**options) -> bytes:
    tags = {
        270: TEXT, 305: TEXT, 315: TEXT, 316: TEXT, 33432: TEXT, 700: xmp(), 33723: iptc(),
    }  # fmt: skip
    return saved(scene(), "TIFF", tiffinfo=tags, **options)


def heic(**options) -> bytes:
    return saved(scene(256, 192), "HEIF", **options)


def secrets() -> dict[str, Callable[[], Nasty]]:
    """Every leak of a naive re-save, by name."""
    photoshop = b"Photoshop 3.0\0" + iptc()
    xap = b"http://ns.adobe.com/xap/1.0/\0" + xmp()
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + b"\0" * 8 + xmp()
    comment = b"\x21\xfe" + bytes([len(CANARY)]) + CANARY + b"\0"
    application = b"\x21\xff\x0bXMP DataXMP" + bytes([len(CANARY)]) + CANARY + b"\0"
    plain = b"\x21\x01\x0c" + bytes(12) + bytes([len(CANARY)]) + CANARY + b"\0"
    return {
        "jpeg-exif": lambda: Nasty(
            jpeg_with(exif=b"Exif\0\0" + exif()), (CANARY, thumbnail()[-80:-4], b"Exif")
        ),
        "jpeg-exif-turned": lambda: Nasty(jpeg_with(exif=b"Exif\0\0" + exif(orientation=6))),
        "jpeg-xmp": lambda: Nasty(jpeg_with(segment(0xE1, xap)), (CANARY, b"mwg-rs")),
        "jpeg-xmp-extended": lambda: Nasty(jpeg_with(segment(0xE1, extended))),
        "jpeg-iptc": lambda: Nasty(jpeg_with(segment(0xED, photoshop))),
        "jpeg-comment": lambda: Nasty(jpeg_with(comment=CANARY)),
        "jpeg-icc": lambda: Nasty(jpeg_with(icc_profile=profile()), (CANARY, b"ICC_PROFILE")),
        "jpeg-c2pa": lambda: Nasty(jpeg_with(segment(0xEB, b"JP\0\0" + CANARY))),
        "jpeg-unknown": lambda: Nasty(jpeg_with(segment(0xEF, CANARY))),
        "jpeg-jfxx": lambda: Nasty(jpeg_with(segment(0xE0, b"JFXX\0\x10" + thumbnail()))),
        "jpeg-jfif-thumbnail": jpeg_jfif_thumbnail,
        "jpeg-mpf": jpeg_mpf,
        "jpeg-motion-photo": motion_photo,
        "jpeg-ultra-hdr": ultra_hdr,
        "jpeg-trailing": lambda: Nasty(jpeg_with(trailer=CANARY)),
        "png-texts": lambda: Nasty(png_all_texts()),
        "png-ztxt": lambda: Nasty(
            png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(CANARY * 3))),
            in_source=False,
        ),
        "png-exif": lambda: Nasty(png_with(chunk(b"eXIf", exif()))),
        "png-iccp": lambda: Nasty(
            png_with(chunk(b"iCCP", CANARY + b"\0\0" + zlib.compress(profile())))
        ),
        "png-unknown": lambda: Nasty(png_with(chunk(b"prVt", CANARY))),
        "png-trailing": lambda: Nasty(png_with(trailer=CANARY)),
        "png-behind-pixels": png_behind_pixels,
        "webp-exif-xmp-icc": lambda: Nasty(
            saved(scene(), "WEBP", exif=b"Exif\0\0" + exif(), xmp=xmp(), icc_profile=profile())
        ),
        "webp-unknown": lambda: Nasty(webp_with(webp_chunk(b"PRVT", CANARY))),
        "webp-trailing": lambda: Nasty(webp_with(trailer=CANARY)),
        "webp-animated": lambda: Nasty(animated("WEBP", exif=b"Exif\0\0" + exif(), xmp=xmp())),
        "gif-comment": lambda: Nasty(gif_with(comment)),
        "gif-application": lambda: Nasty(gif_with(application)),
        "gif-plain-text": lambda: Nasty(gif_with(plain)),
        "gif-trailing": lambda: Nasty(gif_with(trailer=CANARY)),
        "tiff-tags": lambda: Nasty(tiff_tagged()),
        "tiff-icc": lambda: Nasty(tiff_tagged(icc_profile=profile())),
        "heic-exif-xmp": lambda: Nasty(
            heic(exif=b"Exif\0\0" + exif(), xmp=xmp(), thumbnails=[128])
        ),
        "avif-exif-xmp": lambda: Nasty(
            saved(scene(), "AVIF", exif=exif(with_thumbnail=False), xmp=xmp())
        ),
    }
