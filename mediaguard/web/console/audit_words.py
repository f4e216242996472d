"""Entries of the audit log in words."""

import json
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from mediaguard.channels.web import is_web_address
from mediaguard.store.tables import AuditRow
from mediaguard.texts import console_audit, printable, say

_PREFIX = "action-"

ACTIONS = frozenset(
    code.removeprefix(_PREFIX) for code in console_audit.EN if code.startswith(_PREFIX)
)
"""Every action that the program puts on record; a test finds those that are missing."""

_WORDED = frozenset(
    {
        "action",
        "answer",
        "by",
        "channel",
        "kind",
        "language",
        "problem",
        "purpose",
        "reason",
        "signatory",
        "source",
        "state",
        "verdict",
    }
)
"""Details that are codes themselves."""

_MOMENTS = frozenset({"since", "until"})
"""Details that are days, or moments; those are told in the school's time."""

_HIDDEN = frozenset({"rendition_sha256", "mark", "frame", "box"})
"""Details that help nobody who reads; the export has them."""

_IDS = frozenset({"publication", "takedown", "link", "item"})

ID = 8
"""So many characters of an id are enough to find it by."""

MOST = 160
"""Characters of a detail."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry for people.

    Attributes:
        number, at, action, subject, item, digest: as recorded.
        actor: as recorded; `who` in words.
        words: what was done.
        facts: details with their labels.
    """

    number: int
    at: datetime
    actor: str
    who: str
    action: str
    words: str
    subject: str | None
    item: str | None
    facts: tuple[tuple[str, str], ...]
    digest: str


def told(row: AuditRow, language: str, zone: tzinfo) -> Told:
    """An entry in words; what has none is told as it was recorded."""
    return Told(
        number=row.sequence,
        at=row.at,
        actor=row.actor,
        who=who(row.actor, language),
        action=row.action,
        words=say(_PREFIX + row.action, {}, language) if row.action in ACTIONS else row.action,
        subject=row.subject_id,
        item=row.item_id,
        facts=tuple(_facts(row.data, language, zone)),
        digest=row.digest,
    )


def who(actor: str, language: str) -> str:
    """Who did something, in words; whoever has none is told as recorded."""
    kind, _, name = actor.partition(":")
    code = f"actor-{kind}"
    return say(code, {"name": name}, language) if code in console_audit.EN else actor


def _facts(data: str, language: str, zone: tzinfo) -> list[tuple[str, str]]:
    facts = []
    for name, value in json.loads(data).items():
        if name in _HIDDEN or value in (None, "", [], {}):
            continue
        label = f"audit-fact-{name}"
        known = label in console_audit.EN
        words = _value(name, value, language, zone)
        facts.append((say(label, {}, language) if known else name, words))
    return facts


def _value(name: str, value: object, language: str, zone: tzinfo) -> str:
    if isinstance(value, bool):
        return say("audit-yes" if value else "audit-no", {}, language)
    if isinstance(value, list):
        parts = [str(part) for part in value]
        if name == "urls":  # of a file no more than its name
            parts = [part if is_web_address(part) else Path(part).name for part in parts]
        elif name == "roles":
            parts = [_worded("role", part, language) for part in parts]
        text = ", ".join(parts)
    elif isinstance(value, dict):
        text = json.dumps(value)
    elif name in _IDS:
        text = str(value)[:ID]
    elif name in _WORDED:
        text = _worded(name, str(value), language)
    elif name == "actor":
        text = who(str(value), language)
    elif name in _MOMENTS:
        text = _moment(str(value), zone)
    else:
        text = str(value)
    text = printable(text)
    return text if len(text) <= MOST else f"{text[:MOST]}…"


def _moment(recorded: str, zone: tzinfo) -> str:
    try:
        at = datetime.fromisoformat(recorded)
    except ValueError:
        return recorded
    return recorded if at.tzinfo is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _worded(name: str, code: str, language: str) -> str:
    known = (f"audit-{name}-{code}", f"{name}-{code}", code)
    for candidate in (*known, f"takedown-state-{code}", f"audit-value-{code}"):
        # Sentences with placeholders belong to a report, with its parameters.
        words = say(candidate, {}, language)
        if words != candidate and "{" not in words:
            return words
    return code
