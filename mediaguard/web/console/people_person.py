"""One person: how it stands, every answer on record, and what shows it."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.core.consent import MATCHING, Kind, Signatory, sixteenth_birthday
from mediaguard.store.people import People
from mediaguard.store.questions import Questions
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.people_known import decider, standing
from mediaguard.web.console.visit import Visit


def router(guard: Guard) -> APIRouter:
    """The page."""
    routes = APIRouter()
    may_see = guard.may(Permission.SEE_PEOPLE)

    @routes.get("/{subject_id}")
    def show(visit: Annotated[Visit, Depends(may_see)], subject_id: str) -> Response:
        person = standing(visit, subject_id)
        subject = person.subject
        with visit.app.database.read() as session:
            people = People(session)
            shown, coming_down = people.shown(subject_id), people.coming_down(subject_id)
            questions = Questions(session).about(subject_id)
        versions = {event.wording for event in person.events if event.wording}
        wordings = visit.app.wordings.of(versions)
        born = subject.born if subject.kind is Kind.STUDENT else None
        return visit.page(
            "people_person.html",
            subject=subject,
            person_now=person,
            former=sorted({e.channel for e in person.events} - person.cells.keys()),
            decider=decider(visit, subject),
            decides_from=born and sixteenth_birthday(born),
            guardian=Signatory.GUARDIAN,
            matching=MATCHING,
            history=person.events[::-1],
            with_text={version for version, wording in wordings.items() if wording.texts},
            shown=shown,
            coming_down=coming_down,
            questions=questions,
        )

    return routes
