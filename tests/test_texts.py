"""Everything said to people exists in both languages, and every code has its sentence."""

import re
import string

import pytest

from mediaguard import texts
from mediaguard.errors import MediaguardError
from tests.conftest import ROOT


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("area", texts.AREAS, ids=lambda area: area.__name__)
def test_both_languages_say_the_same(area):
    assert area.EN.keys() == area.NL.keys()
    for code, text in area.EN.items():
        assert placeholders(text) == placeholders(area.NL[code]), code
        assert text.strip()
        assert area.NL[code].strip()


def test_no_code_is_defined_twice():
    codes = [code for area in texts.AREAS for code in area.EN]
    assert len(codes) == len(set(codes))


def test_every_raised_error_has_a_sentence():
    known = {code for area in texts.AREAS for code in area.EN}
    source = "\n".join(path.read_text() for path in (ROOT / "mediaguard").rglob("*.py"))
    raised = set(re.findall(r"(?:Config|Input|Media|Model|Store)Error\(\s*\"([a-z-]+)\"", source))
    assert len(raised) > 20
    assert raised <= known


def test_a_hostile_file_name_cannot_reach_the_terminal():
    error = MediaguardError("file-vanished", name="\x1b[31mevil\n\udcff.jpg")
    said = texts.explain(error)
    assert said.isprintable()
    assert "evil" in said


def test_an_unworded_code_is_still_said():
    assert "no-such-code" in texts.say("no-such-code", {"detail": 1}, "nl")
