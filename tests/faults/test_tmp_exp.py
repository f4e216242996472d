import pytest
from mediaguard.core.publication import Abilities
from tests.faults.test_every_moment import *
from tests.faults.test_every_moment import homes, Case, cut_short, STRIKES
from tests.pipeline.world import grant

@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)
@pytest.mark.parametrize("strike", ["the power is cut", "the channel fails once"])
def test_exp(homes, tmp_path, strike):
    def before(case):
        case.world.desk.withdraw("S-1", CHANNEL)
        case.publish()
        case.world.advance(60)
        grant(case.world, "S-1", CHANNEL)
    for case in cut_short(Case.publish, strike, homes, tmp_path, after=before, knows_keys=False, abilities=Abilities(replace=False)):
        case.finish()
        case.publish()
        case.finish()
        assert case.live() == [["S-1", "S-2"]]
