"""Open-set matching: who is this face, or nobody that we know.

A probe is compared with the mean of each subject's references. It is taken for the nearest
subject only if it is near enough, clearly nearer than to anybody else, and also near to most of
that subject's single references; otherwise it stays unknown and the near subjects are kept as
suggestions for a person. The numbers are measured: docs/decisions/0003.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Candidate, Embedding, Match

MAX_CANDIDATES = 3

SUGGEST_WITHIN = 0.6
"""Further away than this nobody is suggested: dlib's own limit for "perhaps the same person"."""

LOOKS_LIKE = 0.5
"""A face that was taken for somebody else and is this near to a subject is worth a person's look:
only about one stranger in a hundred is as near as that (docs/decisions/0003)."""

_HUGE = 1e6
"""No network's face vector has a coordinate like this; dlib's stay below 1."""


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """When a probe is taken for a subject.

    Attributes:
        threshold: largest distance to the mean of a subject's references, with ten subjects.
        margin: by how much the second nearest subject must be further away.
        growth: by how much the threshold shrinks for each tenfold of subjects above ten: with
            more people it is likelier that one of them resembles a stranger.
    """

    threshold: float = 0.42
    margin: float = 0.05
    growth: float = 0.01

    def threshold_for(self, subjects: int) -> float:
        """The threshold for a gallery of so many subjects."""
        return self.threshold - self.growth * max(0.0, math.log10(max(subjects, 1) / 10))


@dataclass(frozen=True, slots=True)
class GalleryIndex:
    """The references in memory.

    Attributes:
        subjects: ids, sorted.
        means: mean reference of each, shape (subjects, dimensions).
        references: of each subject, shape (count, dimensions).
    """

    subjects: tuple[str, ...]
    means: NDArray[np.float32]
    references: tuple[NDArray[np.float32], ...]

    @classmethod
    def build(cls, references: Iterable[tuple[str, Embedding]]) -> "GalleryIndex":
        """Index (subject, embedding) pairs; a vector that no face can have is left out.

        Raises:
            ValueError: vectors of different dimensions: they come from different models.
        """
        by_subject: dict[str, list[Embedding]] = defaultdict(list)
        for subject_id, embedding in references:
            if _is_face(embedding):
                by_subject[subject_id].append(embedding)
        subjects = tuple(sorted(by_subject))
        stacks = tuple(np.stack(by_subject[subject]).astype(np.float32) for subject in subjects)
        if not stacks:
            return cls((), np.empty((0, 0), np.float32), ())
        if len({stack.shape[1] for stack in stacks}) > 1:
            raise ValueError("references with different dimensions cannot be compared")
        means = np.stack([stack.mean(axis=0) for stack in stacks]).astype(np.float32)
        return cls(subjects, means, stacks)

    def distance(self, embedding: Embedding) -> float:
        """To the nearest mean; infinite in an empty gallery."""
        if not self.subjects or not np.isfinite(embedding).all():
            return math.inf
        return float(_distances(self.means, embedding).min())


def identify(
    probes: NDArray[np.float32], gallery: GalleryIndex, policy: MatchPolicy
) -> list[Match]:
    """Search each probe of one picture; no subject is found twice in it.

    Args:
        probes: shape (count, dimensions); a row that no face can have (not all numbers, or all
            zeros) stays unknown.
        gallery: who can be found.
        policy: how sure to be.

    Raises:
        ValueError: the probes have other dimensions than the gallery: another model's.
    """
    if not gallery.subjects:
        return [Match(None) for _ in probes]
    if len(probes) and probes.shape[1] != gallery.means.shape[1]:
        raise ValueError("probes and gallery have different dimensions")
    matches = [_search(probe, gallery, policy) for probe in probes]
    return _once_each(matches, policy.margin)


def near_duplicates(
    embedding: Embedding, gallery: GalleryIndex, subject_id: str, within: float
) -> list[Candidate]:
    """Other subjects that a new reference resembles: siblings, twins, or a mix-up.

    Args:
        embedding: the new reference.
        gallery: everybody.
        subject_id: whose reference it is.
        within: largest distance to a subject's mean.
    """
    others = [c for c in _nearest(embedding, gallery) if c.subject_id != subject_id]
    return [candidate for candidate in others if candidate.distance < within]


def own_distance(embedding: Embedding, gallery: GalleryIndex, subject_id: str) -> float | None:
    """Of a new reference to the mean of the subject's others; None if it is the first."""
    if subject_id not in gallery.subjects:
        return None
    if not np.isfinite(embedding).all():
        return math.inf
    index = gallery.subjects.index(subject_id)
    return float(_distances(gallery.means[index : index + 1], embedding)[0])


def self_consistency(references: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far each reference of one subject lies from the mean of its others.

    One that stands out is probably somebody else's photo, or a face found in the background.

    Args:
        references: of one subject, shape (count, dimensions).

    Returns:
        Distances, shape (count,): 0 without others, infinite for a vector that no face can have.
    """
    usable = np.array([_is_face(row) for row in references], np.bool_)
    result = np.where(usable, 0.0, math.inf)
    for index in np.flatnonzero(usable):
        others = usable.copy()
        others[index] = False
        if others.any():
            mean = references[others].mean(axis=0, dtype=np.float64)
            result[index] = _distances(mean[None], references[index])[0]
    return result


def _is_face(embedding: Embedding) -> bool:
    """Whether a network can have made it: numbers, not all zero, of an ordinary size."""
    return bool(np.isfinite(embedding).all() and 0 < np.abs(embedding).max(initial=0) < _HUGE)


def _distances(rows: NDArray[Any], embedding: Embedding) -> NDArray[np.float64]:
    """Euclidean; in double precision, in which no 32-bit number can overflow."""
    difference = rows.astype(np.float64) - embedding.astype(np.float64)
    return np.asarray(np.linalg.norm(difference, axis=1), np.float64)


def _search(probe: Embedding, gallery: GalleryIndex, policy: MatchPolicy) -> Match:
    if not _is_face(probe):
        return Match(None)
    nearest = _nearest(probe, gallery)
    best = nearest[0]
    margin = nearest[1].distance - best.distance if len(nearest) > 1 else None
    sure = (
        best.distance <= policy.threshold_for(len(gallery.subjects))
        and (margin is None or margin >= policy.margin)
        and _most_agree(probe, gallery, best.subject_id, policy)
    )
    near = tuple(c for c in nearest[:MAX_CANDIDATES] if c.distance < SUGGEST_WITHIN)
    return Match(best.subject_id if sure else None, best.distance, margin, near)


def _nearest(probe: Embedding, gallery: GalleryIndex) -> list[Candidate]:
    if not gallery.subjects or not _is_face(probe):
        return []
    distances = _distances(gallery.means, probe)
    # Ties are broken by id, so that the answer does not depend on the order of enrolment.
    order = np.argsort(distances, kind="stable")
    return [Candidate(gallery.subjects[i], float(distances[i])) for i in order]


def _most_agree(
    probe: Embedding, gallery: GalleryIndex, subject_id: str, policy: MatchPolicy
) -> bool:
    """More than half of the single references must be near as well.

    One reference that is somebody else's pulls the mean only so far; a single one is allowed
    more distance than the mean, which averages their noise away.
    """
    references = gallery.references[gallery.subjects.index(subject_id)]
    distances = _distances(references, probe)
    return bool(np.count_nonzero(distances <= policy.threshold + 0.1) * 2 > len(references))


def _once_each(matches: Sequence[Match], margin: float) -> list[Match]:
    """Of several faces taken for one subject the nearest keeps the name, if clearly nearest."""
    by_subject: dict[str, list[int]] = defaultdict(list)
    for index, match in enumerate(matches):
        if match.subject_id is not None:
            by_subject[match.subject_id].append(index)
    result = list(matches)
    for indices in by_subject.values():
        ranked = sorted(indices, key=lambda i: matches[i].distance or 0.0)
        clear = (
            len(ranked) == 1
            or (matches[ranked[1]].distance or 0.0) - (matches[ranked[0]].distance or 0.0) >= margin
        )
        for index in ranked[1 if clear else 0 :]:
            match = matches[index]
            result[index] = Match(None, match.distance, match.margin, match.candidates)
    return result
