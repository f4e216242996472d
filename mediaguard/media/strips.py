"""Small pictures of an item's faces, for the people who review it.

They are as recognisable as the original. Nothing here writes a file.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image as Pil
from PIL import ImageDraw, ImageFont

from mediaguard.core.faces import Box, Image
from mediaguard.errors import MediaError
from mediaguard.media.clip import Clip
from mediaguard.media.photo import Photo

STRIP_HEIGHT = 96
"""Of each small picture, in pixels."""
POSTER_SIDE = 960
"""Largest width and height of the poster, in pixels."""
_MARGIN = 0.6
"""How much is shown around a face, as a share of its width and height: enough to know who it is."""
_WIDEST = 3  # times the height of a small picture
_GAP, _PAPER = 4, "#ffffff"
_QUALITY = 88


@dataclass(frozen=True, slots=True)
class Sight:
    """A face that is to be shown.

    Attributes:
        places: frames, ascending, and where it is in each.
        colour: of its outline.
    """

    places: Sequence[tuple[int, Box]]
    colour: str


@dataclass(frozen=True, slots=True)
class Poster:
    """How the item as a whole is shown.

    Attributes:
        side: largest width and height, in pixels.
        numbered: with outlines and numbers drawn into it.
    """

    side: int = POSTER_SIDE
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Pictures:
    """JPEG files that show unredacted faces.

    Attributes:
        poster: the frame in which most of the faces are known to be.
        strips: for each face the places in which it was seen, side by side; None if no place
            lies in the picture.
    """

    poster: bytes
    strips: tuple[bytes | None, ...]


def of_photo(photo: Photo, sights: Sequence[Sight], poster: Poster = Poster()) -> Pictures:
    """The pictures of a photo or animation."""
    return _draw(enumerate(photo.frames), sights, poster)


def of_clip(clip: Clip, sights: Sequence[Sight], poster: Poster = Poster()) -> Pictures:
    """The pictures of a clip, which is read once, up to the last frame that is needed.

    Raises:
        MediaError: the clip is damaged.
    """
    return _draw(_needed(clip, {poster_frame(sights), *_frames(sights)}), sights, poster)


def _needed(clip: Clip, frames: set[int]) -> Iterator[tuple[int, Image]]:
    last = max(frames)
    for index, frame in enumerate(clip.frames()):
        if index in frames:
            yield index, frame.rgb()
        if index == last:
            return


def _draw(frames: Iterable[tuple[int, Image]], sights: Sequence[Sight], wanted: Poster) -> Pictures:
    at, poster = poster_frame(sights), None
    small: list[list[Pil.Image]] = [[] for _ in sights]
    for index, frame in frames:
        picture = Pil.fromarray(frame)
        here = {
            number: box
            for number, sight in enumerate(sights)
            for place, box in sight.places
            if place == index
        }
        if index == at:
            poster = _poster(picture, here if wanted.numbered else {}, sights, wanted.side)
        for number, box in here.items():
            small[number] += _crop(picture, box, sights[number].colour)
    if poster is None:
        raise MediaError("clip-truncated")
    return Pictures(_jpeg(poster), tuple(_jpeg(_beside(row)) if row else None for row in small))


def _frames(sights: Sequence[Sight]) -> list[int]:
    return [frame for sight in sights for frame, _ in sight.places]


def poster_frame(sights: Sequence[Sight]) -> int:
    """Where most faces are to be seen, and best."""
    area: dict[int, float] = {}
    for sight in sights:
        for frame, box in sight.places:
            area[frame] = area.get(frame, 0.0) + box.area
    counts = _frames(sights)
    return max(sorted(area), key=lambda f: (counts.count(f), area[f]), default=0)


def _poster(
    picture: Pil.Image, here: dict[int, Box], sights: Sequence[Sight], side: int
) -> Pil.Image:
    scale = min(1.0, side / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    poster = picture.resize(size, Pil.Resampling.LANCZOS)
    draw, font = ImageDraw.Draw(poster), ImageFont.load_default(18)
    for number, box in here.items():
        colour = sights[number].colour
        left, top, right, bottom = (v * scale for v in (box.x, box.y, box.right, box.bottom))
        draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), outline=colour, width=2)
        at = (max(left, 0) + 3, max(top - 24, 0))
        label = draw.textbbox(at, str(number + 1), font)
        draw.rectangle((label[0] - 3, label[1] - 2, label[2] + 3, label[3] + 2), fill=colour)
        draw.text(at, str(number + 1), _PAPER, font)
    return poster


def _crop(picture: Pil.Image, box: Box, colour: str) -> list[Pil.Image]:
    """A face with its surroundings, outlined; nothing if it lies outside of the picture."""
    left, top = max(box.x - box.w * _MARGIN, 0), max(box.y - box.h * _MARGIN, 0)
    right = min(box.right + box.w * _MARGIN, picture.width)
    bottom = min(box.bottom + box.h * _MARGIN, picture.height)
    if not (right - left >= 1 and bottom - top >= 1):
        return []
    scale = STRIP_HEIGHT / (bottom - top)
    width = min(max(1, round((right - left) * scale)), _WIDEST * STRIP_HEIGHT)
    crop = picture.resize(
        (width, STRIP_HEIGHT), Pil.Resampling.LANCZOS, box=(left, top, right, bottom)
    )
    across = width / (right - left)
    ImageDraw.Draw(crop).rectangle(
        (
            (box.x - left) * across,
            (box.y - top) * scale,
            (box.right - left) * across,
            (box.bottom - top) * scale,
        ),
        outline=colour,
        width=2,
    )
    return [crop]


def _beside(pictures: Sequence[Pil.Image]) -> Pil.Image:
    width = sum(picture.width + _GAP for picture in pictures) - _GAP
    strip = Pil.new("RGB", (width, STRIP_HEIGHT), _PAPER)
    x = 0
    for picture in pictures:
        strip.paste(picture, (x, 0))
        x += picture.width + _GAP
    return strip


def _jpeg(picture: Pil.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
