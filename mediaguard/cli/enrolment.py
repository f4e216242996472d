"""`mediaguard subject enrol` and `subject forget`."""

from collections.abc import Sequence
from pathlib import Path

import click

from mediaguard.app import ODD, App, Enrolment
from mediaguard.cli import options
from mediaguard.cli.progress import each
from mediaguard.files import find_files
from mediaguard.texts import explain, say

ENOUGH = 3
"""References from which on a subject is recognised well (docs/decisions/0003)."""


@click.command()
@click.argument("subject", metavar="ID")
@options.paths
@click.option("--sure", is_flag=True, help="I looked: these photos do show this subject.")
@options.pass_app
def enrol(app: App, subject: str, paths: Sequence[Path], sure: bool) -> None:
    """Add reference photos of a subject who opted in to matching.

    Each photo must show exactly one face, sharp and from the front. Three or more, taken on
    different days, make a subject much easier to recognise. A photo that is not good enough is
    named, and the command exits with 2; the others are stored. So is a photo that looks more like
    somebody else than like the references there are, unless you are sure.

    \b
    Example:
      mediaguard subject enrol S-1001 portraits/S-1001/*.jpg
    """
    made = app.enrol(subject, each(find_files(paths)), sure=sure)
    for enrolment in made:
        _tell(app, subject, enrolment)
    count = max((enrolment.count for enrolment in made), default=0)
    if 0 < count < ENOUGH:
        click.echo(say("enrol-few", {"subject": subject, "count": count}, app.language))
    click.get_current_context().exit(2 if any(e.refused for e in made) else 0)


@click.command()
@click.argument("subject", metavar="ID")
@options.pass_app
def forget(app: App, subject: str) -> None:
    """Remove a subject's references and destroy the key they are encrypted with.

    From then on the subject is unknown in pictures. This cannot be undone; new references can
    be added.

    \b
    Example:
      mediaguard subject forget S-1001
    """
    count = app.desk.forget(subject)
    click.echo(say("forgot", {"count": count, "subject": subject}, app.language))


def _tell(app: App, subject: str, enrolment: Enrolment) -> None:
    if enrolment.refused is not None:
        click.echo(explain(enrolment.refused, app.language), err=True)
        return
    params: dict[str, object] = {
        "photo": enrolment.photo.name,
        "subject": subject,
        "count": enrolment.count,
    }
    click.echo(say("enrolled", params, app.language))
    for other in enrolment.near:
        near = {**params, "other": other.subject_id, "distance": other.distance}
        click.echo(say("enrol-near", near, app.language), err=True)
    if enrolment.own_distance is not None and enrolment.own_distance > ODD:
        odd = {**params, "distance": enrolment.own_distance}
        click.echo(say("enrol-odd", odd, app.language), err=True)
