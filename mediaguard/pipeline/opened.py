"""An item that was opened: a photo or a clip, with the same two steps for both."""

import hashlib
from typing import Protocol

from mediaguard.core.decision import Decision
from mediaguard.core.faces import Assessment
from mediaguard.media.clip import Clip
from mediaguard.media.photo import Photo
from mediaguard.media.redaction import Style
from mediaguard.memory import give_large_blocks_back
from mediaguard.pipeline.assess import assess
from mediaguard.pipeline.assess_clip import Timeline, assess_clip
from mediaguard.pipeline.ports import Looking, Progress
from mediaguard.pipeline.render import Rendition, render
from mediaguard.pipeline.render_clip import Making, render_clip


class Opened(Protocol):
    """What can be done with an item."""

    def assess(self) -> Assessment:
        """Look at it."""

    def render(self, decision: Decision) -> Rendition:
        """Write what was decided; only after `assess`."""


class OpenedPhoto:
    """A photo or animation, in memory."""

    def __init__(self, photo: Photo, looking: Looking, style: Style) -> None:
        self._photo = photo
        self._looking = looking
        self._style = style

    def assess(self) -> Assessment:
        """See `pipeline.assess`."""
        return assess(self._photo.frames, self._looking)

    def render(self, decision: Decision) -> Rendition:
        """See `pipeline.render`."""
        return render(self._photo, decision, style=self._style, looking=self._looking)


class OpenedClip:
    """A clip, read from its file as often as needed.

    Args:
        clip: opened.
        looking: what looks.
        making: how it is written; None if it will only be looked at.
        progress: told how far it is.
    """

    def __init__(
        self, clip: Clip, looking: Looking, making: Making | None, progress: Progress
    ) -> None:
        give_large_blocks_back()
        self._clip = clip
        self._looking = looking
        self._making = making
        self._progress = progress
        self._timeline: Timeline | None = None

    def assess(self) -> Assessment:
        """See `pipeline.assess_clip`."""
        remembered = None
        if self._making is not None:
            name = hashlib.sha256(self._looking.detector.name.encode()).hexdigest()[:16]
            remembered = self._making.folder / f"looks-{name}.jsonl"
        assessment, self._timeline = assess_clip(
            self._clip,
            self._looking,
            every_frame=self._making is None,
            remembered=remembered,
            progress=self._progress,
        )
        return assessment

    def render(self, decision: Decision) -> Rendition:
        """See `pipeline.render_clip`."""
        if self._timeline is None or self._making is None:
            raise ValueError("a clip is rendered after it was looked at")
        return render_clip(
            self._clip,
            self._timeline,
            decision,
            making=self._making,
            looking=self._looking,
            progress=self._progress,
        )
