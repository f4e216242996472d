"""The contact sheet: each picture before, with what was decided, and after; as PNG and HTML."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageDraw, ImageFont

from mediaguard.core.decision import Action, FaceDecision, Outcome
from mediaguard.core.faces import Image as Pixels
from mediaguard.core.media import ItemReport, summary
from mediaguard.errors import MediaError
from mediaguard.media.clip import Clip, ClipLimits
from mediaguard.media.photo import decode
from mediaguard.media.sniffing import HEAD_BYTES, clip_format
from mediaguard.media.strips import Sight, poster_frame
from mediaguard.texts import printable, say

GREEN, RED, INK, PAPER, GREY = "#1a7f37", "#c62828", "#1f2328", "#ffffff", "#59636e"
OUTCOME_COLOURS = {
    Outcome.RELEASE: GREEN,
    Outcome.REDACT: "#9a6700",
    Outcome.BLOCK: RED,
    Outcome.HOLD: RED,
}
THUMBNAIL = (560, 400)
"""Largest width and height of a picture on the sheet, in pixels."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item on the sheet; `before` is None if the file could not be opened."""

    item: ItemReport
    before: Image.Image | None
    after: Image.Image | None


def row(item: ItemReport) -> Row:
    """Open the item's pictures and draw the boxes on the original."""
    return Row(item, _before(item), _thumbnail(item.rendition, _frame_to_show(item)))


def as_html(rows: Sequence[Row], channel: str, language: str) -> str:
    """The sheet as one HTML page with its pictures inside: no file beside it, no request."""
    environment = Environment(
        loader=PackageLoader("mediaguard"), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("sheet.html")

    def translated(code: str, **params: object) -> str:
        return say(code, params, language)

    return template.render(
        rows=[
            {
                "item": row.item,
                "name": printable(Path(row.item.path).name),
                "before": _data_uri(row.before),
                "after": _data_uri(row.after),
                "colour": OUTCOME_COLOURS[row.item.outcome],
                "faces": [
                    {
                        "kept": face.action is Action.KEEP,
                        "who": _who(face, language) + _when(face),
                        "rule": say(face.rule, {}, language),
                    }
                    for face in row.item.faces
                ],
            }
            for row in rows
        ],
        channel=channel,
        language=language,
        say=translated,
        totals={"channel": channel, **summary([row.item for row in rows])},
    )


def as_png(rows: Sequence[Row], channel: str, language: str) -> Image.Image:
    """The sheet as one picture: a row per item, the reasons beside it."""
    gap, text_width = 20, 520
    font, bold = ImageFont.load_default(18), ImageFont.load_default(24)
    heights = [
        max(row.before.height if row.before else 0, 90 + 26 * len(row.item.faces)) + gap
        for row in rows
    ]
    width = 2 * THUMBNAIL[0] + text_width + 4 * gap
    sheet = Image.new("RGB", (width, sum(heights) + 80), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((gap, gap), say("report-title", {"channel": channel}, language), INK, bold)
    y = 80
    for row, height in zip(rows, heights, strict=True):
        if row.before:
            sheet.paste(row.before, (gap, y))
        after_x = 2 * gap + THUMBNAIL[0]
        if row.after:
            sheet.paste(row.after, (after_x, y))
        else:
            draw.text((after_x, y), say("report-nothing", {}, language), GREY, font)
        _write_reasons(draw, row.item, (after_x + THUMBNAIL[0] + gap, y), text_width, language)
        y += height
    return sheet


def _write_reasons(
    draw: ImageDraw.ImageDraw, item: ItemReport, at: tuple[int, int], width: int, language: str
) -> None:
    font, bold = ImageFont.load_default(16), ImageFont.load_default(18)
    x, y = at
    draw.text((x, y), printable(Path(item.path).name)[:50], INK, bold)
    y += 26
    outcome = say(f"outcome-{item.outcome.value}", {}, language)
    draw.text((x, y), outcome, OUTCOME_COLOURS[item.outcome], bold)
    y += 26
    for line in _wrapped(draw, say(item.reason, item.params, language), width, font):
        draw.text((x, y), line, GREY, font)
        y += 20
    y += 4
    for number, face in enumerate(item.faces, 1):
        colour = GREEN if face.action is Action.KEEP else RED
        text = f"{number}  {_who(face, language)}{_when(face)}: {say(face.rule, {}, language)}"
        for line in _wrapped(draw, text, width, font):
            draw.text((x, y), line, colour, font)
            y += 20


def _wrapped(
    draw: ImageDraw.ImageDraw,
    text: str,
    width: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _who(face: FaceDecision, language: str) -> str:
    match = face.face.match
    return match.subject_id if match and match.subject_id else say("report-unknown", {}, language)


def _when(decision: FaceDecision) -> str:
    """In a clip, from when until when, in seconds."""
    track = decision.face.track
    return f" ({track.seconds[0]:.1f}-{track.seconds[1]:.1f} s)" if track else ""


def _before(item: ItemReport) -> Image.Image | None:
    frame = _frame_to_show(item)
    picture = _thumbnail(item.path, frame)
    if picture is None or item.size is None:
        return picture
    scale = picture.width / item.size[0]
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    for number, decision in enumerate(item.faces, 1):
        face = decision.face
        if face.track and not face.track.first <= frame <= face.track.last:
            continue
        box = face.track.box_at(frame) if face.track else face.detection.box
        corners = [v * scale for v in (box.x, box.y, box.right, box.bottom)]
        colour = GREEN if decision.action is Action.KEEP else RED
        draw.rectangle(corners, outline=colour, width=3)
        draw.text((corners[0] + 4, corners[1] - 19), str(number), colour, font)
    return picture


def _frame_to_show(item: ItemReport) -> int:
    """Of a clip the frame that says most; the first one of anything else."""
    sights = [
        Sight([(frame, face.face.track.box_at(frame)) for frame in face.face.track.frames], "")
        for face in item.faces
        if face.face.track
    ]
    return poster_frame(sights)


def _thumbnail(path: str | None, frame: int) -> Image.Image | None:
    if path is None:
        return None
    try:
        pixels = _frame_of(Path(path), frame)
    except (MediaError, OSError):
        return None
    picture = Image.fromarray(np.asarray(pixels))
    picture.thumbnail(THUMBNAIL)
    return picture


def _frame_of(path: Path, frame: int) -> Pixels:
    with path.open("rb") as file:
        container = clip_format(file.read(HEAD_BYTES))
    if container is None:
        return decode(path.read_bytes()).frames[0]
    clip = Clip(lambda: path.open("rb"), container, limits=ClipLimits())
    for index, shown in enumerate(clip.frames()):
        if index == frame:
            return shown.rgb()
    raise MediaError("clip-truncated")


def _data_uri(picture: Image.Image | None) -> str | None:
    if picture is None:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
