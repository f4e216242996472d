"""Find the faces in every frame and search the recognisable ones in the gallery."""

from collections.abc import Sequence

from mediaguard.core.faces import Assessment, Face, Image, Match
from mediaguard.core.matching import identify
from mediaguard.pipeline.ports import Looking


def assess(frames: Sequence[Image], looking: Looking) -> Assessment:
    """Look at `frames` (one for a still photo; all of the same size).

    Embedding is the dearest step, so it is done only for faces that may be shown at all,
    and not at all when nobody is in the gallery. The vectors are dropped on return.
    """
    faces = [
        face for index, frame in enumerate(frames) for face in _assess_frame(index, frame, looking)
    ]
    height, width = frames[0].shape[:2]
    return Assessment(width=width, height=height, frames=len(frames), faces=faces)


def _assess_frame(frame_index: int, frame: Image, looking: Looking) -> list[Face]:
    gallery, policy = looking.gallery, looking.policy
    # As people count them in a picture: from left to right.
    detections = sorted(looking.detector.detect(frame), key=lambda detection: detection.box.x)
    if not gallery.subjects:
        return [Face(detection, frame_index) for detection in detections]

    qualities = {
        index: looking.measure(frame, detection)
        for index, detection in enumerate(detections)
        if policy.is_large(detection) and policy.is_sure(detection)
    }
    searched = [i for i, quality in qualities.items() if policy.is_clear(detections[i], quality)]
    matches: dict[int, Match] = {}
    if searched:
        probes = looking.embedder.embed(frame, [detections[i] for i in searched])
        matches = dict(zip(searched, identify(probes, gallery, looking.matching), strict=True))
    return [
        Face(detection, frame_index, qualities.get(index), matches.get(index))
        for index, detection in enumerate(detections)
    ]
