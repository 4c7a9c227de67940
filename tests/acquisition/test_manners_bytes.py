"""What filter requests bring, beside the least that any could bring: an exact optimum (HiGHS)."""

import pytest

from tests.acquisition.measure_bytes import cases, least_bytes
from twf_async.plan.selection import FILTER_REQUESTS
from twf_async.settings.load import load


@pytest.fixture(scope="module")
def filtered(test_data, config_dir):
    """The choices over the Pacific Northwest, where the filter serves both models."""
    found = list(cases(test_data, load(config_dir, {}).catalog))
    return {(case.model, case.hour): case for case in found if case.box == "pnw"}


@pytest.mark.parametrize("hour", [("gfs", 0), ("gfs", 24), ("hrrr", 1)])
def test_a_split_brings_at_most_a_tenth_more_than_the_least_that_is_possible(filtered, hour):
    case = filtered[hour]
    assert case.chosen.method == "FILTERED"
    assert len(case.chosen.filters) <= FILTER_REQUESTS
    least = least_bytes(case.pairs, case.costs, FILTER_REQUESTS)
    assert least <= case.chosen_bytes <= 1.1 * least


def test_no_message_comes_in_two_answers(filtered):
    for case in filtered.values():
        numbers = [line.number for each in case.chosen.filters for line in each.lines]
        assert len(numbers) == len(set(numbers))
