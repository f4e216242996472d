"""What the pages about people share: who somebody may see, and what to do with wrong input."""

import re
from collections.abc import Callable
from datetime import date

from starlette.responses import Response

from mediaguard.core.consent import Signatory, Subject, rightful_signatory
from mediaguard.errors import InputError
from mediaguard.store.ledger import Ledger
from mediaguard.store.people import People, Person
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

PATH = "/console/people"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def visible_groups(visit: Visit) -> frozenset[str]:
    """The groups whose people they may see; empty for the whole school."""
    return frozenset() if visit.visitor.sees_everything else visit.visitor.groups


def known(visit: Visit, subject_id: str) -> Subject:
    """The subject.

    Raises:
        Problem: nobody knows it, or it is not theirs to see; which of the two is not told.
    """
    with visit.app.database.read() as session:
        subject = Ledger(session).subject(subject_id)
    if subject is None or not visit.visitor.sees(subject.groups):
        raise Problem(404, "people-not-here")
    return subject


def standing(visit: Visit, subject_id: str) -> Person:
    """The subject with how it stands on the channels of today.

    Raises:
        Problem: as `known`.
    """
    with visit.app.database.read() as session:
        found = People(session).persons([subject_id], visit.app.desk.rules, now=visit.app.now())
    if not found or not visit.visitor.sees(found[0].subject.groups):
        raise Problem(404, "people-not-here")
    return found[0]


def all_groups(visit: Visit) -> dict[str, int]:
    """The groups that they may see, with how many are in each."""
    with visit.app.database.read() as session:
        return People(session).groups(visible_groups(visit))


def decider(visit: Visit, subject: Subject) -> Signatory:
    """Whose answer counts today."""
    return rightful_signatory(subject, visit.app.now().astimezone(visit.app.config.zone).date())


def day(visit: Visit, field: str) -> date | None:
    """A date that was typed; None if there is none.

    Raises:
        InputError: it is no date.
    """
    typed = visit.field(field)
    if not typed:
        return None
    try:
        if _DAY.fullmatch(typed):
            return date.fromisoformat(typed)
    except ValueError:
        pass
    raise InputError("people-date", value=typed)


def tried(visit: Visit, act: Callable[[], Response], again: Callable[[str], Response]) -> Response:
    """Do what a form asks; if it cannot be done, show the form again with the reason.

    Args:
        visit: of whom.
        act: does it.
        again: the page of the form; gets the reason in words.
    """
    try:
        return act()
    except InputError as error:
        return again(visit.say(error.code, **error.params))
