"""A finished MP4 holds pictures, sound, and nothing else."""

import io
import struct
import time
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaguard.media.findings import Finding
from mediaguard.media.walkers.mp4 import walk_mp4
from tests.media import clip_builders as clips
from tests.media.builders import CANARY, TEXT
from tests.media.clip_builders import STBL, appended, at, box, changed, finished

CLEAN = finished(sound="aac")
TABLES = f"moov/{STBL}"


def walk(data: bytes) -> list[Finding]:
    return list(walk_mp4(io.BytesIO(data)))


def found(data: bytes) -> set[tuple[str, object]]:
    """Codes, each with the part that is foreign."""
    return {(finding.code, finding.params.get("part")) for finding in walk(data)}


def foreign(*parts: str) -> set[tuple[str, object]]:
    return {("bytes-foreign", part) for part in parts}


# --- what we write ------------------------------------------------------------------

SOUND = {
    "h264": {},
    "h264-aac": {"sound": "aac"},
    "h264-mp3": {"sound": "libmp3lame"},
    "h264-ac3": {"sound": "ac3"},
    "h264-eac3": {"sound": "eac3"},
    "h264-flac": {"sound": "flac"},
    "h264-alac": {"sound": "alac"},
    "h264-opus": {"sound": "libopus"},
    "h264-b-frames": {"options": {"preset": "veryfast", "bf": "3", "b-adapt": "0"}, "frames": 24},
    "vp9-opus": {"codec": "libvpx-vp9", "options": clips.VP9, "sound": "libopus"},
    "av1": {"codec": "libsvtav1", "options": {"preset": "12"}},
    "one-frame": {"frames": 1},
    "late": {"pts": range(700, 1200, 40), "sound": "aac"},
    "jumping": {"pts": [0, 40, 90, 10_090, 10_100], "sound": "aac"},
    "fine-times": {"base": Fraction(1, 1_000_000), "pts": range(0, 400_000, 33_333)},
    "coloured": {"matrix": 1},
    "full-range": {"pix_fmt": "yuvj420p"},
    "odd": {"codec": "libvpx-vp9", "options": clips.VP9, "size": (97, 63)},
}


@pytest.mark.parametrize("name", SOUND)
def test_what_the_muxer_writes_passes(name):
    assert walk(finished(**SOUND[name])) == []


def test_the_samples_are_not_read():
    class Counting(io.BytesIO):
        count = 0

        def read(self, size=-1):
            data = super().read(size)
            self.count += len(data)
            return data

    data = finished(frames=40)
    file = Counting(data)
    assert list(walk_mp4(file)) == []
    assert file.count < 2 * (len(data) - len(clips.inner(data, "mdat"))) + 200


def wide(data: bytes) -> bytes:
    """The way files over 4 GB are written: a 64-bit size takes the place of the free box."""
    start = data.index(b"free") - 4
    size = len(data) - start
    return data[:start] + b"\0\0\0\1mdat" + struct.pack(">Q", size) + data[start + 16 :]


def test_files_over_four_gigabytes():
    assert walk(wide(CLEAN)) == []

    def offsets(content: bytes) -> bytes:
        count, *numbers = struct.unpack(f">{len(content) // 4 - 1}I", content[4:])
        return struct.pack(f">II{count}Q", 0, count, *numbers)

    out = changed(finished(), TABLES, lambda old: renamed(old, b"stco", b"co64", offsets))
    assert b"co64" in out
    assert walk(out) == []


def renamed(content: bytes, old: bytes, new: bytes, change=lambda content: content) -> bytes:
    return b"".join(
        box(new, change(inner)) if name == old else box(name, inner)
        for name, inner in clips.boxes(content)
    )


# --- what may not be in it ----------------------------------------------------------


def prepared(*steps) -> bytes:
    """A clip to whose container something was done; for what is given back, see `write`."""

    def prepare(output, video):
        made = [step(output, video) for step in steps]
        return [item for item in made if item is not None]

    return finished(prepare=prepare)


def text(key: str):
    return lambda output, _: output.metadata.update({key: TEXT})


def of_track(key: str, value: str = TEXT):
    return lambda _, video: video.metadata.update({key: value})


BY_THE_MUXER = {
    "title": (prepared(text("title")), {"moov/udta"}),
    "comment": (prepared(text("comment")), {"moov/udta"}),
    "place": (
        prepared(lambda output, _: output.metadata.update({"location": clips.LOCATION})),
        {"moov/udta"},
    ),
    "creation": (
        prepared(lambda o, _: o.metadata.update({"creation_time": "2024-05-13T10:11:12Z"})),
        {"moov/mvhd", "moov/trak/tkhd", "moov/trak/mdia/mdhd"},
    ),
    "handler": (prepared(of_track("handler_name")), {"moov/trak/mdia/hdlr"}),
    "track-title": (prepared(of_track("title")), {"moov/trak/udta"}),
    "language": (prepared(of_track("language", "nld")), {"moov/trak/mdia/mdhd"}),
    "cover": (prepared(lambda output, _: clips.cover_picture(output)), {"moov/udta"}),
    "subtitle": (prepared(lambda output, _: clips.subtitle(output)), {"moov/trak"}),
    "chapters": (
        prepared(lambda output, _: clips.add_chapter(output)),
        {"moov/trak", "moov/trak/tref", "moov/udta"},
    ),
    "time-code": (
        prepared(of_track("timecode", "01:02:03:04")), {"moov/trak", "moov/trak/tref"}
    ),
    "turned": (clips.turned(CLEAN, 90), {"moov/trak/tkhd"}),
    "two-videos": (clips.two_videos(finished), {"moov/trak"}),
    "two-sounds": (finished(sound="aac", sounds=2), {"moov/trak"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_THE_MUXER)
def test_what_the_muxer_would_carry_along(name):
    data, parts = BY_THE_MUXER[name]
    assert parts <= {part for _, part in found(data)} <= parts | {"moov/trak/tkhd"}


SECRET = box(b"name", CANARY)
INJECTED = {
    "moov": "moov/name",
    "moov/trak": "moov/trak/name",
    "moov/trak/edts": "moov/trak/edts/name",
    "moov/trak/mdia": "moov/trak/mdia/name",
    "moov/trak/mdia/minf": "moov/trak/mdia/minf/name",
    "moov/trak/mdia/minf/dinf": "moov/trak/mdia/minf/dinf/name",
    "moov/trak/mdia/minf/dinf/dref": "moov/trak/mdia/minf/dinf/dref/name",
    TABLES: f"{TABLES}/name",
    f"{TABLES}/stsd": f"{TABLES}/stsd/name",
    f"{TABLES}/stsd/avc1": f"{TABLES}/stsd/avc1/name",
    "moov/trak:1/mdia/minf/stbl/stsd/mp4a": f"{TABLES}/stsd/mp4a/name",
}


@pytest.mark.parametrize("path", INJECTED)
def test_a_box_that_does_not_belong(path):
    assert found(changed(CLEAN, path, appended(SECRET))) == foreign(INJECTED[path])


@pytest.mark.parametrize("name", [b"udta", b"meta", b"uuid", b"free", b"skip", b"\xa9xyz", b"moov"])
def test_the_names_of_secrets(name):
    shown = "moov/" + ("?xyz" if name[0] > 127 else name.decode())
    assert foreign(shown) <= found(changed(CLEAN, "moov", appended(box(name, CANARY))))


LEAVES = [
    "ftyp",
    "free",
    "moov/mvhd",
    "moov/udta",
    "moov/trak/tkhd",
    "moov/trak/edts/elst",
    "moov/trak/mdia/mdhd",
    "moov/trak/mdia/hdlr",
    "moov/trak/mdia/minf/vmhd",
    "moov/trak/mdia/minf/dinf/dref/url ",
    *(f"{TABLES}/{name}" for name in ("stts", "stss", "stsc", "stsz", "stco")),
    f"{TABLES}/stsd/avc1/avcC",
    f"{TABLES}/stsd/avc1/btrt",
    "moov/trak:1/mdia/minf/smhd",
    "moov/trak:1/mdia/minf/stbl/sgpd",
    "moov/trak:1/mdia/minf/stbl/sbgp",
    "moov/trak:1/mdia/minf/stbl/stsd/mp4a/esds",
    "moov/trak:1/mdia/minf/stbl/stsd/mp4a/btrt",
]


@pytest.mark.parametrize("path", LEAVES)
def test_text_behind_what_a_box_holds(path):
    data = changed(CLEAN, path, appended(CANARY))
    assert foreign(path.replace(":1", "")) == found(data)


FIELDS = {
    "made": ("moov/mvhd", 4, b"\0\0\0\1"),
    "changed": ("moov/mvhd", 8, b"\0\0\0\1"),
    "track-made": ("moov/trak/tkhd", 4, b"\xe2\x67\x97\xc0"),
    "media-made": ("moov/trak/mdia/mdhd", 4, b"\xe2\x67\x97\xc0"),
    "reserved": ("moov/mvhd", 80, CANARY),
    "language": ("moov/trak/mdia/mdhd", 20, b"\x39\x84"),
    "handler": ("moov/trak/mdia/hdlr", 24, CANARY[:12]),
    "manufacturer": ("moov/trak/mdia/hdlr", 12, b"Cana"),
    "compressor": (f"{TABLES}/stsd/avc1", 42, b"\x0eCanary Janssen"),
    "vendor": (f"{TABLES}/stsd/avc1", 20, b"FFMP"),
    "colour-table": (f"{TABLES}/stsd/avc1", 76, b"\0\0"),
    "elsewhere": ("moov/trak/mdia/minf/dinf/dref/url ", 0, bytes(4)),
    "brand": ("ftyp", 16, b"Cana"),
    "sound-vendor": ("moov/trak:1/mdia/minf/stbl/stsd/mp4a", 12, b"Cana"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_say_more_than_we_do(name):
    path, position, new = FIELDS[name]
    assert foreign(path.replace(":1", "")) == found(changed(CLEAN, path, at(position, new)))


def test_a_file_that_lies_elsewhere():
    assert found(clips.reference_movie()) >= foreign("moov/trak/mdia/minf/dinf/dref/url ")


def test_other_handlers_and_coders():
    path = "moov/trak:1/mdia/hdlr"
    for handler in (b"text", b"meta", b"hint", b"vide"):
        assert found(changed(CLEAN, path, at(8, handler))) == foreign("moov/trak")
    data = changed(CLEAN, f"{TABLES}/stsd", lambda old: old.replace(b"avc1", b"encv", 1))
    assert found(data) == foreign(f"{TABLES}/stsd/encv")


def test_a_box_twice():
    for path, name in (("moov", "mvhd"), ("moov/trak/mdia", "mdhd"), (TABLES, "stts")):
        again = box(name.encode(), clips.inner(CLEAN, f"{path}/{name}"))
        assert found(changed(CLEAN, path, appended(again))) == foreign(f"{path}/{name}")


@pytest.mark.parametrize("build", [clips.dirty, lambda: clips.dirty("mov"), clips.mov])
def test_dirty_sources_do_not_pass(build):
    assert walk(build())


def test_foreign_files_do_not_pass(shared_data):
    """The metadata-rich test file of another project, where it is at hand."""
    with (shared_data / "dirty" / "dirty.mp4").open("rb") as file:
        assert list(walk_mp4(file))


# --- bytes that belong to nothing ---------------------------------------------------


@pytest.mark.parametrize("name", [b"uuid", b"free", b"moov", b"skip", b"udta", b"mdat"])
def test_a_box_at_the_end(name):
    assert found(CLEAN + box(name, CANARY)) == foreign(name.decode())


@pytest.mark.parametrize("trailer", [b"\0", b"\0" * 7, CANARY, b"\0" * 40, b"\xff\xd8\xff" * 9])
def test_bytes_at_the_end(trailer):
    findings = walk(CLEAN + trailer)
    assert findings == [Finding("bytes-trailing", {"count": len(trailer)})]


def test_a_last_box_without_an_end():
    """Size 0 means: up to the end of the file; whatever is appended would be in it."""
    start = CLEAN.index(b"mdat") - 4
    assert {f.code for f in walk(CLEAN[:start] + bytes(4) + CLEAN[start + 4 :])} == {"bytes-broken"}


def media_start(data: bytes) -> int:
    return data.index(b"mdat") + 4


def test_bytes_before_the_first_sample():
    data = finished()
    out = changed(data, f"{TABLES}/stco", lambda old: clips.moved(old, len(CANARY)))
    out = changed(out, "mdat", lambda old: CANARY + old)
    assert walk(out) == [Finding("bytes-foreign", {"part": "mdat", "offset": media_start(data)})]


def test_bytes_between_samples():
    data = finished(sound="aac")
    last = int.from_bytes(clips.inner(data, f"{TABLES}/stco")[-4:], "big")
    cut = last - media_start(data)
    out = changed(data, f"{TABLES}/stco", lambda old: clips.moved(old, len(CANARY), first=last))
    other = "moov/trak:1/mdia/minf/stbl/stco"
    out = changed(out, other, lambda old: clips.moved(old, len(CANARY), first=last))
    out = changed(out, "mdat", lambda old: old[:cut] + CANARY + old[cut:])
    assert walk(out) == [Finding("bytes-foreign", {"part": "mdat", "offset": last})]


def test_bytes_behind_the_last_sample():
    end = len(CLEAN)
    out = changed(CLEAN, "mdat", appended(CANARY))
    assert walk(out) == [Finding("bytes-foreign", {"part": "mdat", "offset": end})]


def test_a_sample_that_is_shorter_than_what_is_there():
    size = int.from_bytes(clips.inner(CLEAN, f"{TABLES}/stsz")[12:16], "big")
    out = changed(CLEAN, f"{TABLES}/stsz", at(12, struct.pack(">I", size - 20)))
    assert found(out) == foreign("mdat")


def test_samples_outside_or_twice():
    size = int.from_bytes(clips.inner(CLEAN, f"{TABLES}/stsz")[12:16], "big")
    for wrong in (size + 1, 1 << 31, 0xFFFFFFFF):
        out = changed(CLEAN, f"{TABLES}/stsz", at(12, struct.pack(">I", wrong)))
        assert {finding.code for finding in walk(out)} == {"bytes-broken"}
    for offset in (0, 8, 1 << 31):
        out = changed(CLEAN, f"{TABLES}/stco", at(8, struct.pack(">I", offset)))
        assert {finding.code for finding in walk(out)} <= {"bytes-broken", "bytes-foreign"} != set()


# --- damage -------------------------------------------------------------------------

CONTRADICTIONS = {
    "no-samples": ("stsz", lambda _: bytes(12)),
    "one-size": ("stsz", lambda _: struct.pack(">III", 0, 10_000, 12)),
    "huge-size": ("stsz", lambda old: struct.pack(">III", 0, 0xFFFFFFFF, 0xFFFFFFFF)),
    "no-chunks": ("stsc", lambda _: bytes(8)),
    "first-chunk": ("stsc", at(8, struct.pack(">I", 2))),
    "chunk-zero": ("stsc", at(8, struct.pack(">I", 0))),
    "many-samples": ("stsc", at(12, struct.pack(">I", 0xFFFFFFFF))),
    "other-entry": ("stsc", at(16, struct.pack(">I", 2))),
    "no-offsets": ("stco", lambda _: bytes(8)),
    "other-times": ("stts", at(8, struct.pack(">I", 11))),
    "no-times": ("stts", lambda _: bytes(8)),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_tables_that_contradict_each_other(name):
    table, change = CONTRADICTIONS[name]
    assert {f.code for f in walk(changed(CLEAN, f"{TABLES}/{table}", change))} == {"bytes-broken"}


@pytest.mark.parametrize("table", ["stts", "stsc", "stsz", "stco"])
def test_a_table_is_missing(table):
    data = changed(CLEAN, TABLES, lambda old: without(old, table.encode()))
    assert {finding.code for finding in walk(data)} == {"bytes-broken"}


def without(content: bytes, name: bytes) -> bytes:
    return b"".join(box(kind, inner) for kind, inner in clips.boxes(content) if kind != name)


def test_no_picture():
    assert walk(changed(CLEAN, "moov", lambda old: without(old, b"trak")))
    assert walk(clips.only_audio())
    assert walk(clips.no_frames())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bytes-broken"),
        (b"\0", "bytes-not-format"),
        (CANARY, "bytes-not-format"),
        (CLEAN[32:], "bytes-not-format"),
        (CLEAN[:32], "bytes-broken"),
        (CLEAN[: CLEAN.index(b"mdat") - 4], "bytes-broken"),
        (CLEAN[:-1], "bytes-broken"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "bytes-not-format"),
    ],
)
def test_what_is_no_whole_mp4(data, code):
    assert code in {finding.code for finding in walk(data)}


@pytest.mark.parametrize("size", [0, 1, 4, 7, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("name", [b"moov", b"mvhd", b"trak", b"stbl", b"avc1", b"stco", b"mdat"])
def test_sizes_that_cannot_be(name, size):
    start = CLEAN.index(name, 32) - 4  # not the brand
    data = CLEAN[:start] + struct.pack(">I", size) + CLEAN[start + 4 :]
    assert "bytes-broken" in {finding.code for finding in walk(data)}


def test_bombs_end():
    ftyp = CLEAN[:32]
    deep = b""
    for _ in range(2_000):
        deep = box(b"trak", box(b"mdia", deep))
    wide_ = b"\0\0\0\x08trak" * 300_000
    for moov in (deep, wide_, b"\0\0\0\x08mdia" * 300_000, box(b"trak", wide_)):
        started = time.process_time()
        assert 1 <= len(walk(ftyp + box(b"moov", moov))) <= 101
        assert time.process_time() - started < 10
    assert len(walk(ftyp + b"\0\0\0\x08free" * 10_000)) <= 101


def test_a_giant_index_is_not_read(tmp_path):
    path = tmp_path / "giant.mp4"
    with path.open("wb") as file:
        file.write(CLEAN[:32] + struct.pack(">I4s", 3 << 30, b"moov"))
        file.truncate((3 << 30) + 32)
    with path.open("rb") as file:
        assert {finding.code for finding in walk_mp4(file)} == {"bytes-broken"}


# --- whatever the bytes -------------------------------------------------------------


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_bytes_raise_nothing(data):
    raw = bytearray(CLEAN)
    index = raw.index(b"mdat")
    for _ in range(data.draw(st.integers(0, 6))):
        position = data.draw(st.integers(0, index))
        raw[position] = data.draw(st.integers(0, 255))
    del raw[data.draw(st.integers(0, len(raw))) :]
    findings = walk(bytes(raw))
    assert len(findings) <= 101
    assert findings or len(raw) == len(CLEAN)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([b"", CLEAN[:32], CLEAN[:200], CLEAN[:1000]]))
def test_any_bytes_raise_nothing(data, start):
    assert walk(start + data)
