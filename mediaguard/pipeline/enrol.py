"""Turn a photo into a reference: exactly one face, good enough to be recognised by."""

from dataclasses import dataclass
from pathlib import Path

from mediaguard.core.faces import Detection, Embedding, Image, Quality
from mediaguard.core.ports import Detector, Embedder, QualityMeter
from mediaguard.errors import InputError, MediaError
from mediaguard.media.photo import Limits, decode
from mediaguard.pipeline.admit import Admitted


@dataclass(frozen=True, slots=True)
class ReferencePolicy:
    """What a reference must be.

    Attributes:
        identify_score: lowest detection score of a face that counts.
        min_height: of the face, in pixels.
        min_sharpness, min_frontality: see `core.faces.Quality`; a reference below these spoils
            the mean (docs/decisions/0003).
    """

    identify_score: float = 0.6
    min_height: float = 60.0
    min_sharpness: float = 150.0
    min_frontality: float = 0.3


@dataclass(frozen=True, slots=True)
class Reference:
    """A face that may become part of the gallery.

    Attributes:
        sha256: of the photo it was made of.
        embedding: shape (dimensions,).
        quality: of the face.
    """

    sha256: str
    embedding: Embedding
    quality: Quality


def make_reference(
    item: Admitted,
    *,
    detector: Detector,
    embedder: Embedder,
    measure: QualityMeter,
    policy: ReferencePolicy,
    limits: Limits,
) -> Reference:
    """Read a photo of one person.

    Raises:
        MediaError: the file cannot be read.
        InputError: it shows nobody, several people, or a face that is not good enough.
    """
    path = item.path
    photo = decode(item.read(), limits=limits)
    if len(photo.frames) != 1:
        raise MediaError("reference-animated", name=path.name)
    image = photo.frames[0]
    face = _only_face(path, image, detector, policy)
    quality = measure(image, face)
    _require(path, quality, policy)
    return Reference(item.sha256, embedder.embed(image, [face])[0], quality)


def _only_face(path: Path, image: Image, detector: Detector, policy: ReferencePolicy) -> Detection:
    faces = [face for face in detector.detect(image) if face.score >= policy.identify_score]
    if not faces:
        raise InputError("enrol-none", photo=path.name)
    if len(faces) > 1:
        raise InputError("enrol-many", photo=path.name, count=len(faces))
    return faces[0]


def _require(path: Path, quality: Quality, policy: ReferencePolicy) -> None:
    reason = None
    if not quality.height >= policy.min_height:
        reason = "enrol-small"
    elif not quality.sharpness >= policy.min_sharpness:
        reason = "enrol-blurred"
    elif not quality.frontality >= policy.min_frontality:
        reason = "enrol-turned"
    if reason is not None:
        raise InputError(
            reason,
            photo=path.name,
            pixels=round(quality.height),
            height=round(policy.min_height),
        )
