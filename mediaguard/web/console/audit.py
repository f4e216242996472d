"""Audit: who did what, that nothing of it was changed, and a copy of it."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from mediaguard.app import App
from mediaguard.cells import harmless
from mediaguard.core.access import Permission
from mediaguard.store.audit import Audit
from mediaguard.store.audit_pages import AuditPages, Sought
from mediaguard.web.console.audit_words import ACTIONS, Told, told
from mediaguard.web.console.checking import Checker
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.lists import address, given
from mediaguard.web.console.visit import Visit

PATH = "/console/audit"
PER_PAGE = 50
NUMBER_DIGITS = 15

FILTERS = ("subject", "item", "actor", "action", "since", "until")

Filters = dict[str, str | None]

COLUMNS = ("number", "at", "actor", "action", "words", "subject", "item", "details", "digest")


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/audit")
    may_see = guard.may(Permission.SEE_AUDIT)
    checker = Checker(guard.app)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        query = visit.request.query_params
        filters = {name: given(query, name) for name in FILTERS}
        after = query.get("after", "")
        number = int(after) if after.isascii() and after.isdigit() else None
        if number is not None and len(after) > NUMBER_DIGITS:
            number = 0
        sought, wrong = _sought(visit.app, filters)
        with visit.app.database.read() as session:
            rows = AuditPages(session).page(sought, PER_PAGE + 1, number)
        more = str(rows[PER_PAGE - 1].sequence) if len(rows) > PER_PAGE else None
        return visit.page(
            "audit.html",
            422 if wrong else 200,
            entries=[
                told(row, visit.visitor.language, visit.app.config.zone) for row in rows[:PER_PAGE]
            ],
            filters=filters,
            filtered=any(filters.values()),
            wrong=wrong,
            actions=sorted(ACTIONS, key=lambda action: visit.say(f"action-{action}").casefold()),
            checker=checker,
            first=address(PATH, filters) if number is not None else None,
            older=address(PATH, {**filters, "after": more}) if more else None,
        )

    @routes.post("/verify")
    def verify(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        return visit.go(PATH, None if checker.check() else "notice-audit-checking")

    @routes.post("/export")
    def export(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        filters: Filters = {name: visit.field(name) or None for name in FILTERS}
        sought, wrong = _sought(visit.app, filters)
        if wrong:
            return visit.go(address(PATH, filters))
        app = visit.app
        with app.database.write() as session:
            Audit(session, app.keyring).append(
                "audit-exported",
                at=app.now(),
                actor=app.actor,
                data={name: value for name, value in filters.items() if value},
            )
        name = f"audit-{app.now().astimezone(app.config.zone):%Y-%m-%d-%H%M}.csv"
        return StreamingResponse(
            _csv(app, sought, visit.visitor.language),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return routes


def _sought(app: App, filters: Filters) -> tuple[Sought, list[str]]:
    """What is sought; and the filters that say nothing usable."""
    days: dict[str, date | None] = {}
    wrong = []
    for name in ("since", "until"):
        value = filters[name]
        try:
            days[name] = date.fromisoformat(value) if value else None
        except ValueError:
            days[name] = None
            wrong.append(name)
    last = days["until"]
    return (
        Sought(
            subject=filters["subject"],
            item=filters["item"],
            actor=filters["actor"],
            action=filters["action"],
            since=_begin(app, days["since"]),
            until=_begin(app, last + timedelta(days=1) if last and last < date.max else None),
        ),
        wrong,
    )


def _begin(app: App, day: date | None) -> datetime | None:
    """When a day begins at school."""
    if day is None or not date(1900, 1, 1) < day < date(9000, 1, 1):
        return None
    return datetime.combine(day, time.min, app.config.zone)


def _csv(app: App, sought: Sought, language: str) -> Iterator[bytes]:
    """The entries as CSV, little by little; the byte order mark tells spreadsheets the encoding."""
    yield "\ufeff".encode() + _line(COLUMNS)
    with app.database.read() as session:
        for row in AuditPages(session).all(sought):
            entry: Told = told(row, language, app.config.zone)
            values = asdict(entry) | {"at": entry.at.isoformat(), "details": row.data}
            yield _line([harmless(values[column]) for column in COLUMNS])


def _line(values: Iterator[str] | tuple[str, ...] | list[str]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\r\n").writerow(values)
    return target.getvalue().encode()
