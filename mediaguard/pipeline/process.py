"""The order of the steps, from a file to a verified rendition or a reason why there is none."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mediaguard.atomic import write_atomically
from mediaguard.core.consent import Ruling
from mediaguard.core.decision import (
    REJECTED,
    Decision,
    Outcome,
    approved,
    decide,
    rejected,
    without_naming,
)
from mediaguard.core.earlier import remember
from mediaguard.core.faces import Assessment
from mediaguard.core.media import Audio, Encoding, ItemReport, from_decision
from mediaguard.core.review import apply_marks
from mediaguard.errors import Cancelled, ChannelError, MediaError, StoreError
from mediaguard.media.clip import Clip, ClipLimits
from mediaguard.media.photo import Limits, decode
from mediaguard.media.redaction import Style
from mediaguard.pipeline.admit import Admitted, admit, admit_again
from mediaguard.pipeline.opened import Opened, OpenedClip, OpenedPhoto
from mediaguard.pipeline.ports import Channel, Looking, Progress, TakedownBook, Vault, silent
from mediaguard.pipeline.release import release
from mediaguard.pipeline.render import Rendition
from mediaguard.pipeline.render_clip import Making, require_room
from mediaguard.pipeline.takedown import take_down
from mediaguard.workspace import workspace

log = logging.getLogger(__name__)

MAX_CONSENT_CHANGES = 3
"""How often a decision is made anew because consent changed under way, before holding."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a decision is made on."""

    assessment: Assessment
    named: Sequence[str]
    approved: bool
    rejected: bool
    rulings: Mapping[str, Ruling]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps with everything they need, for one channel and one gallery.

    Attributes:
        looking: what looks at photos, with the channel's policy.
        looking_at_clips: the same for clips.
        style: how faces are redacted.
        limits, clip_limits: which pictures and clips are too large.
        max_bytes, max_clip_bytes: which files are too large.
        encoding: of clips.
        audio: what becomes of a clip's sound.
        work: the protected folder for long work.
        book: the channel's records.
        named: the subjects whose names stand in the item's texts; None if there are no texts, or
            if they were read before: then what is on record counts.
        groups: in which subjects are looked for; empty for all.
    """

    looking: Looking
    looking_at_clips: Looking
    style: Style
    limits: Limits
    clip_limits: ClipLimits
    max_bytes: int
    max_clip_bytes: int
    encoding: Encoding
    audio: Audio
    work: Path
    book: TakedownBook
    named: Sequence[str] | None = None
    groups: Collection[str] = ()

    def check(self, path: Path, progress: Progress = silent) -> ItemReport:
        """What would happen to the file, and why; nothing is written."""
        return self._with(path, lambda item: self._check(item, progress))

    def export(self, path: Path, folder: Path, progress: Progress = silent) -> ItemReport:
        """Write the verified rendition into `folder`; nothing is published or recorded."""
        return self._with(path, lambda item: self._export(item, folder, progress))

    def process(
        self, path: Path, *, vault: Vault, channel: Channel, progress: Progress = silent
    ) -> ItemReport:
        """Publish the rendition, or hold the item; the original is kept in the vault.

        Raises:
            StoreError: the records cannot be written; the file is left where it was.
            Cancelled: `progress` asked for it; nothing was published, and a second try goes on.
        """
        return self._with(path, lambda item: self._process(item, vault, channel, progress))

    def process_again(
        self,
        item_id: str,
        *,
        vault: Vault,
        channel: Channel,
        progress: Progress = silent,
    ) -> ItemReport:
        """Handle an item anew, with its original from the vault.

        Raises:
            StoreError: the records or the original cannot be used; nothing was changed.
            Cancelled: as in `process`.
        """
        item = admit_again(item_id, lambda: vault.open(item_id))
        if self.book.item_id(item.sha256) != item_id:
            raise StoreError("vault-tampered", item=item_id)
        with self.book.held(item_id):
            return self._conclude(item, item_id, channel, progress)

    def _with(self, path: Path, run: Callable[[Admitted], ItemReport]) -> ItemReport:
        try:
            item = admit(path, max_bytes=self.max_bytes, max_clip_bytes=self.max_clip_bytes)
        except MediaError as error:
            return _held(path, None, error.code, error.params)
        return _or_held(item, lambda: run(item))

    @contextmanager
    def _opened(self, item: Admitted, key: str | None, progress: Progress) -> Iterator[Opened]:
        """Open the item; a clip with a workspace named `key` if it may be written."""
        if item.container is None:
            photo = decode(item.read(), limits=self.limits)
            yield OpenedPhoto(photo, self.looking, self.style)
            return
        clip = Clip(item.open, item.container, limits=self.clip_limits)
        if clip.info.sound is not None and self.audio is Audio.HOLD:
            raise MediaError("clip-sound")
        if key is None:
            yield OpenedClip(clip, self.looking_at_clips, None, progress)
            return
        with workspace(self.work, key) as folder:
            require_room(folder, item.size)
            sound = self.audio is Audio.KEEP
            making = Making(self.style, self.encoding, sound, folder)
            yield OpenedClip(clip, self.looking_at_clips, making, progress)

    def _known(self, item: Admitted, assessment: Assessment) -> _Known:
        """The assessment with what people said about it, and what consent says of those in it."""
        item_id = self.book.item_id(item.sha256)
        assessment = remember(assessment, self.book.earlier(item.sha256))
        assessment = apply_marks(assessment, self.book.marks(item_id))
        named = self.book.named(item_id) if self.named is None else self.named
        rulings = self.book.rulings(assessment.subjects | set(named))
        return _Known(
            assessment,
            named,
            self.book.is_approved(item_id),
            self.book.is_rejected(item_id),
            rulings,
        )

    def _decide(self, item: Admitted, known: _Known) -> tuple[ItemReport, Decision]:
        decision = decide(known.assessment, known.rulings, self.looking.policy)
        if known.approved:
            # A person looked, and what the channel's rules held for that look is released.
            decision = approved(decision)
        decision = without_naming(decision, known.named, known.rulings)
        if known.rejected:
            decision = rejected(decision)
        return from_decision(str(item.path), item.sha256, known.assessment, decision), decision

    def _check(self, item: Admitted, progress: Progress) -> ItemReport:
        with self._opened(item, None, progress) as opened:
            return self._decide(item, self._known(item, opened.assess()))[0]

    def _make(
        self, item: Admitted, assessment: Assessment, opened: Opened
    ) -> tuple[ItemReport, Decision, Rendition | None]:
        """Decide and render; no rendition if the item may not go out."""
        known = self._known(item, assessment)
        report, decision = self._decide(item, known)
        if not report.outcome.goes_out:
            return report, decision, None
        rendition = opened.render(decision)
        if not rendition.verified:
            params = {"findings": rendition.findings}
            report = replace(
                report, outcome=Outcome.HOLD, reason="verification-failed", params=params
            )
            return report, decision, None
        if rendition.late:
            # They count like all others: the channel may not take such items. On the consent
            # that the rendition was made by, though: whoever is seen in it was allowed then.
            faces = [*known.assessment.faces, *rendition.late]
            known = replace(known, assessment=replace(known.assessment, faces=faces))
            report, decision = self._decide(item, known)
            if not report.outcome.goes_out:
                return report, decision, None
        return replace(report, verified=True), decision, rendition

    def _export(self, item: Admitted, folder: Path, progress: Progress) -> ItemReport:
        item_id = self.book.item_id(item.sha256)
        with self._opened(item, f"{item_id}-out", progress) as opened:
            report, _, rendition = self._make(item, opened.assess(), opened)
            if rendition is None:
                return report
            item.require_same()
            target = folder / (item_id + rendition.suffix)
            with rendition.open() as content:
                write_atomically(target, content, mode=0o644)
            return replace(report, rendition=str(target))

    def _process(
        self, item: Admitted, vault: Vault, channel: Channel, progress: Progress
    ) -> ItemReport:
        item_id = self.book.item_id(item.sha256)
        self.book.admit(item_id, item.kind)
        # Held or released, the original is kept; the inbox copy goes only if this succeeded.
        with item.open() as content:
            vault.put(item_id, content)
        if item.container is not None:
            item = replace(item, open=lambda: vault.open(item_id))
            try:
                item.require_same()
            except MediaError:
                vault.delete(item_id)
                raise
        with self.book.held(item_id):
            self.book.begin(item_id, self.named, self.groups)
            try:
                # Whose names stand in its texts is on record now, with those that stay there.
                recorded = replace(self, named=None)
                return recorded._conclude(item, item_id, channel, progress)
            except (Cancelled, KeyboardInterrupt):
                self.book.lay_aside(item_id)
                raise

    def _conclude(
        self, item: Admitted, item_id: str, channel: Channel, progress: Progress
    ) -> ItemReport:
        if self.book.stays_rejected(item_id):  # that it comes again changes nothing
            self._take_down(item_id, channel)
            report = ItemReport(str(item.path), item.sha256, Outcome.BLOCK, REJECTED)
            return replace(report, item_id=item_id, kept_safe=True)
        try:
            report = _or_held(item, lambda: self._release(item, item_id, channel, progress))
        except ChannelError as error:
            report = _held(item.path, item.sha256, "channel-later", {"problem": error})
            report = replace(report, item_id=item_id, kept_safe=True)
            self.book.postpone(item_id, report, error.retry_after)
            return report
        report = replace(report, item_id=item_id, kept_safe=True)
        if not report.outcome.goes_out:
            self.book.conclude(item_id, report)
        self._take_down(item_id, channel)
        return report

    def _take_down(self, item_id: str, channel: Channel) -> None:
        """At once, and without waiting for a worker: what is public of the item and may not be."""
        for order in self.book.orders(item_id):
            take_down(order, book=self.book, channel=channel)

    def _release(
        self, item: Admitted, item_id: str, channel: Channel, progress: Progress
    ) -> ItemReport:
        with self._opened(item, item_id, progress) as opened:
            assessment = opened.assess()
            for _ in range(MAX_CONSENT_CHANGES):
                report, decision, rendition = self._make(item, assessment, opened)
                if rendition is None:
                    return report
                location = release(
                    item_id, report, decision, rendition, book=self.book, channel=channel
                )
                if location is not None:
                    return replace(report, rendition=location)
        return replace(report, outcome=Outcome.HOLD, reason="consent-moved", verified=False)


def _or_held(item: Admitted, run: Callable[[], ItemReport]) -> ItemReport:
    """Run steps on an item; whatever goes wrong holds it (invariant 4).

    Only records that cannot be kept, and a channel that may do it later, are not the item's own
    trouble: they raise.
    """
    try:
        return run()
    except (StoreError, Cancelled):
        raise
    except ChannelError as error:
        if error.later:
            raise
        return _held(item.path, item.sha256, error.code, error.params)
    except MediaError as error:
        return _held(item.path, item.sha256, error.code, error.params)
    except Exception as error:
        log.exception("an item is held because of an unexpected error")
        return _held(item.path, item.sha256, "internal-error", {"detail": type(error).__name__})


def _held(path: Path, sha256: str | None, reason: str, params: Mapping[str, object]) -> ItemReport:
    return ItemReport(str(path), sha256, Outcome.HOLD, reason, params)
