"""What was just done, for the page that tells of it."""

from mediaguard.web.console.aside import MINUTES, Aside


def test_only_the_session_that_did_it_finds_it():
    aside = Aside()
    key = aside.put("one", "a thing")
    assert aside.get("other", key) is None
    assert aside.take("other", key) is None
    assert aside.get("one", "") is None
    assert aside.get("one", key) == aside.get("one", key) == "a thing"


def test_what_is_taken_is_gone():
    aside = Aside()
    key = aside.put("one", "a thing")
    assert aside.take("one", key) == "a thing"
    assert aside.take("one", key) is aside.get("one", key) is None


def test_it_does_not_lie_there_long():
    now = 0.0
    aside = Aside(lambda: now)
    key = aside.put("one", "a thing")
    now = MINUTES * 60 - 1
    assert aside.get("one", key) == "a thing"
    now = MINUTES * 60
    assert aside.get("one", key) is None
    aside.put("one", "another")
    assert len(aside._things) == 1
