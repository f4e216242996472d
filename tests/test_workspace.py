"""The folder of unfinished work: one process at a time, kept for the next try, else cleared."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from mediaguard import workspace as workspace_module
from mediaguard.errors import Cancelled, MediaError, StoreError
from mediaguard.workspace import ABANDONED_DAYS, sweep, workspace

KEY = "ab12"
HOLDER = """
    import sys, time
    from pathlib import Path
    from mediaguard.workspace import workspace

    with workspace(Path(sys.argv[1]), sys.argv[2]) as folder:
        (folder / "piece").write_bytes(b"half")
        print("at work", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def root(tmp_path):
    return tmp_path / "home" / "work"


def entries(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def code(call) -> str:
    with pytest.raises(StoreError) as caught:
        call()
    return caught.value.code


def enter(root: Path, key: str = KEY) -> None:
    with workspace(root, key):
        pass


def break_off(root: Path, error: BaseException, key: str = KEY) -> None:
    """Work that ends half-way."""
    with workspace(root, key) as folder:
        (folder / "piece").write_bytes(b"half")
        raise error


@pytest.fixture
def holder(root):
    """Another process that is at the work."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), str(root), KEY], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"at work\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def age(root: Path, days: float) -> None:
    """Everything in it was changed so many days ago."""
    then = time.time() - days * 86400
    for path in root.rglob("*"):
        os.utime(path, (then, then))


# -- what it is ------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o022, 0o000, 0o077])
def test_only_its_owner_can_look_in(root, mask):
    before = os.umask(mask)
    try:
        with workspace(root, KEY) as folder:
            assert folder.is_dir()
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_IMODE(root.stat().st_mode) == 0o700
            for lock in root.glob("*.lock"):
                assert stat.S_IMODE(lock.stat().st_mode) & 0o077 == 0
    finally:
        os.umask(before)


def test_two_pieces_of_work_are_apart(root):
    with workspace(root, "one") as one, workspace(root, "two") as two:
        assert one != two
        (one / "piece").write_bytes(b"1")
        assert list(two.iterdir()) == []
    assert entries(root) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert code(lambda: enter(tmp_path / "file" / "work")) == "work-unwritable"


def test_a_place_that_is_taken_by_a_file_is_said(root):
    """As is a disk on which the folder cannot be made though the lock can."""
    root.mkdir(parents=True)
    (root / KEY).write_bytes(b"")
    assert code(lambda: enter(root)) == "work-unwritable"


# -- how it ends -----------------------------------------------------------------------------


def test_it_is_gone_when_the_work_is_done(root):
    with workspace(root, KEY) as folder:
        (folder / "deeper").mkdir()
        (folder / "deeper" / "piece").write_bytes(b"x")
    assert entries(root) == []


@pytest.mark.parametrize(
    "error", [ValueError("x"), MediaError("clip-corrupt"), SystemExit(2), MemoryError(), OSError(5)]
)
def test_it_is_gone_after_an_error_which_is_passed_on(root, error):
    with pytest.raises(type(error)) as caught:
        break_off(root, error)
    assert caught.value is error
    assert entries(root) == []


@pytest.mark.parametrize("error", [Cancelled("cancelled"), KeyboardInterrupt()])
def test_it_is_kept_for_the_next_try_when_somebody_stopped_it(root, error):
    with pytest.raises(type(error)):
        break_off(root, error)
    with workspace(root, KEY) as folder:
        assert (folder / "piece").read_bytes() == b"half"
    assert entries(root) == []


def test_it_is_kept_when_the_process_is_killed_and_free_at_once(root, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with workspace(root, KEY) as folder:
        assert (folder / "piece").read_bytes() == b"half"
    assert entries(root) == []


def test_an_interrupt_keeps_it(root, holder):
    holder.send_signal(signal.SIGINT)
    holder.wait()
    assert f"{KEY}/piece" in entries(root)
    enter(root)
    assert entries(root) == []


# -- one at a time ---------------------------------------------------------------------------


def test_another_process_at_the_same_work_is_turned_away(root, holder):
    for _ in range(3):
        assert code(lambda: enter(root)) == "work-taken"
    assert (root / KEY / "piece").read_bytes() == b"half", "the one at work keeps its folder"
    enter(root, "other")
    assert holder.poll() is None


def test_the_same_process_is_turned_away_too(root):
    with workspace(root, KEY) as folder:
        assert code(lambda: enter(root)) == "work-taken"
        assert folder.is_dir()
    enter(root)


def test_never_two_at_once_also_when_one_ends_while_another_comes(root, monkeypatch):
    """The second opens the lock, then the first ends and removes it, then the second locks."""
    first = workspace(root, KEY)
    first.__enter__()
    lock = workspace_module._locked

    def first_ends(file) -> bool:
        monkeypatch.setattr(workspace_module, "_locked", lock)
        first.__exit__(None, None, None)
        return lock(file)

    monkeypatch.setattr(workspace_module, "_locked", first_ends)
    at_work, turned_away = 0, 0
    try:
        with workspace(root, KEY) as second:
            at_work += 1
            (second / "piece").write_bytes(b"of the second")
            with workspace(root, KEY):
                at_work += 1
    except StoreError:
        turned_away += 1
    assert (at_work < 2, turned_away) == (True, 1)


RACE = """
    import os, sys, time
    from pathlib import Path
    from mediaguard.errors import StoreError
    from mediaguard.workspace import workspace

    root, until = Path(sys.argv[1]), time.time() + 1.5
    done = 0
    while time.time() < until:
        try:
            with workspace(root, "key") as folder:
                # Only one may be here: the file can be made but once.
                os.close(os.open(folder / "mine", os.O_CREAT | os.O_EXCL))
                (folder / "mine").unlink()
                done += 1
        except StoreError:
            pass
    print(done)
"""


def test_processes_that_hurry_never_meet(root):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(RACE), str(root)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    outputs = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0], outputs[0][1] + outputs[1][1]
    assert sum(int(done) for done, _ in outputs) > 0


# -- sweeping --------------------------------------------------------------------------------


def abandon(root: Path, key: str = KEY) -> None:
    with pytest.raises(Cancelled):
        break_off(root, Cancelled("cancelled"), key)


def test_what_nobody_took_up_again_is_swept(root):
    abandon(root)
    age(root, ABANDONED_DAYS + 0.1)
    sweep(root)
    assert entries(root) == []


def test_what_is_recent_stays(root):
    abandon(root)
    age(root, ABANDONED_DAYS - 0.1)
    sweep(root)
    assert f"{KEY}/piece" in entries(root)
    enter(root)


def test_one_recent_piece_keeps_all(root):
    abandon(root)
    age(root, 30)
    (root / KEY / "later").write_bytes(b"x")
    age_of_folder = time.time() - 30 * 86400
    os.utime(root / KEY, (age_of_folder, age_of_folder))
    sweep(root)
    assert f"{KEY}/later" in entries(root)


def test_what_is_being_worked_on_is_never_swept(root, holder):
    age(root, 30)
    sweep(root)
    assert (root / KEY / "piece").read_bytes() == b"half"
    assert code(lambda: enter(root)) == "work-taken", "and its lock is still the one"


def test_sweeping_ends_with_the_work_free(root):
    abandon(root)
    abandon(root, "other")
    age(root / "other", 30)
    sweep(root)
    with workspace(root, KEY) as folder:
        assert (folder / "piece").exists()


@pytest.mark.parametrize("what", ["nothing", "an empty folder", "other files"])
def test_there_may_be_nothing_to_sweep(root, what):
    if what != "nothing":
        root.mkdir(parents=True)
    if what == "other files":
        (root / "notes.txt").write_bytes(b"x")
        (root / "folder").mkdir()
        age(root, 30)
    sweep(root)
    if what == "other files":
        assert entries(root) == ["folder", "notes.txt"]


@pytest.mark.parametrize("days", [0, 30])
def test_a_lock_whose_folder_is_gone_stops_nothing(root, days):
    """A process was killed just before it made its folder, or just after it removed it."""
    abandon(root)
    root.joinpath("orphan.lock").write_bytes(b"")
    age(root, days)
    sweep(root)
    assert (KEY in entries(root)) == (days == 0)
    assert "orphan.lock" not in entries(root) or days == 0
