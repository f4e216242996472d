"""Writing a clip: every frame at its time, the sound as it was, nothing else of the source."""

import io
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaguard.core.media import Codec, Encoding, Quality
from mediaguard.errors import MediaError
from mediaguard.media.clip import Clip, ClipInfo, ClipLimits
from mediaguard.media.clip_verification import packet_digest, verify_file
from mediaguard.media.clip_writer import SegmentWriter, assemble, frames_of
from mediaguard.media.frames import ColourTags
from mediaguard.media.planes import Planes
from mediaguard.media.sniffing import clip_format
from tests.media import clip_builders as clips
from tests.media.builders import TEXT
from tests.media.clip_builders import STEP, clip

CODECS = list(Codec)
TAGS = ColourTags(1, 1, 1, 1)


def info(
    size: tuple[int, int] = (96, 64), base: Fraction = Fraction(1, 1000), fps: float = 25.0
) -> ClipInfo:
    return ClipInfo(*size, base, fps, 0, Fraction(1), TAGS, None)


def planes(index: int, size: tuple[int, int] = (96, 64)) -> Planes:
    """Smooth, and different in every frame."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    luma = 120 + 60 * np.sin(x / 9 + index / 2) * np.cos(y / 7)
    half = -(-height // 2), -(-width // 2)
    return Planes(
        luma.astype(np.uint8),
        np.full(half, 100 + index % 50, np.uint8),
        np.full(half, 150 - index % 50, np.uint8),
    )


def write(
    path: Path, pts: Sequence[int], about: ClipInfo, codec: Codec = Codec.H264, start: int = 0
) -> None:
    steps = [*np.diff(pts).tolist(), 0]
    with SegmentWriter(path, about, Encoding(codec)) as writer:
        for index, (time, step) in enumerate(zip(pts, steps, strict=True)):
            writer.write(planes(start + index, (about.width, about.height)), time, step)
        writer.finish()


def times_of(path: Path) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in frames_of(path)]


def opened(data: bytes) -> Clip:
    return Clip(lambda: io.BytesIO(data), clip_format(data[:512]), limits=ClipLimits())


def rewritten(
    data: bytes, folder: Path, *, codec: Codec = Codec.H264, sound: bool = True, length: int = 5
) -> tuple[Path, Clip, list[int], list[Path]]:
    """A clip written as it is, in segments of so many frames."""
    source = opened(data)
    frames = list(source.frames())
    pts = [frame.pts for frame in frames]
    segments = []
    for first in range(0, len(frames), length):
        segments.append(folder / f"{first:04}.mp4")
        with SegmentWriter(segments[-1], source.info, Encoding(codec)) as writer:
            for frame in frames[first : first + length]:
                writer.write(frame.planes(), frame.pts, frame.duration)
            writer.finish()
    path = folder / "finished.mp4"
    assemble(path, segments, pts[::length], source, sound=sound)
    return path, source, pts, segments


def packets(source: Path | bytes, kind: str) -> list[tuple[Fraction, bytes]]:
    """Time and content of each packet of the first stream of a kind."""
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [
            (item.pts * item.time_base, bytes(item))
            for item in container.demux(stream)
            if item.pts is not None
        ]


# -- times -----------------------------------------------------------------------------------

BASES = [
    (Fraction(1, 1000), 40, 0), (Fraction(1, 1000), 1, 77), (Fraction(1, 90_000), 3003, 12_345),
    (Fraction(1001, 30_000), 1, 0), (Fraction(1001, 24_000), 1, 9), (Fraction(100, 2997), 1, 4),
    (Fraction(1, 25), 1, 10**6), (Fraction(1, 1_000_000), 33_333, 7), (Fraction(2, 3), 1, 0),
    (Fraction(1, 600), 20, 10**9), (Fraction(3, 7), 1, 1), (Fraction(1, 12_800), 512, -5120),
    (Fraction(1, 1_000_000_000), 33_333_333, 5),
]  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("base", "step", "offset"), BASES)
def test_every_frame_keeps_its_time(tmp_path, codec, base, step, offset):
    pts = [offset + index * step for index in range(10)]
    path = tmp_path / "segment.mp4"
    write(path, pts, info(base=base, fps=min(float(1 / (base * step)), 240.0)), codec)
    assert times_of(path) == [(time - offset) * base for time in pts]


@pytest.mark.parametrize("codec", CODECS)
@given(steps=st.lists(st.integers(1, 4000), min_size=1, max_size=12), first=st.integers(0, 10**6))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_variable_rate_is_kept_exactly(tmp_path, codec, steps, first):
    pts = np.cumsum([first, *steps]).tolist()
    path = tmp_path / "segment.mp4"
    write(path, pts, info(), codec)
    assert times_of(path) == [Fraction(time - first, 1000) for time in pts]


@pytest.mark.parametrize("codec", CODECS)
def test_one_frame_is_a_segment_too(tmp_path, codec):
    path = tmp_path / "segment.mp4"
    write(path, [1234], info(), codec)
    assert times_of(path) == [0]


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(96, 64), (97, 63), (95, 64), (96, 65), (640, 66)])
def test_the_pictures_are_those_that_were_given(tmp_path, codec, size):
    path = tmp_path / "segment.mp4"
    write(path, [40 * index for index in range(8)], info(size), codec)
    width, height = size
    frames = list(frames_of(path))
    assert len(frames) == 8
    for index, frame in enumerate(frames):
        assert (frame.width, frame.height) == (width + width % 2, height + height % 2)
        wanted = planes(index, size)
        half = (-(-height // 2), -(-width // 2))
        for number, (rows, columns) in enumerate(((height, width), half, half)):
            plane = frame.planes[number]
            found = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            given_plane = (wanted.y, wanted.u, wanted.v)[number]
            change = np.abs(found[:rows, :columns].astype(int) - given_plane)
            assert change.mean() < 4, (index, number)


def test_better_quality_is_larger_and_closer(tmp_path):
    sizes = []
    for quality in (Quality.SMALL, Quality.NORMAL, Quality.HIGH):
        path = tmp_path / f"{quality}.mp4"
        rng = np.random.default_rng(1)
        noise = [rng.integers(60, 200, (64, 96), np.uint8) for _ in range(6)]
        with SegmentWriter(path, info(), Encoding(quality=quality)) as writer:
            for index, luma in enumerate(noise):
                grey = np.full((32, 48), 128, np.uint8)
                writer.write(Planes(luma, grey, grey), 40 * index, 40)
            writer.finish()
        sizes.append(path.stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (2, 5, 5, 6), (1, 9, 9, 18)])
def test_the_colour_tags_and_the_shape_of_pixels_are_kept(tmp_path, codec, tags):
    about = ClipInfo(
        96, 64, Fraction(1, 1000), 25.0, 0, Fraction(16, 15), ColourTags(*tags), None
    )  # fmt: skip
    path = tmp_path / "segment.mp4"
    write(path, [0, 40, 80], about, codec)
    frame = next(iter(frames_of(path)))
    found = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
    assert tuple(int(value) for value in found) == tags
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(16, 15)


# -- the finished file -----------------------------------------------------------------------

SOURCES = {
    "mp4": lambda: clip(frames=13),
    "mp4 aac": lambda: clip(sound="aac"),
    "mp4 mp3": lambda: clip(sound="libmp3lame"),
    "mp4 opus": lambda: clip(sound="libopus"),
    "mp4 ac3": lambda: clip(sound="ac3"),
    "mp4 flac": lambda: clip(sound="flac"),
    "mkv vp9 opus": clips.mkv,
    "webm": clips.webm,
    "avi mp3": clips.avi,
    "avi mjpeg pcm": clips.avi_mjpeg,
    "avi ntsc": lambda: clip(
        "avi", "mpeg4", base=Fraction(1001, 30_000), pts=range(12), sound="pcm_s16le"
    ),
    "mov pcm": clips.mov,
    "mkv vorbis": lambda: clip("matroska", prepare=vorbis),
    "b-frames": clips.with_b_frames,
    "variable": lambda: clips.variable()[0],
    "starting late": lambda: clips.starting_at(5000),
    "starting at an odd time": lambda: clip(
        base=Fraction(1, 90_000),
        pts=[12_347 + 3003 * index for index in range(12)],
        muxer={"video_track_timescale": "90000"},
        sound="aac",
    ),
    "mkv starting late": lambda: clip("matroska", pts=range(777, 1257, STEP), sound="libopus"),
    "odd": clips.odd,
    "turned": lambda: clips.turned(clip(), 90),
    "10 bits": clips.hlg,
    "full range": clips.full_range,
    "dirty": clips.dirty,
    "dirty mkv": lambda: clip("matroska", sound="aac", sounds=2, prepare=tagged),
}


def vorbis(output, _) -> list[av.Packet]:
    """A sound stream in Vorbis, whose encoder counts as experimental."""
    options = {"strict": "experimental"}
    stream = output.add_stream("vorbis", rate=44_100, layout="stereo", options=options)
    wave = 0.3 * np.sin(np.arange(21_168) * 2 * np.pi * 440 / 44_100)
    frame = av.AudioFrame.from_ndarray(
        np.stack([wave, wave]).astype(np.float32), format="fltp", layout="stereo"
    )
    frame.sample_rate, frame.pts, frame.time_base = 44_100, 0, Fraction(1, 44_100)
    return stream.encode(frame) + stream.encode(None)


def tagged(output, video) -> None:
    clips.tag(output, video)
    clips.add_chapter(output)


@pytest.mark.parametrize("name", SOURCES)
def test_a_clip_that_was_written_is_proven(tmp_path, name):
    """Verification of the finished file asks for every time, every packet and all the sound."""
    path, source, pts, segments = rewritten(SOURCES[name](), tmp_path)
    assert verify_file(path, source, pts, segments, sound=True) == []
    assert [time for time, _ in packets(path, "video")] == [
        time * source.info.time_base for time in pts
    ]
    assert opened(path.read_bytes()).info.width == source.info.width + source.info.width % 2


@pytest.mark.parametrize("codec", CODECS)
def test_all_codecs_can_be_assembled(tmp_path, codec):
    path, source, pts, segments = rewritten(clip(frames=14, sound="aac"), tmp_path, codec=codec)
    assert verify_file(path, source, pts, segments, sound=True) == []
    written = opened(path.read_bytes())
    frames = list(written.frames())
    assert len(frames) == 14
    for one, other in zip(frames, source.frames(), strict=True):
        assert np.abs(one.planes().y.astype(int) - other.planes().y).mean() < 6


@pytest.mark.parametrize("length", [1, 2, 7, 12, 100])
def test_the_packets_are_those_of_the_segments_in_their_order(tmp_path, length):
    path, source, _, segments = rewritten(clip(sound="aac"), tmp_path, length=length)
    wanted = [data for segment in segments for _, data in packets(segment, "video")]
    assert [data for _, data in packets(path, "video")] == wanted
    assert packet_digest([path]) == packet_digest(segments)
    with av.open(str(path)) as container:
        decode_times = [
            item.dts * item.time_base for item in container.demux(video=0) if item.dts is not None
        ]
    assert decode_times == sorted(decode_times)
    assert len(set(decode_times)) == source.info.expected_frames


COPIED = {"aac": "aac", "libmp3lame": "mp3", "libopus": "opus", "ac3": "ac3", "flac": "flac"}


@pytest.mark.parametrize("encoder", COPIED)
@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_sound_is_copied_byte_for_byte(tmp_path, encoder, container):
    data = clip(container, sound=encoder, frames=25)
    path, *_ = rewritten(data, tmp_path)
    before, after = packets(data, "audio"), packets(path, "audio")
    assert [one for _, one in after] == [one for _, one in before]
    for (time, _), (other, _) in zip(after, before, strict=True):
        assert abs(time - other) < Fraction(1, 1000)
    with av.open(str(path)) as output:
        assert output.streams.audio[0].codec_context.codec.canonical_name == COPIED[encoder]


def waves(source: Path | bytes) -> tuple[Fraction, np.ndarray]:
    """When the sound starts, and its samples as one channel."""
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as container:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        start, parts = None, []
        for frame in container.decode(audio=0):
            if start is None:
                start = frame.pts * frame.time_base
            parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return start, np.concatenate(parts)


ENCODED = {
    "mov pcm": lambda: clip("mov", sound="pcm_s16le", frames=25),
    "avi pcm": lambda: clip("avi", "mjpeg", base=Fraction(1, 25), pts=range(25),
                            pix_fmt="yuvj420p", sound="pcm_s16le"),
    "mkv vorbis": SOURCES["mkv vorbis"],
    "mkv pcm late": lambda: clip("matroska", pts=range(777, 1777, STEP), sound="pcm_s16le"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODED)
def test_other_sound_is_encoded_and_lasts_as_long(tmp_path, name):
    data = ENCODED[name]()
    path, source, pts, segments = rewritten(data, tmp_path)
    assert verify_file(path, source, pts, segments, sound=True) == []
    with av.open(str(path)) as output:
        assert output.streams.audio[0].codec_context.name == "aac"
    (start, before), (new_start, after) = waves(data), waves(path)
    assert abs(new_start - start) < Fraction(1, 20)
    assert abs(len(after) - len(before)) < 48_000 / 20
    # The same tone at the same loudness.
    middle = slice(4800, min(len(before), len(after)) - 4800)
    loudness = before[middle].std(), after[middle].std()
    assert loudness[1] == pytest.approx(loudness[0], rel=0.2)
    tones = [np.argmax(np.abs(np.fft.rfft(wave[middle]))) for wave in (before, after)]
    assert abs(int(tones[0]) - int(tones[1])) <= 1


@pytest.mark.parametrize("name", ENCODED)
def test_encoded_sound_has_no_gaps_or_overlaps(tmp_path, name):
    """Each packet starts where the one before it ended."""
    path, *_ = rewritten(ENCODED[name](), tmp_path)
    with av.open(str(path)) as output:
        found = [
            (item.pts, item.duration) for item in output.demux(audio=0) if item.pts is not None
        ]
        rate = output.streams.audio[0].rate
        unit = output.streams.audio[0].time_base
    # But at the end, which is filled up.
    steps = np.diff([time for time, _ in found[:-2]]) * unit
    assert set(steps) == {Fraction(1024, rate)}


def sampled(rate: int, layout: str = "mono", name: str = "pcm_s16le") -> bytes:
    """A clip whose sound was recorded at some rate, in as many channels as the layout has."""

    def prepare(output, _) -> list[av.Packet]:
        stream = output.add_stream(name, rate=rate, layout=layout)
        tone = 8000 * np.sin(np.arange(rate) * 2 * np.pi * 440 / rate)
        channels = av.AudioLayout(layout).nb_channels
        samples = tone.astype(np.int16).repeat(channels)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        return stream.encode(frame) + stream.encode(None)

    return clip("matroska", frames=25, prepare=prepare)


@pytest.mark.parametrize(
    "rate", [8000, 11_024, 11_025, 16_000, 22_050, 32_000, 44_056, 96_000, 192_000]
)
def test_sound_of_every_rate_is_encoded(tmp_path, rate):
    """Old cameras record at 8000 or 11,024 samples a second, studios at 192,000."""
    data = sampled(rate)
    path, source, pts, segments = rewritten(data, tmp_path)
    assert verify_file(path, source, pts, segments, sound=True) == []
    (start, before), (new_start, after) = waves(data), waves(path)
    assert abs(new_start - start) < Fraction(3, 20)
    assert abs(len(after) - len(before)) < 48_000 * 3 / 20


@pytest.mark.parametrize("layout", ["mono", "stereo", "2.1", "5.1", "7.1"])
@pytest.mark.parametrize("name", ["pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"])
def test_sound_of_every_kind_is_encoded(tmp_path, layout, name):
    path, source, pts, segments = rewritten(sampled(48_000, layout, name), tmp_path)
    assert verify_file(path, source, pts, segments, sound=True) == []


def test_without_sound_there_is_none(tmp_path):
    path, source, pts, segments = rewritten(clip(sound="aac"), tmp_path, sound=False)
    assert verify_file(path, source, pts, segments, sound=False) == []
    with av.open(str(path)) as output:
        assert [stream.type for stream in output.streams] == ["video"]


@pytest.mark.parametrize("missing", [1, 60, 400])
def test_sound_that_was_cut_off_is_an_error(tmp_path, missing):
    data = clips.finished(sound="aac", frames=25)[:-missing]
    with pytest.raises(MediaError) as caught:
        rewritten(data, tmp_path)
    assert caught.value.code == "clip-corrupt"


# -- nothing else of the source --------------------------------------------------------------


@pytest.mark.parametrize("name", ["dirty", "dirty mkv"])
@pytest.mark.parametrize("codec", CODECS)
def test_nothing_else_of_the_source_goes_along(tmp_path, name, codec):
    data = SOURCES[name]()
    assert TEXT.encode() in data
    path, *_ = rewritten(data, tmp_path, codec=codec)
    written = path.read_bytes()
    for needle in (TEXT, "Janssen", clips.LOCATION, "01:02:03:04", "nld", "Lavf", "Lavc59"):
        assert needle.encode() not in written, needle
    for _, picture in packets(data, "video"):
        if len(picture) >= 24:
            assert picture[-24:] not in written
    with av.open(str(path)) as output:
        assert [stream.type for stream in output.streams] == ["video", "audio"]
        assert set(output.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        assert output.chapters() == []
        for stream in output.streams:
            assert set(stream.metadata) <= {"language", "handler_name", "vendor_id"}
            assert stream.metadata.get("language", "und") == "und"


def test_nothing_is_written_outside_of_the_path(tmp_path):
    folder, work = tmp_path / "elsewhere", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    path, _, _, segments = rewritten(clip(sound="aac"), work)
    assert sorted(work.iterdir()) == sorted([*segments, path])
    assert list(folder.iterdir()) == []
    assert sorted(tmp_path.iterdir()) == [folder, work]


def test_what_lay_at_the_path_is_replaced(tmp_path):
    path = tmp_path / "segment.mp4"
    path.write_bytes(b"old" * 100_000)
    write(path, [0, 40, 80], info())
    assert b"oldold" not in path.read_bytes()
    assert len(list(frames_of(path))) == 3


# -- no room ---------------------------------------------------------------------------------

LIMITED = """
    import resource, signal, sys
    from pathlib import Path
    from mediaguard.errors import MediaError
    from tests.media import test_clip_writer as t

    folder, what, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    source = t.opened((folder / "source.mp4").read_bytes())
    segments = sorted(folder.glob("s*[0-9].mp4"))
    for limit in range(0, limit + 1, max(limit // 14, 1)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            if what == "segment":
                t.write(folder / "out.mp4", [40 * i for i in range(30)], source.info)
            else:
                t.assemble(folder / "out.mp4", segments, [0], source, sound=True)
            result = "written"
        except MediaError as error:
            result = error.code
        print(limit, result, (folder / "out.mp4").stat().st_size, flush=True)
"""


@pytest.mark.parametrize("what", ["segment", "file"])
def test_a_full_disk_is_said_at_once_and_never_passes_for_a_file(tmp_path, what):
    """A limit on the size of files, as a full disk looks to a program; at every fill level."""
    pytest.importorskip("resource")
    data = clip(sound="aac", frames=30)
    (tmp_path / "source.mp4").write_bytes(data)
    source = opened(data)
    pts = [frame.pts for frame in source.frames()]
    segment = tmp_path / "s0.mp4"
    write(segment, pts, source.info)
    whole = tmp_path / "whole.mp4"
    if what == "segment":
        write(whole, [40 * index for index in range(30)], source.info)
    else:
        assemble(whole, [segment], [0], source, sound=True)
    enough = whole.stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), str(tmp_path), what, str(enough + 14)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = [line.split() for line in done.stdout.splitlines()]
    assert len(results) > 10
    for limit, result, size in results:
        assert result == ("written" if int(limit) >= enough else "no-room"), (limit, size)


def test_a_folder_that_is_gone_is_said(tmp_path):
    source = opened(clip())
    segment = tmp_path / "s.mp4"
    write(segment, [0, 40], source.info)
    gone = tmp_path / "gone" / "out.mp4"
    with pytest.raises(MediaError):
        assemble(gone, [segment], [0], source, sound=False)
    with pytest.raises(MediaError):
        write(gone, [0, 40], source.info)
