"""The real photographs beside the project, where they are there (they are never copied into it)."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_sample_school import mediaguard

CHANNEL = "website-public"


def test_consent_decides_who_is_visible(shared_data: Path, tmp_path: Path):
    """Empty gallery: nobody; enrolled and granted: exactly those; withdrawn: not any more."""
    home = tmp_path / "home"
    mediaguard(home, "init")
    photos = [shared_data / "groups" / name for name in ("bbt1.jpg", "bbt3.jpg", "bbt4.jpg")]
    people = sorted((shared_data / "groups" / "people").iterdir())

    def check() -> tuple[int, list[dict]]:
        result = mediaguard(home, "check", *photos, "--channel", CHANNEL, "--format", "json")
        return result.exit_code, [
            face for item in json.loads(result.stdout)["items"] for face in item["faces"]
        ]

    code, faces = check()
    assert code == 1
    assert len(faces) >= 12
    assert {face["action"] for face in faces} == {"redact"}

    chosen = [person for person in people if len(list(person.iterdir())) >= 3][:3]
    for number, person in enumerate(chosen):
        subject = f"S-{number}"
        mediaguard(home, "subject", "add", subject)
        for channel in ("matching", CHANNEL):
            mediaguard(
                home, "consent", "grant", subject, "--channel", channel,
                "--signatory", "guardian", "--evidence", "FORM-1",
            )  # fmt: skip
        mediaguard(home, "subject", "enrol", subject, person)
    _, faces = check()
    kept = {face["subject"] for face in faces if face["action"] == "keep"}
    assert kept
    assert kept <= {f"S-{number}" for number in range(len(chosen))}
    assert all(face["subject"] is None for face in faces if face["rule"] == "face-unknown")

    withdrawn = sorted(kept)[0]
    mediaguard(home, "consent", "withdraw", withdrawn, "--channel", CHANNEL)
    _, faces = check()
    assert {face["subject"] for face in faces if face["action"] == "keep"} == kept - {withdrawn}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_nothing_personal_is_left_in_the_renditions(shared_data: Path, tmp_path: Path):
    """Every tag that exiftool finds is about the pixels or the file, none about people."""
    home, out = tmp_path / "home", tmp_path / "out"
    mediaguard(home, "init")
    photos = [path for path in (shared_data / "dirty").iterdir() if path.suffix != ".mp4"]
    mediaguard(home, "process", *photos, "--channel", CHANNEL, "--out", out)
    written = list(out.iterdir())
    assert len(written) == len(photos)
    listed = subprocess.run(
        ["exiftool", "-json", "-G", *map(str, written)], capture_output=True, check=True
    )
    harmless = ("File:", "ExifTool:", "Composite:", "PNG:", "RIFF:", "GIF:", "JFIF:", "SourceFile")
    for tags in json.loads(listed.stdout):
        for tag in tags:
            assert tag.startswith(harmless), (tags["SourceFile"], tag)
            assert not any(
                word in tag.lower()
                for word in ("comment", "author", "artist", "gps", "copyright", "title", "serial")
            ), tag
