"""What the viewer's line of progress says while nothing new comes in."""

import json
import shutil
import subprocess

import pytest

from twf_async.web.viewer_files import DIRECTORY

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node on the PATH")

SCRIPT = """
globalThis.navigator ??= { languages: ["en-US"] }; // what a browser brings along
const { standing } = await import("./arrival.js");
const { trackOf } = await import("./choose.js");

const said = JSON.parse(process.argv[2]).map((manifest) => {
  const track = trackOf(manifest, "pnw", "t2m");
  return standing(track, track.published.length, track.applicable.length).text;
});
console.log(JSON.stringify(said));
"""


@pytest.fixture
def said(tmp_path):
    """`said(manifests)`: the line for product t2m of region pnw, of each."""
    for file in DIRECTORY.glob("*.js"):
        shutil.copy(file, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "say.js").write_text(SCRIPT)

    def ask(*manifests):
        done = subprocess.run(
            [NODE, "say.js", json.dumps(manifests)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


async def test_a_run_that_comes_in_says_why_nothing_new_does(said, tree):
    coming = json.loads(tree.manifest_json("gfs", "2026012912"))
    tree.hold("disk nearly full")
    await tree.flush()
    held = json.loads(tree.manifest_json("gfs", "2026012912"))
    tree.hold("")
    await tree.flush()
    again = json.loads(tree.manifest_json("gfs", "2026012912"))

    usual = "Coming in: 1 of 3 hours"
    assert said(coming, held, again) == [usual, f"{usual} · on hold: disk nearly full", usual]


async def test_a_run_of_a_version_before_there_were_holds_says_nothing_of_them(said, tree):
    old = json.loads(tree.manifest_json("gfs", "2026012912"))
    del old["held"]

    assert said(old) == ["Coming in: 1 of 3 hours"]
