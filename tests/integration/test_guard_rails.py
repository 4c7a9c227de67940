"""What stops a run from costing without end, and what the log says of its costs."""

import json

GFS = "2026012912"
RUN = ("run", "--model", "gfs", "--cycle", GFS, "--hours", "0,6", "--products", "t2m", "--json")
TINY_MB = {"hour": 0.002, "run": 0.005}  # each of the two hours costs 4 kB here


def stopped_by_the_budget(rehearsal, scope):
    """Run with a tiny budget of an hour or a run; checks what is said, returns what is missing."""
    setting = f"fetch.budget_mb_per_{scope}"
    variable = f"TWF_FETCH__BUDGET_MB_PER_{scope.upper()}"
    done = rehearsal(*RUN, **{variable: str(TINY_MB[scope])})

    missing = json.loads(done.out)["missing"]
    warnings = [line for line in done.log if line["event"] == "fetch.budget_spent"]
    assert done.code == 3
    assert {frame["reason"] for frame in missing} == {"byte budget spent"}
    assert all(f"raise {setting}" in frame["detail"] for frame in missing)
    for line in warnings:
        assert (line["setting"], line["budget_mb"]) == (setting, TINY_MB[scope])
        assert (line["cycle"], line["megabytes"] >= TINY_MB[scope]) == (GFS, True)
    told = [line["hour"] for line in warnings]
    assert len(told) == len(set(told))
    return {frame["hour"] for frame in missing}, set(told)


def test_an_hour_beyond_its_budget_fails_its_frames_with_one_warning(rehearsal):
    missing, told = stopped_by_the_budget(rehearsal, "hour")

    assert missing == told == {0, 6}


def test_a_run_stopped_by_its_budget_goes_on_when_that_is_raised_and_the_log_has_every_way(
    rehearsal, state
):
    missing, told = stopped_by_the_budget(rehearsal, "run")
    after = rehearsal(*RUN)
    again = rehearsal(*RUN, TWF_PUBLISH_DIR=f"{state['TWF_PUBLISH_DIR']}-again")

    assert (bool(missing), told) == (True, {None})
    assert (after.code, json.loads(after.out)["published"]) == (0, 2)
    brought = [line for line in after.log if line["event"] == "fetch.finished"]
    assert {line["hour"]: line["method"] for line in brought} == dict.fromkeys(missing, "FILTERED")
    assert all(0.001 < line["megabytes"] < 0.1 for line in brought)
    cached = [line for line in again.log if line["event"] == "fetch.finished"]
    assert {(line["method"], line["megabytes"], line["requests"]) for line in cached} == {
        ("CACHED", 0.0, 0)
    }
    assert cached[-1]["cache_hit_rate"] == 1.0
