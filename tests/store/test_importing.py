"""Imports: an export of a parent app becomes consent only where it says so, word for word."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaguard.core.consent import MATCHING, UNATTRIBUTED, Answer, Kind
from mediaguard.errors import ConfigError, InputError
from mediaguard.store.importing import What, apply_consents, plan_consents, read_consents
from mediaguard.store.ledger import Given, Ledger
from mediaguard.store.mapping import Mapping, load_mapping
from mediaguard.store.roster import apply_roster, plan_roster, read_roster
from mediaguard.store.tabular import MAX_BYTES, ImportRefused
from tests.conftest import ROOT
from tests.store.conftest import NOW, ZONE

EXAMPLES = ROOT / "config" / "examples"
PURPOSES = {
    "website-public": "publicity",
    "website-protected": "publicity",
    "facebook": "publicity",
    "newsletter": "publicity",
    MATCHING: MATCHING,
}
HEADING = "nr;door;ref;versie;vanaf;tot;web;fb"
MAPPING = Mapping.model_validate(
    {
        "columns": {
            "subject": "nr",
            "signatory": "door",
            "evidence": "ref",
            "wording": "versie",
            "from": "vanaf",
            "until": "tot",
        },
        "channels": {"website-public": "web", "facebook": "fb"},
        "values": {"yes": ["ja", "Akkoord"], "no": ["nee"]},
        "signatory": {"guardian": ["ouder"], "subject": ["zelf"]},
    }
)


class School:
    """A ledger with three subjects, and a clock that goes on with every import."""

    def __init__(self, database, folder):
        self.database, self.folder, self.now = database, folder, NOW
        with database.write() as session:
            for subject_id in ("s1", "s2", "s3"):
                Ledger(session).add_subject(subject_id, at=NOW)

    def run(self, *rows, mapping=MAPPING, heading=HEADING, **options):
        self.now += timedelta(minutes=1)
        path = self.folder / "consents.csv"
        path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
        file = read_consents(path, mapping)
        with self.database.write() as session:
            ledger = Ledger(session)
            ledger.lock(None)
            plan = plan_consents(
                path, file, ledger, purposes=PURPOSES, zone=ZONE, now=self.now, **options
            )
            apply_consents(plan, ledger, purposes=PURPOSES, at=self.now)
        return [(change.what.value, change.subject_id, change.channel) for change in plan.changes]

    def answer(self, answer, signatory=UNATTRIBUTED, **fields):
        self.now += timedelta(minutes=1)
        with self.database.write() as session:
            given = Given(
                "s1", "website-public", "publicity", answer, signatory, "at the desk", **fields
            )
            Ledger(session).append(given, at=self.now)

    def allowed(self, channel="website-public"):
        with self.database.read() as session:
            rulings = Ledger(session).rulings(
                channel=channel,
                purpose=PURPOSES[channel],
                now=self.now + timedelta(seconds=1),
                zone=ZONE,
                accepted_wordings=None,
            )
        return {subject_id for subject_id, ruling in rulings.items() if ruling.allowed}

    def events(self):
        with self.database.read() as session:
            return Ledger(session).events()


@pytest.fixture
def school(sqlite_database, tmp_path):
    return School(sqlite_database, tmp_path)


def problems(school, *rows, **options):
    before = school.events()
    with pytest.raises(ImportRefused) as caught:
        school.run(*rows, **options)
    assert school.events() == before
    return [(p.line, p.column, p.code) for p in caught.value.problems]


# -- what is recorded -----------------------------------------------------------------------


def test_a_yes_is_recorded_with_everything_the_row_says(school):
    school.run("s1;Ouder;form 7;2026-1;2026-01-01;2026-12-31; JA ;nee")
    yes, no = school.events()
    assert (yes.answer, yes.signatory, yes.evidence, yes.wording) == (
        "granted",
        "guardian",
        "form 7",
        "2026-1",
    )
    assert (yes.valid_from, yes.valid_until) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (no.answer, no.channel, no.signatory) == ("refused", "facebook", "guardian")
    assert school.allowed() == {"s1"}
    assert school.allowed("facebook") == set()


def test_an_empty_row_grants_and_records_nothing(school):
    assert school.run("s1;;;;;;;") == []
    assert school.events() == []


def test_the_same_file_twice_changes_nothing(school):
    rows = ("s1;ouder;f;v;;;ja;nee", "s2;zelf;f;v;;;ja;", "s3;;;;;;nee;")
    assert len(school.run(*rows)) == 4
    assert school.run(*rows) == []
    assert school.run(*reversed(rows)) == []


@pytest.mark.parametrize("cell", ["", "nee", " Nee "])
def test_a_yes_that_became_no_or_empty_is_withdrawn(school, cell):
    school.run("s1;ouder;f;v;;;ja;ja")
    assert school.run(f"s1;ouder;f;v;;;{cell};ja") == [("withdrawn", "s1", "website-public")]
    assert school.allowed() == set()
    assert school.allowed("facebook") == {"s1"}
    assert school.run("s1;ouder;f;v;;;ja;ja") == [("granted", "s1", "website-public")]
    assert school.allowed() == {"s1"}


def test_a_row_that_no_longer_says_who_answered_withdraws_for_everyone(school):
    school.run("s1;ouder;f;v;;;ja;")
    assert school.run("s1;;;;;;;") == [("withdrawn", "s1", "website-public")]
    assert school.events()[-1].signatory == UNATTRIBUTED
    assert school.allowed() == set()
    assert school.run("s1;;;;;;;") == []


def test_a_no_of_the_pupil_withdraws_the_yes_of_the_guardian(school):
    school.run("s1;ouder;f;v;;;ja;")
    assert school.run("s1;zelf;f;v;;;nee;") == [("withdrawn", "s1", "website-public")]
    assert school.allowed() == set()


def test_a_new_form_or_wording_is_a_new_consent(school):
    school.run("s1;ouder;f;v1;;;ja;")
    assert school.run("s1;ouder;f;v2;;;ja;") == [("granted", "s1", "website-public")]
    assert school.run("s1;ouder;f;v2;;2027-01-01;ja;") == [("granted", "s1", "website-public")]
    assert school.run("s1;ouder;f2;v2;;2027-01-01;ja;") == [("granted", "s1", "website-public")]
    assert school.run("s1;ouder;f2;v2;;2027-01-01;ja;") == []


PLAIN = Mapping.model_validate(
    {
        "columns": {"subject": "nr", "evidence": "ref"},
        "channels": {"website-public": "web"},
        "values": {"yes": ["ja"], "no": ["nee"]},
        "signatory": {"default": "guardian"},
    }
)
"""Of a file that says nothing about wordings and dates."""


def plain(school, *rows):
    return school.run(*rows, mapping=PLAIN, heading="nr;ref;web")


def test_what_the_file_has_no_column_for_stays_as_it_was(school):
    fields = {"wording": "v1", "valid_from": date(2026, 1, 1), "valid_until": date(2026, 3, 9)}
    school.answer(Answer.GRANTED, "guardian", **fields)
    assert plain(school, "s1;at the desk;ja") == []
    assert plain(school, "s1;app 7;ja") == [("granted", "s1", "website-public")]
    last = school.events()[-1]
    assert {name: getattr(last, name) for name in fields} == fields
    assert last.evidence == "app 7"
    school.now += timedelta(days=30)
    assert plain(school, "s1;app 7;ja") == [("kept", "s1", "website-public")]
    assert school.allowed() == set(), "the parents' last day is not lifted by a file without days"
    assert school.run("s1;ouder;app 8;v1;;;ja;") == [("granted", "s1", "website-public")]
    assert school.allowed() == {"s1"}


def test_a_yes_in_the_second_of_a_no_is_taken_over_by_the_next_import(school):
    plain(school, "s1;f;nee")
    school.now -= timedelta(seconds=59.5)
    assert plain(school, "s1;f;ja") == [("granted", "s1", "website-public")]
    assert school.allowed() == set(), "within a second the no counts"
    assert plain(school, "s1;f;ja") == [("granted", "s1", "website-public")]
    assert school.allowed() == {"s1"}
    assert plain(school, "s1;f;ja") == []


@pytest.mark.parametrize("answer", [Answer.WITHDRAWN, Answer.REFUSED])
@pytest.mark.parametrize("signatory", ["guardian", "subject", UNATTRIBUTED])
@pytest.mark.parametrize("row", ["s1;ouder;f;v;;;ja;", "s1;ouder;f2;v2;2030-01-01;;ja;"])
def test_a_withdrawal_at_the_desk_is_not_overruled_by_the_next_export(
    school, answer, signatory, row
):
    school.run("s1;ouder;f;v;;;ja;")
    school.answer(answer, signatory)
    for _ in range(2):
        assert school.run(row) == [("kept", "s1", "website-public")]
        assert school.allowed() == set()
    school.answer(Answer.GRANTED, "guardian")
    school.run("s1;ouder;f;v;;;ja;")
    assert school.allowed() == {"s1"}


def test_a_refusal_at_the_desk_before_the_first_import_stands(school):
    school.answer(Answer.REFUSED, "guardian")
    assert school.run("s1;ouder;f;v;;;ja;") == [("kept", "s1", "website-public")]


def test_an_empty_cell_withdraws_what_was_granted_on_paper(school):
    school.answer(Answer.GRANTED, "guardian")
    assert school.run("s1;ouder;f;v;;;;") == [("withdrawn", "s1", "website-public")]
    assert school.allowed() == set()


def test_every_guardian_in_a_row_of_their_own(school):
    data = MAPPING.model_dump(by_alias=True)
    data["columns"]["signatory_id"] = "wie"
    mapping = Mapping.model_validate(data)
    context = {"mapping": mapping, "heading": HEADING + ";wie"}
    yes, no = "s1;ouder;f;v;;;ja;;g1", "s1;ouder;f;v;;;nee;;g2"
    assert len(school.run(yes, no, **context)) == 2
    assert school.allowed() == set()  # one of them refused
    assert school.run(yes, no, **context) == []
    school.run(yes, no.replace("nee", "ja"), **context)
    assert school.allowed() == {"s1"}
    school.run(yes, no.replace("nee", ""), **context)
    assert school.allowed() == set()
    assert problems(school, yes, yes, **context) == [(3, "nr", "problem-subject-twice")]


def test_without_evidence_in_the_file_the_file_is_the_evidence(school):
    mapping = Mapping.model_validate(
        {
            "columns": {"subject": "nr"},
            "channels": {"facebook": "fb"},
            "values": {"yes": ["ja"]},
            "signatory": {"default": "guardian"},
        }
    )
    school.run("s1;ja", mapping=mapping, heading="nr;fb")
    assert school.events()[0].evidence.startswith("import:")
    assert school.events()[0].evidence.endswith(":2")
    assert school.run("s2;ja", "s1;ja", mapping=mapping, heading="nr;fb") == [
        ("granted", "s2", "facebook")
    ]


def test_unknown_subjects_are_added_only_if_asked(school):
    row = "new;ouder;f;v;;;ja;"
    assert problems(school, row) == [(2, "", "problem-subject-unknown")]
    assert school.run(row, add_subjects=True) == [
        ("add", "new", None),
        ("granted", "new", "website-public"),
    ]


# -- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("s1;ouder;f;v;;;ja?;", ("web", "problem-value")),
        ("s1;ouder;f;v;;;j;", ("web", "problem-value")),
        ("s1;ouder;f;v;;;true;", ("web", "problem-value")),
        ("s1;ouder;f;v;;;ja nee;", ("web", "problem-value")),
        ("s1;oma;f;v;;;ja;", ("door", "problem-signatory")),
        ("s1;;f;v;;;ja;", ("door", "problem-signatory")),
        ("s1;ouder;f;v;1-1-2026;;ja;", ("vanaf", "problem-date")),
        ("s1;ouder;f;v;;2026-02-30;ja;", ("tot", "problem-date")),
        ("s1;ouder;f;v;2026-02-01;2026-01-01;ja;", ("tot", "problem-dates")),
        (";ouder;f;v;;;ja;", ("nr", "problem-subject-missing")),
        ("Jan Jansen;ouder;f;v;;;ja;", ("nr", "problem-subject-invalid")),
        ("s1;ouder;f;v;;;ja", ("", "problem-fields")),
        ("s1;ouder;f;v;;;ja;;", ("", "problem-fields")),
        ('s1;ouder;"f\nf";v;;;ja;', ("ref", "problem-text")),
        (f"s1;ouder;{'f' * 201};v;;;ja;", ("ref", "problem-text")),
        ("s1;ouder;\x1b[31m;v;;;ja;", ("ref", "problem-text")),
    ],
)
def test_a_mistake_is_named_by_line_and_column_and_nothing_is_taken_over(school, row, expected):
    assert problems(school, "s2;ouder;f;v;;;ja;", row) == [(3, *expected)]


def test_all_mistakes_are_named_at_once(school):
    found = problems(school, "s1;oma;f;v;;;x;y", "s1;ouder;f;v;;;ja;", "s2;ouder;f;v;?;;ja;")
    assert [line for line, _, _ in found] == [2, 2, 2, 3, 4]


def test_lines_are_counted_as_an_editor_does(school):
    rows = ("", 's1;ouder;f;v;;;"ja";', " ;;; ;;;;", "s2;ouder;f;v;;;x;")
    assert problems(school, *rows) == [(5, "web", "problem-value")]


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("nr;door;ref;versie;vanaf;tot;web;web", "problem-header-twice"),
        ("nr;door;ref;versie;vanaf;tot;web;Facebook", "problem-header-missing"),
        ("", "problem-header-missing"),
    ],
)
def test_headings_must_be_there_once(school, heading, code):
    assert code in {p[2] for p in problems(school, "s1;ouder;f;v;;;ja;", heading=heading)}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "problem-empty"),
        (b"\n\n", "problem-empty"),
        (HEADING.encode("utf-16"), "problem-encoding"),
        (HEADING.encode() + b"\n\xe9", "problem-encoding"),
        (HEADING.encode() + b"\ns1\0", "problem-nul"),
        (HEADING.encode() + b'\n"s1"x;', "problem-csv"),
        (HEADING.encode() + b'\n"s1;', "problem-csv"),
        (HEADING.encode() + b"\n" + b"x" * 200_000, "problem-csv"),
    ],
)
def test_what_is_no_such_csv_is_refused(tmp_path, content, code):
    path = tmp_path / "hostile.csv"
    path.write_bytes(content)
    with pytest.raises(ImportRefused) as caught:
        read_consents(path, MAPPING)
    assert [p.code for p in caught.value.problems] == [code]


def test_a_file_that_is_far_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError) as caught:
        read_consents(path, MAPPING)
    assert caught.value.code == "import-too-large"
    with pytest.raises(InputError) as caught:
        read_consents(tmp_path / "absent.csv", MAPPING)
    assert caught.value.code == "import-unreadable"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_how_spreadsheets_write(tmp_path, encoding, newline):
    data = MAPPING.model_dump(by_alias=True)
    data["csv"]["encoding"] = "utf-8" if encoding == "utf-8-sig" else encoding
    path = tmp_path / "excel.csv"
    path.write_bytes(newline.join([HEADING, "s1;ouder;fé;v;;;ja;", ""]).encode(encoding))
    file = read_consents(path, Mapping.model_validate(data))
    assert file.rows[0].evidence == "fé"


words = st.sampled_from(["ja", "nee", "", "JA ", "x", "ja;", '"', "ouder", "\n", "0", "\u202eja"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(st.lists(st.lists(words, min_size=8, max_size=8), max_size=4))
def test_no_row_grants_what_it_does_not_say(tmp_path, rows):
    path = tmp_path / "fuzz.csv"
    path.write_text("\n".join([HEADING, *(";".join(row) for row in rows)]), encoding="utf-8")
    try:
        file = read_consents(path, MAPPING)
    except ImportRefused:
        return
    granted = sum(reply.value == "yes" for row in file.rows for reply in row.answers.values())
    assert granted <= sum(cell.strip().lower() == "ja" for row in rows for cell in row)


# -- mappings -------------------------------------------------------------------------------


def test_the_example_fits_the_sample_school_and_its_own_files(sqlite_database):
    mapping = load_mapping(EXAMPLES / "parent-app.toml")
    for folder in (EXAMPLES, ROOT / "sample_media"):
        if not (folder / "consents.csv").exists():
            continue
        file = read_consents(folder / "consents.csv", mapping)
        with sqlite_database.read() as session:
            ledger = Ledger(session)
            apply_roster(plan_roster(read_roster(folder / "roster.csv"), ledger), ledger, at=NOW)
            plan = plan_consents(
                folder / "consents.csv", file, ledger, purposes=PURPOSES, zone=ZONE, now=NOW
            )
            assert plan.count(What.GRANTED) > 0
            apply_consents(plan, ledger, purposes=PURPOSES, at=NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('subject = "Leerlingnummer"', ""),
        ('yes = ["ja"]', 'yes = ["ja", "nee"]'),
        ('yes = ["ja"]', 'yes = ["ja", ""]'),
        ('yes = ["ja"]', "yes = []"),
        ('subject = ["zelf"]', 'subject = ["Ouder"]'),
        ('signatory = "Toestemming door"', ""),
        ('"Facebook"', '"Nieuwsbrief"'),
        ('encoding = "utf-8"', 'encoding = "utf-88"'),
        ('encoding = "utf-8"', 'encoding = "base64"'),
        ('delimiter = ";"', 'delimiter = ";;"'),
        ("[csv]", "[cvs]"),
        ("[csv]", "[csv"),
    ],
)
def test_a_mapping_that_could_be_misread_is_refused(tmp_path, old, new):
    text = (EXAMPLES / "parent-app.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mapping.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_mapping(path)
    assert caught.value.code == "mapping-invalid"


def test_a_mapping_cannot_invent_a_channel(school, tmp_path):
    data = MAPPING.model_dump(by_alias=True)
    data["channels"] = {"tiktok": "web"}
    with pytest.raises(ConfigError) as caught:
        school.run("s1;ouder;f;v;;;ja;", mapping=Mapping.model_validate(data))
    assert caught.value.code == "mapping-channel"


# -- rosters --------------------------------------------------------------------------------


def roster(tmp_path, content, name="roster.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_roster(path)


def test_a_roster_is_taken_over_and_corrected(sqlite_database, tmp_path):
    first = roster(
        tmp_path, "subject_id,kind,groups,born\ns1,student,4B|koor,2015-01-31\nm1,staff,,\n"
    )
    second = roster(tmp_path, "subject_id;groups\ns1;5B\ns2;5B\n")
    with sqlite_database.write() as session:
        ledger = Ledger(session)
        apply_roster(plan_roster(first, ledger), ledger, at=NOW)
        assert ledger.subject("m1").kind is Kind.STAFF
        plan = plan_roster(second, ledger)
        assert ([s.subject_id for s in plan.added], plan.unchanged, plan.missing) == (
            ["s2"],
            0,
            ["m1"],
        )
        apply_roster(plan, ledger, at=NOW)
        corrected = ledger.subject("s1")
        assert corrected.groups == {"5B"}
        assert corrected.born == date(2015, 1, 31)  # not erased by a file without it
        assert plan_roster(second, ledger).unchanged == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("subject_id,kind\ns1,teacher\n", "problem-kind"),
        ("subject_id,born\ns1,31-01-2015\n", "problem-date"),
        ("subject_id,born\ns1,20150131\n", "problem-date"),
        ("subject_id,born\ns1,2015-02-30\n", "problem-date"),
        ("subject_id\ns1\ns1\n", "problem-subject-twice"),
        ("subject_id\nJan Jansen\n", "problem-subject-invalid"),
        ("subject_id,groups\n,4B\n", "problem-subject-missing"),
        ("name,kind\ns1,student\n", "problem-header-missing"),
    ],
)
def test_a_roster_with_a_mistake_is_refused(tmp_path, content, code):
    with pytest.raises(ImportRefused) as caught:
        roster(tmp_path, content)
    assert {p.code for p in caught.value.problems} == {code}


EDEXML = """<?xml version="1.0" encoding="UTF-8"?>
<EDEX{ns}>
  <school><naam>Geheim</naam></school>
  <groepen><groep key="g1"><naam>4B</naam><jaargroep>4</jaargroep></groep></groepen>
  <leerlingen>
    <leerling key="L1" eckid="https://ketenid.nl/x">
      <achternaam>Geheim</achternaam><roepnaam>Geheim</roepnaam>
      <geboortedatum>2015-04-12</geboortedatum><groep key="g1"/>
    </leerling>
    <leerling key="L2"><achternaam>Geheim</achternaam><groep key="g9"/></leerling>
  </leerlingen>
  <leerkrachten><leerkracht key="T1"><geboortedatum>1980-01-01</geboortedatum></leerkracht>
  </leerkrachten>
</EDEX>"""


@pytest.mark.parametrize("ns", ["", ' xmlns="http://www.edexml.nl/2.1"'])
def test_of_edexml_only_key_group_and_birthday_are_read(tmp_path, ns):
    subjects = roster(tmp_path, EDEXML.replace("{ns}", ns), "school.xml")
    assert [(s.subject_id, s.groups, s.born, s.kind) for s in subjects] == [
        ("L1", {"4B"}, date(2015, 4, 12), Kind.STUDENT),
        ("L2", {"g9"}, None, Kind.STUDENT),
    ]
    assert "Geheim" not in repr(subjects)


def test_the_edexml_example_is_read():
    assert len(read_roster(EXAMPLES / "roster-edexml.xml")) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('<!DOCTYPE EDEX [<!ENTITY a "aaaa">]><EDEX>&a;</EDEX>', "problem-xml-dtd"),
        ('<!DOCTYPE EDEX SYSTEM "file:///etc/passwd"><EDEX/>', "problem-xml-dtd"),
        ("<EDEX><leerlingen>", "problem-xml"),
        ("<EDEX>&undefined;</EDEX>", "problem-xml"),
        ('<?xml version="1.0" encoding="klingon"?><EDEX/>', "problem-xml"),
        ("", "problem-xml"),
        ("<html/>", "problem-not-edexml"),
        ("<EDEX><leerlingen><leerling/></leerlingen></EDEX>", "problem-subject-missing"),
    ],
)
def test_hostile_xml_is_refused(tmp_path, content, code):
    with pytest.raises(ImportRefused) as caught:
        roster(tmp_path, content, "school.xml")
    assert [p.code for p in caught.value.problems] == [code]


def test_the_examples_hold_only_pseudonyms():
    for path in sorted(Path(EXAMPLES).glob("*.csv")):
        assert "@" not in path.read_text(encoding="utf-8")
