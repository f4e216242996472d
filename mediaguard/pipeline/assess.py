"""Find the faces in every frame and search the recognisable ones in the gallery."""

from collections.abc import Sequence

from mediaguard.core.decision import ChannelPolicy
from mediaguard.core.faces import Assessment, Face, Image, Match
from mediaguard.core.matching import GalleryIndex, MatchPolicy, identify
from mediaguard.core.ports import Detector, Embedder, QualityMeter


def assess(
    frames: Sequence[Image],
    *,
    detector: Detector,
    embedder: Embedder,
    measure: QualityMeter,
    gallery: GalleryIndex,
    matching: MatchPolicy,
    policy: ChannelPolicy,
) -> Assessment:
    """Look at `frames` (one for a still photo; all of the same size).

    Embedding is the dearest step, so it is done only for faces that may be shown at all,
    and not at all when nobody is in the gallery. The vectors are dropped on return.
    """
    faces = [
        face
        for index, frame in enumerate(frames)
        for face in _assess_frame(
            index, frame, detector, embedder, measure, gallery, matching, policy
        )
    ]
    height, width = frames[0].shape[:2]
    return Assessment(width=width, height=height, frames=len(frames), faces=faces)


def _assess_frame(
    frame_index: int,
    frame: Image,
    detector: Detector,
    embedder: Embedder,
    measure: QualityMeter,
    gallery: GalleryIndex,
    matching: MatchPolicy,
    policy: ChannelPolicy,
) -> list[Face]:
    # As people count them in a picture: from left to right.
    detections = sorted(detector.detect(frame), key=lambda detection: detection.box.x)
    if not gallery.subjects:
        return [Face(detection, frame_index) for detection in detections]

    qualities = {
        index: measure(frame, detection)
        for index, detection in enumerate(detections)
        if policy.is_large(detection) and policy.is_sure(detection)
    }
    searched = [i for i, quality in qualities.items() if policy.is_clear(detections[i], quality)]
    matches: dict[int, Match] = {}
    if searched:
        probes = embedder.embed(frame, [detections[i] for i in searched])
        matches = dict(zip(searched, identify(probes, gallery, matching), strict=True))
    return [
        Face(detection, frame_index, qualities.get(index), matches.get(index))
        for index, detection in enumerate(detections)
    ]
