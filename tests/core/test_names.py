"""Whose name stands in a text?"""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import NAMED, Decision, Outcome, without_naming
from mediaguard.core.names import Name, NameIndex, Text

SCHOOL = NameIndex.build(
    [
        Name("S-1", "Jan", "de Vries"),
        Name("S-2", "Zoë", "van 't Hof"),
        Name("S-3", "Anne-Sophie", "Bakker"),
        Name("S-4", "Łukasz", "Øster"),
        Name("S-5", "Jan", "Smit"),
        Name("S-6", "", ""),
        Name("S-7", "Bo"),
    ]
)


def found(**text: str) -> set[tuple[str, str]]:
    return {(named.subject_id, named.word) for named in SCHOOL.find(Text(**text))}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Jan wint", {("S-1", "Jan"), ("S-5", "Jan")}),
        ("JAN WINT", {("S-1", "JAN"), ("S-5", "JAN")}),
        ("het boek van jan.", {("S-1", "jan"), ("S-5", "jan")}),
        ("Jans fiets, Bo's bal", {("S-1", "Jans"), ("S-5", "Jans"), ("S-7", "Bo's")}),
        ("Zoe lacht", {("S-2", "Zoe")}),
        ("Zoe\N{COMBINING DIAERESIS} lacht", {("S-2", "Zoë")}),
        ("Anne Sophie", {("S-3", "Anne Sophie")}),
        (
            "anne-sophie\N{RIGHT SINGLE QUOTATION MARK}s",
            {("S-3", "anne-sophie\N{RIGHT SINGLE QUOTATION MARK}s")},
        ),
        ("Lukasz of Łukasz", {("S-4", "Lukasz"), ("S-4", "Łukasz")}),
        ("Mevrouw Bakker", {("S-3", "Bakker")}),
        ("familie De Vries", {("S-1", "Vries")}),
        ("de bakker bakt brood", set()),
        ("in januari, op de bof, robot", set()),
        ("", set()),
    ],
)
def test_in_a_sentence(text, who):
    assert found(caption=text) == who


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("IMG_JanDeVries2.jpg", {"S-1", "S-5"}),
        ("jandevries.jpg", {"S-1"}),
        ("jan_smit-1.png", {"S-1", "S-5"}),
        ("zoevanthof.jpg", {"S-2"}),
        ("bakker.jpg", {"S-3"}),
        ("schoolreis-2026.jpg", set()),
    ],
)
def test_in_a_file_name(name, who):
    assert {subject for subject, _ in found(file_name=name)} == who


def test_every_text_is_looked_at():
    for field in fields(Text):
        (named, _) = SCHOOL.find(Text(**{field.name: "Met Jan"}))
        assert named.field == field.name


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text):
    for named in SCHOOL.find(Text(caption=text, file_name=text)):
        assert named.word


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_list_can_be_used(first, last):
    NameIndex.build([Name("S", first, last)]).find(Text(caption=f"{first} {last}"))


@given(
    st.text("abcdefghij", min_size=2, max_size=8),
    st.sampled_from(["{}", "Hier is {}.", "({})", "{}, en", "{}'s", "x {}!"]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_a_first_name_is_found_wherever_it_stands(name, sentence, case):
    index = NameIndex.build([Name("S", name)])
    assert index.find(Text(caption=sentence.format(case(name))))


YES, NO = Ruling(True, "consent-granted", 1), Ruling(False, "consent-none")


@pytest.mark.parametrize(
    ("rulings", "named", "outcome"),
    [
        ({"S-1": YES}, ["S-1"], Outcome.RELEASE),
        ({"S-1": NO}, ["S-1"], Outcome.HOLD),
        ({}, ["S-1"], Outcome.HOLD),
        ({"S-1": YES, "S-5": NO}, ["S-1", "S-5"], Outcome.HOLD),
        ({}, [], Outcome.RELEASE),
    ],
)
def test_who_is_named_must_have_agreed(rulings, named, outcome):
    decided = without_naming(Decision("c", Outcome.RELEASE, "no-faces", ()), named, rulings)
    assert decided.outcome is outcome
    assert (decided.reason == NAMED) is (outcome is Outcome.HOLD)


def test_a_block_stays_a_block():
    block = Decision("c", Outcome.BLOCK, "channel-blocks", ())
    assert without_naming(block, ["S-1"], {}) == block
