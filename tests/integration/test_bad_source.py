"""Data that are bad once, and data that are bad where they lie: the way back, and its end."""

import asyncio
import json
import shutil

import pytest

from render_farm.domain.grib2 import walk
from tests.decode.flips import highest_bits, outcome, real_filter
from tests.integration.conftest import serving
from twf_async.fetch.distrust import SAME_BYTES
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.running import running

CYCLE = "2026012917"
RANGES = '[{ path = "hrrr/prod/hrrr.{date}/conus/hrrr.t{cc}z.wrfsfcf{hour:02d}.grib2" }]'
RUN = ("run", "--model", "hrrr", "--cycle", CYCLE, "--hours", "1", "--json")


@pytest.fixture
def twf(twf):
    """Pictures as small as can be."""
    twf.environ |= {"TWF_REGIONS__PNW__WIDTH_PX": "320", "TWF_REGIONS__PNW__HEIGHT_PX": "300"}
    return twf


@pytest.fixture(scope="module")
def replica(test_data, tmp_path_factory):
    """One of the real files, one bit of a temperature changed."""
    root = tmp_path_factory.mktemp("bad") / "nomads"
    shutil.copytree(test_data / "nomads", root, copy_function=shutil.copyfile)
    (path,) = root.glob("**/*wrfsfcf01.grib2")
    with path.open("rb") as stream:
        head = next(h for h in walk(stream) if h.text.startswith("TMP:2 m"))
    path.chmod(0o644)
    body = bytearray(path.read_bytes())
    body[head.offset + head.length // 2] ^= 0x40
    path.write_bytes(body)
    with serving(root) as address:
        yield address


def test_frames_of_a_field_that_is_bad_at_its_source_fail_after_one_more_look(rehearsal):
    asked = ("--products", "t2m,refc", "--regions", "pnw")
    first = rehearsal(*RUN, *asked, TWF_MODELS__HRRR__FILES=RANGES)

    assert first.code == 3, first.err
    (missing,) = json.loads(first.out)["missing"]
    assert (missing["product"], missing["reason"]) == ("t2m", "bad data")
    assert SAME_BYTES in missing["detail"]
    assert set(rehearsal.published("hrrr", CYCLE)) == {("refc", "f001")}
    assert [line["method"] for line in first.log if line["event"] == "fetch.finished"] == [
        "RANGES",
        "RANGES",
    ]

    again = rehearsal(*RUN, *asked, TWF_MODELS__HRRR__FILES=RANGES)

    assert again.code == 3, again.err
    (missing,) = json.loads(again.out)["missing"]
    assert SAME_BYTES in missing["detail"]
    assert [line["method"] for line in again.log if line["event"] == "fetch.finished"] == ["CACHED"]


class BlownOnce:
    """A tree whose first cut-out of one message comes with one bit changed; see FileTree."""

    def __init__(self, tree, text, bit):
        self._tree, self._text, self._bit = tree, text, bit
        self.blown = 0

    def __getattr__(self, name):
        return getattr(self._tree, name)

    def cropped(self, path, messages, box):
        for message, body in zip(messages, self._tree.cropped(path, messages, box), strict=True):
            if self._text in str(message.key) and not self.blown:
                self.blown += 1
                changed = bytearray(body)
                changed[self._bit // 8] ^= 0x80 >> self._bit % 8
                yield bytes(changed)
            else:
                yield body


async def test_a_blown_value_in_a_filter_answer_costs_one_more_request_and_no_frame(
    twf, test_data, tmp_path
):
    tree = DirectoryTree(test_data / "nomads")
    answer = real_filter(test_data, tmp_path)
    head = next(h for h in answer.heads if h.text.startswith("UGRD:850"))
    noticed = (
        bit
        for bit in highest_bits(answer, head)
        if outcome(answer, head.offset + bit // 8, 0x80 >> bit % 8, tmp_path).stage == "jumps"
    )
    blown = BlownOnce(tree, "UGRD:850", next(noticed))
    run = ("run", "--model", "gfs", "--cycle", "2026012912", "--hours", "6", "--json")
    asked = (*run, "--products", "t850", "--regions", "pnw")
    shown, logs = [], []
    for name, served in (("clean", tree), ("blown", blown)):
        root = tmp_path / name
        async with running(served) as replica:
            done = await asyncio.to_thread(
                twf,
                *asked,
                TWF_UPSTREAM__NOMADS_URL=replica.url,
                TWF_STATE_DIR=str(root / "state"),
                TWF_CACHE_DIR=str(root / "cache"),
                TWF_PUBLISH_DIR=str(root / "publish"),
            )
        assert done.code == 0, done.err
        manifest = root / "publish" / "maps" / "gfs" / "2026012912" / "manifest.json"
        frame = json.loads(manifest.read_text())["frames"]["pnw"]["t850"]["f006"]
        shown.append((frame["hash"], frame["values"]["hash"]))
        logs.append([line["event"] for line in done.log])

    assert blown.blown == 1
    assert shown[0] == shown[1]
    assert logs[0].count("pipeline.fields_distrusted") == 0
    assert logs[1].count("pipeline.fields_distrusted") == 1
