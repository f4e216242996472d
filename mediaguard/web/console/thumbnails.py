"""Small pictures of what is public, made from the very files that were verified."""

import hashlib
import io
from pathlib import Path

from PIL import Image, ImageOps

from mediaguard.app import App
from mediaguard.store.tables import PublicationRow
from mediaguard.web.items import FILES

SIDE = 320
"""Pixels of the longer side, at most."""

QUALITY = 72


def has_thumbnail(app: App, row: PublicationRow, kind: str) -> bool:
    """Whether a picture can be asked for: a photo that is live as a file of ours."""
    channel = app.config.channels.get(row.channel)
    return (
        channel is not None
        and channel.connector in FILES
        and row.state == "live"
        and kind == "photo"
        and bool(row.urls)
        and _path(app, row).is_file()
    )


def thumbnail(app: App, row: PublicationRow, kind: str) -> bytes | None:
    """The picture as WebP; None if what lies there is not what was verified."""
    if not has_thumbnail(app, row, kind):
        return None
    content = _verified(app, row)
    if content is None:
        return None
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.draft("RGB", (SIDE, SIDE))  # a JPEG is read no larger than it need be
            small = ImageOps.contain(picture.convert("RGBA"), (SIDE, SIDE))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    ground = Image.new("RGBA", small.size, "white")
    ground.alpha_composite(small)
    target = io.BytesIO()
    ground.convert("RGB").save(target, "WEBP", quality=QUALITY, method=2)
    return target.getvalue()


def _path(app: App, row: PublicationRow) -> Path:
    """Where the file is, also in a home that was moved: never outside the channel's folder."""
    return app.ready(row.channel) / Path(row.urls[0]).name


def _verified(app: App, row: PublicationRow) -> bytes | None:
    path = _path(app, row)
    try:
        if path.stat().st_size > app.max_bytes:
            return None
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    return content if hashlib.sha256(content).hexdigest() == row.rendition_sha256 else None
