"""Open a video that anybody may have made, and give its frames, upright.

What may be opened is decided by the file's first bytes (`sniffing.clip_format`); the container
library is told which format it is and may open nothing else, since playlists and reference movies
name other files.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, NoReturn

import av
from av.video.reformatter import ColorRange

from mediaguard.errors import MediaError
from mediaguard.media.frames import UNSPECIFIED, ColourTags, Frame, Turn, tags_of, turn_of
from mediaguard.media.planes import Colours

_THREADS = 2  # of the decoder; each holds frames in memory
# With frames in several threads FFmpeg 8.0 lets damage in MPEG-4 pass now and then, and gives
# damaged HEVC not always the same frames twice (docs/decisions/0009). These never did.
_THREADED = frozenset({"h264", "vp8", "vp9", "av1"})
_READ_BYTES = 1 << 18
_ENCRYPTED = {"encv", "drmi"}
_MISSING_SECONDS, _MISSING_SHARE = 0.5, 0.02
"""So much less than its header says may be missing of a clip that counts as complete."""
_BT2020 = (9, 10)  # ITU-T H.273, table 4: matrix coefficients
_BT601 = (4, 5, 6)
_RGB = 0


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """What is refused as too large.

    Attributes:
        max_pixels: of a frame; 8K passes.
        max_minutes: of playing time.
        max_fps: frames per second on average; phones' slow motion passes.
    """

    max_pixels: int = 36_000_000
    max_minutes: float = 60.0
    max_fps: float = 240.0


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound stream that goes along.

    Attributes:
        index: of the stream in the file.
        codec: as the container library names it.
    """

    index: int
    codec: str


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What is known of a clip before its frames are read.

    Attributes:
        width, height: upright, in pixels.
        time_base: the unit of all timestamps, in seconds.
        fps: frames per second on average.
        expected_frames: about how many there are; 0 if the file does not say.
        aspect: width of a pixel divided by its height, upright.
        tags: of the colours.
        sound: None if there is none.
    """

    width: int
    height: int
    time_base: Fraction
    fps: float
    expected_frames: int
    aspect: Fraction
    tags: ColourTags
    sound: Sound | None

    @property
    def colours(self) -> Colours:
        """How the numbers in the planes are meant."""
        matrix = self.tags.matrix
        if matrix in (_RGB, UNSPECIFIED):
            name = "bt709" if max(self.width, self.height) > 1024 else "bt601"
        else:
            name = "bt2020" if matrix in _BT2020 else "bt601" if matrix in _BT601 else "bt709"
        return Colours(name, full_range=self.tags.colour_range == ColorRange.JPEG)

    def seconds(self, pts: int) -> float:
        """A timestamp in seconds."""
        return float(pts * self.time_base)


class Clip:
    """A video file.

    Args:
        open_file: gives the file anew each time, positioned at its start.
        container: as `sniffing.clip_format` names it.
        limits: what is too large.

    Raises:
        MediaError: it cannot be read, has no or several video streams, or is too large.
    """

    def __init__(
        self, open_file: Callable[[], BinaryIO], container: str, *, limits: ClipLimits
    ) -> None:
        self._open_file = open_file
        self._container = container
        self._limits = limits
        self.info: ClipInfo
        self._turn: Turn
        self._rotation: int
        self.info, self._turn, self._rotation = self._probe()

    def open(self) -> av.container.InputContainer:
        """The container, opened anew; to be closed by the caller."""
        try:
            container = av.open(
                self._open_file(),
                format=self._container,
                metadata_errors="ignore",
                buffer_size=_READ_BYTES,
                io_open=_open_nothing,
            )
        except (av.error.FFmpegError, ValueError, UnicodeError) as error:
            raise _explained(error) from error
        if not isinstance(container, av.container.InputContainer):
            raise TypeError("opened for reading")
        return container

    def frames(self, start: int | None = None) -> Iterator[Frame]:
        """All frames in the order in which they are shown.

        Args:
            start: timestamp of the first one that is wanted.

        Raises:
            MediaError: the clip is damaged, ends too early, or its times make no sense.
        """
        last: int | None = None
        end = 0
        with self.open() as container:
            stream = _video_streams(container)[0]
            threaded = stream.codec_context.codec.canonical_name in _THREADED
            stream.codec_context.thread_count = _THREADS if threaded else 1
            stream.thread_type = "AUTO"
            try:
                for frame in _decoded_from(container, stream, start):
                    self._check(frame, last)
                    last, end = frame.pts or 0, (frame.pts or 0) + (frame.duration or 0)
                    if start is None or last >= start:
                        yield Frame(frame, self._turn)
            except (av.error.FFmpegError, ValueError, UnicodeError) as error:
                raise _explained(error) from error
            self._check_end(container, stream, last, end)

    def _check(self, frame: av.VideoFrame, last: int | None) -> None:
        if frame.is_corrupt:
            raise MediaError("clip-corrupt")
        if frame.pts is None or (last is not None and frame.pts <= last):
            raise MediaError("clip-timing")
        stored = (self.info.width, self.info.height)
        if self._turn.transpose:
            stored = stored[::-1]
        if (frame.width, frame.height) != stored or self._is_turned_otherwise(frame):
            raise MediaError("clip-unreadable", detail="frames of different sizes")

    def _is_turned_otherwise(self, frame: av.VideoFrame) -> bool:
        """Whether the display matrix changed meanwhile.

        A frame whose side data were touched lives until the garbage collector finds it (PyAV
        18.1), which for 4K means gigabytes; so only key frames are asked for the whole matrix.
        """
        if frame.key_frame:
            return turn_of(frame) != self._turn
        return frame.rotation != self._rotation

    def _check_end(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        last: int | None,
        end: int,
    ) -> None:
        """Whether all is there that the header promised."""
        if last is None:
            raise MediaError("clip-empty")
        base = self.info.time_base
        if stream.duration:
            promised = (stream.duration + (stream.start_time or 0)) * base
        elif container.duration:
            promised = Fraction(container.duration + (container.start_time or 0), av.time_base)
        else:
            return
        sound_may_be_longer = 1.0 if not stream.duration and self.info.sound else 0.0
        missing = promised - max(end, last) * base
        allowed = _MISSING_SECONDS + _MISSING_SHARE * promised + sound_may_be_longer
        if missing > allowed:
            raise MediaError("clip-truncated")

    def _probe(self) -> tuple[ClipInfo, Turn, int]:
        with self.open() as container:
            videos = _video_streams(container)
            if not videos:
                raise MediaError("clip-no-video")
            if len(videos) > 1:
                raise MediaError("clip-several-videos", count=len(videos))
            stream = videos[0]
            if stream.codec_context is None:
                raise MediaError("clip-unreadable", detail="codec")
            self._check_size(stream.codec_context.width * stream.codec_context.height)
            if _tag(stream) in _ENCRYPTED:
                raise MediaError("clip-encrypted")
            frame = self._first_frame(container, stream)
            turn = turn_of(frame)
            self._check_size(frame.width * frame.height)
            if any(component.is_alpha for component in frame.format.components):
                raise MediaError("clip-transparent")
            return self._describe(container, stream, frame, turn), turn, frame.rotation

    def _first_frame(
        self, container: av.container.InputContainer, stream: av.VideoStream
    ) -> av.VideoFrame:
        try:
            return next(_decoded(container, stream))
        except StopIteration:
            raise MediaError("clip-empty") from None
        except (av.error.FFmpegError, ValueError, UnicodeError) as error:
            raise _explained(error) from error

    def _check_size(self, pixels: int) -> None:
        if pixels > self._limits.max_pixels:
            raise MediaError(
                "clip-too-large",
                megapixels=round(pixels / 1e6),
                limit=round(self._limits.max_pixels / 1e6),
            )

    def _describe(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        frame: av.VideoFrame,
        turn: Turn,
    ) -> ClipInfo:
        if stream.time_base is None:
            raise MediaError("clip-timing")
        if stream.duration:
            seconds = float(stream.duration * stream.time_base)
        else:
            seconds = (container.duration or 0) / av.time_base
        if seconds > self._limits.max_minutes * 60:
            raise MediaError(
                "clip-too-long",
                minutes=round(seconds / 60),
                limit=round(self._limits.max_minutes),
            )
        fps = float(stream.guessed_rate or stream.average_rate or 0)
        if stream.frames and seconds:
            fps = stream.frames / seconds
        if not 0 < fps <= self._limits.max_fps:
            raise MediaError("clip-too-fast", fps=round(fps), limit=round(self._limits.max_fps))
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        width, height = frame.width, frame.height
        if turn.transpose:
            width, height = height, width
            aspect = 1 / aspect if aspect else Fraction(1)
        sounds = [
            Sound(s.index, s.codec_context.codec.canonical_name)
            for s in container.streams.audio
            if s.codec_context is not None
        ]
        return ClipInfo(
            width=width,
            height=height,
            time_base=stream.time_base,
            fps=fps,
            expected_frames=stream.frames or round(seconds * fps),
            aspect=aspect or Fraction(1),
            tags=tags_of(frame),
            sound=sounds[0] if sounds else None,
        )


def _open_nothing(url: str, flags: int, options: object) -> NoReturn:  # noqa: ARG001
    raise PermissionError("a clip may not name other files")


def _video_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """Those that are played; a cover picture is no video."""
    return [s for s in container.streams.video if not _is_picture(s)]


def _is_picture(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    stream.codec_context.options = {"err_detect": "explode"}  # hide no damage
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise MediaError("clip-corrupt")
        if packet.has_sidedata("encryption_info"):
            raise MediaError("clip-encrypted")
        yield from packet.decode()


def _decoded_from(
    container: av.container.InputContainer, stream: av.VideoStream, start: int | None
) -> Iterator[av.VideoFrame]:
    """All frames, or those from `start` on.

    A decoder that starts at a key frame gives none of the frames that are shown before it but
    refer to what came earlier (open groups of pictures): then it has to start earlier.
    """
    if start is None:
        yield from _decoded(container, stream)
        return
    begin = stream.start_time or 0
    target, step = start, max(round(1 / (stream.time_base or 1)), 1)
    reached = False
    while not reached:
        container.seek(target, stream=stream)
        early_enough = target <= begin
        try:
            for frame in _decoded(container, stream):
                early_enough = early_enough or frame.pts is None or frame.pts <= start
                if not early_enough:
                    break
                if reached or frame.pts is None or frame.pts >= start:
                    reached = True
                    yield frame
            else:
                return
        except av.error.FFmpegError:
            if reached or target <= begin:
                raise
        target, step = max(target - step, begin), step * 2


def _tag(stream: av.VideoStream) -> str:
    return str(stream.codec_context.codec_tag)


def _explained(error: Exception) -> MediaError:
    if isinstance(error, MemoryError):
        return MediaError("photo-too-much-memory")
    return MediaError("clip-unreadable", detail=type(error).__name__)
