"""`mediaguard serve` as a school runs it, with real pictures, killed after it took one in."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx

from mediaguard.channels.signing import sign
from mediaguard.config import FILE_NAME
from tests.conftest import ROOT

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SENDER = """
[web.senders.website]
secrets = ["env:MEDIAGUARD_TEST_SECRET"]
channels = ["website-public"]

[web.senders.parents-app]
secrets = ["env:MEDIAGUARD_TEST_SECRET"]
channels = ["website-public"]
consents = true
"""


class Signed(httpx.Auth):
    requires_request_body = True

    def auth_flow(self, request):
        message_id = request.headers.get("webhook-id", f"msg_{uuid.uuid4().hex}")
        request.headers["mediaguard-sender"] = "website"
        request.headers.update(sign([SECRET], message_id, int(time.time()), [request.content]))
        yield request


def serve(home: Path) -> tuple[subprocess.Popen, httpx.Client]:
    process = subprocess.Popen(
        [Path(sys.executable).parent / "mediaguard", "serve", "--port", "0"],
        env={**os.environ, "MEDIAGUARD_HOME": str(home), "MEDIAGUARD_TEST_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
    return process, httpx.Client(base_url=url, auth=Signed(), timeout=120)


def test_the_examples_of_the_guide_run(home, tmp_path):
    guide = (ROOT / "docs" / "guides" / "cms-builder.md").read_text()
    (python,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (shell,) = re.findall(r"```bash\n(.*?)```", guide, re.DOTALL)
    with (home / FILE_NAME).open("a") as file:
        file.write(SENDER)
    photo = sorted((ROOT / "sample_media" / "photos").glob("02-*.jpg"))[0]
    shutil.copy(photo, tmp_path / "class.jpg")
    process, api = serve(home)
    try:
        environment = {
            **os.environ,
            "MEDIAGUARD_URL": str(api.base_url),
            "MEDIAGUARD_SECRET": SECRET,
        }
        for command in ([sys.executable, "-c", python], ["bash", "-euc", shell]):
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "class-published.jpg").stat().st_size > 10_000
        assert json.loads(done.stdout)["results"][0]["status"] == "recorded"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_photo_is_decided_on_though_the_server_is_killed(home):
    with (home / FILE_NAME).open("a") as file:
        file.write(SENDER)
    photo = sorted((ROOT / "sample_media" / "photos").glob("02-*.jpg"))[0].read_bytes()
    process, api = serve(home)
    form = {"data": {"channel": "website-public"}, "files": {"file": ("photo.jpg", photo)}}
    taken = api.post("/v1/media", **form)
    assert taken.status_code == 202
    process.send_signal(signal.SIGKILL)
    process.wait()

    process, api = serve(home)
    try:
        # The same photo once more is the same item, and is answered when it is decided.
        answer = api.post("/v1/media", params={"wait": 60}, **form)
        assert answer.status_code == 200, answer.text
        item = answer.json()
        assert item["id"] == taken.json()["id"]
        assert (item["state"], item["verified"]) == ("released", True)
        assert {face["action"] for face in item["faces"]} == {"keep", "redact"}
        rendition = api.get(item["links"]["rendition"])
        assert rendition.headers["content-type"] == "image/jpeg"
        assert rendition.content != photo
        published = api.get("/v1/publications").json()["items"]
        assert [one["item"] for one in published] == [item["id"]], json.dumps(published)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
