"""Builds small clips, sound and broken, that carry what must not get out; all are made here.

PyAV writes them; what it would not write is done to the bytes afterwards.
"""

import io
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from tests.media.builders import TEXT, saved, scene

WIDTH, HEIGHT = SIZE = 96, 64
STEP = 40
"""Between frames, in milliseconds: what the clips count in unless they say something else."""
CORNERS = {
    "top left": (220, 30, 30),
    "top right": (30, 180, 40),
    "bottom left": (40, 50, 220),
    "bottom right": (230, 210, 40),
}
X264 = {"preset": "ultrafast", "crf": "10", "bf": "0"}
RATES = {"aac": 44_100, "libmp3lame": 44_100}
VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "15", "b:v": "0", "lag-in-frames": "0"}
FASTSTART = {"movflags": "+faststart", "fflags": "+bitexact"}

Change = Callable[[bytes], bytes]
Prepare = Callable[[av.container.OutputContainer, av.VideoStream], list[av.Packet] | None]


# --- pictures and sound -------------------------------------------------------------


def picture(index: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A texture with four coloured corners and a white square that moves with `index`."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    wave = 20 * np.sin(x / 5) * np.sin(y / 4)
    base = np.stack([90 + wave + x / 2, 110 + wave, 130 - wave - y / 3], axis=-1)
    tall, wide = height // 4, width // 4
    for name, colour in CORNERS.items():
        rows = slice(0, tall) if "top" in name else slice(height - tall, height)
        columns = slice(0, wide) if "left" in name else slice(width - wide, width)
        base[rows, columns] = colour
    left = wide + index * 3 % (2 * wide - 12)
    base[tall + 4 : tall + 16, left : left + 12] = 240
    return base.clip(0, 255).astype(np.uint8)


def _tone(seconds: float, rate: int) -> av.AudioFrame:
    wave = 8000 * np.sin(np.arange(int(seconds * rate)) * (2 * np.pi * 440 / rate))
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    return frame


def clip(container: str = "mp4", codec: str = "libx264", **options) -> bytes:
    """A clip; the options are those of `write`."""
    buffer = io.BytesIO()
    write(buffer, container, codec, **options)
    return buffer.getvalue()


def finished(codec: str = "libx264", **options) -> bytes:
    """An MP4 file as `mediaguard` writes it, with the index first; options as of `write`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"  # the muxer opens it again by its name
        write(str(path), "mp4", codec, muxer=FASTSTART, **options)
        return path.read_bytes()


def write(
    target: io.BytesIO | str,
    container: str,
    codec: str,
    *,
    frames: int = 12,
    size: tuple[int, int] = SIZE,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    base: Fraction = Fraction(1, 1000),
    pts: Sequence[int] | None = None,
    sound: str | None = None,
    sounds: int = 1,
    matrix: int | None = None,
    prepare: Prepare | None = None,
    pictures: Callable[[int, tuple[int, int]], np.ndarray] = picture,
) -> None:
    """Write a clip.

    Args:
        target: where to.
        container, codec, pix_fmt, options, muxer: as PyAV names them.
        frames, size: how many, and width and height.
        base, pts: unit of the timestamps in seconds, and the timestamps.
        sound, sounds: encoder, and number of sound streams.
        matrix: of the colours, as a number of ITU-T H.273; also told to the stream.
        prepare: does something to the container before the first frame; gives more packets.
        pictures: makes the frames.
    """
    times = list(pts if pts is not None else range(0, frames * STEP, STEP))
    rate = 1 / (base * (times[1] - times[0] if len(times) > 1 else STEP))
    if options is None and codec == "libx264":
        options = X264
    with av.open(target, "w", format=container, options=muxer or {}) as output:
        video = output.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height = size
        video.pix_fmt = pix_fmt
        context = video.codec_context
        context.time_base, context.thread_count = base, 1
        if matrix is not None:
            context.colorspace = context.color_primaries = context.color_trc = matrix
        streams = [
            output.add_stream(sound, rate=RATES.get(sound, 48_000), layout="mono")
            for _ in range(sounds if sound else 0)
        ]
        more = (prepare and prepare(output, video)) or []
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(pictures(index, size), format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix)
            frame.pts, frame.time_base = time, base
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        output.mux(more)
        for stream in streams:
            output.mux(stream.encode(_tone(len(times) / 25, stream.rate)))
            output.mux(stream.encode(None))


# --- boxes --------------------------------------------------------------------------


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents."""
    while data:
        size = struct.unpack(">I", data[:4])[0]
        yield data[4:8], data[8:size]
        data = data[size:]


_FIELDS = {b"stsd": 8, b"dref": 8, b"avc1": 78, b"mp4a": 28}  # before the boxes in a box
STBL = "trak/mdia/minf/stbl"


def changed(data: bytes, path: str, change: Change) -> bytes:
    """An MP4 file with the content of a box changed; sizes and offsets of samples follow.

    Args:
        data: a file, or the content of a box.
        path: names from the top; `trak:1` is the second track.
        change: from the content to the new one.
    """
    names = [name for name, _ in boxes(data)]
    if path.startswith("moov") and names.index(b"moov") < names.index(b"mdat"):
        grown = len(_changed(data, path, change)) - len(data)
        tracks = [name for name, _ in boxes(dict(boxes(data))[b"moov"])].count(b"trak")
        for track in range(tracks):
            stco = f"moov/trak:{track}/mdia/minf/stbl/stco"
            data = _changed(data, stco, lambda old: moved(old, grown))
    return _changed(data, path, change)


def moved(offsets: bytes, by: int, first: int = 0) -> bytes:
    """The content of a table of offsets with `by` added to those from `first` on."""
    count, *numbers = struct.unpack(f">{len(offsets) // 4 - 1}I", offsets[4:])
    numbers = [number + by * (number >= first) for number in numbers]
    return struct.pack(f">II{len(numbers)}I", 0, count, *(number % (1 << 32) for number in numbers))


def inner(data: bytes, path: str) -> bytes:
    """The content of a box."""
    contents: list[bytes] = []

    def keep(content: bytes) -> bytes:
        contents.append(content)
        return content

    _changed(data, path, keep)
    return contents[0]


def _changed(data: bytes, path: str, change: Change) -> bytes:
    first, _, rest = path.partition("/")
    name, _, which = first.partition(":")
    out, skip = [], int(which or 0)
    for kind, content in boxes(data):
        if kind == name.encode("latin-1"):
            skip -= 1
            if skip == -1:
                fields = _FIELDS.get(kind, 0)
                content = (
                    content[:fields] + _changed(content[fields:], rest, change)
                    if rest
                    else change(content)
                )
        out.append(box(kind, content))
    assert skip < 0, f"no {path}"
    return b"".join(out)


def at(position: int, new: bytes) -> Change:
    """Overwrites bytes."""
    return lambda old: old[:position] + new + old[position + len(new) :]


def appended(more: bytes) -> Change:
    return lambda old: old + more


# --- MP4 and MOV --------------------------------------------------------------------


@cache
def mp4_h264(sound: str | None = None) -> bytes:
    return clip(sound=sound)


def with_b_frames(frames: int = 24) -> bytes:
    options = {"preset": "veryfast", "crf": "10", "bf": "3", "b-adapt": "0"}
    return clip(frames=frames, options=options)


def variable(frames: int = 16) -> tuple[bytes, list[int]]:
    """A variable frame rate, as phones record it; and its timestamps."""
    steps = np.random.default_rng(3).integers(12, 90, frames)
    times = [0, *np.cumsum(steps)[:-1].tolist()]
    return clip(pts=times, muxer={"video_track_timescale": "1000"}), times


def starting_at(time: int) -> bytes:
    times = list(range(time, time + 12 * STEP, STEP))
    return clip(pts=times, muxer={"video_track_timescale": "1000"}, sound="aac")


_TURNS = {
    (0, False): (1, 0, 0, 1),
    (90, False): (0, 1, -1, 0),
    (180, False): (-1, 0, 0, -1),
    (270, False): (0, -1, 1, 0),
    (0, True): (-1, 0, 0, 1),
    (90, True): (0, -1, -1, 0),
    (180, True): (1, 0, 0, -1),
    (270, True): (0, 1, 1, 0),
}


def turned(data: bytes, degrees: int, mirrored: bool = False) -> bytes:
    """With a display matrix: turned clockwise by players, `mirrored` before that."""
    return with_matrix(data, *_TURNS[degrees, mirrored])


def with_matrix(data: bytes, a: float, b: float, c: float, d: float) -> bytes:
    fixed = [round(value * 65536) for value in (a, b)] + [0]
    fixed += [round(value * 65536) for value in (c, d)] + [0, 0, 0, 1 << 30]
    return changed(data, "moov/trak/tkhd", at(40, struct.pack(">9i", *fixed)))


def full_range() -> bytes:
    return clip(pix_fmt="yuvj420p")


def hlg() -> bytes:
    """10 bits, BT.2020, HLG: how telephones record HDR."""

    def tag(_: av.container.OutputContainer, video: av.VideoStream) -> None:
        video.codec_context.color_primaries = 9
        video.codec_context.color_trc = 18

    options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1", "crf": "8"}
    return clip(
        codec="libx265", pix_fmt="yuv420p10le", options=options, matrix=9, prepare=tag, frames=6
    )


# --- other containers and codecs ----------------------------------------------------


def mov() -> bytes:
    return clip("mov", sound="pcm_s16le")


@cache
def mkv() -> bytes:
    return clip("matroska", "libvpx-vp9", options=VP9, sound="libopus")


def mkv_attachments() -> bytes:
    """With a letter and a picture attached, as some programs put a cover there."""

    def attach(output: av.container.OutputContainer, _: av.VideoStream) -> None:
        output.add_attachment(f"{TEXT}.txt", "text/plain", TEXT.encode())
        output.add_attachment("cover.jpg", "image/jpeg", saved(scene(), "JPEG"))

    return clip("matroska", "libvpx-vp9", options=VP9, prepare=attach)


def webm() -> bytes:
    return clip("webm", "libvpx-vp9", options=VP9, sound="libopus")


def av1() -> bytes:
    return clip(codec="libsvtav1", options={"preset": "12", "crf": "20"}, frames=6)


@cache
def avi() -> bytes:
    return clip("avi", "mpeg4", base=Fraction(1, 25), pts=range(12), sound="libmp3lame",
                options={"qscale": "2", "flags": "+qscale"})  # fmt: skip


def avi_mjpeg() -> bytes:
    return clip("avi", "mjpeg", base=Fraction(1, 25), pts=range(12), pix_fmt="yuvj420p",
                options={"qmin": "2", "qmax": "3"}, sound="pcm_s16le")  # fmt: skip


def odd(codec: str = "ffv1") -> bytes:
    """97 x 63 pixels."""
    options = VP9 if codec == "libvpx-vp9" else {}
    return clip("matroska", codec, size=(97, 63), options=options)


def yuv444() -> bytes:
    return clip(pix_fmt="yuv444p")


# --- what must not get out ----------------------------------------------------------

LOCATION = "+52.3702+004.8952/"


def packet(stream: av.stream.Stream, data: bytes, time: int, duration: int) -> av.Packet:
    made = av.Packet(data)
    made.stream, made.time_base = stream, Fraction(1, 1000)
    made.pts = made.dts = time
    made.duration, made.is_keyframe = duration, True
    return made


def cover_picture(output: av.container.OutputContainer) -> av.Packet:
    """A cover, as music shops and telephones add it."""
    stream = output.add_mux_stream("mjpeg", rate=1, width=WIDTH, height=HEIGHT)
    stream.disposition = Disposition.attached_pic
    return packet(stream, saved(scene(), "JPEG", comment=TEXT.encode()), 0, 0)


def subtitle(output: av.container.OutputContainer) -> av.Packet:
    stream = output.add_mux_stream("mov_text")
    stream.time_base = Fraction(1, 1000)
    words = TEXT.encode()
    return packet(stream, struct.pack(">H", len(words)) + words, 0, 400)


def tag(output: av.container.OutputContainer, video: av.VideoStream) -> None:
    """Texts wherever they go."""
    keys = ("title", "artist", "album", "comment", "description", "copyright", "keywords")
    for key in keys:
        output.metadata[key] = f"{key} {TEXT}"
    output.metadata["location"] = LOCATION
    output.metadata["creation_time"] = "2024-05-13T10:11:12Z"
    for key in ("handler_name", "title"):
        video.metadata[key] = TEXT
    video.metadata["language"] = "nld"


def add_chapter(output: av.container.OutputContainer) -> None:
    base = Fraction(1, 1000)
    title = {"title": TEXT}
    output.set_chapters([{"id": 1, "start": 0, "end": 200, "time_base": base, "metadata": title}])


def dirty(container: str = "mp4") -> bytes:
    """Everything besides the video that an MP4 holds: texts, place, time code, other tracks."""

    def prepare(output: av.container.OutputContainer, video: av.VideoStream) -> list[av.Packet]:
        tag(output, video)
        add_chapter(output)
        video.metadata["timecode"] = "01:02:03:04"
        return [cover_picture(output), subtitle(output)]

    data = clip(container, sound="aac", sounds=2, prepare=prepare)
    return data + box(b"uuid", b"\0" * 16 + TEXT.encode())


def two_videos(make: Callable[..., bytes] = clip) -> bytes:
    """The second one is another scene."""
    other = clip(pictures=lambda index, size: picture(index)[::-1])

    def prepare(output: av.container.OutputContainer, _: av.VideoStream) -> list[av.Packet]:
        with av.open(io.BytesIO(other)) as source:
            stream = output.add_stream_from_template(source.streams.video[0])
            packets = [p for p in source.demux(video=0) if p.size]
        for item in packets:
            item.stream = stream
        return packets

    return make(prepare=prepare)


def only_audio(cover: bool = False) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=44100, layout="mono")
        more = [cover_picture(output)] if cover else []
        output.mux(stream.encode(_tone(0.4, 44100)))
        output.mux(stream.encode(None))
        output.mux(more)
    return buffer.getvalue()


# --- broken -------------------------------------------------------------------------


def truncated(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def corrupted(data: bytes, length: int = 400) -> bytes:
    """Noise written over the middle of the samples."""
    start = data.index(b"mdat") + 4
    size = struct.unpack(">I", data[start - 8 : start - 4])[0] - 8
    middle = start + size // 2 - length // 2
    noise = np.random.default_rng(5).integers(0, 256, length, np.uint8).tobytes()
    return data[:middle] + noise + data[middle + length :]


def no_frames() -> bytes:
    """A video track with nothing in it."""
    data = mp4_h264()
    for table in ("stts", "stss", "stsc", "stco"):
        data = changed(data, f"moov/{STBL}/{table}", lambda _: bytes(8))
    return changed(data, f"moov/{STBL}/stsz", lambda _: bytes(12))


def encrypted() -> bytes:
    """Common encryption (ISO/IEC 23001-7): its labels, and samples that nobody can read."""
    scheme = box(b"schm", b"\0\0\0\0cenc\0\1\0\0")
    keys = box(b"tenc", b"\0\0\0\0\0\0\1\x08" + b"K" * 16)
    sinf = box(b"sinf", box(b"frma", b"avc1") + scheme + box(b"schi", keys))
    vectors = box(b"senc", bytes(4) + struct.pack(">I", 12) + bytes(range(96)))
    data = changed(mp4_h264(), f"moov/{STBL}/stsd/avc1", appended(sinf))
    data = changed(data, f"moov/{STBL}", appended(vectors))
    data = changed(data, "mdat", lambda old: bytes(byte ^ 0x5A for byte in old))
    return data.replace(b"avc1\0\0\0\0\0\0\0\1", b"encv\0\0\0\0\0\0\0\1")


def unknown_codec() -> bytes:
    return changed(mp4_h264(), f"moov/{STBL}/stsd", lambda old: old.replace(b"avc1", b"zzzz", 1))


def jumping() -> bytes:
    """A gap of ten seconds in the middle."""
    return clip(pts=[*range(0, 240, STEP), *range(10_240, 10_480, STEP)])


def with_offsets(shifts: dict[int, int]) -> bytes:
    """Frames shown later or earlier, in units of the distance between frames."""
    data = mp4_h264()
    unit = 640
    offsets = b"".join(struct.pack(">Ii", 1, unit * shifts.get(index, 0)) for index in range(12))
    table = box(b"ctts", struct.pack(">II", 1 << 24, 12) + offsets)
    return changed(data, f"moov/{STBL}", appended(table))


def mkv_with_times(times: dict[int, int]) -> bytes:
    """A Matroska clip whose frames, by their number, have other times."""
    data = bytearray(clip("matroska", "libvpx-vp9", options=VP9))
    with av.open(io.BytesIO(bytes(data))) as source:
        packets = [bytes(item) for item in source.demux(video=0) if item.size]
    for index, time in times.items():
        start = data.index(packets[index]) - 3
        data[start : start + 2] = struct.pack(">h", time)
    return bytes(data)


def without_durations() -> bytes:
    """All frames at the same moment."""
    return changed(mp4_h264(), f"moov/{STBL}/stts", at(8, struct.pack(">II", 12, 0)))


def declared(width: int, height: int) -> bytes:
    """The sample entry and the track's header say so; the coded pictures are small."""
    data = changed(mp4_h264(), f"moov/{STBL}/stsd/avc1", at(24, struct.pack(">HH", width, height)))
    return changed(data, "moov/trak/tkhd", at(76, struct.pack(">II", width << 16, height << 16)))


def giant_avi(side: int) -> bytes:
    """Every JPEG in it says that it is `side` pixels wide and high."""
    data = bytearray(avi_mjpeg())
    position = -1
    while (position := data.find(b"\xff\xc0\x00\x11\x08", position + 1)) >= 0:
        data[position + 5 : position + 9] = struct.pack(">HH", side, side)
    return bytes(data)


def giant_h264(side: int) -> bytes:
    """The sequence parameters say that pictures are `side` pixels wide and high."""
    data = clip(options={**X264, "profile": "baseline"})

    def enlarged(content: bytes) -> bytes:
        length = struct.unpack(">H", content[6:8])[0]
        sequence = _enlarged(content[8 : 8 + length], side // 16)
        return content[:6] + struct.pack(">H", len(sequence)) + sequence + content[8 + length :]

    return changed(data, f"moov/{STBL}/stsd/avc1/avcC", enlarged)


def _enlarged(sequence: bytes, blocks: int) -> bytes:
    """A baseline sequence parameter set (ITU-T H.264, 7.3.2.1.1) with another size."""
    bits = "".join(f"{byte:08b}" for byte in sequence.replace(b"\0\0\3", b"\0\0"))
    position = 32  # behind the header, profile and level

    def number() -> int:
        nonlocal position
        zeros = bits.index("1", position) - position
        end = position + 2 * zeros + 1
        value = int(bits[position + zeros : end], 2) - 1
        position = end
        return value

    number(), number()  # the set's number, bits of the frame's number
    kind = number()
    assert kind in (0, 2)
    if kind == 0:
        number()
    number()  # reference frames
    position += 1
    start = position
    number(), number()
    size = f"{blocks:b}"
    coded = "0" * (len(size) - 1) + size
    bits = (bits[:start] + coded * 2 + bits[position:]).rstrip("0")
    bits += "0" * (-len(bits) % 8)
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    out = bytearray()
    for byte in raw:
        if out[-2:] == b"\0\0" and byte < 4:
            out.append(3)
        out.append(byte)
    return bytes(out)


def transparent(codec: str = "ffv1") -> bytes:
    if codec == "ffv1":
        return clip("matroska", "ffv1", pix_fmt="yuva420p", options={"level": "3"})
    return clip("mov", codec, pix_fmt="argb" if codec == "qtrle" else "rgba")


def reference_movie(path: str = "/etc/passwd", kind: str = "url ") -> bytes:
    """Samples that lie in another file."""
    data = clip("mov")
    if kind == "url ":
        entry = bytes(4) + f"file://{path}".encode() + b"\0"
    else:
        entry = bytes(4) + _alias(path)
    where = "moov/trak/mdia/minf/dinf/dref"
    return changed(data, where, lambda old: old[:8] + box(kind.encode(), entry))


def _alias(path: str) -> bytes:
    """An alias record of the old Mac OS, as QuickTime's reference movies have it."""
    name = path.encode()
    volume, file = b"disk", name.rpartition(b"/")[2]
    record = struct.pack(">HH", 2, 0) + bytes([len(volume)]) + volume.ljust(27, b"\0")
    record += bytes(12) + bytes([min(len(file), 63)]) + file[:63].ljust(63, b"\0") + bytes(16)
    record += struct.pack(">hh", 0, 1) + bytes(16)
    for tag, text in ((2, name), (18, name)):
        record += struct.pack(">HH", tag, len(text)) + text + b"\0" * (len(text) % 2)
    record += struct.pack(">HH", 0xFFFF, 0)
    return bytes(4) + struct.pack(">H", len(record) + 6) + record


PLAYLISTS = {
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    "ffconcat": b"ffconcat version 1.0\nfile '/etc/passwd'\nduration 10\n",
    "html": b"<!doctype html><html><video src='file:///etc/passwd'></video></html>",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n",
    "dash": b"<?xml version='1.0'?><MPD><BaseURL>/etc/passwd</BaseURL></MPD>",
}
