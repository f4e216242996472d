"""Recording answers of a person, and withdrawing."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.core.consent import MATCHING, UNATTRIBUTED, Answer, Ruling, Signatory
from mediaguard.errors import InputError
from mediaguard.store.desk import Withdrawal
from mediaguard.store.people import People, Person
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.people_known import PATH, day, decider, known, standing, tried
from mediaguard.web.console.visit import Visit
from mediaguard.web.personal.standing import asked_version
from mediaguard.web.problems import Problem

FIELDS = ("signatory", "signatory_id", "evidence", "wording", "valid_from", "valid_until")


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/{subject_id}")
    may_say_no = guard.may(Permission.SEE_PEOPLE, Permission.RECORD_NO)

    @routes.get("/answers")
    def form(visit: Annotated[Visit, Depends(may_say_no)], subject_id: str) -> Response:
        return _form(visit, standing(visit, subject_id))

    @routes.post("/answers")
    def record(visit: Annotated[Visit, Depends(may_say_no)], subject_id: str) -> Response:
        person = standing(visit, subject_id)
        return tried(
            visit,
            lambda: _record(visit, subject_id),
            lambda problem: _form(visit, person, problem),
        )

    @routes.get("/withdraw")
    def ask(visit: Annotated[Visit, Depends(may_say_no)], subject_id: str) -> Response:
        channel = visit.request.query_params.get("channel") or None
        return _ask(visit, standing(visit, subject_id), channel)

    @routes.post("/withdraw")
    def withdraw(visit: Annotated[Visit, Depends(may_say_no)], subject_id: str) -> Response:
        person, channel = standing(visit, subject_id), visit.field("channel") or None
        return tried(
            visit,
            lambda: _withdraw(visit, subject_id, channel),
            lambda problem: _ask(visit, person, channel, problem),
        )

    @routes.get("/withdrawn")
    def withdrawn(visit: Annotated[Visit, Depends(may_say_no)], subject_id: str) -> Response:
        subject, done = known(visit, subject_id), visit.told(Withdrawal)
        if done is None:
            return visit.go(f"{PATH}/{subject_id}")
        return visit.page(
            "people_withdrawn.html",
            subject=subject,
            done=done,
            channels=[*dict.fromkeys(event.channel for event in done.events)],
            matching=MATCHING,
        )

    return routes


def _form(visit: Visit, person: Person, problem: str | None = None) -> Response:
    query, channels = visit.request.query_params, [*person.cells]
    asked = {asked_version(visit.app.config, channel) for channel in channels} - {None}
    typed = {name: visit.field(name) for name in FIELDS}
    if problem is None:
        typed["signatory"] = decider(visit, person.subject)
        typed["wording"] = (asked.pop() or "") if len(asked) == 1 else ""
    return visit.page(
        "people_answers.html",
        422 if problem else 200,
        subject=person.subject,
        person_now=person,
        channels=channels,
        chosen=query.get("channel", ""),
        given={channel: visit.field(f"answer-{channel}") for channel in channels},
        typed=typed,
        decider=decider(visit, person.subject),
        guardians=sorted({e.signatory_id for e in person.events if e.signatory_id}),
        wordings=[wording.version for wording in visit.app.wordings.all(_asked(visit, channels))],
        matching=MATCHING,
        may_say_yes=visit.visitor.may(Permission.RECORD_CONSENT),
        problem=problem,
    )


def _asked(visit: Visit, channels: list[str]) -> set[str]:
    asked = {asked_version(visit.app.config, channel) for channel in channels}
    return {version for version in asked if version}


def _record(visit: Visit, subject_id: str) -> Response:
    desk = visit.app.desk
    answers = {channel: visit.field(f"answer-{channel}") for channel in desk.rules}
    yes = [channel for channel, answer in answers.items() if answer == Answer.GRANTED]
    no = [channel for channel, answer in answers.items() if answer == Answer.REFUSED]
    if yes and not visit.visitor.may(Permission.RECORD_CONSENT):
        raise Problem(403, "console-not-yours")
    if not yes and not no:
        raise InputError("people-answer-none")
    if visit.field("signatory") not in tuple(Signatory):
        raise InputError("consent-signatory-unknown", subject=subject_id)
    signatory, evidence = visit.field("signatory"), visit.field("evidence")
    signatory_id, wording = visit.field("signatory_id") or None, visit.field("wording") or None
    valid_from, valid_until = day(visit, "valid_from"), day(visit, "valid_until")
    # A yes first: whatever is wrong with the form is wrong with it, before anything is recorded.
    rulings: list[Ruling] = []
    for channel in yes:
        _, ruling = desk.grant(
            subject_id,
            channel,
            signatory=signatory,
            signatory_id=signatory_id,
            evidence=evidence,
            wording=wording,
            valid_from=valid_from,
            valid_until=valid_until,
        )
        rulings.append(ruling)
    for channel in no:
        desk.refuse(
            subject_id,
            channel,
            signatory=signatory,
            signatory_id=signatory_id,
            evidence=evidence,
            wording=wording,
        )
    notice = "yes" if all(ruling.allowed for ruling in rulings) else "yes-later"
    if no:
        notice = "both" if yes else "no"
    return visit.go(f"{PATH}/{subject_id}", f"notice-people-{notice}")


def _ask(visit: Visit, person: Person, channel: str | None, problem: str | None = None) -> Response:
    given = {event.channel for event in person.events}
    if channel is not None and channel not in {*person.cells, *given}:
        raise Problem(404, "people-not-here")
    with visit.app.database.read() as session:
        shown = People(session).shown(person.subject.subject_id)
    channels = [channel] if channel is not None else sorted(given)
    return visit.page(
        "people_withdraw.html",
        422 if problem else 200,
        subject=person.subject,
        channel=channel,
        channels=channels,
        matching=MATCHING,
        shown={name: shown[name] for name in channels if shown[name]},
        forgets=person.references if MATCHING in channels else 0,
        guardians=sorted({e.signatory_id for e in person.events if e.signatory_id}),
        signatories=[*Signatory],
        typed={name: visit.field(name) for name in ("signatory", "signatory_id", "evidence")},
        problem=problem,
    )


def _withdraw(visit: Visit, subject_id: str, channel: str | None) -> Response:
    signatory = visit.field("signatory") or UNATTRIBUTED
    if signatory not in (*Signatory, UNATTRIBUTED):
        raise InputError("consent-signatory-unknown", subject=subject_id)
    done = visit.app.desk.withdraw(
        subject_id,
        channel,
        signatory=signatory,
        signatory_id=visit.field("signatory_id") or None,
        evidence=visit.field("evidence"),
    )
    return visit.go_and_tell(f"{PATH}/{subject_id}/withdrawn", done)
