"""Who did what: in words, filtered, checked, exported."""

import ast
import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import mediaguard
from mediaguard.core.access import Role
from mediaguard.core.consent import Answer
from mediaguard.store.audit import Audit
from mediaguard.web.console.audit_words import ACTIONS
from tests.console.school import Visiting, words
from tests.console.test_published import name, publish

PAGE = "/console/audit"

FILLED_IN = {
    "consent-{}": {f"consent-{answer}" for answer in Answer},
    "item-{}": {"item-held", "item-blocked"},
    "subject-{}": {"subject-added", "subject-corrected"},
}
"""Actions that are put together, and what they can be."""


def note(world, action, *, at=None, actor="uid:1", **more):
    with world.database.write() as session:
        Audit(session, world.keyring).append(action, at=at or world.now(), actor=actor, **more)


def rows(page) -> list[str]:
    return [part.split("</tr>")[0] for part in page.text.split("<tr>")[2:]]


def export(officer, **filters) -> list[dict[str, str]]:
    answer = officer.post(f"{PAGE}/export", **filters)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-')
    content = answer.content.decode("utf-8-sig")
    return [*csv.DictReader(io.StringIO(content, newline=""))]


# -- every action has words -----------------------------------------------------------------


def actions_in_the_code() -> set[str]:
    found = set()
    for path in Path(mediaguard.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and _appends(call):
                found |= {action for one in call.args for action in _actions(one)}
    return {action for action in found if re.fullmatch(r"[a-z{}]+(-[a-z{}]+)+", action)}


def _appends(call: ast.Call) -> bool:
    """`Audit(...).append(...)`, `audit.append(...)`, or a method that ends there."""
    called = call.func
    if not isinstance(called, ast.Attribute):
        return False
    if called.attr in ("_audit", "_tell", "_record", "_change"):
        return True
    return called.attr == "append" and "audit" in ast.unparse(called.value).lower()


def _actions(value: ast.expr) -> set[str]:
    if isinstance(value, ast.IfExp):
        return _actions(value.body) | _actions(value.orelse)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return {value.value}
    if isinstance(value, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in value.values]
        return FILLED_IN.get("".join(parts), {"".join(parts)})
    return set()


def test_every_action_has_words():
    found = actions_in_the_code()
    assert {"review-seen", "link-made", "takedown-confirmed", "consent-withdrawn"} <= found
    assert found - ACTIONS == set()


def test_what_has_no_words_is_shown_as_it_stands(world, officer):
    note(world, "<new-action>", data={"strange": {"a": ["<b>"]}})
    page = officer.get(PAGE)
    assert "&lt;new-action&gt;" in page.text
    assert "<b>" not in page.text


# -- the list -------------------------------------------------------------------------------


def test_the_newest_first_in_words(world, officer):
    world.desk.withdraw("S-1", "website-public")
    first = rows(officer.get(PAGE))[0]
    assert "recorded a withdrawal" in first
    assert "channel website-public" in first
    assert f"{PAGE}?subject=S-1" in first
    dutch = Visiting(world, frozenset({Role.OFFICER}), language="nl")
    assert "legde een intrekking vast" in words(dutch.get(f"{PAGE}?subject=S-1"))


def test_actors_and_details_in_words(world, officer):
    note(world, "review-marked", actor="user:j.smit", item_id="ab12", data={"verdict": "no-face"})
    note(world, "link-opened", actor="link:0123", subject_id="S-1", data={"link": "0123456789"})
    note(world, "item-held", actor="sender:website", data={"reason": "channel-later"})
    page = words(officer.get(PAGE))
    assert "j.smit said something about a face said no face" in page
    assert "somebody with a personal link opened a personal link link 01234567" in page
    assert "the system website held an item because the channel did not take it" in page


def test_no_detail_is_a_code_and_moments_are_those_of_the_school(world, officer):
    until = "2027-12-30T22:46:45.304357+00:00"
    note(world, "link-made", subject_id="S-1", data={"signatory": "subject", "until": until})
    note(world, "consent-granted", data={"channel": "matching", "purpose": "matching"})
    note(world, "consent-refused", data={"channel": "x", "purpose": "publicity"})
    note(world, "subject-added", subject_id="S-9", data={"source": "roster"})
    note(world, "signed-in", data={"by": "school-account"})
    note(world, "user-added", data={"roles": ["officer", "staff"]})
    note(world, "audit-exported", data={"action": "consent-granted", "until": "2027-12-30"})
    page = words(officer.get(PAGE))
    for said in (
        "as the person themselves · up to 2027-12-30 23:46",
        "channel recognising faces · purpose recognising faces",
        "purpose publicity",
        "by way of a list of people",
        "by way of school account",
        "roles Privacy officer, Staff",
        "what recorded a consent · up to 2027-12-30",
    ):
        assert said in page, said
    assert "304357" not in page
    dutch = words(Visiting(world, frozenset({Role.OFFICER}), language="nl").get(PAGE))
    for said in ("als de persoon zelf", "doel gezichten herkennen", "doel publiciteit"):
        assert said in dutch, said


def test_names_are_shown_to_who_may_see_people(world):
    name(world, "S-1,Ann,<i>Bee")
    officer = Visiting(world, frozenset({Role.OFFICER}))
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    assert "Ann &lt;i&gt;Bee" in officer.get(PAGE).text
    assert "Ann" not in administrator.get(PAGE).text


def test_filters(world, officer):
    long_ago = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)  # 23:30 at school
    note(world, "item-held", at=long_ago, item_id="abcd0001ffff", actor="user:a")
    note(world, "item-held", at=long_ago + timedelta(hours=1), item_id="abcd0002", actor="user:b")
    note(world, "item-blocked", item_id="ef", subject_id="S-1", actor="user:a")

    def count(**filters):
        query = "&".join(f"{key}={value}" for key, value in filters.items())
        page = officer.get(f"{PAGE}?{query}")
        assert page.status_code == 200
        return len(rows(page))

    assert count(item="abcd0001ffff") == 1
    assert count(item="abcd") == 2
    assert count(actor="user:a") == 2
    assert count(actor="user:a", action="item-held") == 1
    assert count(action="item-held") == 2
    assert count(until="2026-03-01") == 1
    assert count(since="2026-03-02", until="2026-03-02") == 1
    assert count(subject="S-1", action="item-blocked") == 1
    assert count(subject="S-1", since="2027-01-01") == 0
    assert "No entry fits." in words(officer.get(f"{PAGE}?subject=nobody"))


def test_a_date_that_is_none_is_told(world, officer):
    page = officer.get(f"{PAGE}?since=yesterday&until=2026-02-30")
    assert page.status_code == 422
    assert "'From' has to be a day" in page.text.replace("&#39;", "'")
    assert 'aria-invalid="true"' in page.text
    for query in ("since=0001-01-01", "until=9999-12-31", "after=x", "after=-1", "after=9" * 9):
        assert officer.get(f"{PAGE}?{query}").status_code == 200
    assert officer.get(f"{PAGE}?after={'9' * 40}").status_code == 200
    assert officer.post(f"{PAGE}/export", since="yesterday").status_code == 303


def test_page_by_page_everything_is_seen_once(world, officer):
    with world.database.write() as session:
        audit = Audit(session, world.keyring)
        for number in range(120):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number // 7)
            audit.append("item-held", at=at, actor="user:many")
    seen, address = [], f"{PAGE}?actor=user:many"
    while address:
        page = officer.get(address)
        seen += [row.split('class="number">')[1].split("<")[0] for row in rows(page)]
        more = page.text.split('rel="next" href="')
        address = more[1].split('"')[0].replace("&amp;", "&") if len(more) > 1 else None
    assert len(seen) == len(set(seen)) == 120


def test_looking_is_not_logged(world, officer):
    before = len(rows(officer.get(PAGE)))
    assert len(rows(officer.get(PAGE))) == before


def test_who_may(world, staff):
    assert staff.get(PAGE).status_code == 403
    assert staff.post(f"{PAGE}/verify").status_code == 403
    assert staff.post(f"{PAGE}/export").status_code == 403
    assert Visiting(world, frozenset({Role.ADMINISTRATOR})).get(PAGE).status_code == 200


# -- checking -------------------------------------------------------------------------------


def test_a_whole_log(world, officer):
    assert officer.post(f"{PAGE}/verify").headers["location"] == PAGE
    assert "complete and unchanged" in words(officer.get(PAGE))


def test_a_log_that_was_tampered_with(world, officer):
    publish(world, "S-1")
    with world.database.write() as session:
        session.execute(text("DROP TRIGGER audit_log_no_update"))
        session.execute(text("DROP TRIGGER audit_log_no_delete"))
        session.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE sequence = 2"))
        session.execute(text("DELETE FROM audit_log WHERE sequence = 4"))
    officer.post(f"{PAGE}/verify")
    said = words(officer.get(PAGE))
    assert "no. 2 was changed" in said
    assert "entries before no. 5 are missing" in said


def test_a_long_check_goes_on_by_itself(world, officer, monkeypatch):
    monkeypatch.setattr("mediaguard.web.console.checking.PATIENCE", 0)
    answer = officer.post(f"{PAGE}/verify")
    assert answer.headers["location"] == PAGE


def test_checking_needs_a_form_of_this_session(officer):
    assert officer.post(f"{PAGE}/verify", token="forged").status_code == 403
    assert officer.post(f"{PAGE}/export", token="forged").status_code == 403


# -- exporting ------------------------------------------------------------------------------


def test_the_export_has_what_the_filter_lets_through_and_is_logged(world, officer):
    note(world, "item-held", actor="user:a", item_id="ab12", data={"reason": "no-faces"})
    [entry] = export(officer, actor="user:a")
    assert entry["action"] == "item-held"
    assert entry["words"] == "held an item"
    assert json.loads(entry["details"]) == {"reason": "no-faces"}
    assert len(entry["digest"]) == 64
    with world.database.read() as session:
        logged = Audit(session, world.keyring).entries(last=1)[0]
    assert (logged.action, logged.actor) == ("audit-exported", "user:u-1")
    assert logged.data == {"actor": "user:a"}
    everything = export(officer)
    assert len(everything) == int(everything[0]["number"])


@pytest.mark.parametrize("evil", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_nothing_for_a_formula(world, officer, evil):
    note(world, "item-held", actor=evil)
    assert export(officer, action="item-held")[0]["actor"] == f"'{evil}"
