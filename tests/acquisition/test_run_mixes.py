"""Runs in which everything goes wrong a little: about 5 % of all requests, and of all files.

Nothing lasts, so everything can be had in the end: every frame must come, with the content that it
has in an undisturbed run. Flipped bits are apart: a value that stays likely cannot be told from a
true one, so there only hours whose answers were not flipped must be equal.
"""

import re
import sys
from collections import Counter

import pytest

from tests.acquisition.rehearsal import Stage, rehearsed
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.mixes import mixed
from twf_async.replica.faults.script import Fault, Script

CYCLES = {"gfs": ["2026012912"], "aigfs": ["2026012912"], "hrrr": ["2026012914"]}
HOURS = {"gfs": "0-21/3", "aigfs": "0-42/6", "hrrr": "0-7"}
SHARE = 0.05
SPEED = 300.0  # from HRRR's first hour to AIGFS' last it is 50 minutes
SILENT_S = 1.0
ALL = ("gfs", "aigfs", "hrrr")
SEEDS = range(1, 31)
FLIPPED, FLIPPED_SEEDS = 0.25, 6  # of the answers that hold data
INSTANTS = {"t2m", "t850", "refc"}  # of one hour's file alone
NOT_WAITED_FOR = {"moved_302", "disconnect", "idx_stale", "status 404"}  # cost no time, or no bytes
TELLING = re.compile(r"fetch\.(retried|failed|throttled|fell_back|directory_forbidden)|.*_late")


def stage_of(models) -> Stage:
    return Stage({model: CYCLES[model] for model in models}, hours=HOURS, speed=SPEED)


@pytest.fixture(scope="module")
def truth():
    """Frames of the undisturbed runs, once they were made."""
    return {}


async def undisturbed(truth, models, root, test_data, context, maps):
    for model in models:
        if (model, *CYCLES[model]) not in truth:
            stage = stage_of([model])
            run = await rehearsed(root / model, test_data, stage, context, maps=maps)
            truth |= run.shown
    return {(model, *CYCLES[model]): truth[model, *CYCLES[model]] for model in models}


@pytest.mark.parametrize(
    ("models", "share", "seed"),
    [  # few requests, so a larger share of them; the bar is what `make soak` runs
        *((("gfs",), 0.2, 1), (("hrrr",), 0.2, 2)),
        *(pytest.param(ALL, SHARE, seed, marks=pytest.mark.soak) for seed in SEEDS),
    ],
    ids=lambda part: "-".join(part) if isinstance(part, tuple) else part,
)
async def test_a_mix_of_all_faults_costs_no_frame(
    models, share, seed, truth, tmp_path, test_data, context, maps
):
    expected = await undisturbed(truth, models, tmp_path / "truth", test_data, context, maps)
    script = mixed(share, seed, wait_s=SILENT_S, without={Kind.FLIP})

    run = await rehearsed(
        tmp_path / "run", test_data, stage_of(models), context, script=script, maps=maps
    )

    befallen = [hit for hit in run.hits if hit.fault]
    assert befallen
    assert differing(run.shown, expected) == {}
    told = [line for line in run.log if TELLING.fullmatch(line["event"])]
    costly = [hit for hit in befallen if not set(hit.fault.split("; ")) <= NOT_WAITED_FOR]
    assert bool(told) >= bool(costly)
    assert all(line["reason"] for line in told)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(101, 101 + FLIPPED_SEEDS))
async def test_flipped_bits_spoil_no_hour_but_their_own(
    seed, truth, tmp_path, test_data, context, maps, capsys
):
    expected = await undisturbed(truth, ALL, tmp_path / "truth", test_data, context, maps)
    others = mixed(SHARE, seed, wait_s=SILENT_S, without={Kind.FLIP}).faults
    script = Script(seed, (Fault(Kind.FLIP, on=("filter", "grib"), probability=FLIPPED), *others))

    run = await rehearsed(
        tmp_path / "run", test_data, stage_of(ALL), context, script=script, maps=maps
    )

    flipped = Counter(hour_of(hit) for hit in run.hits if "flip" in hit.fault)
    wrong = differing(run.shown, expected)
    capsys.readouterr()
    with capsys.disabled():
        sys.stdout.write(f"\nseed {seed}: flipped {dict(flipped)}, frames that differ {wrong}")
    for (model, _), names in wrong.items():
        hours = {hour for key, hour in flipped if key == model}
        assert all(hour in hours for product, hour in names if product in INSTANTS)
        assert all(hour >= min(hours) for _, hour in names)


def differing(shown, expected):
    """Run -> frames that are not as they should be: published with the right content, or not."""
    return {
        run: names
        for run, frames in expected.items()
        if (
            names := {
                name: (shown[run][name].state, shown[run][name].reason)
                for name, frame in frames.items()
                if (shown[run][name].state, shown[run][name].digest) != (frame.state, frame.digest)
            }
        )
    }


def hour_of(hit):
    """(model, hour) that a request meant."""
    text = f"{hit.path}?{hit.query}"
    model = re.search(r"/(gfs|aigfs|hrrr)\.|filter_(gfs|hrrr)", text)
    hour = re.search(r"\.f(\d{3})|wrfsfcf(\d\d)", text)
    return next(filter(None, model.groups())), int(next(filter(None, hour.groups())))
