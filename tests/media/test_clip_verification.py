"""Verification of a clip believes nothing: each way it can be wrong is noticed."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mediaguard.core.faces import Box, Detection
from mediaguard.core.media import Codec, Encoding, Quality
from mediaguard.media.clip import Clip, ClipInfo, ClipLimits
from mediaguard.media.clip_verification import (
    Expected,
    Hidden,
    head_window,
    packet_digest,
    unexpected,
    verify_file,
    verify_segment,
    window_of,
)
from mediaguard.media.clip_writer import SegmentWriter, assemble
from mediaguard.media.frames import ColourTags, frame_of, pixels_of
from mediaguard.media.planes import Paint, Planes, fill, paint, patch_for
from mediaguard.media.redaction import Style, core_mask
from mediaguard.media.sniffing import clip_format
from tests.media import clip_builders as clips
from tests.media.clip_builders import clip

SIZE = (192, 112)
BASE = Fraction(1, 1000)
FRAMES, STEP = 10, 40
TAGS = ColourTags(1, 1, 1, 1)
INFO = ClipInfo(*SIZE, BASE, 25.0, 0, Fraction(1), TAGS, None)
AT = 4
"""The frame in which something is wrong."""
SEEN = {
    Style.FILL: {"redaction-incomplete"},
    Style.MOSAIC: {"redaction-recognisable"},
    Style.BLUR: {"redaction-recognisable"},
}
"""What is said of a head that can be seen."""


def head(index: int) -> Detection:
    """It moves to the right."""
    return Detection(Box(50 + 2 * index, 42, 24, 30), 0.9)


def other(index: int) -> Detection:
    return Detection(Box(140, 40 + index, 18, 22), 0.9)


def planes(index: int) -> Planes:
    """Fine structure everywhere, that moves: the hardest case for a redaction."""
    rng = np.random.default_rng(7)
    width, height = SIZE
    noise = rng.integers(0, 256, (height // 4, width // 4 + 12, 3)).astype(np.uint8)
    wide = cv2.resize(noise, (width + 48, height), interpolation=cv2.INTER_CUBIC)
    frame = av.VideoFrame.from_ndarray(
        np.ascontiguousarray(wide[:, 2 * index : 2 * index + width]), format="rgb24"
    ).reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1)
    stacked = frame.to_ndarray()
    rest = stacked[height:].reshape(2, height // 2, width // 2)
    return Planes(stacked[:height].copy(), rest[0].copy(), rest[1].copy())


def _no_faces(_) -> list[Detection]:
    return []


Change = Callable[[list[Planes]], list[Planes]]


class Made:
    """A segment that was written as the pipeline does it, and what it must be."""

    def __init__(
        self,
        path: Path,
        *,
        style: Style = Style.FILL,
        heads: Sequence[Callable[[int], Detection]] = (head,),
        forgotten: Sequence[int] = (),
        sabotage: Callable[[int, Planes, Planes], None] = lambda index, now, before: None,
        order: Sequence[int] = tuple(range(FRAMES)),
        pts: Sequence[int] = tuple(range(0, FRAMES * STEP, STEP)),
        encoding: Encoding | None = None,
        search: bool = False,
        visible: Sequence[Box] = (),
    ) -> None:
        """Write it.

        Args:
            path: of the file.
            style: of the redaction.
            heads: that have to be redacted.
            forgotten: frames in which they are not, though that is expected.
            sabotage: changes a frame, after redaction; also given the frame as it was.
            order, pts: the frames as they are written, and their times.
            encoding: of the segment.
            search, visible: as in `Expected`.
        """
        self.path = path
        self.expected: list[Expected] = []
        drawn: list[Planes] = []
        rng = np.random.default_rng(3)
        patches = [self._patch(one, style, rng) for one in heads]
        for index in range(FRAMES):
            now = planes(index)
            before = Planes(now.y.copy(), now.u.copy(), now.v.copy())
            found = [one(index) for one in heads]
            paints = [
                Paint(one, patch, smooth=style is Style.BLUR)
                for one, patch in zip(found, patches, strict=True)
            ]
            touched = paint(now, paints)
            if index in forgotten:
                now = Planes(before.y.copy(), before.u.copy(), before.v.copy())
            sabotage(index, now, before)
            drawn.append(now)
            self.expected.append(
                Expected(
                    frame=100 + index,
                    pts=index * STEP,
                    small=before.small(),
                    touched=touched,
                    heads=[Hidden(face, self._original(before, face, style)) for face in found],
                    visible=visible,
                    search=search,
                )
            )
        with SegmentWriter(path, INFO, encoding or Encoding()) as writer:
            for index, time in zip(order, pts, strict=True):
                writer.write(drawn[index], time, STEP)
            writer.finish()

    def _original(self, before: Planes, face: Detection, style: Style) -> Planes | None:
        return None if style is Style.FILL else window_of(before, head_window(face, SIZE))

    def _patch(self, one, style: Style, rng) -> np.ndarray:
        left, top, right, bottom = head_window(one(0), SIZE)
        crop = pixels_of(frame_of(planes(0), TAGS))[top:bottom, left:right]
        return patch_for(crop, style, INFO.colours, rng)

    def judged(self, find_faces=_no_faces, **options):
        arguments = {"size": SIZE, "time_base": BASE, "find_faces": find_faces, **options}
        arguments.setdefault("colours", INFO.colours)
        return verify_segment(self.path, self.expected, **arguments)

    def codes(self, find_faces=_no_faces, **options) -> set[str]:
        result = self.judged(find_faces, **options)
        assert result.ok == (not result.findings and not result.new_faces)
        return {finding.code for finding in result.findings}


@pytest.fixture
def made(tmp_path):
    return lambda **options: Made(tmp_path / "segment.mp4", **options)


# -- a segment that is right -----------------------------------------------------------------


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("style", list(Style))
def test_what_we_write_passes(made, codec, style):
    # Of AV1 at its smallest, this much fine structure leaves too much beside a head.
    lowest = Quality.NORMAL if codec is Codec.AV1 else Quality.SMALL
    for quality in (lowest, Quality.HIGH):
        result = made(style=style, heads=(head, other), encoding=Encoding(codec, quality)).judged()
        assert result.findings == []
        assert result.ok


def test_without_heads_it_passes(made):
    assert made(heads=()).judged().ok


def test_a_head_that_leaves_the_picture_passes(made):
    assert made(heads=(lambda i: Detection(Box(-20 - 3 * i, 40, 24, 30), 0.9),)).judged().ok
    assert made(heads=(lambda i: Detection(Box(500, 40, 24, 30), 0.9),)).judged().ok


# -- heads -----------------------------------------------------------------------------------


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("forgotten", [range(FRAMES), [0], [AT], [FRAMES - 1]])
def test_a_head_that_was_not_painted_is_noticed(made, style, forgotten):
    """In all frames, or in a single one."""
    result = made(style=style, forgotten=forgotten).judged()
    assert {finding.code for finding in result.findings} == SEEN[style]
    assert {finding.params["frame"] for finding in result.findings} == {100 + i for i in forgotten}


@pytest.mark.parametrize("style", list(Style))
def test_a_head_painted_beside_itself_is_noticed(made, style):
    """The region is where the head was eight frames ago."""

    def shift(index: int, now: Planes, before: Planes) -> None:
        now.y[:], now.u[:], now.v[:] = before.y, before.u, before.v
        wrong = Detection(Box(head(index).box.x - 16, 42, 24, 30), 0.9)
        paint(now, [Paint(wrong, fill(INFO.colours))])

    assert made(style=style, sabotage=shift).codes() & SEEN[style]


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("divisor", [12, 16, 24, 48])
@pytest.mark.parametrize("frames", ["all", "one"])
def test_a_blur_that_can_be_undone_is_noticed(made, style, divisor, frames):
    def blur(index: int, now: Planes, before: Planes) -> None:
        if frames == "one" and index != AT:
            return
        core = core_mask([head(index)], SIZE)
        sigma = head(index).box.w / divisor
        blurred = cv2.GaussianBlur(before.y, (0, 0), sigma)
        now.y[core] = blurred[core]
        coarse = core[::2, ::2]
        for plane, old in ((now.u, before.u), (now.v, before.v)):
            plane[coarse] = cv2.GaussianBlur(old, (0, 0), sigma / 2)[coarse]

    assert made(style=style, sabotage=blur).codes() == SEEN[style]


@pytest.mark.parametrize("change", ["darker", "inverted", "half as strong"])
def test_a_veil_is_no_redaction(made, change):
    def veil(index: int, now: Planes, before: Planes) -> None:
        core = core_mask([head(index)], SIZE)
        luma = before.y.astype(int)
        veiled = {
            "darker": 16 + luma // 4,
            "inverted": 255 - luma,
            "half as strong": 80 + luma // 3,
        }[change]
        now.y[core] = veiled[core]

    assert made(sabotage=veil).codes() & SEEN[Style.FILL]


@pytest.mark.parametrize("style", [Style.FILL, Style.MOSAIC])
def test_colour_alone_shows_a_head_too(made, style):
    """The brightness is flat, the colours are those of the face."""

    def keep_colours(index: int, now: Planes, before: Planes) -> None:
        now.u[:], now.v[:] = before.u, before.v
        now.y[core_mask([head(index)], SIZE)] = 150

    assert made(style=style, sabotage=keep_colours).codes() != set()


def test_one_of_two_heads_that_is_seen_is_noticed(made):
    def uncover(index: int, now: Planes, before: Planes) -> None:
        if index == AT:
            core = core_mask([other(index)], SIZE)
            now.y[core] = before.y[core]

    result = made(heads=(head, other), sabotage=uncover).judged()
    assert [(f.code, f.params["frame"]) for f in result.findings] == [
        ("redaction-incomplete", 100 + AT)
    ]


# -- the rest of the picture -----------------------------------------------------------------


@pytest.mark.parametrize("plane", ["y", "u", "v"])
@pytest.mark.parametrize("index", [0, AT, FRAMES - 1])
def test_a_change_elsewhere_is_noticed(made, plane, index):
    def spot(frame: int, now: Planes, before: Planes) -> None:
        if frame == index:
            pixels = getattr(now, plane)
            rows, columns = (slice(0, 16), slice(0, 16)) if plane == "y" else (slice(8), slice(8))
            pixels[rows, columns] = np.where(pixels[rows, columns] > 128, 20, 235)

    result = made(sabotage=spot).judged()
    assert [(f.code, f.params["frame"]) for f in result.findings] == [
        ("output-differs", 100 + index)
    ]


def test_a_picture_of_another_frame_is_noticed(made):
    order = [*range(AT), AT + 3, *range(AT + 1, FRAMES)]
    assert "output-differs" in made(heads=(), order=order).codes()


def test_frames_in_another_order_are_noticed(made):
    order = [0, 8, *range(2, 8), 1, 9]
    assert "output-differs" in made(heads=(), order=order).codes()


def test_another_size_is_noticed(made, tmp_path):
    one = made()
    for size in ((SIZE[0] - 16, SIZE[1]), (SIZE[0], SIZE[1] - 16)):
        about = replace(INFO, width=size[0], height=size[1])
        with SegmentWriter(one.path, about, Encoding()) as writer:
            for index in range(FRAMES):
                now = planes(index)
                paint(now, [Paint(head(index), fill(INFO.colours))])
                cut = Planes(
                    now.y[: size[1], : size[0]],
                    now.u[: size[1] // 2, : size[0] // 2],
                    now.v[: size[1] // 2, : size[0] // 2],
                )
                writer.write(cut, index * STEP, STEP)
            writer.finish()
        assert one.codes() != set()


# -- frames and times ------------------------------------------------------------------------


@pytest.mark.parametrize("index", [1, AT, FRAMES - 1])
@pytest.mark.parametrize("shift", [1, -1, 17])
def test_a_frame_at_another_time_is_noticed(made, index, shift):
    pts = [time + shift * (number == index) for number, time in enumerate(range(0, 400, STEP))]
    result = made(pts=pts).judged()
    assert [(f.code, f.params["frame"]) for f in result.findings] == [("output-times", 100 + index)]


@pytest.mark.parametrize("missing", [0, AT, FRAMES - 1])
def test_a_missing_frame_is_noticed(made, missing):
    keep = [index for index in range(FRAMES) if index != missing]
    codes = made(order=keep, pts=[index * STEP for index in keep]).codes()
    assert "output-frames" in codes


@pytest.mark.parametrize("more", [1, 2, 30])
def test_a_frame_too_many_is_noticed(made, more):
    order = [*range(FRAMES), *[FRAMES - 1] * more]
    pts = [index * STEP for index in range(FRAMES + more)]
    assert made(order=order, pts=pts).codes() == {"output-frames"}


def test_a_segment_that_cannot_be_read_is_no_segment(made):
    one = made()
    data = one.path.read_bytes()
    one.path.write_bytes(data[: len(data) // 2])
    assert one.codes() == {"output-unreadable"}
    one.path.write_bytes(b"")
    assert one.codes() == {"output-unreadable"}
    one.path.unlink()
    assert one.codes() == {"output-unreadable"}


def test_damaged_pictures_are_noticed(made):
    """Noise over the middle of the samples: decoders conceal what they can."""
    one = made()
    one.path.write_bytes(clips.corrupted(one.path.read_bytes()))
    assert one.codes() != set()


# -- faces that appear -----------------------------------------------------------------------


def test_a_face_that_appears_is_new(made):
    seen = Detection(Box(120, 20, 20, 25), 0.8)
    result = made(search=True).judged(lambda _: [seen])
    assert result.new_faces == [(100 + index, seen) for index in range(FRAMES)]
    assert not result.ok


def test_a_face_is_looked_for_in_the_picture_as_it_is_shown(made):
    pictures = []
    made(search=True).judged(lambda picture: pictures.append(picture) or [])
    assert len(pictures) == FRAMES
    for index, picture in enumerate(pictures):
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        assert picture.flags.c_contiguous
        box = head(index).box
        core = picture[int(box.y) : int(box.bottom), int(box.x) : int(box.right)]
        assert core.std(axis=(0, 1)).max() < 8
        assert np.abs(picture - pixels_of(frame_of(planes(index), TAGS)).astype(int)).mean() < 25


def test_no_face_is_looked_for_where_that_was_not_asked(made):
    def fail(_):
        raise AssertionError("looked")

    assert made().judged(fail).ok


def test_a_face_found_at_an_edge_is_placed_in_the_whole_picture(made):
    """A part of the picture is searched there; what is found lies relative to it."""
    one = made()
    asked = []

    def find(picture) -> list[Detection]:
        asked.append(picture.shape[:2])
        return [Detection(Box(5, 6, 20, 25), 0.8)]

    one.expected[AT] = replace(one.expected[AT], edges=[Box(150, 80, 20, 25)])
    result = one.judged(find)
    assert len(asked) == 1
    ((frame, found),) = result.new_faces
    assert frame == 100 + AT
    assert (found.box.w, found.box.h) == (20, 25)
    assert 0 <= found.box.x <= SIZE[0]
    assert not result.ok


def test_kept_and_covered_faces_may_be_found(made):
    kept = Box(140, 20, 30, 40)
    near = Detection(Box(144, 23, 28, 40), 0.8)
    assert made(search=True, visible=[kept]).judged(lambda _: [near]).ok
    index = iter(range(FRAMES))
    assert made(search=True).judged(lambda _: [head(next(index))]).ok


@pytest.mark.parametrize(
    "found",
    [
        Box(146, 20, 30, 80), Box(165, 20, 30, 40), Box(140, 45, 30, 40), Box(60, 42, 70, 30),
        Box(80, 42, 24, 30), Box(56, 42, 24, 100),
    ],
)  # fmt: skip
def test_what_is_only_near_a_kept_or_covered_face_is_new(made, found):
    face = Detection(found, 0.8)
    result = made(search=True, visible=[Box(140, 20, 30, 40)]).judged(lambda _: [face])
    assert len(result.new_faces) == FRAMES


@pytest.mark.parametrize(
    ("found", "new"),
    [
        (Box(40, 40, 30, 40), False), (Box(45, 40, 20, 30), False), (Box(70, 40, 30, 40), True),
        (Box(140, 40, 30, 40), True), (Box(0, 0, 192, 112), True), (Box(-50, -50, 20, 20), True),
    ],
)  # fmt: skip
def test_which_faces_are_unexpected(found, new):
    heads = [Detection(Box(40, 40, 30, 40), 0.9)]
    face = Detection(found, 0.8)
    assert unexpected([face], heads, [], SIZE) == ([face] if new else [])
    assert unexpected([face], [], [found], SIZE) == []


# -- the finished file -----------------------------------------------------------------------


class Finished:
    """A clip written as it is, in segments, and put together with its sound."""

    def __init__(self, folder: Path, data: bytes, *, sound: bool = True) -> None:
        self.folder = folder
        self.clip = Clip(lambda: io.BytesIO(data), clip_format(data[:512]), limits=ClipLimits())
        self.sound = sound
        frames = list(self.clip.frames())
        self.pts = [frame.pts for frame in frames]
        self.segments = []
        for first in range(0, len(frames), 5):
            self.segments.append(folder / f"{first:03}.mp4")
            with SegmentWriter(self.segments[-1], self.clip.info, Encoding()) as writer:
                for frame in frames[first : first + 5]:
                    writer.write(frame.planes(), frame.pts, frame.duration)
                writer.finish()
        self.path = folder / "finished.mp4"
        assemble(self.path, self.segments, self.pts[::5], self.clip, sound=sound)

    def codes(self, *, sound: bool | None = None) -> set[str]:
        wanted = self.sound if sound is None else sound
        found = verify_file(self.path, self.clip, self.pts, self.segments, sound=wanted)
        return {finding.code for finding in found}

    def change(self, path: str, change: clips.Change) -> None:
        self.path.write_bytes(clips.changed(self.path.read_bytes(), path, change))

    def sample(self, kind: str, number: int) -> tuple[int, bytes]:
        """Where a packet lies in the file, and what it holds."""
        with av.open(str(self.path)) as container:
            packets = [
                bytes(item) for item in container.demux() if item.stream.type == kind and item.size
            ]
        data = self.path.read_bytes()
        return data.index(packets[number]), packets[number]

    def overwrite(self, at: int, new: bytes) -> None:
        data = self.path.read_bytes()
        self.path.write_bytes(data[:at] + new + data[at + len(new) :])

    def remux(
        self,
        *,
        keep: Callable[[str, int], bool] = lambda kind, number: True,
        later: Callable[[str, int], int] = lambda kind, number: 0,
        twice: str = "",
        metadata: dict[str, str] | None = None,
    ) -> None:
        """The same packets in a fresh file, but for some that are left out or moved."""
        new = self.folder / "changed.mp4"
        with (
            av.open(str(self.path)) as source,
            av.open(str(new), "w", format="mp4", options=clips.FASTSTART) as output,
        ):
            targets = {}
            for stream in source.streams:
                targets[stream.index] = [
                    output.add_stream_from_template(stream, opaque=True)
                    for _ in range(1 + (stream.type == twice))
                ]
                for target in targets[stream.index]:
                    target.metadata.clear()
                    target.time_base = stream.time_base
            output.metadata.update(metadata or {})
            counts = {"video": -1, "audio": -1}
            for item in source.demux():
                if item.pts is None:
                    continue
                kind = item.stream.type
                counts[kind] += 1
                if not keep(kind, counts[kind]):
                    continue
                moved = later(kind, counts[kind])
                content, times = bytes(item), (item.pts + moved, item.dts + moved, item.duration)
                for target in targets[item.stream.index]:
                    made = av.Packet(content)
                    made.pts, made.dts, made.duration = times
                    made.time_base, made.stream = item.time_base, target
                    made.is_keyframe = item.is_keyframe
                    output.mux(made)
        new.replace(self.path)


@pytest.fixture
def finished(tmp_path):
    return Finished(tmp_path, clip(sound="aac", frames=13))


@pytest.fixture
def silent(tmp_path):
    return Finished(tmp_path, clip(frames=13))


def test_the_finished_file_passes(finished):
    assert finished.codes() == set()
    finished.remux()
    assert finished.codes() == set(), "the tool of these tests changes nothing by itself"


@pytest.mark.parametrize("number", [0, 5, 12])
def test_another_picture_packet_is_noticed(finished, number):
    at, packet = finished.sample("video", number)
    for new in (bytes(len(packet)), packet[:-1] + bytes([packet[-1] ^ 1])):
        finished.overwrite(at, new)
        assert finished.codes() == {"output-differs"}
        finished.overwrite(at, packet)
    assert finished.codes() == set()


def test_packets_in_another_order_are_noticed(finished):
    """The first pictures of two segments, which stand by themselves, exchanged."""
    one, two = (finished.sample("video", number)[1] for number in (0, 5))
    segments = finished.segments
    assert packet_digest(segments) != packet_digest([segments[1], segments[0], segments[2]])
    length = max(len(one), len(two))
    assert one[:length] != two[:length]
    swapped = [segments[1], segments[0], segments[2]]
    assemble(finished.path, swapped, finished.pts[::5], finished.clip, sound=True)
    assert finished.codes() == {"output-differs"}


def test_a_segment_twice_or_not_at_all_is_noticed(finished):
    first, second, third = finished.segments
    starts = finished.pts[::5]
    assemble(finished.path, [first, second, second], starts, finished.clip, sound=True)
    assert finished.codes() & {"output-times", "output-differs"}
    assemble(finished.path, [first, third], starts[::2], finished.clip, sound=True)
    assert finished.codes() & {"output-times", "output-differs"}


@pytest.mark.parametrize("number", [0, 3, 12])
def test_a_missing_picture_is_noticed(finished, number):
    finished.remux(keep=lambda kind, count: kind != "video" or count != number)
    assert finished.codes() == {"output-times"}


@pytest.mark.parametrize("number", [1, 3, 12])
def test_a_picture_at_another_time_is_noticed(finished, number):
    finished.remux(later=lambda kind, count: int(kind == "video" and count == number))
    assert finished.codes() == {"output-times"}


def test_sound_and_picture_that_went_apart_are_noticed(finished):
    finished.remux(later=lambda kind, _: 4410 * (kind == "audio"))
    assert finished.codes() == {"output-sound"}


@pytest.mark.parametrize("number", [0, 7, -1])
def test_other_sound_is_noticed(finished, number):
    at, packet = finished.sample("audio", number)
    finished.overwrite(at, packet[:-1] + bytes([packet[-1] ^ 1]))
    assert finished.codes() == {"output-sound"}


@pytest.mark.parametrize("number", [0, 7, 20])
def test_a_piece_of_sound_that_is_missing_is_noticed(finished, number):
    finished.remux(keep=lambda kind, count: kind != "audio" or count != number)
    assert finished.codes() == {"output-sound"}


def test_sound_that_is_missing_or_too_much_is_noticed(finished):
    assert finished.codes(sound=False) == {"output-streams"}
    assemble(
        finished.path, finished.segments, finished.pts[::5], finished.clip, sound=False
    )  # fmt: skip
    assert finished.codes(sound=True) == {"output-streams"}
    assert finished.codes(sound=False) == set()


def test_sound_that_the_source_does_not_have_is_noticed(silent, tmp_path):
    (tmp_path / "other").mkdir()
    other = Finished(tmp_path / "other", clip(sound="aac", frames=13))
    silent.path.write_bytes(other.path.read_bytes())
    assert silent.codes(sound=True) == {"output-streams"}


def test_encoded_sound_that_is_too_short_is_noticed(tmp_path):
    made = Finished(tmp_path, clip("mov", sound="pcm_s16le", frames=25))
    assert made.codes() == set()
    made.remux(keep=lambda kind, count: kind != "audio" or count < 20)
    assert made.codes() == {"output-sound"}


def test_encoded_sound_that_starts_late_is_noticed(tmp_path):
    made = Finished(tmp_path, clip("mov", sound="pcm_s16le", frames=25))
    made.remux(later=lambda kind, _: 9600 * (kind == "audio"))
    assert made.codes() == {"output-sound"}


@pytest.mark.parametrize("twice", ["video", "audio"])
def test_another_stream_is_noticed(finished, twice):
    finished.remux(twice=twice)
    assert finished.codes() != set()


@pytest.mark.parametrize("key", ["title", "comment", "location", "artist", "creation_time"])
def test_a_text_is_noticed(finished, key):
    value = {"location": clips.LOCATION, "creation_time": "2024-05-13T10:11:12Z"}.get(key, "Jan")
    finished.remux(metadata={key: value})
    assert finished.codes() == {"bytes-foreign"}


@pytest.mark.parametrize("trail", [b"x", b"\0" * 8, clips.box(b"free", b"Jan"), b"\0\0\0\x08free"])
def test_bytes_after_the_end_are_noticed(finished, trail):
    finished.path.write_bytes(finished.path.read_bytes() + trail)
    assert finished.codes() != set()


@pytest.mark.parametrize(
    "path", ["moov", "moov/udta", "moov/trak", "moov/trak:1", "moov/trak/mdia"]
)
def test_a_box_that_does_not_belong_there_is_noticed(finished, path):
    finished.change(path, clips.appended(clips.box(b"uuid", b"\0" * 16 + b"Jan Jansen")))
    assert finished.codes() == {"bytes-foreign"}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_file_that_was_cut_off_is_noticed(finished, share):
    data = finished.path.read_bytes()
    finished.path.write_bytes(data[: int(len(data) * share)])
    assert finished.codes() != set()


def test_a_clip_that_is_turned_on_playing_is_noticed(finished):
    finished.path.write_bytes(clips.turned(finished.path.read_bytes(), 90))
    assert finished.codes() == {"bytes-foreign"}


def test_packets_and_times_are_those_of_this_clip(finished):
    finished.pts = [time + 1 for time in finished.pts]
    assert finished.codes() == {"output-times"}


@pytest.mark.parametrize("size", [(20, 24), (60, 60), (40, 90), (300, 380)])
def test_what_is_surely_covered_is(size):
    """The rectangle by which most faces are judged lies within the head's core."""
    from mediaguard.media.clip_verification import _surely

    width, height = size
    box = Box(width * 2.0, height * 2.0, width, height)
    mask = core_mask([Detection(box, 0.9)], (width * 5, height * 5))
    part = _surely(box)
    assert mask[
        math.ceil(part.y) : math.floor(part.bottom), math.ceil(part.x) : math.floor(part.right)
    ].all()
