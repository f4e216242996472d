"""Importing lists of people and of consents: first what would change, then the change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.core.consent import MATCHING, Subject
from mediaguard.errors import ConfigError, InputError
from mediaguard.resources import mappings
from mediaguard.sent import Sent
from mediaguard.store.foreseen import takedowns_of_consents, takedowns_of_roster
from mediaguard.store.importing import Change, Plan, What
from mediaguard.store.ledger import Ledger
from mediaguard.store.roster import RosterPlan
from mediaguard.store.tabular import ImportRefused
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.parked import Parked, sweep
from mediaguard.web.console.people_known import PATH
from mediaguard.web.console.visit import Visit

FILE_BYTES = 10_000_000

MOST = 300
"""So many lines of a sort are shown; all are counted."""

ROSTER, CONSENTS = "people", "consents"

GRAVEST_FIRST = (What.WITHDRAWN, What.REFUSED, What.KEPT, What.GRANTED, What.ADD)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported, and how.

    Attributes:
        file: the list.
        kind: `ROSTER` or `CONSENTS`.
        mapping: the name of the column layout.
        add_subjects: unknown people are added.
    """

    file: Sent
    kind: str
    mapping: str
    add_subjects: bool

    @property
    def about(self) -> Mapping[str, str]:
        """What is to be remembered with the file."""
        return {
            "kind": self.kind,
            "mapping": self.mapping,
            "add": "yes" if self.add_subjects else "",
        }


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/-import")
    keeps = (Permission.SEE_PEOPLE, Permission.KEEP_PEOPLE, Permission.RECORD_CONSENT)
    may_keep = guard.may(*keeps)
    may_send = guard.may(*keeps, file_bytes=FILE_BYTES)
    folder = guard.app.work / "parked"
    sweep(folder)

    def parked(visit: Visit) -> Parked:
        return Parked(folder, visit.app.keyring)

    @routes.get("")
    def form(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        sweep(folder)
        return _form(visit)

    @routes.post("")
    def preview(visit: Annotated[Visit, Depends(may_send)]) -> Response:
        def look() -> Response:
            wanted = _wanted(visit)
            shown = _foresee(visit, wanted)
            key = parked(visit).put(visit.visitor.actor, wanted.file, wanted.about)
            return _preview(visit, wanted, shown, key)

        return _tried(visit, look)

    @routes.post("/apply")
    def apply(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        actor, key = visit.visitor.actor, visit.field("parked")

        def act() -> Response:
            file, about = parked(visit).get(actor, key)
            wanted = Wanted(file, about["kind"], about["mapping"], bool(about["add"]))
            try:
                plan = _run(visit, wanted, expected=visit.field("seen"))
            except ImportRefused:
                parked(visit).drop(actor, key)
                raise
            except InputError as error:
                if error.code != "import-changed":
                    raise
                return _preview(visit, wanted, _foresee(visit, wanted), key, error)
            parked(visit).drop(actor, key)
            done = Imported(file.name, _counts(plan), plan.questions)
            return visit.go_and_tell(f"{PATH}/-import/done", done)

        return _tried(visit, act)

    @routes.get("/done")
    def done(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        told = visit.told(Imported)
        return visit.page("people_imported.html", done=told) if told else visit.go(PATH)

    @routes.post("/discard")
    def discard(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        parked(visit).drop(visit.visitor.actor, visit.field("parked"))
        return visit.go(f"{PATH}/-import", "notice-people-discarded")

    return routes


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        name: of the file.
        counts: what changed, by the code of its word.
        questions: so many pictures a person has to look at because of it.
    """

    name: str
    counts: Mapping[str, int]
    questions: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would change.

    Attributes:
        plan: the changes.
        takedowns: so many publications would be taken down.
        before: people as they are on record, who would be corrected.
    """

    plan: Plan | RosterPlan
    takedowns: int
    before: Mapping[str, Subject]


def _wanted(visit: Visit) -> Wanted:
    files = visit.files("file")
    if len(files) != 1:
        raise InputError("people-no-file")
    kind = ROSTER if visit.field("kind") == ROSTER else CONSENTS
    return Wanted(files[0], kind, visit.field("mapping"), visit.field("add") == "yes")


def _run(
    visit: Visit, wanted: Wanted, *, dry_run: bool = False, expected: str | None = None
) -> Plan | RosterPlan:
    if wanted.kind == ROSTER:
        return visit.app.desk.import_roster(wanted.file, dry_run=dry_run, expected=expected)
    mapping = mappings(visit.app.home).get(wanted.mapping)
    if mapping is None:
        raise InputError("people-no-mapping")
    return visit.app.desk.import_consents(
        wanted.file,
        mapping,
        add_subjects=wanted.add_subjects,
        dry_run=dry_run,
        expected=expected,
    )


def _foresee(visit: Visit, wanted: Wanted) -> Foreseen:
    plan, rules, now = _run(visit, wanted, dry_run=True), visit.app.desk.rules, visit.app.now()
    with visit.app.database.read() as session:
        if isinstance(plan, Plan):
            return Foreseen(plan, takedowns_of_consents(session, plan, rules, now=now), {})
        changed = {subject.subject_id for subject in plan.changed}
        before = {s.subject_id: s for s in Ledger(session).subjects() if s.subject_id in changed}
        return Foreseen(plan, takedowns_of_roster(session, plan, rules, now=now), before)


def _preview(
    visit: Visit, wanted: Wanted, shown: Foreseen, key: str, changed: InputError | None = None
) -> Response:
    plan = shown.plan
    sections: Sequence[tuple[What, Sequence[Change]]] = ()
    if isinstance(plan, Plan):
        sections = [(w, [c for c in plan.changes if c.what is w]) for w in GRAVEST_FIRST]
    return visit.page(
        "people_preview.html",
        409 if changed else 200,
        name=wanted.file.name,
        mapping=wanted.mapping if wanted.kind == CONSENTS else None,
        plan=plan,
        roster=isinstance(plan, RosterPlan),
        differences=[(what, changes) for what, changes in sections if changes],
        before=shown.before,
        counts=_counts(plan),
        takedowns=shown.takedowns,
        parked=key,
        most=MOST,
        matching=MATCHING,
        changed=changed and visit.say(changed.code, **changed.params),
    )


def _counts(plan: Plan | RosterPlan) -> Mapping[str, int]:
    """What changes, by the code of its word; the gravest first."""
    if isinstance(plan, RosterPlan):
        return {
            "added": len(plan.added),
            "corrected": len(plan.changed),
            "unchanged": plan.unchanged,
            "missing": len(plan.missing),
        }
    counted = {what.value: plan.count(what) for what in GRAVEST_FIRST}
    return {**counted, "unchanged": plan.unchanged}


def _form(
    visit: Visit, problem: str | None = None, refused: ImportRefused | None = None
) -> Response:
    lines = [
        (
            line.line,
            line.column,
            visit.say(
                "people-import-unknown" if line.code == "problem-subject-unknown" else line.code,
                **line.params,
            ),
        )
        for line in (refused.problems if refused else ())
    ]
    return visit.page(
        "people_import.html",
        422 if problem else 200,
        mappings=[*mappings(visit.app.home)],
        kind=visit.field("kind") or CONSENTS,
        mapping=visit.field("mapping"),
        add=visit.field("add") == "yes",
        limit=FILE_BYTES // 1_000_000,
        problem=problem,
        lines=lines[:MOST],
        more=max(len(lines) - MOST, 0),
    )


def _tried(visit: Visit, act: Callable[[], Response]) -> Response:
    """Do it; if the file or its layout is not right, show the form with what is wrong."""
    try:
        return act()
    except ImportRefused as error:
        return _form(visit, visit.say(error.code, **error.params), error)
    except (InputError, ConfigError) as error:
        if isinstance(error, ConfigError) and not error.code.startswith("mapping-"):
            raise
        return _form(visit, visit.say(error.code, **error.params))
