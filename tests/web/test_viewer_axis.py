"""The strip of hours: where ticks, clock times and days lie, and what the menu of runs says."""

from itertools import pairwise

import pytest

from tests.web.viewer_node import NODE, run

pytestmark = pytest.mark.skipif(NODE is None, reason="no node on the PATH")

CYCLE = "2026012912"  # four in the morning in Los Angeles
EDGES = """
const { edges } = await import("./axis.js");
const { cycleTime } = await import("./times.js");
const [cycle, ...tracks] = JSON.parse(process.argv[2]);
const hours = (ms) => (ms - cycleTime(cycle)) / 3600e3;
console.log(JSON.stringify(tracks.map((track) => edges(cycle, track).map(hours))));
"""
ROW = """
const { clockTimes, dayName, edges } = await import("./axis.js");
const { localDays } = await import("./times.js");
const rows = JSON.parse(process.argv[2]).map(([cycle, last, step, width]) => {
  const hours = Array.from({ length: last / step + 1 }, (_, index) => index * step);
  const bounds = edges(cycle, hours);
  const span = { start: bounds[0], end: bounds.at(-1) };
  const days = localDays(span.start, span.end);
  const px = (ms) => ((ms - span.start) / (span.end - span.start)) * width;
  return [
    days.map((day) => [px(day.from), dayName(day, px(day.to) - px(day.from))]),
    clockTimes(span, width, days).map(({ ms, text }) => [px(ms), text]),
  ];
});
console.log(JSON.stringify(rows));
"""
LATEST = """
const { latestText } = await import("./words.js");
const { cycleTime } = await import("./times.js");
const asked = JSON.parse(process.argv[2]);
console.log(JSON.stringify(asked.map(([cycle, newer]) => latestText(cycleTime(cycle), newer))));
"""


def test_a_tick_lies_around_the_time_it_is_valid_at(tmp_path):
    tracks = [[0, 3, 6, 12, 18], [6], [0, 1], []]

    assert run(tmp_path, EDGES, CYCLE, *tracks) == [
        [-1.5, 1.5, 4.5, 9, 15, 21],
        [5.5, 6.5],
        [-0.5, 0.5, 1.5],
        [],
    ]


def test_a_strip_of_a_day_has_clock_times_beside_its_days(tmp_path):
    [[days, clocks]] = run(tmp_path, ROW, (CYCLE, 18, 1, 1100))

    assert [name["text"] for _, name in days] == ["Thu 29"]
    assert {"15Z", "18Z", "21Z", "00Z", "03Z"} <= {text for _, text in clocks}


def test_nothing_on_the_row_lies_over_anything_else(tmp_path):
    cases = [
        (cycle, last, step, width)
        for cycle in (CYCLE, "2026012906", "2026030800")
        for last, step in ((18, 1), (48, 1), (240, 6), (384, 3))
        for width in (330, 360, 760, 1100, 1500, 2400)
    ]

    for case, (days, clocks) in zip(cases, run(tmp_path, ROW, *cases), strict=True):
        taken = [(left, left + name["px"]) for left, name in days]
        taken += [(at - 13, at + 13) for at, _ in clocks]  # "18Z" takes 24 pixels
        taken.sort()
        for (_, right), (left, _) in pairwise(taken):
            assert right <= left + 0.01, case
        assert taken[-1][1] <= case[-1], case
        assert case[1] > 18 or len(clocks) >= 3, case


def test_the_menu_says_why_the_latest_run_shown_is_not_the_newest(tmp_path):
    said = run(
        tmp_path,
        LATEST,
        ["2026012908", None],
        ["2026012908", {"cycle": "2026012909", "state": "running"}],
        ["2026012912", {"cycle": "2026012913", "state": "complete"}],
        [None, None],
    )

    assert said == [
        "Latest · 08Z Jan 29",
        "Latest · 08Z, then 09Z",
        "Latest with this hour · 12Z",
        "Latest",
    ]
