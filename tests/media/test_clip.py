"""Opening a clip: every frame, upright, in its colours, at its time; or a reason why not."""

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaguard.errors import MediaError
from mediaguard.media.clip import Clip, ClipLimits
from mediaguard.media.frames import Frame
from mediaguard.media.planes import Planes
from mediaguard.media.sniffing import clip_format
from tests.media import builders
from tests.media import clip_builders as clips
from tests.media.builders import saved, scene
from tests.media.clip_builders import CORNERS, STBL, STEP, changed, clip, picture

LONG_GROUPS = {"preset": "veryfast", "crf": "10", "bf": "3", "b-adapt": "0", "g": "8"}


def opened(data: bytes, **limits) -> Clip:
    container = clip_format(data[:512])
    if container is None:
        raise MediaError("photo-unreadable")
    return Clip(lambda: io.BytesIO(data), container, limits=ClipLimits(**limits))


def read(data: bytes, **limits) -> list[Frame]:
    return list(opened(data, **limits).frames())


def refused(data: bytes, **limits) -> str:
    """Why the data is no clip, said at opening or while reading."""
    with pytest.raises(MediaError) as caught:
        read(data, **limits)
    return caught.value.code


def times(data: bytes) -> list[Fraction]:
    """Of all frames, in milliseconds."""
    found = opened(data)
    return [frame.pts * found.info.time_base * 1000 for frame in found.frames()]


def near(one: np.ndarray, other: np.ndarray, tolerance: float = 6.0) -> bool:
    return one.shape == other.shape and bool(
        np.abs(one.astype(int) - other.astype(int)).mean() < tolerance
    )


def clockwise(pixels: np.ndarray, degrees: int, mirrored: bool) -> np.ndarray:
    return np.rot90(pixels[:, ::-1] if mirrored else pixels, -degrees // 90)


# --- what can be read ---------------------------------------------------------------

READABLE: dict[str, tuple[Callable[[], bytes], str, str | None]] = {
    "mp4": (clips.mp4_h264, "mov", None),
    "mp4-aac": (lambda: clips.mp4_h264("aac"), "mov", "aac"),
    "mp4-finished": (lambda: clips.finished(sound="aac"), "mov", "aac"),
    "mp4-b-frames": (lambda: clips.with_b_frames(12), "mov", None),
    "mp4-dirty": (clips.dirty, "mov", "aac"),
    "mov-pcm": (clips.mov, "mov", "pcm_s16le"),
    "mov-dirty": (lambda: clips.dirty("mov"), "mov", "aac"),
    "mkv": (clips.mkv, "matroska", "opus"),
    "mkv-attachments": (clips.mkv_attachments, "matroska", None),
    "mkv-h264": (lambda: clip("matroska", sound="flac"), "matroska", "flac"),
    "webm": (clips.webm, "matroska", "opus"),
    "avi-mpeg4": (clips.avi, "avi", "mp3"),
    "avi-mjpeg": (clips.avi_mjpeg, "avi", "pcm_s16le"),
    "yuv444": (clips.yuv444, "mov", None),
    "prores": (lambda: clip("mov", "prores_ks", pix_fmt="yuv422p10le"), "mov", None),
    "rgb": (lambda: clip("mov", "qtrle", pix_fmt="rgb24"), "mov", None),
    "gray": (lambda: clip("matroska", "ffv1", pix_fmt="gray"), "matroska", None),
}


@pytest.mark.parametrize("name", READABLE)
def test_every_frame_of_every_kind(name):
    build, container, sound = READABLE[name]
    data = build()
    assert clip_format(data[:512]) == container
    found = opened(data)
    assert (found.info.width, found.info.height) == clips.SIZE
    codec = found.info.sound.codec if found.info.sound else None
    assert codec == sound or (sound == "mp3" and codec == "mp3float")
    frames = list(found.frames())
    assert len(frames) == 12
    for index, frame in enumerate(frames):
        expected = picture(index)
        if name == "gray":
            expected = np.repeat(expected.mean(axis=2, keepdims=True), 3, axis=2)
        assert near(frame.rgb(), expected, 12 if name == "gray" else 8)


@pytest.mark.parametrize("name", READABLE)
def test_planes_are_those_of_the_picture(name):
    data = READABLE[name][0]()
    found = opened(data)
    for index, frame in enumerate(found.frames()):
        planes = frame.planes()
        assert planes.y.shape == (64, 96)
        assert planes.u.shape == planes.v.shape == (32, 48)
        if name != "gray":
            assert near(as_rgb(planes, found), picture(index), 9)


def as_rgb(planes: Planes, found: Clip) -> np.ndarray:
    """By the formulas, with the clip's own word for what the numbers mean."""
    colours = found.info.colours
    red, blue = {"bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593), "bt601": (0.299, 0.114)}[
        colours.matrix
    ]
    height, width = planes.y.shape
    luma = planes.y.astype(float)
    cb, cr = (
        np.repeat(np.repeat(plane, 2, 0), 2, 1)[:height, :width] - 128.0
        for plane in (planes.u, planes.v)
    )
    if not colours.full_range:
        luma, cb, cr = (luma - 16) * 255 / 219, cb * 255 / 224, cr * 255 / 224
    r, b = luma + (2 - 2 * red) * cr, luma + (2 - 2 * blue) * cb
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return np.stack([r, g, b], axis=-1).clip(0, 255)


def test_planes_may_be_changed():
    frame = read(clips.mp4_h264())[0]
    frame.planes().y[:] = 0
    assert near(frame.rgb(), picture())


def test_one_frame():
    assert len(read(clip(frames=1))) == 1


def test_frames_outlive_the_reading():
    """A decoder uses its memory again; a frame that was given out must not change."""
    found = opened(clip(frames=40))
    kept = list(found.frames())
    for index, frame in enumerate(kept):
        assert near(frame.rgb(), picture(index))


# --- time ---------------------------------------------------------------------------


def test_every_timestamp():
    data, expected = clips.variable()
    assert times(data) == expected


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
def test_timestamps_of_all_containers(container):
    expected = [0, 7, 40, 41, 80, 190, 200, 260, 900, 940, 1000, 1001]
    assert times(clip(container, pts=expected)) == expected


def test_timestamps_with_b_frames():
    assert times(clips.with_b_frames()) == list(range(0, 24 * STEP, STEP))


@pytest.mark.parametrize("start", [0, 40, 500, 5000])
def test_a_late_start_stays_late(start):
    """The sound keeps its place relative to the picture."""
    assert times(clips.starting_at(start)) == list(range(start, start + 12 * STEP, STEP))


def test_a_gap_stays_a_gap():
    assert times(clips.jumping())[5:7] == [200, 10_240]


def test_frame_rates():
    info = opened(clips.mp4_h264()).info
    assert info.fps == pytest.approx(25)
    assert info.seconds(int(1 / info.time_base)) == 1
    assert opened(clip(base=Fraction(1, 240), pts=range(30))).info.fps == pytest.approx(240)


STARTS = {
    "intra": lambda: clip(options={**clips.X264, "g": "1"}, frames=20),
    "groups": lambda: clip(options={**clips.X264, "g": "8"}, frames=20),
    "one-group": lambda: clip(frames=20),
    "b-frames": lambda: clip(options=LONG_GROUPS, frames=20),
    "open-groups": lambda: clip(
        options={**LONG_GROUPS, "x264-params": "open-gop=1"}, frames=20
    ),
    "late": lambda: clip(
        options={**LONG_GROUPS}, pts=range(700, 1500, 40), muxer={"video_track_timescale": "1000"}
    ),
    "variable": lambda: clip(
        options={**clips.X264, "g": "6"}, pts=[i * i * 7 + i for i in range(20)]
    ),
    "mkv": lambda: clip("matroska", "libvpx-vp9", options={**clips.VP9, "g": "8"}, frames=20),
    "mkv-b-frames": lambda: clip("matroska", options=LONG_GROUPS, frames=20),
    "hevc": lambda: clip(
        codec="libx265", frames=20,
        options={"preset": "ultrafast", "x265-params": "log-level=none:pools=1:keyint=8:bframes=3"},
    ),
    "av1": lambda: clip(codec="libsvtav1", options={"preset": "12", "g": "8"}, frames=20),
    "avi": lambda: clip(
        "avi", "mpeg4", base=Fraction(1, 25), pts=range(20), options={"g": "6", "qscale": "2"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
def test_starting_anywhere_gives_the_same_frames(name):
    found = opened(STARTS[name]())
    everything = [(frame.pts, frame.rgb()) for frame in found.frames()]
    assert len(everything) == 20
    for index in range(20):
        rest = [(frame.pts, frame.rgb()) for frame in found.frames(start=everything[index][0])]
        assert [pts for pts, _ in rest] == [pts for pts, _ in everything[index:]]
        for (_, one), (_, other) in zip(rest, everything[index:], strict=True):
            assert np.array_equal(one, other)


def test_starting_between_frames_and_outside():
    found = opened(STARTS["b-frames"]())
    all_times = [frame.pts for frame in found.frames()]
    assert [frame.pts for frame in found.frames(start=all_times[9] - 1)] == all_times[9:]
    assert [frame.pts for frame in found.frames(start=all_times[9] + 1)] == all_times[10:]
    assert [frame.pts for frame in found.frames(start=0)] == all_times


# --- upright ------------------------------------------------------------------------


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_every_way_to_hold_a_telephone(degrees, mirrored):
    found = opened(clips.turned(clips.mp4_h264("aac"), degrees, mirrored))
    upright = (96, 64) if degrees % 180 == 0 else (64, 96)
    assert (found.info.width, found.info.height) == upright
    for index, frame in enumerate(found.frames()):
        expected = clockwise(picture(index), degrees, mirrored)
        assert near(frame.rgb(), expected)
        planes = frame.planes()
        assert planes.size == upright
        assert planes.u.shape == planes.v.shape == (upright[1] // 2, upright[0] // 2)
        assert near(as_rgb(planes, found), expected, 8)


def test_corners_end_where_they_should():
    """A picture that lies on its right side is turned to the right."""
    frame = read(clips.turned(clips.mp4_h264(), 90))[0].rgb()
    seen = {
        "bottom left": frame[4, 4],
        "top left": frame[4, -5],
        "bottom right": frame[-5, 4],
        "top right": frame[-5, -5],
    }
    for name, colour in seen.items():
        assert np.abs(colour.astype(int) - CORNERS[name]).max() < 25, name


@pytest.mark.parametrize(
    "matrix",
    [
        (0.7071, 0.7071, -0.7071, 0.7071),
        (2, 0, 0, 2),
        (1, 0.5, 0, 1),
        (0, 0, 0, 0),
        (1, 1, 1, 1),
        (1, 0, 0, 0),
        (0, 1, 0, 0),
    ],
)
def test_slanted_pictures_are_refused(matrix):
    data = clips.with_matrix(clips.mp4_h264(), *matrix)
    assert refused(data) in ("clip-orientation", "clip-unreadable")


@pytest.mark.parametrize("codec", ["ffv1", "libvpx-vp9"])
def test_odd_sizes(codec):
    found = opened(clips.odd(codec))
    assert (found.info.width, found.info.height) == (97, 63)
    for index, frame in enumerate(found.frames()):
        assert near(frame.rgb(), picture(index, (97, 63)))
        planes = frame.planes()
        assert planes.y.shape == (63, 97)
        assert planes.u.shape == planes.v.shape == (32, 49)
        assert near(as_rgb(planes, found), picture(index, (97, 63)), 9)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_odd_sizes_turned(degrees):
    data = clip(codec="libvpx-vp9", options=clips.VP9, size=(97, 63))
    found = opened(clips.turned(data, degrees))
    for index, frame in enumerate(found.frames()):
        expected = clockwise(picture(index, (97, 63)), degrees, mirrored=False)
        assert near(frame.rgb(), expected)
        assert frame.planes().y.shape == expected.shape[:2]
        assert near(as_rgb(frame.planes(), found), expected, 10)


def test_pixels_that_are_not_square():
    def wide(_: av.container.OutputContainer, video: av.VideoStream) -> None:
        video.codec_context.sample_aspect_ratio = Fraction(2, 1)

    data = clip(prepare=wide)
    assert opened(data).info.aspect == 2
    assert opened(clips.turned(data, 180)).info.aspect == 2
    assert opened(clips.turned(data, 90)).info.aspect == Fraction(1, 2)


# --- colours ------------------------------------------------------------------------


def brightest(data: bytes) -> int:
    return max(int(frame.planes().y.max()) for frame in read(data))


def black_and_white(_: int, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    return np.repeat(np.tile(np.arange(width) * 255 // (width - 1), (height, 1))[..., None], 3, 2
                     ).astype(np.uint8)  # fmt: skip


def test_limited_and_full_range():
    """The same picture is the same picture, however it is written down."""
    limited, full = (
        clip(pictures=black_and_white),
        clip(pictures=black_and_white, pix_fmt="yuvj420p"),
    )
    assert brightest(limited) <= 237
    assert brightest(full) >= 252
    for data in (limited, full):
        assert near(read(data)[0].rgb(), black_and_white(0, clips.SIZE), 2)
    assert not opened(limited).info.colours.full_range
    assert opened(full).info.colours.full_range
    assert near(read(clips.full_range())[0].rgb(), picture())


@pytest.mark.parametrize(("number", "name"), [(1, "bt709"), (6, "bt601"), (9, "bt2020")])
def test_the_colours_of_each_matrix(number, name):
    data = clip(matrix=number)
    found = opened(data)
    assert found.info.colours.matrix == name
    for index, frame in enumerate(found.frames()):
        assert near(frame.rgb(), picture(index), 5)
        assert near(as_rgb(frame.planes(), found), picture(index), 8)


@pytest.mark.parametrize("width", [96, 1040])
def test_a_clip_that_does_not_name_its_colours(width):
    """Players guess by the size; the picture and the planes must follow the same guess."""
    found = opened(clip(size=(width, 64), frames=2))
    assert found.info.colours.matrix == ("bt709" if width > 1024 else "bt601")
    for frame in found.frames():
        assert near(frame.rgb(), as_rgb(frame.planes(), found), 3)


def test_ten_bits():
    """HLG: the numbers are kept as they are; the picture that is looked at is nearly right."""
    found = opened(clips.hlg())
    assert found.info.colours.matrix == "bt2020"
    assert found.info.tags.transfer == 18
    for index, frame in enumerate(found.frames()):
        assert frame.rgb().dtype == np.uint8
        assert near(frame.rgb(), picture(index), 8)
        assert near(as_rgb(frame.planes(), found), picture(index), 9)


# --- limits -------------------------------------------------------------------------


def test_size_limits_are_exact():
    data = clips.mp4_h264()
    assert read(data, max_pixels=96 * 64)
    assert refused(data, max_pixels=96 * 64 - 1) == "clip-too-large"


def test_the_limits_of_time_and_rate():
    data = clips.mp4_h264()
    assert read(data, max_minutes=0.48 / 60 + 1e-6)
    assert refused(data, max_minutes=0.40 / 60) == "clip-too-long"
    assert refused(clips.jumping(), max_minutes=0.1) == "clip-too-long"
    assert read(data, max_fps=25.01)
    assert refused(data, max_fps=24.9) == "clip-too-fast"


def test_a_thousand_frames_a_second():
    assert refused(clip(pts=range(30))) == "clip-too-fast"
    assert refused(clip("matroska", "libvpx-vp9", options=clips.VP9, pts=range(30))) in (
        "clip-too-fast", "clip-timing",
    )  # fmt: skip


def test_a_burst_hidden_behind_a_slow_average():
    """Frames a millisecond apart, then nothing: many frames to look at, but not endless ones."""
    assert times(clip(pts=[*range(10), 2000])) == [*range(10), 2000]


@pytest.mark.parametrize("side", [6_400, 12_000, 60_000])
def test_giants(side):
    """Nothing is reserved for a picture that is refused."""
    import resource

    for data in (clips.giant_h264(side), clips.giant_avi(side)):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert refused(data) in ("clip-too-large", "clip-unreadable", "clip-corrupt")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_size_that_is_only_declared():
    """What is decoded counts; a header that says otherwise is at most a reason to refuse."""
    try:
        frames = read(clips.declared(60_000, 60_000))
    except MediaError:
        return
    assert near(frames[0].rgb(), picture())


def test_a_size_that_changes():
    """From one frame to the next: no picture of another size may slip through."""
    options = {**clips.X264, "x264-params": "repeat-headers=1"}
    small, big = clip(options=options), clip(options=options, size=(160, 96))
    assert len(read(joined(small, small))) == 24
    assert refused(joined(small, big)) in ("clip-unreadable", "clip-corrupt", "clip-too-large")


def joined(one: bytes, other: bytes) -> bytes:
    """The packets of two clips in one, the second as if it went on."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output, av.open(io.BytesIO(one)) as first:
        stream = output.add_stream_from_template(first.streams.video[0])
        for number, data in enumerate((one, other)):
            with av.open(io.BytesIO(data)) as source:
                for packet in source.demux(video=0):
                    if packet.size:
                        packet.pts += int(number * 12 * STEP / 1000 / packet.time_base)
                        packet.dts = packet.pts
                        packet.stream = stream
                        output.mux(packet)
    return buffer.getvalue()


# --- what is refused ----------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "two-videos": (clips.two_videos, {"clip-several-videos"}),
    "only-sound": (clips.only_audio, {"clip-no-video"}),
    "only-a-cover": (lambda: clips.only_audio(cover=True), {"clip-no-video"}),
    "no-frames": (clips.no_frames, {"clip-empty", "clip-no-video", "clip-unreadable"}),
    "encrypted": (clips.encrypted, {"clip-encrypted"}),
    "duplicate-times": (lambda: clips.with_offsets({5: 1}), {"clip-timing"}),
    "backward-times": (lambda: clips.with_offsets({5: -2}), {"clip-timing"}),
    "mkv-duplicate": (lambda: clips.mkv_with_times({5: 160}), {"clip-timing"}),
    "mkv-backward": (lambda: clips.mkv_with_times({5: 90}), {"clip-timing"}),
    "no-durations": (clips.without_durations, {"clip-timing", "clip-too-fast", "clip-unreadable"}),
    "transparent": (clips.transparent, {"clip-transparent"}),
    "transparent-qtrle": (lambda: clips.transparent("qtrle"), {"clip-transparent"}),
    "transparent-png": (lambda: clips.transparent("png"), {"clip-transparent"}),
    "corrupted": (lambda: clips.corrupted(clips.mp4_h264()), {"clip-corrupt", "clip-unreadable"}),
    "corrupted-b-frames": (
        lambda: clips.corrupted(clips.with_b_frames()), {"clip-corrupt", "clip-unreadable"}
    ),
    "corrupted-mjpeg": (
        lambda: overwritten(clips.avi_mjpeg(), "video", 3, 40, 300),
        {"clip-corrupt", "clip-unreadable"},
    ),
    "corrupted-mpeg4": (
        lambda: overwritten(clips.avi(), "video", 3, 20, 300), {"clip-corrupt", "clip-unreadable"}
    ),
    "corrupted-vp9": (
        lambda: overwritten(clips.mkv(), "video", 3, 0, 8, b"\0"),
        {"clip-corrupt", "clip-unreadable"},
    ),
    "corrupted-hevc": (
        lambda: overwritten(clips.hlg(), "video", 2, 10, 100), {"clip-corrupt", "clip-unreadable"}
    ),
    "unknown-codec": (clips.unknown_codec, {"clip-unreadable", "clip-no-video"}),
}  # fmt: skip


def overwritten(
    data: bytes, kind: str, number: int, start: int, length: int, byte: bytes | None = None
) -> bytes:
    """Noise, or one byte again and again, over a part of one packet."""
    with av.open(io.BytesIO(data)) as source:
        stream = source.streams.best(kind)
        packet = [bytes(packet) for packet in source.demux(stream) if packet.size][number]
    position = data.index(packet) + start
    length = min(length, len(packet) - start)
    noise = np.random.default_rng(7).integers(0, 256, length, np.uint8).tobytes()
    noise = byte * length if byte else noise
    return data[:position] + noise + data[position + length :]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    build, codes = REFUSED[name]
    assert refused(build()) in codes


@pytest.mark.parametrize("name", [name for name in REFUSED if name.startswith("corrupted")])
def test_damage_is_noticed_each_time(name):
    build, codes = REFUSED[name]
    data = build()
    assert {refused(data) for _ in range(200)} <= codes


CUT_OFF = {"clip-truncated", "clip-corrupt", "clip-unreadable", "clip-empty"}


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("name", ["mp4", "index-first", "mkv", "avi", "mjpeg"])
def test_half_a_clip_is_refused(name, share):
    options = {**clips.X264, "g": "1"}
    data = {
        "mp4": lambda: clip(frames=100, options=options),
        "index-first": lambda: clips.finished(frames=100, options=options),
        "mkv": lambda: clip("matroska", frames=100, options=options),
        "avi": lambda: clip("avi", "mpeg4", base=Fraction(1, 25), pts=range(100)),
        "mjpeg": lambda: clip(
            "avi", "mjpeg", base=Fraction(1, 25), pts=range(100), pix_fmt="yuvj420p"
        ),
    }[name]()
    assert refused(clips.truncated(data, share)) in CUT_OFF


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        *clips.PLAYLISTS.values(),
        saved(scene(), "PNG"),
        saved(scene(), "JPEG"),
        saved(scene(), "GIF"),
        saved(scene(), "WEBP"),
        builders.heic(),
        saved(scene(), "AVIF"),
        b"%PDF-1.7\n" + bytes(600),
        b"FLV\1" + bytes(600),
        b"RIFF\0\0\0\0WAVEfmt " + bytes(600),
        b"RIFF\0\0\0\0WEBPVP8 " + bytes(600),
    ],
)
def test_what_is_no_clip(data):
    """Not even asked: the library would open many of these."""
    assert clip_format(data[:512]) is None


@pytest.mark.parametrize("name", [*clips.PLAYLISTS, "jpeg", "png"])
@pytest.mark.parametrize("container", ["mov", "matroska", "avi"])
def test_other_formats_are_not_tried(name, container):
    """Whatever the first bytes were taken for, only that one format is opened."""
    data = {**clips.PLAYLISTS, "jpeg": saved(scene(), "JPEG"), "png": saved(scene(), "PNG")}[name]
    with pytest.raises(MediaError):
        list(Clip(lambda: io.BytesIO(data), container, limits=ClipLimits()).frames())


def test_a_clip_under_another_containers_name():
    with pytest.raises(MediaError):
        list(Clip(lambda: io.BytesIO(clips.mkv()), "mov", limits=ClipLimits()).frames())
    with pytest.raises(MediaError):
        list(Clip(lambda: io.BytesIO(clips.mp4_h264()), "avi", limits=ClipLimits()).frames())


@pytest.mark.parametrize("kind", ["url ", "alis", "rsrc"])
def test_no_other_file_is_opened(kind, tmp_path, monkeypatch):
    """A movie may say that its pictures lie in another file: they must not be taken from there."""
    other = tmp_path / "other.mp4"
    other.write_bytes(clip(pictures=lambda index, size: 255 - picture(index, size)))
    data = clips.reference_movie(str(other), kind)
    try:
        frames = read(data)
    except MediaError:
        return
    assert near(frames[0].rgb(), picture())


def test_a_compressed_index_does_not_blow_up():
    """'cmov': an index packed with zlib, which some players unpack whatever its size."""
    import zlib

    moov = clips.inner(clips.mp4_h264(), "moov")
    for unpacked in (clips.box(b"moov", moov), clips.box(b"moov", bytes(20_000_000))):
        packed = clips.box(b"dcom", b"zlib") + clips.box(
            b"cmvd", struct.pack(">I", len(unpacked)) + zlib.compress(unpacked)
        )
        data = changed(clips.mp4_h264(), "moov", lambda _, p=packed: clips.box(b"cmov", p))
        try:
            assert near(read(data)[0].rgb(), picture())
        except MediaError:
            continue


# --- whatever the bytes -------------------------------------------------------------

SEEDS = {
    "mp4": lambda: clip(frames=5, sound="aac"),
    "index-first": lambda: clips.finished(frames=5),
    "b-frames": lambda: clips.with_b_frames(6),
    "mkv": lambda: clip("matroska", "libvpx-vp9", options=clips.VP9, frames=5, sound="libopus"),
    "avi": lambda: clip("avi", "mpeg4", base=Fraction(1, 25), pts=range(5), sound="libmp3lame"),
    "mjpeg": lambda: clip(
        "avi", "mjpeg", base=Fraction(1, 25), pts=range(3), pix_fmt="yuvj420p"
    ),
}  # fmt: skip


@cache
def seed(name: str) -> bytes:
    return SEEDS[name]()


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_bytes_raise_nothing_but_media_errors(name, data):
    raw = bytearray(seed(name))
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(1, len(raw))) :]
    try:
        found = opened(bytes(raw), max_pixels=1_000_000, max_minutes=10)
        for frame in found.frames():
            assert frame.rgb().shape == (found.info.height, found.info.width, 3)
            assert frame.planes().size == (found.info.width, found.info.height)
    except MediaError:
        return


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing_but_media_errors(data):
    for head in (clips.mp4_h264()[:48], clips.mkv()[:60], clips.avi()[:300]):
        with pytest.raises(MediaError):
            read(head + data)


def test_boxes_one_by_one():
    """Each table of the index in turn: emptied, or full of the largest numbers."""
    data = clips.mp4_h264()
    for name in ("stts", "stss", "stsc", "stsz", "stco", "stsd", "stsd/avc1", "stsd/avc1/avcC"):
        path = f"moov/{STBL}/{name}"
        size = len(clips.inner(data, path))
        for content in (b"", bytes(size), b"\xff" * size, bytes(8) + b"\xff" * max(size - 8, 0)):
            try:
                read(changed(data, path, lambda _, new=content: new))
            except MediaError:
                continue
