"""`mediaguard user`."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.output import moment, print_json, table
from mediaguard.config import Language
from mediaguard.core.access import Role
from mediaguard.errors import ConfigError, InputError
from mediaguard.store.user_desk import LINK_MINUTES
from mediaguard.store.users import User
from mediaguard.store.users import school_account as account_digest
from mediaguard.texts import say

_FIELDS = ("user", "roles", "groups", "second-factor", "school-account", "signed-in", "disabled")

_login = click.argument("login", metavar="LOGIN")
_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What they do; may be repeated.",
)
_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
_school_account = click.option(
    "--school-account",
    metavar="VALUE",
    help="What the school's own accounts know them by: the value of `claim` in [web.oidc].",
)


@click.group()
def user() -> None:
    """Who may sign in to the console.

    A login is a short handle, such as comms1: it stands in the audit log for ever, so do not
    enter a full name.
    """


@user.command()
@_login
@_roles
@click.option(
    "--group",
    "-g",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="Staff see only what concerns this class or team; may be repeated. Without it they see "
    "the whole school.",
)
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    help="Of the pages; without it that of the configuration.",
)
@_school_account
@click.option("--link", is_flag=True, help="Make a link to sign in with once, and no password.")
@_stdin
@options.pass_app
def add(
    app: App,
    login: str,
    roles: Sequence[str],
    groups: Sequence[str],
    language: str | None,
    school_account: str | None,
    link: bool,
    password_stdin: bool,
) -> None:
    """Add a user, and ask for a password (at least 12 characters).

    Privacy officers and administrators set up a second step, an app on their phone, when
    they first sign in.

    \b
    Examples:
      mediaguard user add chief --role administrator --role officer
      mediaguard user add comms1 --role staff --group 4B --language nl --link
    """
    digest = None if school_account is None else _digest(app, school_account)
    password = None
    if not link and (school_account is None or password_stdin):
        password = _password(app, password_stdin)
    desk = app.users
    added = desk.add(
        login,
        roles=roles,
        groups=groups,
        language=language or app.language,
        password=password,
    )
    if digest is not None:
        desk.set_school_account(login, digest)
    words = ", ".join(say(f"role-{role}", {}, app.language) for role in sorted(added.roles))
    click.echo(say("user-added", {"user": added.user_id, "roles": words}, app.language))
    if link:
        _print_link(app, added.user_id)


@user.command("list")
@options.output_format()
@options.pass_app
def list_users(app: App, output: str) -> None:
    """List the users.

    \b
    Examples:
      mediaguard user list
      mediaguard user list --format json
    """
    users = app.users.all()
    if output == "json":
        print_json({"users": [_as_json(one) for one in users]})
        return
    if not users:
        click.echo(say("user-list-empty", {}, app.language))
        return
    heading = [say(f"heading-{field}", {}, app.language) for field in _FIELDS]
    click.echo(table(heading, [_as_row(one, app) for one in users]))


@user.command()
@_login
@options.output_format()
@options.pass_app
def show(app: App, login: str, output: str) -> None:
    """Show one user.

    \b
    Example:
      mediaguard user show comms1
    """
    found = app.users.user(login)
    if output == "json":
        print_json(_as_json(found))
        return
    for field, value in zip(_FIELDS, _as_row(found, app), strict=True):
        click.echo(f"{say(f'heading-{field}', {}, app.language)}: {value}")


@user.command("roles")
@_login
@_roles
@options.pass_app
def set_roles(app: App, login: str, roles: Sequence[str]) -> None:
    """Say anew what a user may do. They have to sign in again.

    \b
    Example:
      mediaguard user roles comms1 --role staff --role officer
    """
    changed = app.users.change(login, roles=roles)
    click.echo(say("user-changed", {"user": changed.user_id}, app.language))


@user.command("groups")
@_login
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.option("--whole-school", is_flag=True, help="They see everything.")
@options.pass_app
def set_groups(app: App, login: str, groups: Sequence[str], whole_school: bool) -> None:
    """Say anew what a user sees. They have to sign in again.

    \b
    Examples:
      mediaguard user groups comms1 4B 5A
      mediaguard user groups comms1 --whole-school
    """
    if bool(groups) == whole_school:  # no group is the whole school: never by forgetting one
        raise InputError("user-groups-empty")
    changed = app.users.change(login, groups=groups)
    click.echo(say("user-changed", {"user": changed.user_id}, app.language))


@user.command()
@_login
@_stdin
@options.pass_app
def password(app: App, login: str, password_stdin: bool) -> None:
    """Give a user another password. They have to sign in again.

    \b
    Example:
      mediaguard user password comms1
    """
    found = app.users.user(login)
    app.users.set_password(login, _password(app, password_stdin))
    click.echo(say("user-password-set", {"user": found.user_id}, app.language))


@user.command()
@_login
@options.pass_app
def disable(app: App, login: str) -> None:
    """Let a user sign in no more, and sign them out at once.

    \b
    Example:
      mediaguard user disable comms1
    """
    app.users.disable(login)
    click.echo(say("user-disabled", {"user": login}, app.language))


@user.command()
@_login
@options.pass_app
def enable(app: App, login: str) -> None:
    """Let a disabled user sign in again.

    \b
    Example:
      mediaguard user enable comms1
    """
    app.users.enable(login)
    click.echo(say("user-enabled", {"user": login}, app.language))


@user.command()
@_login
@options.pass_app
def link(app: App, login: str) -> None:
    """Make a link that signs a user in once, within 15 minutes.

    For the first time, or when the password is forgotten: they choose a new one. A second
    factor is still asked for; see `user second-factor`.

    \b
    Example:
      mediaguard user link comms1
    """
    _print_link(app, app.users.user(login).user_id)


@user.command("second-factor")
@_login
@click.option("--reset", is_flag=True, required=True, help="Forget it; it is set up anew.")
@options.pass_app
def second_factor(app: App, login: str, reset: bool) -> None:
    """Forget the second step of a user who lost the phone and the recovery codes.

    Make sure first that it is really they who ask.

    \b
    Example:
      mediaguard user second-factor comms1 --reset
    """
    assert reset
    app.users.reset_second_factor(login)
    click.echo(say("user-second-factor-reset", {"user": login}, app.language))


@user.command("school-account")
@_login
@click.argument("value", required=False, metavar="[VALUE]")
@options.pass_app
def set_school_account(app: App, login: str, value: str | None) -> None:
    """Say by which school account a user signs in; without a value by none.

    VALUE is what [web.oidc] `claim` has for them; it is kept as a digest only.

    \b
    Examples:
      mediaguard user school-account comms1 248289761001
      mediaguard user school-account comms1
    """
    app.users.set_school_account(login, None if value is None else _digest(app, value))
    code = "user-school-account-forgotten" if value is None else "user-school-account-set"
    click.echo(say(code, {"user": login}, app.language))


@user.command()
@_login
@options.pass_app
def remove(app: App, login: str) -> None:
    """Remove a user for good. The login is never given to anybody else.

    \b
    Example:
      mediaguard user remove comms1
    """
    app.users.remove(login)
    click.echo(say("user-removed", {"user": login}, app.language))


def _password(app: App, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    try:
        asked: str = click.prompt(
            say("user-prompt", {}, app.language),
            hide_input=True,
            confirmation_prompt=say("user-prompt-again", {}, app.language),
        )
    except click.Abort:
        raise InputError("user-password-needed") from None
    return asked


def _digest(app: App, value: str) -> str:
    settings = app.config.web.oidc
    if settings is None:
        raise ConfigError("user-no-oidc")
    return account_digest(app.keyring, settings.issuer, settings.claim, value)


def _print_link(app: App, user_id: str) -> None:
    token = app.users.make_link(user_id)
    click.echo(say("user-link", {"user": user_id, "minutes": LINK_MINUTES}, app.language))
    click.echo(f"{app.origin}/console/link/{token}")


def _as_json(one: User) -> dict[str, Any]:
    return {
        "user": one.user_id,
        "roles": sorted(one.roles),
        "groups": sorted(one.groups),
        "language": one.language,
        "password": one.has_password,
        "second_factor": one.has_second_factor,
        "school_account": one.has_school_account,
        "signed_in_at": None if one.signed_in_at is None else one.signed_in_at.isoformat(),
        "disabled": one.disabled_at is not None,
    }


def _as_row(one: User, app: App) -> list[str]:
    def answer(value: object) -> str:
        return say("user-yes" if value else "user-no", {}, app.language)

    return [
        one.user_id,
        ", ".join(say(f"role-{role}", {}, app.language) for role in sorted(one.roles)),
        ", ".join(sorted(one.groups)) or say("account-whole-school", {}, app.language),
        answer(one.has_second_factor),
        answer(one.has_school_account),
        moment(one.signed_in_at, app.config.zone),
        answer(one.disabled_at),
    ]
