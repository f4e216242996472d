"""The sample school through the real thing: real models, real files, ground truth per face."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageOps

from mediaguard.app import App
from mediaguard.cli.main import cli
from mediaguard.core.faces import Box
from mediaguard.resources import resource

PHOTOS = resource("sample_media", "photos")
CHANNEL = "website-public"


def mediaguard(home: Path, *arguments: object) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home), *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def truth() -> dict[str, dict]:
    return json.loads(resource("sample_media", "ground_truth.json").read_text())["photos"]


@pytest.fixture(scope="module")
def processed(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Report items by photo name, from one run of `process --out`."""
    out = tmp_path_factory.mktemp("out")
    result = mediaguard(
        sample_home, "process", PHOTOS, "--channel", CHANNEL, "--out", out, "--format", "json"
    )
    assert result.exit_code == 1, result.output  # one of the ten is held
    report = json.loads(result.stdout)
    assert report["channel"] == CHANNEL
    return {Path(item["path"]).name: item for item in report["items"]}


def allowed(home: Path) -> set[str]:
    app = App(home)
    subjects = [subject.subject_id for subject in app.subjects()]
    return {s for s, ruling in app.book(CHANNEL).rulings(subjects).items() if ruling.allowed}


def upright(path: Path) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), np.int16)


def changed(before: np.ndarray, after: np.ndarray, box: list[int]) -> float:
    """Share of the face's pixels that changed clearly."""
    x, y, w, h = (max(int(v), 0) for v in box)
    part = np.abs(before[y : y + h, x : x + w] - after[y : y + h, x : x + w]).max(axis=2)
    return float((part > 24).mean()) if part.size else 1.0


def test_ten_photos_with_a_rule_each(truth: dict[str, dict]):
    assert sorted(truth) == sorted(path.name for path in PHOTOS.glob("*.jpg"))
    assert len(truth) == 10
    assert len({photo["rule"] for photo in truth.values()}) == 10


def test_nobody_without_consent_is_visible(sample_home, processed, truth):
    """By pixels, face for face, against the ground truth: not by what the program says."""
    may_be_seen = allowed(sample_home)
    checked = 0
    for name, item in processed.items():
        if item["rendition"] is None:
            continue
        before, after = upright(PHOTOS / name), upright(Path(item["rendition"]))
        assert before.shape == after.shape
        for face in truth[name]["faces"]:
            if face["subject"] in may_be_seen or face.get("visible") == "back":
                continue
            checked += 1
            assert changed(before, after, face["box"]) > 0.6, (name, face)
    assert checked == 9


def test_those_who_agreed_stay_visible(sample_home, processed, truth):
    may_be_seen = allowed(sample_home)
    with_references = {path.name for path in resource("sample_media", "references").iterdir()}
    shown = expected = 0
    for name, item in processed.items():
        if item["rendition"] is None:
            continue
        before, after = upright(PHOTOS / name), upright(Path(item["rendition"]))
        for face in truth[name]["faces"]:
            if face["subject"] in may_be_seen & with_references and "visible" not in face:
                expected += 1
                shown += changed(before, after, face["box"]) < 0.05
    assert expected >= 12
    assert shown / expected > 0.85  # over-redaction under 15 percent


def test_names_in_the_report_are_right(processed, truth):
    """Whoever is kept is who the ground truth says."""
    for name, item in processed.items():
        for face in item["faces"]:
            if face["action"] == "keep":
                box = Box(*face["box"])
                best = max(truth[name]["faces"], key=lambda f: box.iou(Box(*f["box"])))
                assert best["subject"] == face["subject"], (name, face)


def test_every_rendition_was_verified_and_carries_nothing(processed):
    for item in processed.values():
        assert item["verified"] == (item["rendition"] is not None)
        if item["rendition"]:
            picture = Image.open(item["rendition"])
            assert not picture.getexif()
            assert "exif" not in picture.info


def test_withdrawal_hides_exactly_that_subject(home: Path):
    photo = PHOTOS / "01-lesson-in-the-classroom.jpg"

    def kept() -> set[str]:
        result = mediaguard(home, "check", photo, "--channel", CHANNEL, "--format", "json")
        (item,) = json.loads(result.stdout)["items"]
        assert result.exit_code == (0 if item["outcome"] == "release" else 1)
        return {face["subject"] for face in item["faces"] if face["action"] == "keep"}

    before = kept()
    assert len(before) >= 3
    subject = sorted(before)[0]
    assert mediaguard(home, "consent", "withdraw", subject, "--channel", CHANNEL).exit_code == 0
    assert kept() == before - {subject}
    grant = ["--signatory", "guardian", "--evidence", "FORM-9"]
    if subject.startswith("T"):
        grant[1] = "subject"
    mediaguard(home, "consent", "grant", subject, "--channel", CHANNEL, *grant)
    assert kept() == before


def test_an_empty_gallery_redacts_every_face(tmp_path: Path, processed):
    home = tmp_path / "empty"
    mediaguard(home, "init")
    result = mediaguard(home, "check", PHOTOS, "--channel", CHANNEL, "--format", "json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    faces = [face for item in report["items"] for face in item["faces"]]
    assert {face["action"] for face in faces} == {"redact"}
    assert {face["subject"] for face in faces} == {None}
    assert report["summary"]["faces_redacted"] == len(faces)
    assert len(faces) >= sum(len(item["faces"]) for item in processed.values())


def test_enrolment_needs_an_opt_in_and_one_good_face(home: Path, tmp_path: Path):
    reference = next(iter(sorted(resource("sample_media", "references").glob("*/1.jpg"))))
    subject = reference.parent.name
    mediaguard(home, "subject", "add", "S-9999")
    refused = mediaguard(home, "subject", "enrol", "S-9999", reference)
    assert refused.exit_code == 2
    assert "S-9999" in refused.stderr

    group = mediaguard(home, "subject", "enrol", subject, PHOTOS / "01-lesson-in-the-classroom.jpg")
    assert group.exit_code == 2
    assert "exactly one" in group.stderr
    Image.new("RGB", (300, 300), "gray").save(tmp_path / "nobody.jpg")
    nobody = mediaguard(home, "subject", "enrol", subject, tmp_path / "nobody.jpg")
    assert nobody.exit_code == 2
    picture = Image.open(reference)
    picture.resize((60, 60)).save(tmp_path / "tiny.jpg")
    tiny = mediaguard(home, "subject", "enrol", subject, tmp_path / "tiny.jpg")
    assert tiny.exit_code == 2

    mediaguard(
        home, "consent", "grant", "S-9999", "--channel", "matching",
        "--signatory", "guardian", "--evidence", "FORM-1",
    )  # fmt: skip
    mixed_up = mediaguard(home, "subject", "enrol", "S-9999", reference)
    assert mixed_up.exit_code == 0
    assert subject in mixed_up.stderr  # the same face as somebody else's: a mix-up
    assert mediaguard(home, "subject", "forget", "S-9999").exit_code == 0


def test_reports_in_every_format(home: Path):
    photo = PHOTOS / "02-on-the-grass.jpg"
    html = mediaguard(home, "check", photo, "--channel", CHANNEL, "--format", "html").stdout
    assert html.startswith("<!doctype html>")
    assert "data:image/jpeg;base64," in html
    junit = mediaguard(home, "check", photo, "--channel", CHANNEL, "--format", "junit").stdout
    assert "<testsuite" in junit
    text = mediaguard(home, "check", photo, "--channel", CHANNEL).stdout
    assert "02-on-the-grass.jpg" in text


def test_errors_exit_with_two_and_say_what_to_do(home: Path, tmp_path: Path):
    missing = mediaguard(tmp_path / "nowhere", "check", PHOTOS, "--channel", CHANNEL)
    assert missing.exit_code == 2
    assert "init" in missing.stderr
    unknown = mediaguard(home, "check", PHOTOS, "--channel", "tiktok")
    assert unknown.exit_code == 2
    assert "website-public" in unknown.stderr
    no_file = mediaguard(home, "check", tmp_path / "none.jpg", "--channel", CHANNEL)
    assert no_file.exit_code == 2
    config = home / "mediaguard.toml"
    config.write_text(config.read_text() + "\nunknown_setting = 1\n")
    wrong = mediaguard(home, "check", PHOTOS, "--channel", CHANNEL)
    assert wrong.exit_code == 2
    assert "unknown_setting" in wrong.stderr


def test_a_home_that_lost_its_key_never_gets_a_new_one(home: Path):
    (home / "keys" / "master.key").unlink()
    for command in (["init"], ["check", PHOTOS, "--channel", CHANNEL]):
        result = mediaguard(home, *command)
        assert result.exit_code == 2
        assert "master.key" in result.stderr
    assert not (home / "keys" / "master.key").exists()


def test_the_audit_log_tells_the_story(home: Path):
    mediaguard(home, "process", PHOTOS / "01-lesson-in-the-classroom.jpg", "--channel", CHANNEL)
    assert mediaguard(home, "audit", "verify").exit_code == 0
    entries = json.loads(mediaguard(home, "audit", "show", "--format", "json").stdout)["entries"]
    actions = {entry["action"] for entry in entries}
    assert {"reference-added", "publication-intended", "publication-live"} <= actions
    listed = json.loads(mediaguard(home, "publication", "list", "--format", "json").stdout)
    (publication,) = listed["publications"]
    assert publication["state"] == "live"
    assert publication["subjects"]


def test_models_are_the_measured_ones(home: Path):
    result = mediaguard(home, "models", "verify", "--format", "json")
    assert result.exit_code == 0
    states = {m["model"]: m["state"] for m in json.loads(result.stdout)["models"]}
    assert states["centerface"] == "ok"


def test_the_demo_ends_with_a_contact_sheet(tmp_path: Path):
    result = mediaguard(tmp_path / "unused", "demo", "--out", tmp_path / "demo", "--language", "nl")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo" / "contact-sheet.html").stat().st_size > 100_000
    sheet = Image.open(tmp_path / "demo" / "contact-sheet.png")
    assert sheet.width > 1000
    assert not (tmp_path / "unused").exists()
