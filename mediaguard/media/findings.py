"""What verification objects to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a rendition may not go out.

    Attributes:
        code: key of the sentence in `mediaguard.texts`.
        params: values for the sentence's placeholders.
    """

    code: str
    params: Mapping[str, object] = field(default_factory=dict)
