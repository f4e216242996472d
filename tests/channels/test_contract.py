"""Every channel keeps the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.channels.contract import ChannelContract
from tests.channels.harness import CHANNELS, Harness


class TestChannels(ChannelContract):
    @pytest.fixture(params=CHANNELS)
    def harness(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
        with CHANNELS[request.param](tmp_path) as made:
            yield made
