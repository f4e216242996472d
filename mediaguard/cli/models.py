"""`mediaguard models`."""

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.output import print_json
from mediaguard.texts import say
from mediaguard.vision.models import find, manifest, sha256


@click.group()
def models() -> None:
    """The model files: where they come from, and whether they are the measured ones."""


@models.command("list")
@options.output_format()
@options.pass_app
def list_models(app: App, output: str) -> None:
    """List the model files with source, version, SHA-256 and licence.

    \b
    Example:
      mediaguard models list
    """
    _show(app, output, verify=False)


@models.command()
@options.output_format()
@options.pass_app
def verify(app: App, output: str) -> None:
    """Compare each file with its recorded hash; exits with 2 if one is not the measured file.

    \b
    Example:
      mediaguard models verify
    """
    _show(app, output, verify=True)


def _show(app: App, output: str, *, verify: bool) -> None:
    entries, wrong = [], False
    for model in manifest().values():
        path = find(model, app.home / "models")
        state = "present" if path else "absent"
        if verify and path:
            state = "ok" if sha256(path).startswith(model.sha256) else "wrong"
        wrong |= state == "wrong" or (verify and state == "absent" and not model.optional)
        entries.append(
            {
                "model": model.name,
                "role": model.role,
                "source": model.source,
                "file": model.file,
                "sha256": model.sha256,
                "licence": model.licence,
                "state": state,
            }
        )
    if output == "json":
        print_json({"models": entries})
    else:
        for entry in entries:
            state = say(f"model-{entry['state']}", {}, app.language)
            click.echo(f"{entry['model']} ({entry['role']}): {state}")
            click.echo(f"    {entry['file']} from {entry['source']}, licence {entry['licence']}")
            click.echo(f"    sha256 {entry['sha256']}")
    click.get_current_context().exit(2 if wrong else 0)
