"""The folder channel and the newsletter: only the item's own files are touched."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from mediaguard.channels.folder import FolderChannel
from mediaguard.channels.newsletter import NewsletterChannel
from mediaguard.core.publication import Abilities
from mediaguard.errors import ChannelError
from tests.channels.harness import delivery
from tests.channels.roles import PublicSite
from tests.channels.standin import running


def test_a_replacement_has_the_same_name_and_other_formats_go(tmp_path: Path):
    channel = FolderChannel(tmp_path / "ready")
    first = channel.publish(delivery(b"one"))
    second = channel.replace([first], delivery(b"two"))
    assert second.urls == first.urls
    third = channel.replace([second], delivery(b"three", suffix=".png"))
    note = tmp_path / "ready" / "0123abcd.txt"
    note.write_text("why")
    other = channel.publish(delivery(b"other", item_id="0123abce"))
    channel.remove(third)
    assert sorted(map(str, (tmp_path / "ready").iterdir())) == sorted([str(note), *other.urls])


def test_what_is_published_can_be_read_by_whoever_serves_it(tmp_path: Path):
    path = Path(FolderChannel(tmp_path).publish(delivery()).urls[0])
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444


def test_a_file_that_came_back_is_noticed(tmp_path: Path):
    channel = FolderChannel(tmp_path)
    published = channel.publish(delivery(b"one"))
    channel.remove(published)
    Path(published.urls[0]).write_bytes(b"one")
    (look,) = channel.confirm_gone(published, None)
    assert (look.gone, look.answer) == (False, "file")


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path):
    (tmp_path / "ready").write_text("a file where the folder should be")
    with pytest.raises(ChannelError) as caught:
        FolderChannel(tmp_path / "ready").publish(delivery())
    assert caught.value.code == "channel-folder"


def test_what_is_on_the_web_is_not_gone_because_there_is_no_such_file(tmp_path: Path):
    """The channel published on a website before it became a folder."""
    site = PublicSite()
    with running(site) as standin:
        site.files["/uploads/x.jpg"] = b"still there"
        there, gone = f"{standin.url}/uploads/x.jpg", f"{standin.url}/uploads/y.jpg"
        channel = FolderChannel(tmp_path)
        published = replace(channel.publish(delivery()), urls=(there, gone))
        channel.remove(published)
        looks = channel.confirm_gone(published, None)
    assert [(look.gone, look.answer) for look in looks] == [(False, "200"), (True, "404")]


def test_a_newsletter_takes_nothing_back(tmp_path: Path):
    channel = NewsletterChannel(tmp_path)
    assert channel.abilities == Abilities(recall=False, replace=False)
    published = channel.publish(delivery(b"one"))
    channel.remove(published)
    assert not list(tmp_path.iterdir())
