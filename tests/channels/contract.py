"""What every channel keeps, whatever stands behind it.

A test class inherits these tests and brings a fixture `harness`:

    class TestMyChannel(ChannelContract):
        @pytest.fixture
        def harness(self): …
"""

import pytest

from mediaguard.errors import ChannelError
from tests.channels.harness import Harness, delivery


class ChannelContract:
    def test_what_is_published_is_visible(self, harness: Harness):
        sent = delivery(b"one")
        published = harness.channel.publish(sent)
        assert list(harness.visible()) == [b"one"]
        assert (published.key, published.item_id) == (sent.key, sent.item_id)
        assert published.sha256 == sent.sha256
        assert published.urls

    def test_a_lost_confirmation_is_found_again(self, harness: Harness):
        sent = delivery(b"one")
        published = harness.channel.publish(sent)
        harness.channel.publish(delivery(b"another", item_id="9999ffff"))
        found = harness.channel.lookup(sent.key, sent.item_id, sent.sha256)
        assert found is not None
        assert found.urls[0] == published.urls[0]
        assert (found.key, found.sha256, found.remote_id) == (
            sent.key,
            sent.sha256,
            published.remote_id,
        )

    def test_an_unknown_key_is_not_found(self, harness: Harness):
        sent = delivery(b"one")
        assert harness.channel.lookup(sent.key, sent.item_id, sent.sha256) is None
        harness.channel.publish(sent)
        other = delivery(b"two", item_id="9999ffff")
        assert harness.channel.lookup(other.key, other.item_id, other.sha256) is None

    def test_the_same_key_is_one_publication(self, harness: Harness):
        sent = delivery(b"one")
        first = harness.channel.publish(sent)
        found = harness.channel.lookup(sent.key, sent.item_id, sent.sha256)
        second = found or harness.channel.publish(sent)
        assert second.urls[0] == first.urls[0]
        assert list(harness.visible()) == [b"one"]

    def test_what_is_removed_is_gone_and_the_rest_stays(self, harness: Harness):
        published = harness.channel.publish(delivery(b"one"))
        harness.channel.publish(delivery(b"another", item_id="9999ffff"))
        harness.channel.remove(published)
        assert list(harness.visible()) == [b"another"]
        looks = harness.channel.confirm_gone(published, None)
        assert [look.url for look in looks] == list(published.urls)
        assert all(look.gone for look in looks), looks

    def test_removing_twice_is_fine(self, harness: Harness):
        published = harness.channel.publish(delivery(b"one"))
        harness.channel.remove(published)
        harness.channel.remove(published)
        assert not harness.visible()
        assert harness.channel.lookup(published.key, published.item_id, published.sha256) is None

    def test_before_it_is_removed_nothing_counts_as_gone(self, harness: Harness):
        published = harness.channel.publish(delivery(b"one"))
        looks = harness.channel.confirm_gone(published, None)
        assert [look.url for look in looks] == list(published.urls)
        assert not any(look.gone for look in looks), looks

    def test_another_picture_is_no_successor(self, harness: Harness):
        published = harness.channel.publish(delivery(b"one"))
        looks = harness.channel.confirm_gone(published, delivery(b"two").sha256)
        assert not any(look.gone for look in looks), looks

    def test_a_replacement_leaves_exactly_one(self, harness: Harness):
        if not harness.channel.abilities.replace:
            with pytest.raises(ChannelError) as caught:
                harness.channel.replace([], delivery(b"two"))
            assert not caught.value.later
            return
        earlier = harness.channel.publish(delivery(b"one"))
        harness.channel.publish(delivery(b"another", item_id="9999ffff"))
        harness.channel.confirm_gone(earlier, None)  # caches fill
        sent = delivery(b"two")
        published = harness.channel.replace([earlier], sent)
        again = harness.channel.replace([earlier], sent)
        assert again.urls[0] == published.urls[0]
        assert sorted(harness.visible()) == [b"another", b"two"]
        looks = harness.channel.confirm_gone(earlier, sent.sha256)
        assert all(look.gone for look in looks), looks
        harness.channel.remove(published)
        assert list(harness.visible()) == [b"another"]

    def test_a_lie_is_noticed(self, harness: Harness):
        if harness.lie is None:
            return
        published = harness.channel.publish(delivery(b"one"))
        harness.lie()
        harness.channel.remove(published)
        assert list(harness.visible()) == [b"one"]
        looks = harness.channel.confirm_gone(published, None)
        assert not any(look.gone for look in looks), looks
