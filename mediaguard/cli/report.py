"""Reports of `check` and `process`: text, JSON, HTML and JUnit XML."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import click

from mediaguard.cli.sheet import as_html, row
from mediaguard.core.decision import Action, FaceDecision, Outcome
from mediaguard.core.faces import Track
from mediaguard.core.media import ItemReport, summary
from mediaguard.texts import printable, say

COLOURS = {
    Outcome.RELEASE: "green",
    Outcome.REDACT: "yellow",
    Outcome.BLOCK: "red",
    Outcome.HOLD: "red",
}


def write(items: Sequence[ItemReport], channel: str, output: str, language: str) -> None:
    """Print the report of `items` to standard output."""
    writers = {"text": _text, "json": _json, "html": _html, "junit": _junit}
    click.echo(writers[output](items, channel, language))


def _json(items: Sequence[ItemReport], channel: str, language: str) -> str:  # noqa: ARG001
    report = {
        "channel": channel,
        "items": [item.as_json() for item in items],
        "summary": summary(items),
    }
    return json.dumps(report, indent=2, ensure_ascii=True)


def _html(items: Sequence[ItemReport], channel: str, language: str) -> str:
    return as_html([row(item) for item in items], channel, language)


def _text(items: Sequence[ItemReport], channel: str, language: str) -> str:
    lines = [line for item in items for line in item_lines(item, language)]
    totals = {"channel": channel, **summary(items)}
    return "\n".join([*lines, "", say("report-summary", totals, language)])


def item_lines(item: ItemReport, language: str) -> list[str]:
    """The item as lines of text: outcome, reason, and a line per face."""
    outcome = click.style(
        say(f"outcome-{item.outcome.value}", language=language), fg=COLOURS[item.outcome], bold=True
    )
    lines = [
        f"{printable(item.path)}: {outcome}",
        f"    {say(item.reason, item.params, language)}",
    ]
    lines += [f"    {face_line(face, language)}" for face in item.faces]
    if item.rendition:
        lines.append(f"    → {item.rendition}")
    return lines


def face_line(face: FaceDecision, language: str) -> str:
    """One face: where, who, shown or not, and why."""
    match = face.face.match
    who = match.subject_id if match and match.subject_id else say("report-unknown", {}, language)
    action = "report-shown" if face.action is Action.KEEP else "report-redacted"
    x, y, w, h = face.face.detection.box.rounded()
    when = f"{time_codes(face.face.track)}, " if face.face.track else ""
    details = [say(face.rule, {}, language)]
    if face.consent_event is not None:
        details.append(f"consent {face.consent_event}")
    if match and match.distance is not None:
        details.append(f"distance {match.distance:.2f}")
    return (
        f"{say(action, {}, language)}: {who} ({when}at {x},{y}, {w} by {h} pixels): "
        f"{'; '.join(details)}"
    )


def time_codes(track: Track) -> str:
    """From when until when a track is seen, in minutes and seconds, and its frames."""
    start, end = (f"{int(s // 60)}:{s % 60:05.2f}" for s in track.seconds)
    return f"{start}-{end}, frames {track.first}-{track.last}"


def _junit(items: Sequence[ItemReport], channel: str, language: str) -> str:
    failures = sum(item.outcome is not Outcome.RELEASE for item in items)
    suite = ET.Element(
        "testsuite", name=f"mediaguard {channel}", tests=str(len(items)), failures=str(failures)
    )
    for item in items:
        case = ET.SubElement(suite, "testcase", classname=channel, name=_xml(item.path))
        if item.outcome is not Outcome.RELEASE:
            failure = ET.SubElement(
                case,
                "failure",
                type=item.outcome.value,
                message=_xml(say(item.reason, item.params, language)),
            )
            failure.text = _xml("\n".join(face_line(face, language) for face in item.faces))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """XML 1.0 cannot hold control characters at all, not even escaped."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
