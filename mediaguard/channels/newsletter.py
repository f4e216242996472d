"""A newsletter: its pictures lie in a folder until an edition is made from them."""

from collections.abc import Sequence

from mediaguard.channels.folder import FolderChannel
from mediaguard.core.publication import Abilities, Delivery, Published
from mediaguard.errors import ChannelError


class NewsletterChannel(FolderChannel):
    """A folder from which editions are made.

    What was sent or printed cannot be recalled; `remove` deletes the file, so that it gets into
    no further edition.
    """

    abilities = Abilities(recall=False, replace=False)

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:  # noqa: ARG002
        """Refused: what was sent stays as it was."""
        raise ChannelError("channel-cannot-replace", later=False)
