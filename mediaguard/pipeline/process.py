"""The order of the steps, from a file to a verified rendition or a reason why there is none."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mediaguard.atomic import write_atomically
from mediaguard.core.decision import ChannelPolicy, Decision, Outcome, decide
from mediaguard.core.faces import Assessment
from mediaguard.core.matching import GalleryIndex, MatchPolicy
from mediaguard.core.media import ItemReport, from_decision
from mediaguard.core.ports import Detector, Embedder, QualityMeter
from mediaguard.errors import MediaError, StoreError
from mediaguard.media.photo import Limits, Photo, decode
from mediaguard.media.redaction import Style
from mediaguard.pipeline.admit import Admitted, admit
from mediaguard.pipeline.assess import assess
from mediaguard.pipeline.ports import Book, Channel, Vault
from mediaguard.pipeline.release import release, retract
from mediaguard.pipeline.render import Rendition, render

log = logging.getLogger(__name__)

MAX_CONSENT_CHANGES = 3
"""How often a decision is made anew because consent changed under way, before holding."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps with everything they need, for one channel and one gallery.

    Attributes:
        detector, embedder, measure: what looks at the photo.
        verifier: the detector that searches the rendition.
        gallery: who can be recognised.
        matching: when a face is taken for a subject.
        policy: the channel's rules.
        style: how faces are redacted.
        limits: which pictures are too large.
        max_bytes: which files are too large.
        book: the channel's records.
    """

    detector: Detector
    verifier: Detector
    embedder: Embedder
    measure: QualityMeter
    gallery: GalleryIndex
    matching: MatchPolicy
    policy: ChannelPolicy
    style: Style
    limits: Limits
    max_bytes: int
    book: Book

    def check(self, path: Path) -> ItemReport:
        """What would happen to the file, and why; nothing is written."""
        return self._with(path, self._check)

    def export(self, path: Path, folder: Path) -> ItemReport:
        """Write the verified rendition into `folder`; nothing is published or recorded."""
        return self._with(path, lambda item: self._export(item, folder))

    def process(self, path: Path, *, vault: Vault, channel: Channel) -> ItemReport:
        """Publish the rendition, or hold the item; the original is kept in the vault.

        Raises:
            StoreError: the records cannot be written; the file is left where it was.
        """
        return self._with(path, lambda item: self._process(item, vault, channel))

    def _with(self, path: Path, run: Callable[[Admitted], ItemReport]) -> ItemReport:
        try:
            item = admit(path, max_bytes=self.max_bytes)
        except MediaError as error:
            return _held(path, None, error.code, error.params)
        return _or_held(item, lambda: run(item))

    def _look(self, item: Admitted) -> tuple[Photo, Assessment]:
        photo = decode(item.data, limits=self.limits)
        assessment = assess(
            photo.frames,
            detector=self.detector,
            embedder=self.embedder,
            measure=self.measure,
            gallery=self.gallery,
            matching=self.matching,
            policy=self.policy,
        )
        return photo, assessment

    def _decide(self, item: Admitted, assessment: Assessment) -> tuple[ItemReport, Decision]:
        rulings = self.book.rulings(assessment.subjects)
        decision = decide(assessment, rulings, self.policy)
        return from_decision(str(item.path), item.sha256, assessment, decision), decision

    def _check(self, item: Admitted) -> ItemReport:
        _, assessment = self._look(item)
        return self._decide(item, assessment)[0]

    def _export(self, item: Admitted, folder: Path) -> ItemReport:
        photo, assessment = self._look(item)
        report, decision = self._decide(item, assessment)
        if not report.outcome.goes_out:
            return report
        report, rendition = self._render(report, photo, decision)
        if not rendition.verified:
            return report
        target = folder / (self.book.item_id(item.sha256) + rendition.suffix)
        write_atomically(target, rendition.data, mode=0o644)
        return replace(report, rendition=str(target))

    def _process(self, item: Admitted, vault: Vault, channel: Channel) -> ItemReport:
        item_id = self.book.item_id(item.sha256)
        self.book.admit(item_id)
        # Held or released, the original is kept; the inbox copy goes only if this succeeded.
        vault.put(item_id, item.data)
        report = _or_held(item, lambda: self._release(item, item_id, channel))
        report = replace(report, item_id=item_id, kept_safe=True)
        if not report.outcome.goes_out:
            retract(item_id, book=self.book, channel=channel)
            self.book.conclude(item_id, report)
        return report

    def _release(self, item: Admitted, item_id: str, channel: Channel) -> ItemReport:
        photo, assessment = self._look(item)
        for _ in range(MAX_CONSENT_CHANGES):
            report, decision = self._decide(item, assessment)
            if not report.outcome.goes_out:
                return report
            report, rendition = self._render(report, photo, decision)
            if not rendition.verified:
                return report
            location = release(
                item_id, report, decision, rendition, book=self.book, channel=channel
            )
            if location is not None:
                return replace(report, rendition=location)
        return replace(report, outcome=Outcome.HOLD, reason="consent-moved", verified=False)

    def _render(
        self, report: ItemReport, photo: Photo, decision: Decision
    ) -> tuple[ItemReport, Rendition]:
        rendition = render(
            photo,
            decision,
            style=self.style,
            verifier=self.verifier,
            embedder=self.embedder,
            gallery=self.gallery,
            matching=self.matching,
        )
        if rendition.verified:
            return replace(report, verified=True), rendition
        held = replace(
            report,
            outcome=Outcome.HOLD,
            reason="verification-failed",
            params={"findings": rendition.findings},
        )
        return held, rendition


def _or_held(item: Admitted, run: Callable[[], ItemReport]) -> ItemReport:
    """Run steps on an item; whatever goes wrong holds it (invariant 4).

    Only records that cannot be kept are not the item's own trouble: they raise.
    """
    try:
        return run()
    except StoreError:
        raise
    except MediaError as error:
        return _held(item.path, item.sha256, error.code, error.params)
    except Exception as error:
        log.exception("an item is held because of an unexpected error")
        return _held(item.path, item.sha256, "internal-error", {"detail": type(error).__name__})


def _held(path: Path, sha256: str | None, reason: str, params: Mapping[str, object]) -> ItemReport:
    return ItemReport(str(path), sha256, Outcome.HOLD, reason, params)
