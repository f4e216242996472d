"""`mediaguard consent`: recording answers. The lists stand in `consent_lists`."""

from datetime import date, datetime

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.consent_lists import export, import_file, show
from mediaguard.cli.output import event_as_json, print_json, ruling_as_json
from mediaguard.core.consent import UNATTRIBUTED, ConsentEvent, Ruling, Signatory
from mediaguard.store.desk import Withdrawal
from mediaguard.texts import say

MOST = 20
"""So many takedowns are listed; `takedown list` shows them all."""

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_SIGNATORY = click.Choice([signatory.value for signatory in Signatory])

_subject = click.argument("subject_id", metavar="SUBJECT")
_channel = click.option(
    "--channel",
    "-c",
    "channel_name",
    required=True,
    metavar="CHANNEL",
    help="For which channel; 'matching' is the opt-in to being recognised by face.",
)
_signatory = click.option(
    "--signatory",
    type=_SIGNATORY,
    required=True,
    help="Who answered: a guardian (under 16), or the subject itself (from 16 on; staff).",
)
_evidence = click.option(
    "--evidence", required=True, metavar="REF", help="Where the signed form or answer is kept."
)
_wording = click.option(
    "--wording", metavar="VERSION", help="Version of the text that was agreed to."
)
_signatory_id = click.option(
    "--signatory-id", metavar="ID", help="A pseudonym that tells several guardians apart."
)


@click.group()
def consent() -> None:
    """Record, withdraw, show and import consent.

    A consent holds for one channel and purpose. Nothing on record means no.
    """


for _command in (show, import_file, export):
    consent.add_command(_command)


@consent.command()
@_subject
@_channel
@_signatory
@_evidence
@_wording
@click.option("--from", "valid_from", type=_DAY, metavar="DATE", help="First day it holds.")
@click.option("--until", "valid_until", type=_DAY, metavar="DATE", help="Last day it holds.")
@_signatory_id
@options.output_format()
@options.pass_app
def grant(
    app: App,
    subject_id: str,
    channel_name: str,
    signatory: str,
    evidence: str,
    wording: str | None,
    valid_from: datetime | None,
    valid_until: datetime | None,
    signatory_id: str | None,
    output: str,
) -> None:
    """Record that consent was given.

    \b
    Examples:
      mediaguard consent grant S-1001 -c newsletter --signatory guardian --evidence form-14
      mediaguard consent grant S-1001 -c matching --signatory guardian --evidence form-14 \\
        --wording 2026-1 --until 2027-07-31
    """
    event, ruling = app.desk.grant(
        subject_id,
        channel_name,
        signatory=signatory,
        evidence=evidence,
        wording=wording,
        valid_from=_day(valid_from),
        valid_until=_day(valid_until),
        signatory_id=signatory_id,
    )
    _say_recorded(app, event, ruling, output)


@consent.command()
@_subject
@_channel
@_signatory
@_evidence
@_wording
@_signatory_id
@options.output_format()
@options.pass_app
def refuse(
    app: App,
    subject_id: str,
    channel_name: str,
    signatory: str,
    evidence: str,
    wording: str | None,
    signatory_id: str | None,
    output: str,
) -> None:
    """Record that consent was refused.

    \b
    Example:
      mediaguard consent refuse S-1002 -c facebook --signatory guardian --evidence form-15
    """
    event, ruling = app.desk.refuse(
        subject_id,
        channel_name,
        signatory=signatory,
        evidence=evidence,
        wording=wording,
        signatory_id=signatory_id,
    )
    _say_recorded(app, event, ruling, output)


@consent.command()
@_subject
@click.option("--channel", "-c", "channel_name", metavar="CHANNEL", help="Only for this channel.")
@click.option("--all", "everything", is_flag=True, help="For every channel, matching included.")
@click.option("--evidence", default="", metavar="REF", help="Where the request is kept, if it is.")
@click.option(
    "--signatory",
    type=_SIGNATORY,
    help="Who withdraws. Without it the withdrawal counts for everyone: each guardian has to "
    "consent anew.",
)
@_signatory_id
@options.output_format()
@options.pass_app
def withdraw(
    app: App,
    subject_id: str,
    channel_name: str | None,
    everything: bool,
    evidence: str,
    signatory: str | None,
    signatory_id: str | None,
    output: str,
) -> None:
    """Withdraw consent; in force at once. Says what is taken down because of it.

    \b
    Examples:
      mediaguard consent withdraw S-1001 --channel website-public
      mediaguard consent withdraw S-1001 --all --evidence "e-mail of 2 March"
    """
    if everything is (channel_name is not None):
        raise click.UsageError(say("consent-channel-or-all", {}, app.language))
    done = app.desk.withdraw(
        subject_id,
        channel_name,
        signatory=signatory or UNATTRIBUTED,
        signatory_id=signatory_id,
        evidence=evidence,
    )
    if output == "json":
        print_json(
            {
                "events": [event_as_json(event) for event in done.events],
                "still_public": [
                    {
                        "publication": asked.publication_id,
                        "channel": asked.channel,
                        "state": asked.state,
                        "urls": asked.urls,
                        "takedown": asked.takedown_id,
                        "action": asked.action,
                    }
                    for asked in done.takedowns
                ],
                "questions": done.questions,
                "references_deleted": done.forgotten,
            }
        )
    else:
        _say_withdrawn(app, subject_id, done)


def _say_withdrawn(app: App, subject_id: str, done: Withdrawal) -> None:
    language = app.language
    if not done.events:
        click.echo(say("consent-nothing-to-withdraw", {"subject": subject_id}, language))
    for channel in dict.fromkeys(event.channel for event in done.events):
        params: dict[str, object] = {"subject": subject_id, "channel": channel}
        click.echo(say("consent-withdrawn-done", params, language))
        public = [asked for asked in done.takedowns if asked.channel == channel]
        if public:
            click.echo(say("consent-still-public", {**params, "count": len(public)}, language))
        for asked in public[:MOST]:
            click.echo(f"  {asked.takedown_id[:12]}  {asked.urls[0] if asked.urls else '?'}")
        if len(public) > MOST:
            click.echo(f"  … {len(public) - MOST}")
    if done.takedowns:
        click.echo(say("consent-takedown-next", {"subject": subject_id}, language))
    if done.questions:
        click.echo(say("consent-questions", {"count": done.questions}, language))
    if done.forgotten:
        forgotten = {"count": done.forgotten, "subject": subject_id}
        click.echo(say("consent-templates-forgotten", forgotten, language))


def _say_recorded(app: App, event: ConsentEvent, ruling: Ruling, output: str) -> None:
    if output == "json":
        print_json({"event": event_as_json(event), "now": ruling_as_json(ruling)})
        return
    language = app.language
    params: dict[str, object] = {
        "event": event.event_id,
        "subject": event.subject_id,
        "channel": event.channel,
        "answer": say(f"answer-{event.answer}", {}, language),
        "why": say(ruling.rule, {}, language),
    }
    click.echo(say("consent-recorded", params, language))
    code = "consent-in-force" if ruling.allowed else "consent-not-in-force"
    click.echo(say(code, params, language))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
