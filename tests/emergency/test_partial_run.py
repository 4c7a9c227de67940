"""The old system: a run that was cut short at hour 120, or lacked an hour, was taken for whole."""

import json
import shutil
import signal
import sqlite3
import subprocess

import pytest

from tests.integration.service import GFS, wait_for
from twf_async.web.viewer_files import DIRECTORY

BEFORE = {("pnw", "t2m", "f000")}
NODE = shutil.which("node")
# Hour 12 never comes, and hour 0 lacks the field of t850. All is given up at once.
LATE = {
    "TWF_MODELS__GFS__HOURS": "0-12/6",
    "TWF_MODELS__GFS__PRODUCTS": '["t2m", "t850"]',
    "TWF_CLOCK__START": "2026-01-30T06:00:00Z",
}
SAY = """
globalThis.navigator ??= { languages: ["en-US"] };
const { standing } = await import("./arrival.js");
const { runText } = await import("./words.js");
const { trackOf } = await import("./choose.js");
const { manifest, run } = JSON.parse(process.argv[2]);
const track = trackOf(manifest, "pnw", "t2m");
const { tone, text } = standing(track, track.published.length, track.applicable.length);
console.log(JSON.stringify({ tone, text, menu: runText(run, 0) }));
"""


def viewer_says(directory, manifest, run):
    """What the line of progress and the menu of runs say, in the viewer's own words."""
    shutil.copytree(DIRECTORY, directory)
    (directory / "package.json").write_text('{"type": "module"}')
    (directory / "say.js").write_text(SAY)
    told = json.dumps({"manifest": manifest, "run": run})
    done = subprocess.run([NODE, "say.js", told], cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ledger_says(state_dir):
    with sqlite3.connect(state_dir / "ledger.sqlite") as ledger:
        return ledger.execute("SELECT state FROM runs WHERE cycle = ?", [GFS]).fetchone()[0]


def test_a_run_with_a_missing_hour_and_failed_frames_is_partial_wherever_it_is_told(
    start, rehearsal, tmp_path
):
    service = start(**LATE)
    (ended,) = wait_for(lambda: service.events("pipeline.run_ended"), "the run has ended")
    manifest = service.json(f"/api/v1/runs/gfs/{GFS}")
    (listed,) = service.json("/api/v1/runs?model=gfs")["runs"]
    status = service.json("/api/v1/status")["models"]["gfs"]["runs"][GFS]
    plain = rehearsal("status")
    assert service.end() == 0
    again = rehearsal("run", "--model", "gfs", "--cycle", GFS, "--json", **LATE)

    states = [ended, manifest, listed, status, rehearsal.manifest("gfs", GFS)]
    assert {told["state"] for told in states} == {"partial"}
    assert ledger_says(tmp_path / "state") == "partial"
    assert "partial" in plain.out
    assert 0 < ended["published"] < ended["frames"] == ended["published"] + ended["missing"]
    report = json.loads(again.out)
    assert (again.code, report["state"], report["drawn"]) == (3, "partial", 0)
    assert {frame["hour"] for frame in report["missing"]} == {0, 12}
    frames = manifest["frames"]["pnw"]
    assert frames["t2m"]["f012"]["state"] == "failed"
    assert "published" not in {hours["f012"]["state"] for hours in frames.values()}
    assert all(
        record["reason"] and not record.get("hash")
        for hours in frames.values()
        for record in hours.values()
        if record["state"] == "failed"
    )
    if NODE is not None:
        said = viewer_says(tmp_path / "viewer", manifest, listed)
        assert (said["tone"], said["text"]) == ("partial", "1 of 3 hours missing")
        assert said["menu"].endswith("%, ended")


@pytest.mark.soak
def test_a_run_that_was_cut_short_is_never_complete_and_goes_on_at_the_next_start(start, tmp_path):
    manifest = tmp_path / "publish" / "maps" / "gfs" / GFS / "manifest.json"
    service = start(**LATE)
    service.wait_published(BEFORE)
    service.end(signal.SIGKILL)
    # Killed before its end it is still coming in; killed after it, it was partial already.
    ended = bool(service.events("pipeline.run_ended"))
    assert json.loads(manifest.read_text())["state"] in {"running", "partial" if ended else ""}

    again = start(**LATE)
    wait_for(lambda: again.json(f"/api/v1/runs/gfs/{GFS}").get("state") == "partial", "it ends")
    assert again.end() == 0
    assert json.loads(manifest.read_text())["state"] == "partial"


def test_a_run_by_hand_to_hour_120_that_is_not_there_yet_ends_with_3_and_is_partial(rehearsal):
    done = rehearsal("run", "--model", "gfs", "--cycle", GFS, "--hours", "0,120")

    assert done.code == 3
    assert rehearsal.manifest("gfs", GFS)["state"] == "partial"
    assert "missing pnw/t2m/f120" in done.err
