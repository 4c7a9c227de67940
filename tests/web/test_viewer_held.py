"""What the viewer says while nothing new comes in: in its line of progress and its notes."""

import json

import pytest

from tests.web.viewer_node import NODE, run

pytestmark = pytest.mark.skipif(NODE is None, reason="no node on the PATH")

USUAL = "Coming in: 1 of 3 hours"
STANDING = """
const { standing } = await import("./arrival.js");
const { trackOf } = await import("./choose.js");
const { Holds } = await import("./holds.js");

const said = JSON.parse(process.argv[2]).map(([manifest, status, ...events]) => {
  const holds = new Holds();
  holds.take(status ?? {});
  for (const event of events) holds.hear(event);
  const track = trackOf(manifest, "pnw", "t2m", holds.text);
  return standing(track, track.published.length, track.applicable.length).text;
});
console.log(JSON.stringify(said));
"""
NOTES = """
const { absence, tickText } = await import("./words.js");
const { trackOf } = await import("./choose.js");

const [manifest, ...reasons] = JSON.parse(process.argv[2]);
console.log(JSON.stringify(reasons.map((held) => {
  const track = trackOf(manifest, "pnw", "t2m", held);
  const none = trackOf(undefined, "pnw", "t2m", held);
  return [
    absence({ track, choice: { hour: 3 }, cycle: track.cycle, hasManifest: true }).note,
    absence({ track: none, choice: { hour: null }, cycle: null, hasManifest: false }).note,
    tickText(track, 3),
  ];
})));
"""


def gate(**held_by):
    return {"gate": {"held_by": held_by}}


@pytest.fixture
def coming(tree):
    return json.loads(tree.manifest_json("gfs", "2026012912"))


async def test_a_run_that_comes_in_says_why_nothing_new_does(tmp_path, tree, coming):
    tree.hold("disk nearly full")
    await tree.flush()
    held = json.loads(tree.manifest_json("gfs", "2026012912"))
    tree.hold("")
    await tree.flush()
    again = json.loads(tree.manifest_json("gfs", "2026012912"))

    said = run(tmp_path, STANDING, [coming], [held], [again])

    assert said == [USUAL, "1 of 3 hours online · on hold: disk nearly full", USUAL]


async def test_a_run_of_a_version_before_there_were_holds_says_nothing_of_them(tmp_path, coming):
    del coming["held"]

    assert run(tmp_path, STANDING, [coming]) == [USUAL]


async def test_a_pause_is_told_with_its_reason_until_work_goes_on(tmp_path, coming):
    paused, resumed = gate(operator="new disks"), gate()
    low = {"watchdog": {"paused": "memory low"}}

    said = run(
        tmp_path,
        STANDING,
        [coming, paused],
        [coming, gate(operator="no reason given")],
        [coming, paused, resumed],
        [coming, {}, low],
        [coming, paused, low],
        [coming, {}, low, {"watchdog": {"paused": ""}}],
        [coming, paused, {"reloaded": True}],
        [coming, {"models": {}}],
        [coming, gate(operator="word " * 400)],
    )

    pause = "1 of 3 hours online · paused by the operator: new disks"
    assert len(said.pop()) < 200
    assert said == [
        pause,
        "1 of 3 hours online · paused by the operator",
        USUAL,
        "1 of 3 hours online · on hold: memory low",
        f"{pause} · on hold: memory low",
        USUAL,
        pause,
        USUAL,
    ]


async def test_no_time_is_promised_for_a_map_while_nothing_is_made(tmp_path, coming):
    coming["frames"]["pnw"]["t2m"]["f003"]["eta"] = "2026-01-29T16:30:00.000Z"
    held = "paused by the operator: new disks"

    paused, usual = run(tmp_path, NOTES, coming, held, "")

    hour, first, tick = paused
    pause = "Paused by the operator: new disks."
    assert hour["title"] == "f003 is not out yet"
    assert hour["text"] == f"{pause} It appears here by itself when that is over."
    assert first["text"] == f"{pause} They appear here by themselves when that is over."
    assert tick.endswith(f"f003 · {held}")
    hour, first, tick = usual
    assert hour["text"].startswith("Expected about ")
    assert first["title"].startswith("The first maps are on their way")
    assert "about" in tick
