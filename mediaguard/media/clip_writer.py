"""Write a fresh MP4 from frames: in segments, which are then put together with the sound.

A segment is a few seconds, encoded by itself. It can be looked at and written again without the
others, and those that are done survive a crash (docs/decisions/0009). The finished file holds one
video stream, at most one sound stream, and nothing else of the source.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.audio.resampler import AudioResampler

from mediaguard.atomic import FULL
from mediaguard.core.media import Codec, Encoding, Quality
from mediaguard.errors import MediaError
from mediaguard.media.clip import Clip, ClipInfo
from mediaguard.media.frames import frame_of
from mediaguard.media.planes import Planes

COPIED_SOUND = frozenset({"aac", "mp3", "opus", "ac3", "eac3", "alac", "flac"})
"""Sound that MP4 holds and browsers play; other sound is encoded anew as AAC."""
_PLAYED_RATES = (32_000, 44_100, 48_000)
"""Samples per second that every player takes; other sound is resampled."""
_GAP_SECONDS = 0.05
_THREADS = 2  # of the encoder; each holds frames in memory
_CLEAN = {"movflags": "+faststart", "fflags": "+bitexact"}
"""The index first, so that a browser can start at once; no name of the writing program."""


_ENCODERS: dict[Codec, tuple[str, dict[str, str], dict[Quality, int]]] = {
    # Without B-frames: packets come out in the order of their times, whatever these are.
    Codec.H264: (
        "libx264",
        {"preset": "veryfast", "bf": "0", "rc-lookahead": "5"},
        {Quality.HIGH: 17, Quality.NORMAL: 21, Quality.SMALL: 26},
    ),
    Codec.VP9: (
        "libvpx-vp9",
        {"b:v": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1", "lag-in-frames": "0"},
        {Quality.HIGH: 24, Quality.NORMAL: 31, Quality.SMALL: 38},
    ),
    Codec.AV1: (
        "libsvtav1",
        {"preset": "10", "svtav1-params": "pred-struct=1:lookahead=0"},
        {Quality.HIGH: 26, Quality.NORMAL: 33, Quality.SMALL: 42},
    ),
}


@contextmanager
def writing() -> Iterator[None]:
    """Say what went wrong when a file could not be written.

    Raises:
        MediaError: ``no-room`` or ``clip-encode-failed``.
    """
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        if error.errno in FULL:
            raise MediaError("no-room", name="rendition.mp4") from error
        raise MediaError("clip-encode-failed", detail=type(error).__name__) from error


class SegmentWriter:
    """Encodes the frames of one segment into a file; use as a context manager.

    Times in the file count from the segment's first frame.

    Args:
        path: of the file; replaced if it is there.
        info: of the source.
        encoding: how.

    Raises:
        MediaError: ``clip-encode-failed``, ``no-room``.
    """

    def __init__(self, path: Path, info: ClipInfo, encoding: Encoding) -> None:
        self._info = info
        name, options, qualities = _ENCODERS[encoding.codec]
        self._container = av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"})
        options = {**options, "crf": str(qualities[encoding.quality])}
        rate = Fraction(info.fps).limit_denominator(1001)
        stream = self._container.add_stream(name, rate=rate, options=options)
        if not isinstance(stream, av.VideoStream):
            raise TypeError(name)
        self._stream = stream
        context = stream.codec_context
        # Encoders of 4:2:0 want even sides; the last row or column is shown twice.
        context.width, context.height = (side + side % 2 for side in (info.width, info.height))
        context.pix_fmt = "yuv420p"
        stream.time_base = info.time_base
        context.sample_aspect_ratio = info.aspect
        context.thread_count = _THREADS
        tags = info.tags
        context.color_range, context.colorspace = tags.colour_range, tags.matrix
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        # The encoder counts frames. It gives one packet for each, in their order, and their times
        # are put on the packets: no encoder can round them.
        context.time_base = 1 / rate
        self._count = 0
        self._times: deque[tuple[int, int]] = deque()
        self._first: int | None = None

    def __enter__(self) -> "SegmentWriter":
        return self

    def __exit__(self, *_: object) -> None:
        with writing():
            self._container.close()

    def write(self, planes: Planes, pts: int, duration: int) -> None:
        """Append a frame; `pts` and `duration` in the source's time base."""
        if self._first is None:
            self._first = pts
        frame = frame_of(planes, self._info.tags)
        frame.pts, frame.time_base = self._count, self._stream.codec_context.time_base
        self._count += 1
        self._times.append((pts - self._first, duration))
        self._mux(frame)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._mux(None)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        with writing():
            for packet in self._stream.encode(frame):
                if not self._times:
                    raise MediaError("clip-encode-failed", detail="packets")
                packet.pts, packet.duration = self._times.popleft()
                packet.dts, packet.time_base = packet.pts, self._info.time_base
                self._container.mux(packet)


def assemble(
    path: Path,
    segments: Sequence[Path],
    starts: Sequence[int],
    clip: Clip,
    *,
    sound: bool,
) -> None:
    """Put verified segments and the source's sound together.

    Args:
        path: of the finished file.
        segments: in their order.
        starts: the timestamp of each one's first frame, in the source's time base.
        clip: the source.
        sound: whether its sound goes along.

    Raises:
        MediaError: the sound is damaged.
    """
    with (
        writing(),
        clip.open() as source,
        av.open(str(path), "w", format="mp4", options=_CLEAN) as output,
    ):
        with av.open(str(segments[0])) as first:
            video = output.add_stream_from_template(first.streams.video[0], opaque=True)
        video.time_base = clip.info.time_base
        video.metadata.clear()
        packets = [_pictures(segments, starts, video, clip.info.time_base)]
        if sound and clip.info.sound:
            packets.append(_sounds(source, output, clip.info.sound.index))
        for packet in heapq.merge(*packets, key=_time_of):
            output.mux(packet)


def _time_of(packet: "av.Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _pictures(
    segments: Sequence[Path], starts: Sequence[int], target: av.VideoStream, base: Fraction
) -> Iterator["av.Packet[Any]"]:
    for path, start in zip(segments, starts, strict=True):
        with av.open(str(path)) as segment:
            stream = segment.streams.video[0]
            for packet in segment.demux(stream):
                if packet.pts is None:
                    continue  # the end
                ratio = packet.time_base / base
                packet.pts = start + round(packet.pts * ratio)
                packet.dts = packet.pts
                packet.duration = round((packet.duration or 0) * ratio)
                packet.time_base = base
                packet.stream = target
                yield packet


def _sounds(
    source: av.container.InputContainer, output: av.container.OutputContainer, index: int
) -> Iterator["av.Packet[Any]"]:
    stream = source.streams[index]
    if not isinstance(stream, av.AudioStream):
        raise MediaError("clip-unreadable", detail="sound")
    if stream.codec_context.codec.canonical_name in COPIED_SOUND:
        target = output.add_stream_from_template(stream, opaque=True)
        target.metadata.clear()
        return _copied(source, stream, target)
    return _encoded(source, stream, output)


def _copied(
    source: av.container.InputContainer, stream: av.AudioStream, target: Any
) -> Iterator["av.Packet[Any]"]:
    for packet in _sound_packets(source, stream):
        if packet.pts is None and packet.dts is None:
            continue
        packet.stream = target
        yield packet


def _encoded(
    source: av.container.InputContainer,
    stream: av.AudioStream,
    output: av.container.OutputContainer,
) -> Iterator["av.Packet[Any]"]:
    rate = stream.codec_context.sample_rate
    target = output.add_stream("aac", rate=rate if rate in _PLAYED_RATES else 48_000)
    if not isinstance(target, av.AudioStream):
        raise TypeError("aac")
    target.codec_context.layout = (
        "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
    )
    resampler = AudioResampler(
        "fltp", target.codec_context.layout, target.codec_context.sample_rate
    )

    def packets() -> Iterator["av.Packet[Any]"]:
        following: int | None = None
        for packet in _sound_packets(source, stream):
            for frame in packet.decode():
                sound = _in_samples(cast(av.AudioFrame, frame), following)
                following = (sound.pts or 0) + sound.samples
                for piece in resampler.resample(sound):
                    yield from target.encode(piece)
        for piece in resampler.resample(None):
            yield from target.encode(piece)
        yield from target.encode(None)

    return packets()


def _in_samples(frame: av.AudioFrame, following: int | None) -> av.AudioFrame:
    """Counted in samples, right behind the one before unless there is a real gap.

    Some containers count sound in units that are as long as a packet.
    """
    if frame.pts is not None and frame.time_base is not None:
        start = round(frame.pts * frame.time_base * frame.sample_rate)
        if following is not None and abs(start - following) < _GAP_SECONDS * frame.sample_rate:
            start = following
        frame.pts, frame.time_base = start, Fraction(1, frame.sample_rate)
    return frame


def _sound_packets(
    source: av.container.InputContainer, stream: av.AudioStream
) -> Iterator["av.Packet[Any]"]:
    try:
        for packet in source.demux(stream):
            if packet.is_corrupt:
                raise MediaError("clip-corrupt")
            yield packet
    except av.error.FFmpegError as error:
        raise MediaError("clip-unreadable", detail=type(error).__name__) from error


def frames_of(path: Path) -> Iterable[av.VideoFrame]:
    """The frames of a segment that was written."""
    with av.open(str(path)) as segment:
        yield from segment.decode(video=0)
