"""Verification believes nothing: each way a rendition can be wrong is noticed."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaguard.core.faces import Box, Detection
from mediaguard.media.photo import decode, encode
from mediaguard.media.redaction import Style, core_mask, head_of, redact
from mediaguard.media.verification import check_bytes, kept_detail, verify
from tests.media import builders
from tests.media.builders import animated, chunk, saved, segment, webp_chunk

FACE = Detection(Box(110, 90, 60, 75), 0.9)
OTHER = Detection(Box(250, 90, 60, 75), 0.9)


def portrait(seed: int = 3) -> np.ndarray:
    """A picture with fine structure everywhere: the hardest case for a redaction."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (75, 100, 3)).astype(np.uint8)
    return cv2.resize(noise, (400, 300), interpolation=cv2.INTER_CUBIC)


def judged(original, output, mask, *, redacted=(FACE,), kept=(), found=(), **options):
    photo = decode(saved(original, "JPEG", quality=92))
    encoded = encode(photo, [output])
    arguments = {
        "originals": [original], "masks": [mask], "redacted": [list(redacted)],
        "kept": [list(kept)], "find_faces": lambda _: list(found), "embed": None,
        "gallery_distance": None, "threshold": 0.45, **options,
    }  # fmt: skip
    return verify(encoded.data, encoded.format, **arguments)


def codes(verification) -> set[str]:
    assert verification.ok == (not verification.findings)
    return {finding.code for finding in verification.findings}


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("strength", [1, 2])
def test_our_own_redaction_passes(style, strength):
    original = portrait()
    output, mask = redact(original, [FACE], style, strength=strength)
    assert codes(judged(original, output, mask)) == set()


def test_an_untouched_face_is_noticed():
    original = portrait()
    _, mask = redact(original, [FACE], Style.FILL)
    assert codes(judged(original, original, mask)) == {"redaction-recognisable"}


@pytest.mark.parametrize("divisor", [12, 16, 24, 48])
def test_a_blur_that_can_be_undone_is_noticed(divisor):
    original = portrait()
    _, mask = redact(original, [FACE], Style.FILL)
    blurred = cv2.GaussianBlur(original, (0, 0), FACE.box.w / divisor)
    output = np.where(mask[..., None], blurred, original)
    assert codes(judged(original, output, mask)) == {"redaction-recognisable"}


@pytest.mark.parametrize("change", ["darker", "inverted", "tinted", "noisy"])
def test_a_veil_is_no_redaction(change):
    original = portrait()
    _, mask = redact(original, [FACE], Style.FILL)
    veiled = {
        "darker": original // 4,
        "inverted": 255 - original,
        "tinted": original // 2 + np.array([100, 40, 0], np.uint8),
        "noisy": (original // 2 + np.random.default_rng(1).integers(0, 60, original.shape)).astype(
            np.uint8
        ),
    }[change]
    output = np.where(mask[..., None], veiled, original)
    assert "redaction-recognisable" in codes(judged(original, output, mask))


def test_a_mask_that_leaves_part_of_the_head_is_noticed():
    original = portrait()
    output, mask = redact(original, [FACE], Style.FILL)
    mask[:, :140] = False
    output[:, :140] = original[:, :140]
    assert "redaction-incomplete" in codes(judged(original, output, mask))


def test_a_change_elsewhere_is_noticed():
    original = portrait()
    output, mask = redact(original, [FACE], Style.FILL)
    output[200:232, 300:332] = 255 - original[200:232, 300:332]
    assert codes(judged(original, output, mask)) == {"output-differs"}


def test_another_size_or_number_of_frames_is_noticed():
    original = portrait()
    output, mask = redact(original, [FACE], Style.FILL)
    data = saved(output[:-8], "JPEG")
    result = verify(
        data, "JPEG", originals=[original], masks=[mask], redacted=[[FACE]], kept=[[]],
        find_faces=lambda _: [], embed=None, gallery_distance=None, threshold=0.45,
    )  # fmt: skip
    assert codes(result) == {"output-differs"}


def test_a_kept_face_may_be_seen_and_another_may_not():
    original = portrait()
    output, mask = redact(original, [FACE], Style.FILL)
    moved = Detection(Box(253, 92, 58, 77), 0.7)
    assert codes(judged(original, output, mask, kept=[OTHER], found=[moved])) == set()
    result = judged(original, output, mask, found=[moved])
    assert codes(result) == {"face-visible"}
    assert result.new_faces == ((moved,),)


def test_a_face_seen_in_a_filled_head_is_no_new_face():
    original = portrait()
    output, mask = redact(original, [FACE], Style.FILL)
    assert codes(judged(original, output, mask, found=[FACE])) == set()


def test_a_face_that_only_touches_a_redacted_head_is_new():
    original = portrait()
    output, mask = redact(original, [FACE], Style.FILL)
    beside = Detection(Box(150, 90, 60, 75), 0.9)
    assert codes(judged(original, output, mask, found=[beside])) == {"face-visible"}


@pytest.mark.parametrize(
    ("own", "gallery", "expected"),
    [(0.9, 0.9, set()), (0.2, 0.9, {"redaction-recognisable"}),
     (0.9, 0.2, {"redaction-recognisable"}), (0.9, None, set())],
)  # fmt: skip
def test_who_can_still_be_recognised_is_noticed(own, gallery, expected):
    original = portrait()
    output, mask = redact(original, [FACE], Style.MOSAIC)

    def embed(image, faces):
        distance = 0.0 if image is original else own
        return np.array([[distance, 0.0]] * len(faces), np.float32)

    result = judged(
        original, output, mask, embed=embed,
        gallery_distance=None if gallery is None else lambda _: gallery,
    )  # fmt: skip
    assert codes(result) == expected


def test_every_frame_of_an_animation_is_judged():
    photo = decode(animated("GIF", frames=3))
    head = Detection(Box(30, 20, 16, 20), 0.9)
    pairs = [redact(frame, [head], Style.FILL) for frame in photo.frames]
    frames = [pair[0] for pair in pairs]
    common = {
        "originals": photo.frames, "masks": [pair[1] for pair in pairs], "kept": [[]] * 3,
        "find_faces": lambda _: [], "embed": None, "gallery_distance": None, "threshold": 0.45,
    }  # fmt: skip
    encoded = encode(photo, frames)
    assert codes(verify(encoded.data, "GIF", redacted=[[head]] * 3, **common)) == set()
    frames[2] = photo.frames[2]
    encoded = encode(photo, frames)
    result = verify(encoded.data, "GIF", redacted=[[head]] * 3, **common)
    assert codes(result) == {"redaction-recognisable"}
    assert {finding.params["frame"] for finding in result.findings} == {2}


def test_detail_of_nothing_is_nothing():
    tiny = Detection(Box(-50, -50, 4, 4), 0.9)
    assert kept_detail(portrait(), portrait(), tiny) == 0
    assert not core_mask([tiny], (400, 300)).any()
    assert head_of(tiny).window((400, 300)) == (0, 0, 0, 0)


# --- the walkers --------------------------------------------------------------------

CLEAN = {}
for _name, _data in {
    "JPEG": saved(builders.scene(), "JPEG"),
    "PROGRESSIVE": saved(builders.scene(), "JPEG", progressive=True),
    "PNG": saved(builders.scene(), "PNG"),
    "WEBP": saved(builders.scene(), "WEBP"),
    "MOVING WEBP": animated("WEBP"),
    "GIF": animated("GIF"),
}.items():
    _photo = decode(_data)
    CLEAN[_name] = encode(_photo, _photo.frames)


@pytest.mark.parametrize("name", CLEAN)
def test_our_own_files_pass(name):
    assert check_bytes(CLEAN[name].data, CLEAN[name].format) == []


@pytest.mark.parametrize("name", CLEAN)
@given(junk=st.binary(min_size=1, max_size=40))
@settings(max_examples=30, deadline=None)
def test_trailing_bytes_are_found(name, junk):
    assert check_bytes(CLEAN[name].data + junk, CLEAN[name].format)


@pytest.mark.parametrize("name", CLEAN)
@given(share=st.floats(0, 0.999))
@settings(max_examples=30, deadline=None)
def test_missing_bytes_are_found(name, share):
    data = CLEAN[name].data
    assert check_bytes(data[: int(len(data) * share)], CLEAN[name].format)


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "nonsense"])
def test_one_format_is_not_another(target):
    for encoded in CLEAN.values():
        if encoded.format != target:
            assert check_bytes(encoded.data, target)


def jpeg_places(data: bytes) -> list[int]:
    """Where a segment can be put in: before each marker segment of the head."""
    places, position = [], 2
    while data[position + 1] != 0xDA:
        places.append(position)
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return [*places, position, len(data) - 2]


@given(
    marker=st.sampled_from([0xFE, 0xCC, 0xDC, 0xDE, 0xDF, *range(0xE0, 0xFE)]),
    payload=st.binary(max_size=60),
    place=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_any_foreign_jpeg_segment_is_found(marker, payload, place):
    data = CLEAN["JPEG"].data
    places = jpeg_places(data)
    at = places[place % len(places)]
    assert check_bytes(data[:at] + segment(marker, payload) + data[at:], "JPEG")


@pytest.mark.parametrize("marker", [0xC0, 0xC4, 0xDB, 0xDD])
def test_secrets_behind_a_jpeg_table_are_found(marker):
    """A known segment that is longer than what it holds."""
    data = CLEAN["JPEG"].data
    at = data.index(bytes([0xFF, marker])) if marker != 0xDD else 20
    size = int.from_bytes(data[at + 2 : at + 4], "big") if marker != 0xDD else 4
    body = data[at + 4 : at + 2 + size] if marker != 0xDD else b"\0\0"
    rest = data[at + 2 + size :] if marker != 0xDD else data[at:]
    assert check_bytes(data[:at] + segment(marker, body + b"secret") + rest, "JPEG")


# libjpeg reads up to eight bytes ahead before it notices that it has had enough.
@given(st.binary(min_size=9, max_size=40).filter(lambda b: b"\xff" not in b))
@settings(max_examples=100, deadline=None)
def test_bytes_behind_the_last_jpeg_pixel_are_found(junk):
    data = CLEAN["JPEG"].data
    assert check_bytes(data[:-2] + junk + data[-2:], "JPEG")


@given(
    name=st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=4),
    payload=st.binary(max_size=60),
    place=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_any_foreign_png_chunk_is_found(name, payload, place):
    data = CLEAN["PNG"].data
    places = [33, data.index(b"IEND") - 4, len(data)]
    at = places[place % len(places)]
    assert check_bytes(data[:at] + chunk(name.encode(), payload) + data[at:], "PNG")


@pytest.mark.parametrize("name", ["WEBP", "MOVING WEBP"])
@given(kind=st.sampled_from([b"EXIF", b"XMP ", b"ICCP", b"ALPH", b"PRVT", b"VP8 ", b"VP8X"]),
       payload=st.binary(max_size=60), last=st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_foreign_webp_chunk_is_found(name, kind, payload, last):
    data = CLEAN[name].data
    at = len(data) if last else 12
    data = data[:at] + webp_chunk(kind, payload) + data[at:]
    data = data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]
    assert check_bytes(data, "WEBP")


@given(label=st.integers(0, 255), payload=st.binary(min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_foreign_gif_block_is_found(label, payload):
    data = CLEAN["GIF"].data
    if label == 0xF9 and len(payload) == 4:
        return  # timing of a frame, which is ours
    block = bytes([0x21, label, len(payload)]) + payload + b"\0"
    assert check_bytes(data[:-1] + block + data[-1:], "GIF")


@pytest.mark.parametrize("name", CLEAN)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_walkers_survive_anything(name, data):
    raw = bytearray(CLEAN[name].data)
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check_bytes(bytes(raw), CLEAN[name].format)
