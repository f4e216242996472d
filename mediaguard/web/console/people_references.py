"""References of a person: making them from photos, which are not kept, and removing them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.app import ODD, App, Enrolment
from mediaguard.core.access import Permission
from mediaguard.core.consent import MATCHING
from mediaguard.errors import InputError
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.people_known import PATH, known, standing, tried
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

FILE_BYTES = 60_000_000
"""Of all photos of one form together."""

ENOUGH = 3
"""References from which on a subject is recognised well (docs/decisions/0003)."""

_DOUBTFUL = "enrol-doubtful"

PATIENCE = 20.0
"""Seconds to wait until nobody else looks at pixels."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a photo, in words.

    Attributes:
        name: of the file, as the visitor knows it.
        kind: of the badge.
        sentences: the outcome, then what to look at.
    """

    name: str
    kind: str
    sentences: Sequence[str]


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/{subject_id}/references")
    may_keep = guard.may(Permission.SEE_PEOPLE, Permission.KEEP_PEOPLE)
    may_send = guard.may(Permission.SEE_PEOPLE, Permission.KEEP_PEOPLE, file_bytes=FILE_BYTES)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_keep)], subject_id: str) -> Response:
        return _page(visit, subject_id)

    @routes.post("")
    def enrol(visit: Annotated[Visit, Depends(may_send)], subject_id: str) -> Response:
        known(visit, subject_id)

        def act() -> Response:
            photos = visit.files("photo")
            if not photos:
                raise InputError("people-no-photo")
            with _eyes(visit.app):
                sure = visit.field("sure") == "yes"
                made = visit.app.enrol(subject_id, photos, sure=sure)
            doubtful = any(one.refused and one.refused.code == _DOUBTFUL for one in made)
            told = [_tell(visit, subject_id, one) for one in made]
            return _page(visit, subject_id, told=told, doubtful=doubtful)

        return tried(visit, act, lambda problem: _page(visit, subject_id, problem))

    @routes.post("/forget")
    def forget(visit: Annotated[Visit, Depends(may_keep)], subject_id: str) -> Response:
        known(visit, subject_id)
        if visit.field("sure") != "yes":
            return _page(visit, subject_id, visit.say("people-forget-sure"))
        visit.app.desk.forget(subject_id)
        return visit.go(f"{PATH}/{subject_id}", "notice-people-forgot")

    @routes.post("/{number}/remove")
    def remove(
        visit: Annotated[Visit, Depends(may_keep)], subject_id: str, number: str
    ) -> Response:
        known(visit, subject_id)
        there = number.isdecimal() and number.isascii() and len(number) < 10
        if not there or not visit.app.desk.remove_reference(subject_id, int(number)):
            raise Problem(404, "web-not-found")
        return visit.go(f"{PATH}/{subject_id}/references", "notice-people-reference-removed")

    return routes


def _page(
    visit: Visit,
    subject_id: str,
    problem: str | None = None,
    told: Sequence[Told] = (),
    *,
    doubtful: bool = False,
) -> Response:
    person = standing(visit, subject_id)
    return visit.page(
        "people_references.html",
        422 if problem else 200,
        subject=person.subject,
        count=person.references,
        opt_in=person.cells[MATCHING].ruling,
        enough=ENOUGH,
        told=told,
        doubtful=doubtful,
        references=visit.app.desk.references(subject_id),
        odd=ODD,
        problem=problem,
    )


@contextmanager
def _eyes(app: App) -> Iterator[None]:
    if not app.eyes.acquire(timeout=PATIENCE):
        raise InputError("people-busy")
    try:
        yield
    finally:
        app.eyes.release()


def _tell(visit: Visit, subject_id: str, made: Enrolment) -> Told:
    name = made.photo.name
    if made.refused is not None:
        code = "people-doubtful" if made.refused.code == _DOUBTFUL else made.refused.code
        return Told(name, "bad", [visit.say(code, **made.refused.params)])
    params: dict[str, object] = {"photo": name, "subject": subject_id, "count": made.count}
    sentences = [visit.say("enrolled", **params)]
    sentences += [
        visit.say("enrol-near", **params, other=other.subject_id, distance=other.distance)
        for other in made.near
    ]
    if made.own_distance is not None and made.own_distance > ODD:
        sentences.append(visit.say("people-odd", **params, distance=made.own_distance))
    return Told(name, "wait" if len(sentences) > 1 else "good", sentences)
