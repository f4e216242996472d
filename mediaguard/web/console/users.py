"""Users: who may sign in."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mediaguard.core.access import Permission, Role
from mediaguard.errors import InputError
from mediaguard.store.ledger import Ledger
from mediaguard.store.user_desk import LINK_MINUTES
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.visit import Visit

USERS = "/console/users"
LINK = "/console/link"


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/users")
    may_keep = guard.may(Permission.KEEP_USERS)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        return _list(visit)

    @routes.post("")
    def add(visit: Annotated[Visit, Depends(may_keep)]) -> Response:
        try:
            user = visit.app.users.add(
                visit.field("login"),
                roles=_roles(visit),
                groups=_groups(visit),
                language=visit.field("language"),
            )
        except InputError as error:
            return _list(visit, error)
        return _make_link(visit, user.user_id)

    @routes.get("/{user_id}")
    def one(visit: Annotated[Visit, Depends(may_keep)], user_id: str) -> Response:
        return _one(visit, user_id)

    @routes.post("/{user_id}")
    def change(visit: Annotated[Visit, Depends(may_keep)], user_id: str) -> Response:
        _require(visit, user_id)
        try:
            visit.app.users.change(
                user_id,
                roles=_roles(visit),
                groups=_groups(visit),
                language=visit.field("language"),
            )
        except InputError as error:
            return _one(visit, user_id, error)
        return visit.go(f"{USERS}/{user_id}", "notice-user-saved")

    @routes.post("/{user_id}/link")
    def link(visit: Annotated[Visit, Depends(may_keep)], user_id: str) -> Response:
        _require(visit, user_id)
        try:
            return _make_link(visit, user_id)
        except InputError as error:
            return _one(visit, user_id, error)

    @routes.get("/{user_id}/link")
    def show_link(visit: Annotated[Visit, Depends(may_keep)], user_id: str) -> Response:
        _require(visit, user_id)
        return visit.page(
            "user_link.html",
            user_id=user_id,
            link=visit.told(str, once=True),
            minutes=LINK_MINUTES,
            nobody_in=_nobody_in(visit, user_id),
        )

    @routes.post("/{user_id}/{act}")
    def act(visit: Annotated[Visit, Depends(may_keep)], user_id: str, act: str) -> Response:
        desk = visit.app.users
        acts = {
            "disable": desk.disable,
            "enable": desk.enable,
            "second-factor": desk.reset_second_factor,
            "remove": desk.remove,
        }
        if act not in acts:
            raise HTTPException(404)
        _require(visit, user_id)
        try:
            acts[act](user_id)
        except InputError as error:
            return _one(visit, user_id, error)
        if act == "remove":
            return visit.go(USERS, "notice-user-removed")
        return visit.go(f"{USERS}/{user_id}", "notice-user-saved")

    return routes


def _require(visit: Visit, user_id: str) -> None:
    try:
        visit.app.users.user(user_id)
    except InputError:
        raise HTTPException(404) from None


def _roles(visit: Visit) -> list[str]:
    return [role for role in visit.form.getlist("role") if isinstance(role, str)]


def _groups(visit: Visit) -> list[str]:
    if visit.field("whole") == "yes":
        return []
    groups = [group for group in visit.field("groups").split(",") if group.strip()]
    if not groups:  # no group is the whole school: never by an empty field
        raise InputError("user-groups-empty")
    return groups


def _list(visit: Visit, error: InputError | None = None) -> Response:
    return visit.page(
        "users.html",
        200 if error is None else 422,
        users=visit.app.users.all(),
        roles=list(Role),
        error=None if error is None else visit.say(error.code, **error.params),
        typed={
            "login": visit.field("login"),
            "roles": _roles(visit),
            "groups": visit.field("groups"),
            "whole": visit.field("whole", "yes" if error is None else ""),
            "language": visit.field("language", visit.visitor.language),
        },
    )


def _one(visit: Visit, user_id: str, error: InputError | None = None) -> Response:
    _require(visit, user_id)
    user = visit.app.users.user(user_id)
    sent = error is not None and bool(visit.field("language"))
    return visit.page(
        "user.html",
        200 if error is None else 422,
        user=user,
        roles=list(Role),
        oneself=user.user_id == visit.visitor.user_id,
        nobody_in=_nobody_in(visit, user_id),
        error=None if error is None else visit.say(error.code, **error.params),
        typed={
            "roles": _roles(visit) if sent else user.roles,
            "groups": visit.field("groups") if sent else ", ".join(sorted(user.groups)),
            "whole": visit.field("whole") if sent else "" if user.groups else "yes",
            "language": visit.field("language") if sent else user.language,
        },
    )


def _nobody_in(visit: Visit, user_id: str) -> list[str]:
    """The groups of a user in which there is nobody: mistyped, most likely."""
    with visit.app.database.read() as session:
        known = Ledger(session).group_names()
    return sorted(visit.app.users.user(user_id).groups.difference(known))


def _make_link(visit: Visit, user_id: str) -> Response:
    """A link to be handed over; it is shown once."""
    token = visit.app.users.make_link(user_id)
    return visit.go_and_tell(f"{USERS}/{user_id}/link", f"{visit.app.origin}{LINK}/{token}")
