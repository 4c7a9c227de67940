"""What `twf-async status` makes of a status document on a terminal."""

from copy import deepcopy

import pytest

from twf_async.cli.status_table import span, table

SECONDS = {"p50": 4.23, "p95": 7.96, "p99": 123.4}
MODEL = {
    "newest_run": "2026012912",
    "fault": "",
    "coming": {"cycle": "2026012918", "eta": "2026-01-29T21:25:00+00:00"},
    "asked": {},
    "runs": {
        "2026012906": {
            "state": "running",
            "superseded": True,
            "hours": {"expected": 85, "seen": 80, "fetched": 80, "pending": 5, "given_up": 0},
            "etas": {"f366": None},
            "frames": {"expected": 1772, "published": 1600, "failed": 0},
        },
        "2026012912": {
            "state": "complete",
            "superseded": False,
            "hours": {"expected": 85, "seen": 85, "fetched": 84, "pending": 0, "given_up": 1},
            "etas": {},
            "frames": {"expected": 1772, "published": 1751, "failed": 21},
        },
    },
    "freshness": {
        "window_h": 24,
        "hours": 340,
        "seconds": dict.fromkeys(
            ("seen", "fetched", "rendered", "published", "visible_to_published"), SECONDS
        ),
    },
    "source": "aws",
    "requests": 321,
    "requests_last_minute": 12,
    "cache_hit_rate": 0.934,
    "bytes": {
        "FILTERED": 123_456_789, "RANGES": 0, "FULL": 0, "INVENTORY": 45_678, "CACHED": 9_000_000,
    },
}  # fmt: skip
NOBODY = MODEL | {
    "newest_run": None, "fault": "source unreachable", "coming": None, "runs": {}, "source": None,
    "cache_hit_rate": None, "freshness": {"window_h": 24, "hours": 0, "seconds": {}},
}  # fmt: skip
DOCUMENT = {
    "version": "1.2.3",
    "pid": 4242,
    "now": "2026-01-29T17:31:02.123456+00:00",
    "up_s": 7980,
    "reload_fault": "",
    "restart_needed": [],
    "models": {"gfs": MODEL, "hrrr": NOBODY},
    "sources": {
        "nomads": {
            "requests_last_minute": 12,
            "requests_per_min": 60,
            "throttled_until": "2026-01-29T17:45:00+00:00",
        }
    },
    "farm": [{"busy_s": 1.5}, {"busy_s": None}],
    "queue": {"waiting": {"gfs": 2, "hrrr": 1}, "held_for_memory": False},
    "cluster": None,
    "gate": {"held_by": {}, "fetch_held_by": {"watchdog": "disk nearly full"}},
    "watchdog": {"vitals": {}, "disk_low": False},
    "stuck": {},
    "cache": {"gb": 1.234, "max_gb": 8.0},
}


def row(text, *words):
    """The line with all of these words, as its cells."""
    (line,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return line.split()


def test_the_newest_run_comes_first_and_the_next_thing_to_come_is_told():
    text = table(DOCUMENT)

    assert text.splitlines()[0] == (
        "twf_async 1.2.3, process 4242, up 2 h 13 min, 2026-01-29 17:31:02 UTC"
    )
    assert text.index("2026012912") < text.index("2026012906")
    assert row(text, "2026012912", "complete")[3:] == [
        "85", "85", "84", "0", "1", "1751/1772", "21", "run", "18", "UTC", "21:25:00",
    ]  # fmt: skip
    assert row(text, "2026012906", "superseded")[-2:] == ["f366", "soon"]
    assert row(text, "none yet")[-2:] == ["source", "unreachable"]


def test_traffic_is_told_by_model_in_megabytes():
    text = table(DOCUMENT)

    assert row(text, "gfs", "aws") == [
        "gfs", "aws", "321", "12", "93", "%", "123.5", "0.0", "0.0", "0.0", "9.0",
    ]  # fmt: skip
    assert row(text, "hrrr", "321")[:5] == ["hrrr", "-", "321", "12", "-"]


def test_how_quick_the_service_is_is_one_line_a_model_with_hours():
    text = table(DOCUMENT)

    assert row(text, "gfs", "340") == ["gfs", "340", *["4.2/8.0/123"] * 5]
    assert "seconds from an hour's appearance, last 24 h: p50/p95/p99" in text.splitlines()
    nobody = deepcopy(DOCUMENT)
    nobody["models"]["gfs"]["freshness"] = NOBODY["freshness"]
    assert "p50/p95/p99" not in table(nobody)


def test_whatever_holds_the_work_up_is_told_in_capitals():
    document = deepcopy(DOCUMENT)
    document["gate"]["held_by"] = {"operator": "new disk", "watchdog": "memory low"}
    document["reload_fault"] = "service.toml: web.prot: unknown key"
    document["restart_needed"] = ["farm.workers", "web.port"]
    document["stuck"] = {"poller:gfs": 3720}

    lines = table(document).splitlines()

    for expected in (
        "PAUSED by the operator: new disk",
        "PAUSED by the watchdog: memory low",
        "DOWNLOADS HELD by the watchdog: disk nearly full",
        "STUCK: the poller:gfs should have been seen 1 h 2 min ago",
        "changed, but only from the next start on: farm.workers, web.port",
        "RELOAD REFUSED: service.toml: web.prot: unknown key",
        "hrrr CANNOT BE LOOKED FOR: source unreachable",
        "nomads: 12 of 60 requests in the last minute, THROTTLED until 17:45:00 (in 13 min)",
        "workers: 1 of 2 busy, 3 jobs waiting",
    ):
        assert expected in lines


def test_one_job_that_waits_is_one_job():
    document = deepcopy(DOCUMENT)
    document["queue"]["waiting"] = {"gfs": 1}

    assert "workers: 1 of 2 busy, 1 job waiting" in table(document).splitlines()


def test_what_somebody_asked_for_is_told_and_whether_it_is_the_whole_run():
    assert "asked for by hand" not in table(DOCUMENT)
    document = deepcopy(DOCUMENT)
    some = {"asked_at": "2026-01-29T17:00:00+00:00", "hours": None, "regions": None}
    document["models"]["gfs"]["asked"] = {
        "2026012806": some | {"products": None},
        "2026012906": some | {"products": ["t2m"]},
    }

    lines = table(document).splitlines()

    assert "asked for by hand: gfs 2026012806, 2026012906 (part)" in lines


def test_what_a_cluster_lacks_is_told_in_capitals():
    document = deepcopy(DOCUMENT)
    document["cluster"] = {
        "joined": True, "fault": "", "workers": 0, "refused": ["it has twf-async 1, the service 2"],
    }  # fmt: skip
    lines = table(document).splitlines()
    assert "JOBS WAIT for dask workers: there is none of use" in lines
    assert "A DASK WORKER IS REFUSED: it has twf-async 1, the service 2" in lines

    document["cluster"] = {
        "joined": False, "fault": "the scheduler was lost", "workers": 0, "refused": [],
    }  # fmt: skip
    assert "JOBS WAIT for dask workers: the scheduler was lost" in table(document)

    document["cluster"] = {"joined": True, "fault": "", "workers": 2, "refused": []}
    assert "DASK" not in table(document)
    assert "JOBS WAIT" not in table(document)


def test_it_fits_a_terminal():
    assert max(map(len, table(DOCUMENT).splitlines())) <= 120


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59.6, "60 s"), (299, "299 s"), (300, "5 min"), (3599, "59 min"),
        (3600, "1 h 0 min"), (90_000, "1 d 1 h"), (-3, "0 s"),
    ],
)  # fmt: skip
def test_stretches_of_time_are_told_in_the_units_that_matter(seconds, words):
    assert span(seconds) == words
