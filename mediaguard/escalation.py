"""Telling staff what should have been gone, and what cannot be taken back at all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mediaguard.app import App
from mediaguard.atomic import write_atomically
from mediaguard.errors import MediaError, MediaguardError, StoreError
from mediaguard.mail import send
from mediaguard.phrases import answer, moment, received_by
from mediaguard.secrets import read_secret
from mediaguard.store.audit import Audit
from mediaguard.store.tables import TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.texts import explain, printable, say

NOTE = "overdue-takedowns.txt"
"""In the home."""

KEPT = timedelta(days=14)
"""So long the note names what cannot be recalled: nothing that mediaguard could see ends it."""

UNRECALLABLE = "unrecallable"
_AT_ONCE, _PAUSE = 100, 0.1
"""So many are marked in one transaction, and seconds between two: others want to write as well."""

_MOST = 200
"""So many are told one by one, the longest waiting first; of the rest only how many they are."""

_NEXT = {
    None: "overdue-next-untried",
    "takedown-lingers": "overdue-next-lingers",
    "takedown-elsewhere": "overdue-next-elsewhere",
}
"""What to do about a problem; for all others there is one advice."""

_NAMED = 12  # so many characters of a takedown's id are shown, as the commands do


@dataclass(frozen=True, slots=True)
class _Found:
    overdue: Sequence[TakedownRow]
    unrecallable: Sequence[TakedownRow]
    untold: Sequence[TakedownRow]


class Escalation:
    """Keeps a note of what is overdue, and sends mail about it now and then.

    Several workers may do so at once. Each takedown is marked once; in the worst case two mails
    say the same.

    Args:
        app: the home.
        tell: prints a line for whoever watches.
    """

    def __init__(self, app: App, tell: Callable[[str], None] = lambda _: None) -> None:
        self._app = app
        self._tell = tell

    def run(self) -> int:
        """Tell staff what nobody was told of, or not for some time.

        What could not be told is told by the next call.

        Returns:
            Of how many takedowns somebody was told now.

        Raises:
            ConfigError: the configuration is not usable.
            StoreError: the database or the note cannot be used.
        """
        now = self._app.now()
        found = self._found(now)
        self._keep_note(found)
        if not found.untold:
            return 0
        try:
            self._send(found.untold)
        except MediaguardError as error:
            reason = explain(error, self._app.language)
            self._tell(say("overdue-mail-failed", {"reason": reason}, self._app.language))
            return 0
        told = self._mark(found.untold, now)
        params = {"count": told, "note": self._note}
        self._tell(say("overdue-told", params, self._app.language))
        return told

    # -- what there is ----------------------------------------------------------------------

    def _found(self, now: datetime) -> _Found:
        rules = self._app.config.takedown
        due = now - timedelta(minutes=rules.overdue_minutes)
        with self._app.database.read() as session:
            takedowns = Takedowns(session)
            return _Found(
                takedowns.list(states=OPEN, asked_before=due),
                _unrecallable(session, now - KEPT),
                takedowns.to_escalate(
                    asked_before=due, told_before=now - timedelta(hours=rules.repeat_hours)
                ),
            )

    def _mark(self, rows: Sequence[TakedownRow], now: datetime) -> int:
        count = 0
        for start in range(0, len(rows), _AT_ONCE):
            if start:  # a withdrawal may be waiting for the database
                time.sleep(_PAUSE)
            count += self._mark_some(rows[start : start + _AT_ONCE], now)
        return count

    def _mark_some(self, rows: Sequence[TakedownRow], now: datetime) -> int:
        app, told = self._app, {row.id: row.escalated_at for row in rows}
        with app.database.write() as session:
            found = session.scalars(
                select(TakedownRow)
                .where(TakedownRow.id.in_(told))
                .order_by(TakedownRow.requested_at, TakedownRow.id)
                .with_for_update()
            )
            # Another worker may have told of it meanwhile.
            marked = [row for row in found if row.escalated_at == told[row.id]]
            for row in marked:
                row.escalations, row.escalated_at = row.escalations + 1, now
            session.flush()
            audit = Audit(session, app.keyring)
            for row in marked:
                audit.append(
                    "takedown-escalated",
                    at=now,
                    actor=app.actor,
                    subject_id=row.subject_id,
                    item_id=row.item_id,
                    data={
                        "takedown": row.id,
                        "state": row.state,
                        "escalations": row.escalations,
                        "mail": app.config.mail is not None,
                    },
                )
        return len(marked)

    # -- how it is told ---------------------------------------------------------------------

    @property
    def _note(self) -> Path:
        return self._app.home / NOTE

    def _keep_note(self, found: _Found) -> None:
        rows = [*found.overdue, *found.unrecallable]
        text = self._worded("overdue-note", rows).encode("utf-8") if rows else None
        try:
            if text is None:
                self._note.unlink(missing_ok=True)
            elif _content(self._note) != text:
                write_atomically(self._note, text)
        except OSError as error:
            detail = error.strerror or "?"
            raise StoreError("overdue-note-failed", path=self._note, detail=detail) from error
        except MediaError as error:  # its words are about pictures
            why = "disk full" if error.code == "no-room" else error.params.get("detail", "?")
            raise StoreError("overdue-note-failed", path=self._note, detail=why) from error

    def _send(self, rows: Sequence[TakedownRow]) -> None:
        app, mail = self._app, self._app.config.mail
        if mail is None:  # then the note has to do
            return
        lost = sum(row.state == UNRECALLABLE for row in rows)
        refused = send(
            mail,
            read_secret(mail.password, app.home) if mail.password else None,
            subject=say(
                "overdue-subject", {"overdue": len(rows) - lost, "lost": lost}, app.language
            ),
            text=self._worded("overdue-mail", rows),
        )
        if refused:
            self._tell(say("mail-refused", {"recipients": refused}, app.language))

    def _worded(self, heading: str, rows: Sequence[TakedownRow]) -> str:
        app = self._app
        parts = [say(heading, {"home": app.home}, app.language)]
        for code, lost in (("overdue-heading", False), ("overdue-lost-heading", True)):
            chosen = [row for row in rows if (row.state == UNRECALLABLE) is lost]
            if chosen:
                parts.append(say(code, {"count": len(chosen)}, app.language))
                parts += map(self._item, chosen[:_MOST])
            if len(chosen) > _MOST:
                parts.append(say("overdue-more", {"count": len(chosen) - _MOST}, app.language))
        return "\n\n".join(parts) + "\n"

    def _item(self, row: TakedownRow) -> str:
        """One takedown: facts, then what to do."""
        app, language = self._app, self._app.language
        whose = row.subject_id or say("overdue-nobody", {}, language)
        facts = {
            "takedown-fact-id": row.id[:_NAMED],
            "takedown-fact-channel": row.channel,
            "takedown-fact-subject": whose,
            "takedown-fact-reason": say(row.reason, {}, language),
            "takedown-fact-requested": moment(row.requested_at, app.config.zone, language),
            "takedown-fact-state": say(f"takedown-state-{row.state}", {}, language),
        }
        if row.state == UNRECALLABLE:
            receivers = received_by(app.config, row.channel)
            facts["overdue-receivers"] = "; ".join(map(printable, receivers)) or say(
                "overdue-receivers-unknown", {}, language
            )
            facts["overdue-next"] = say("overdue-next-lost", {}, language)
        else:
            facts["takedown-fact-problem"] = _problem(row, language)
            seen = [
                f"{printable(look['url'])} ({answer(look['answer'], language)})"
                for look in row.looks
                if not look["gone"]
            ]
            if seen:
                facts["overdue-seen"] = "\n    ".join(seen)
            facts["overdue-next"] = self._next(row, language)
        return "\n".join(f"  {say(code, {}, language)}: {facts[code]}" for code in facts)

    def _next(self, row: TakedownRow, language: str) -> str:
        code = _NEXT.get(row.problem, "overdue-next-general")
        if row.channel not in self._app.config.channels:
            code = "overdue-next-channel"
        return say(code, {"takedown": row.id[:_NAMED], "channel": row.channel}, language)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _problem(row: TakedownRow, language: str) -> str:
    if row.problem is None:
        return say("overdue-no-problem", {}, language)
    # The usual sentence of this code is about an item that is held.
    code = "overdue-unexpected" if row.problem == "internal-error" else row.problem
    return say(code, row.problem_params or {}, language)


def _unrecallable(session: Session, since: datetime) -> Sequence[TakedownRow]:
    """Those that nobody was told of, and those that somebody was told of since then."""
    told = or_(TakedownRow.escalated_at.is_(None), TakedownRow.escalated_at > since)
    return session.scalars(
        select(TakedownRow)
        .where(TakedownRow.state == UNRECALLABLE, told)
        .order_by(TakedownRow.requested_at, TakedownRow.id)
    ).all()
