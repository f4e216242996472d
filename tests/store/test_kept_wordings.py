"""The texts that were agreed to, kept by the desk whoever hands in the yes."""

import pytest
from sqlalchemy import event

from mediaguard.core.consent import Kind
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.desk import Desk
from mediaguard.store.kept_wordings import KeptWordings, digest
from mediaguard.store.keys import Keyring
from tests.store.conftest import NOW, ZONE
from tests.store.test_takedowns import NEWS, WEB, ChannelRules

GIVEN = {"signatory": "guardian", "evidence": "form"}

MAPPING = """
[csv]
delimiter = ";"
[columns]
subject = "nr"
wording = "versie"
[channels]
website = "web"
newsletter = "news"
[values]
yes = ["ja"]
no = ["nee"]
[signatory]
default = "guardian"
"""


class School:
    """A desk, and the files of the wordings as a dict."""

    def __init__(self, database, folder):
        self.database, self.folder = database, folder
        self.keyring = Keyring.create(folder / "master.key")
        self.files, self.read = {}, []
        self.desk = Desk(
            database,
            self.keyring,
            [ChannelRules(name, "publicity", ZONE, None) for name in (WEB, NEWS)],
            zone=ZONE,
            now=lambda: NOW,
            actor="uid:7",
            written=self._written,
            sleep=lambda _: None,
        )
        for subject in ("s1", "s2", "s3"):
            self.desk.add_subject(subject, kind=Kind.STUDENT, groups=(), born=None)

    def _written(self, version):
        self.read.append(version)
        return self.files.get(version, {})

    def load(self, *rows, **how):
        (self.folder / "mapping.toml").write_text(MAPPING)
        path = self.folder / "consents.csv"
        path.write_text("\n".join(["nr;versie;web;news", *rows]) + "\n")
        return self.desk.import_consents(path, self.folder / "mapping.toml", **how)

    def kept(self, version="v1"):
        with self.database.read() as session:
            found = KeptWordings(session).of([version])[version]
            return {language: row.text for language, row in found.items()}

    def audited(self):
        with self.database.read() as session:
            return Audit(session, self.keyring).entries()


@pytest.fixture
def school(database, tmp_path):
    return School(database, tmp_path)


def test_the_first_yes_keeps_what_is_written(school):
    school.files["v1"] = {"en": "We show you.", "nl": "Wij tonen u."}
    school.desk.refuse("s1", WEB, wording="v1", **GIVEN)
    assert school.kept() == {}
    school.desk.grant("s1", NEWS, wording="v1", **GIVEN)
    assert school.kept() == school.files["v1"]
    assert school.audited()[-1].data["wording_en"] == digest("We show you.")


def test_what_was_kept_stands_whatever_is_written_later(school):
    school.files["v1"] = {"en": "We show you."}
    school.desk.grant("s1", WEB, wording="v1", **GIVEN)
    school.files["v1"] = {"en": "We sell you.", "nl": "Wij tonen u."}
    school.desk.grant("s2", WEB, wording="v1", **GIVEN)
    assert school.kept() == {"en": "We show you.", "nl": "Wij tonen u."}
    assert school.audited()[-1].data["wording_en"] == digest("We show you.")


def test_what_was_on_a_screen_has_to_be_what_was_kept(school):
    school.desk.grant("s1", WEB, wording="v1", texts={"en": "We show you."}, **GIVEN)
    with pytest.raises(InputError, match="wording-changed"):
        school.desk.grant("s2", WEB, wording="v1", texts={"en": "We sell you."}, **GIVEN)
    school.desk.grant("s3", NEWS, **GIVEN)
    assert school.kept() == {"en": "We show you."}


def test_an_import_keeps_every_version_once(school):
    school.files = {"v1": {"nl": "Wij tonen u."}, "v2": {"nl": "Wij tonen u graag."}}
    rows = ("s1;v1;ja;ja", "s2;v2;ja;ja", "s3;v3;ja;nee")
    school.load(*rows, dry_run=True)
    assert school.kept() == {}
    statements = []
    engine = school.database._engine

    def count(_, __, statement, *___):
        if "wording_texts" in statement:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        school.load(*rows)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert school.kept("v1") == {"nl": "Wij tonen u."}
    assert school.kept("v2") == {"nl": "Wij tonen u graag."}
    assert school.read == ["v1", "v2", "v3"]
    assert len([s for s in statements if s.startswith("INSERT")]) == 2
    told = {e.subject_id: e.data for e in school.audited() if e.action == "consent-granted"}
    assert told["s2"]["wording_nl"] == digest("Wij tonen u graag.")
    assert "wording_nl" not in told["s3"]
    school.files["v1"] = {"nl": "Iets anders."}
    school.load("s2;v1;ja;ja", "s1;v1;ja;ja", "s3;v3;ja;nee")
    assert school.kept("v1") == {"nl": "Wij tonen u."}
