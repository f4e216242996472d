"""People: who agreed to what, all of them at a glance."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.core.consent import Rule
from mediaguard.store.book import ChannelRules
from mediaguard.store.known_rulings import KnownRulings
from mediaguard.store.people import People
from mediaguard.web.console import (
    people_answers,
    people_edit,
    people_import,
    people_person,
    people_references,
)
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.lists import address, given
from mediaguard.web.console.people_known import PATH, all_groups, visible_groups
from mediaguard.web.console.persons import found_by
from mediaguard.web.console.visit import Visit

PER_PAGE = 50

ALLOWED, NOT_ALLOWED = "yes", "no"
"""Beside the rules themselves: every reason for a yes or a no."""

UNANSWERED = "unanswered"
"""Nothing was answered on some channel, whichever."""

STATES = (ALLOWED, NOT_ALLOWED, *(rule for rule in Rule if rule is not Rule.SUBJECT_UNKNOWN))

PARTS = (people_edit, people_import, people_person, people_answers, people_references)
"""Their addresses begin with "-" where no pseudonym stands: no pseudonym begins so."""


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/people")
    may_see = guard.may(Permission.SEE_PEOPLE)
    rulings = KnownRulings()

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        return _matrix(visit, rulings)

    @routes.post("/-find")
    def find(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        """What is looked for is sent, and stands in no address: it may be a name."""
        return _find(visit)

    @routes.get("/-find")
    def find_nothing(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        """Whoever comes back to that address."""
        return visit.go(PATH)

    @routes.get("/-groups")
    def groups(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        return visit.page("people_groups.html", groups=all_groups(visit))

    for part in PARTS:
        routes.include_router(part.router(guard))
    return routes


def _matrix(visit: Visit, rulings: KnownRulings) -> Response:
    query, rules, now = visit.request.query_params, visit.app.desk.rules, visit.app.now()
    group, state = given(query, "group"), given(query, "state")
    channel = query.get("channel", "")
    if channel not in rules:
        channel = next(iter(rules))
    who = [*dict.fromkeys(filter(None, query.get("who", "").split(",")))][:PER_PAGE]
    visible = visible_groups(visit)
    with visit.app.database.read() as session:
        people = People(session)
        groups = people.groups(visible)
        ids: Sequence[str] = people.ids(visible, group)
        if who:
            there = frozenset(ids)
            ids = [subject_id for subject_id in who if subject_id in there]
        decided = rulings.of(session, rules[channel], now=now)
        counts = Counter(
            state for subject_id in ids for state in _states(decided.get(subject_id, Rule.NONE))
        )
        if state == UNANSWERED:
            somewhere = _unanswered(session, rulings, rules, now)
            ids = [subject_id for subject_id in ids if subject_id in somewhere]
        elif state in STATES:
            ids = [s for s in ids if state in _states(decided.get(s, Rule.NONE))]
        pages = max(-(-len(ids) // PER_PAGE), 1)
        page = min(max(_number(query.get("page", "")), 1), pages)
        shown = ids[(page - 1) * PER_PAGE : page * PER_PAGE]
        persons = people.persons(shown, rules, now=now)
    filters = {"group": group, "state": state, "who": ",".join(who)}
    if state and state != UNANSWERED:
        filters["channel"] = channel
    base = address(PATH, filters)
    return visit.page(
        "people.html",
        persons=persons,
        total=len(ids),
        channels=[*rules],
        groups=groups,
        group=group,
        channel=channel,
        state=state,
        unanswered=UNANSWERED,
        who=who,
        more=bool(query.get("more")),
        states=[(name, counts[name]) for name in STATES],
        page_number=page,
        pages=pages,
        base=base + ("&" if "?" in base else "?"),
    )


def _unanswered(
    session: Session, rulings: KnownRulings, rules: Mapping[str, ChannelRules], now: datetime
) -> Collection[str]:
    return {
        subject_id
        for of_channel in rules.values()
        for subject_id, rule in rulings.of(session, of_channel, now=now).items()
        if rule == Rule.NONE
    }


def _states(rule: str) -> tuple[str, str]:
    return rule, ALLOWED if rule == Rule.GRANTED else NOT_ALLOWED


def _find(visit: Visit) -> Response:
    who = visit.field("who")
    if not who:
        return visit.go(PATH)
    with visit.app.database.read() as session:
        found = found_by(visit, session, who)
    if not found:
        return visit.go(PATH, "notice-people-nobody")
    if len(found) == 1:
        return visit.go(f"{PATH}/{found[0]}")
    more = {"more": "1"} if len(found) > PER_PAGE else {}
    return visit.go(PATH, who=",".join(found[:PER_PAGE]), **more)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else 1
