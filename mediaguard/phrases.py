"""How escalations and certificates name moments and people: for readers, not for programs."""

from datetime import date, datetime, tzinfo

from mediaguard.config import Config
from mediaguard.core.publication import ELSEWHERE
from mediaguard.texts import printable, say

_ANSWERS = frozenset({"no answer", "no file", "new file", "file", "object", "no object", ELSEWHERE})
_CACHED = " from a cache"


def day(value: date, language: str) -> str:
    """A date as people write it: ``2 March 2026``, ``2 maart 2026``."""
    month = say(f"month-{value.month}", {}, language)
    return say("date", {"day": value.day, "month": month, "year": value.year}, language)


def moment(value: datetime, zone: tzinfo, language: str) -> str:
    """A moment in the school's time zone: ``2 March 2026, 13:05``."""
    local = value.astimezone(zone)
    return say("moment", {"date": day(local, language), "time": f"{local:%H:%M}"}, language)


def channel_title(channel: str, language: str) -> str:
    """What families call a channel; its name where there is no title."""
    code = f"personal-channel-{channel}"
    title = say(code, {}, language)
    return printable(channel) if title == code else title


def answer(value: str, language: str) -> str:
    """What answered at a place (`core.publication.Look.answer`); a status stays a number."""
    if value in _ANSWERS:
        return say(f"answer-{value.replace(' ', '-')}", {}, language)
    if value.endswith(_CACHED):
        return say("answer-cached", {"status": value.removesuffix(_CACHED)}, language)
    return printable(value)


def received_by(config: Config, channel: str) -> tuple[str, ...]:
    """Who got what was sent on a channel; nobody if the configuration does not say."""
    configured = config.channels.get(channel)
    newsletter = configured.newsletter if configured else None
    return newsletter.recipients if newsletter else ()
