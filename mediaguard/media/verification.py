"""Open the encoded file again, as a stranger would, and prove that it may go out.

Nothing is taken on trust from the steps before: the bytes are walked, the pixels are
decoded from them, the heads that have to be covered are computed anew from the
detections, and faces are searched anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Detection, Embedding, Image
from mediaguard.errors import MediaError
from mediaguard.media.findings import Finding
from mediaguard.media.photo import Limits, decode
from mediaguard.media.redaction import Mask, core_mask, head_of
from mediaguard.media.walkers import WALKERS

FindFaces = Callable[[Image], list[Detection]]
Embed = Callable[[Image, Sequence[Detection]], NDArray[np.float32]]
GalleryDistance = Callable[[Embedding], float]

_BLOCK = 8  # pixels: the grid on which unredacted parts are compared
MAX_CHANGE = 30.0  # of 255, between block means; measured in docs/decisions/0004
_FLAT = 4.0  # standard deviation of a core that holds one colour only, after compression
MAX_DETAIL = 0.65  # correlation of fine structure; measured in docs/decisions/0005
_DETAIL_BANDS = ((0.0, 1 / 32), (1 / 32, 1 / 16))  # blur radii, in face heights
_DETAIL_HEIGHT = 96  # pixels: larger faces are compared at this height
_MIN_EMBED = 20  # pixels of face height: smaller ones are recognised too rarely to compare
SAME_FACE = 0.4  # intersection over union
COVERED = 0.8  # share of a found box that is redacted


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a rendition may go out.

    Attributes:
        ok: nothing was found.
        findings: what was.
        new_faces: for each frame, faces that are visible though nobody decided to keep
            them; redacting these too may help.
    """

    ok: bool
    findings: tuple[Finding, ...]
    new_faces: tuple[tuple[Detection, ...], ...] = ()


def check_bytes(data: bytes, expected_format: str) -> list[Finding]:
    """Walk the file's structure; every part that is not on the format's allow-list is a finding.

    Args:
        data: the whole file.
        expected_format: JPEG, PNG, WEBP or GIF.
    """
    walk = WALKERS.get(expected_format)
    if walk is None:
        return [Finding("bytes-not-format", {"format": expected_format})]
    return list(walk(data))


def verify(
    data: bytes,
    expected_format: str,
    *,
    originals: Sequence[Image],
    masks: Sequence[Mask],
    redacted: Sequence[Sequence[Detection]],
    kept: Sequence[Sequence[Detection]],
    find_faces: FindFaces,
    embed: Embed | None,
    gallery_distance: GalleryDistance | None,
    threshold: float,
) -> Verification:
    """Check a rendition against what was decided.

    Args:
        data: the encoded file.
        expected_format: JPEG, PNG, WEBP or GIF.
        originals: the decoded source's frames.
        masks: for each frame, where its pixels may differ from the original.
        redacted: for each frame, the faces whose heads must be gone.
        kept: for each frame, the faces that may be seen.
        find_faces: the detector.
        embed: compares what is left of a head with the original; None if nothing can.
        gallery_distance: of a vector to the nearest subject, None without a gallery.
        threshold: distance below which two faces are taken for the same person.
    """
    findings = check_bytes(data, expected_format)
    if findings:
        return Verification(ok=False, findings=tuple(findings))
    try:
        frames = decode(data, limits=_as_large_as(originals)).frames
    except MediaError as error:
        return Verification(ok=False, findings=(Finding("output-unreadable", {"why": error.code}),))
    if [frame.shape for frame in frames] != [frame.shape for frame in originals]:
        return Verification(ok=False, findings=(Finding("output-differs", {"frame": 0}),))

    new_faces: list[tuple[Detection, ...]] = []
    for index, (frame, original) in enumerate(zip(frames, originals, strict=True)):
        mask, heads = masks[index], list(redacted[index])
        if _changed_outside(original, frame, mask):
            findings.append(Finding("output-differs", {"frame": index}))
        core = core_mask(heads, (frame.shape[1], frame.shape[0]))
        if np.any(core & ~mask):
            findings.append(Finding("redaction-incomplete", {"frame": index}))
        # One flat colour is proof by itself; whatever a recogniser says of it is chance.
        unproven = [head for head in heads if not _is_flat(frame, head)]
        shown = [h for h in unproven if kept_detail(original, frame, h) > MAX_DETAIL]
        suspects = [h for h in unproven if h not in shown and h.box.h >= _MIN_EMBED]
        if embed is not None and suspects:
            shown += _recognisable(original, frame, suspects, embed, gallery_distance, threshold)
        if shown:
            params = {"frame": index, "count": len(shown)}
            findings.append(Finding("redaction-recognisable", params))
        # A detector may see a face in a body under a redacted head; that is no new face.
        strangers = tuple(
            face
            for face in find_faces(frame)
            if not _is_kept(face, kept[index]) and not _is_covered(face, mask)
        )
        new_faces.append(strangers)
        if strangers:
            params = {"frame": index, "count": len(strangers)}
            findings.append(Finding("face-visible", params))
    return Verification(not findings, tuple(findings), tuple(new_faces))


def kept_detail(original: Image, output: Image, face: Detection) -> float:
    """How much of a face's fine structure is left in the redacted picture.

    The structure is taken in two bands finer than any feature that the coarse styles keep;
    a blur that can be undone keeps at least one of them.

    Returns:
        The larger correlation of the two, 0 (nothing) to 1 (unchanged); 0 where there is
        too little to compare.
    """
    size = output.shape[1], output.shape[0]
    left, top, right, bottom = head_of(face).window(size)
    if right - left < 4 or bottom - top < 4:
        return 0.0
    before = cv2.cvtColor(original[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    after = cv2.cvtColor(output[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    return detail_left(before, after, face, (left, top))


def detail_left(
    before: NDArray[Any], after: NDArray[Any], face: Detection, corner: tuple[int, int]
) -> float:
    """The same for the brightness of a head's window only.

    Args:
        before: of the original, height x width.
        after: of the same part of what came out.
        face: whose head it is.
        corner: left and top of the window in the picture.
    """
    head = head_of(face)
    (left, top), (rows, columns) = corner, before.shape
    inside = head.radius(left, top, left + columns, top + rows) <= 0.9
    crops: list[NDArray[Any]] = [before, after, inside.astype(np.uint8)]
    height = max(face.box.h, 6.0)
    if height > _DETAIL_HEIGHT:
        scale = _DETAIL_HEIGHT / height
        crops = [
            cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for crop in crops
        ]
        height = _DETAIL_HEIGHT
    before, after, inside = crops
    where = inside > 0
    if where.sum() < 32:
        return 0.0
    return max(
        _correlation(_band(before, height, *band)[where], _band(after, height, *band)[where])
        for band in _DETAIL_BANDS
    )


def _as_large_as(originals: Sequence[Image]) -> Limits:
    pixels = max((image.shape[0] * image.shape[1] for image in originals), default=0)
    return Limits(pixels, len(originals), pixels * len(originals))


def _changed_outside(original: Image, output: Image, mask: Mask) -> bool:
    """Whether anything but the redacted regions changed, beyond what compression does."""
    height, width = mask.shape
    grid = -(-width // _BLOCK), -(-height // _BLOCK)
    before = cv2.resize(original, grid, interpolation=cv2.INTER_AREA).astype(np.int16)
    after = cv2.resize(output, grid, interpolation=cv2.INTER_AREA).astype(np.int16)
    touched = cv2.resize(mask.astype(np.uint8) * 255, grid, interpolation=cv2.INTER_AREA)
    # Compression carries a change up to two blocks of 8 pixels further.
    touched = cv2.dilate((touched > 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    change = np.abs(before - after).max(axis=2)
    return bool(change[touched == 0].max(initial=0) > MAX_CHANGE)


def _is_flat(output: Image, face: Detection) -> bool:
    """Whether the head is one colour: proof that nothing of it remains."""
    head = head_of(face)
    left, top, right, bottom = head.window((output.shape[1], output.shape[0]))
    inside = head.radius(left, top, right, bottom) <= 0.9
    pixels = output[top:bottom, left:right][inside]
    return len(pixels) == 0 or bool(pixels.std(axis=0).max() < _FLAT)


def _band(gray: NDArray[Any], height: float, fine: float, coarse: float) -> NDArray[np.float32]:
    values: NDArray[Any] = gray.astype(np.float32)
    wide = cv2.GaussianBlur(values, (0, 0), max(coarse * height, 0.5))
    if fine > 0:
        values = cv2.GaussianBlur(values, (0, 0), max(fine * height, 0.3))
    return np.asarray(values - wide, np.float32)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return abs(float(one @ other)) / norm if norm > 1e-6 else 0.0


def _is_kept(face: Detection, kept: Sequence[Detection]) -> bool:
    return any(face.box.iou(other.box) >= SAME_FACE for other in kept)


def _is_covered(face: Detection, mask: Mask) -> bool:
    """Whether what was found lies on redacted pixels."""
    height, width = mask.shape
    x, y = (int(value) for value in face.box.center)
    if not (0 <= x < width and 0 <= y < height and mask[y, x]):
        return False
    left, top = max(int(face.box.x), 0), max(int(face.box.y), 0)
    part = mask[top : int(face.box.bottom) + 1, left : int(face.box.right) + 1]
    return bool(part.size and part.mean() >= COVERED)


def _recognisable(
    original: Image,
    output: Image,
    heads: Sequence[Detection],
    embed: Embed,
    gallery_distance: GalleryDistance | None,
    threshold: float,
) -> list[Detection]:
    """The heads that are still taken for the person, or for anybody in the gallery."""
    before, after = embed(original, heads), embed(output, heads)
    return [
        head
        for head, old, new in zip(heads, before, after, strict=True)
        if float(np.linalg.norm(old - new)) < threshold
        or (gallery_distance is not None and gallery_distance(new) < threshold)
    ]
