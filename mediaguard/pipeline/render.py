"""Make a photo's rendition: redact, encode, reopen and verify; again if verification objects."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mediaguard.core.decision import Action, Decision
from mediaguard.core.faces import Detection, Face, Image
from mediaguard.media.findings import Finding
from mediaguard.media.photo import Photo, encode
from mediaguard.media.redaction import Style, redact
from mediaguard.media.verification import verify
from mediaguard.pipeline.ports import Looking

TRIES = 4
"""How often redaction is tried. Covering one face can lift another over the detector's threshold:
of 123 crowded photos 84 passed at the first try, 112 by the second, all by the fourth
(docs/decisions/0005)."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """An encoded file that passed verification, or the findings why none did.

    Attributes:
        open: gives the encoded file, as it may be published.
        suffix: file name ending with its dot.
        sha256: of its content, hexadecimal.
        verified: True only if the reopened file passed.
        findings: what verification objected to at the last try.
        late: faces that were only found while the rendition was made; they are redacted in it.
    """

    open: Callable[[], BinaryIO]
    suffix: str
    sha256: str
    verified: bool
    findings: tuple[Finding, ...]
    late: tuple[Face, ...] = ()


def render(
    photo: Photo,
    decision: Decision,
    *,
    style: Style,
    looking: Looking,
) -> Rendition:
    """Write the decision into pixels and prove it on the encoded result.

    Args:
        photo: the decoded original.
        decision: which faces stay.
        style: how faces are redacted at the first try.
        looking: what looks at the result as a stranger would.
    """
    kept: list[list[Detection]] = [[] for _ in photo.frames]
    redacted: list[Detection] = []
    for face in decision.faces:
        if face.action is Action.KEEP:
            kept[face.face.frame].append(face.face.detection)
        else:
            redacted.append(face.face.detection)

    late: list[Face] = []
    strength = 1
    for _ in range(TRIES):
        # In an animation every region is covered in every frame: a detector that blinks
        # for one frame must not show a face for one frame.
        heads = redacted + [face.detection for face in late]
        frames, masks = _redact_all(photo.frames, heads, style, strength)
        encoded = encode(photo, frames)
        verification = verify(
            encoded.data,
            encoded.format,
            originals=photo.frames,
            masks=masks,
            redacted=[heads] * len(frames),
            kept=kept,
            find_faces=looking.verifier.detect,
            embed=looking.embedder.embed,
            gallery_distance=looking.gallery.distance if looking.gallery.subjects else None,
            threshold=looking.matching.threshold,
        )
        if verification.ok:
            break
        late += [
            Face(face, frame)
            for frame, faces in enumerate(verification.new_faces)
            for face in faces
        ]
        if any(finding.code != "face-visible" for finding in verification.findings):
            strength = 2  # what was covered is not gone: larger and solid
    return Rendition(
        open=lambda: io.BytesIO(encoded.data),
        suffix=encoded.suffix,
        sha256=hashlib.sha256(encoded.data).hexdigest(),
        verified=verification.ok,
        findings=verification.findings,
        late=tuple(late),
    )


def _redact_all(
    frames: Sequence[Image], redacted: Sequence[Detection], style: Style, strength: int
) -> tuple[list[Image], list[NDArray[np.bool_]]]:
    pairs = [redact(frame, redacted, style, strength=strength) for frame in frames]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
