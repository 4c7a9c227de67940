"""Parts of manifests: what is asked for and nothing else, of what was last written."""

import json

import pytest

from tests.web.conftest import NEW, OLD, publish
from twf_async.web import slices
from twf_async.web.slices import Pieces, SlicedManifests


def manifest(*regions, **facts):
    hours = {"f000": {"state": "published", "hash": "a" * 16}, "f006": {"state": "expected"}}
    frames = {region: dict.fromkeys(("t2m", "refc"), hours) for region in regions}
    return json.dumps({"schema": 1, **facts, "frames": frames}).encode()


@pytest.mark.parametrize("region", [None, "pnw", "conus", "nowhere", "..", "p" * 5000])
@pytest.mark.parametrize("product", [None, "t2m", "cape", '"'])
def test_a_part_is_the_whole_without_the_rest(region, product):
    text = manifest("pnw", "conus", held="")
    whole = json.loads(text)
    whole["frames"] = {
        place: {kind: hours for kind, hours in kinds.items() if product in (None, kind)}
        for place, kinds in whole["frames"].items()
        if region in (None, place)
    }
    assert json.loads(Pieces.of(text).part(region, product)) == whole


def test_a_manifest_is_cut_once_for_each_version_however_many_parts_are_asked_for(monkeypatch):
    cut = []

    class Counted(Pieces):
        @classmethod
        def of(cls, text):
            cut.append(text)
            return Pieces.of(text)

    monkeypatch.setattr(slices, "Pieces", Counted)
    parts, first, second = SlicedManifests(), manifest("pnw"), manifest("pnw", held="disk")
    for number in range(100):
        parts.part(("gfs", OLD), first, f"region_{number}", None)
        parts.part(("gfs", NEW), second, None, f"product_{number}")
    assert cut == [first, second]
    assert json.loads(parts.part(("gfs", OLD), second, "pnw", None))["held"] == "disk"
    assert cut == [first, second, second]


def test_of_runs_that_come_and_go_a_few_are_kept():
    parts = SlicedManifests()
    text = manifest("pnw")
    for number in range(200):
        parts.part(("gfs", str(number)), text, "pnw", None)
    kept = [cycle for _, cycle in parts._pieces]
    assert kept == [str(number) for number in range(200 - slices.MOST_RUNS, 200)]


async def test_a_part_shows_at_once_what_has_come_online(client, tree):
    address = f"/api/v1/runs/gfs/{NEW}?region=pnw&product=t2m"
    before = await client.get(address)
    same = await client.get(address, headers={"If-None-Match": before.headers["ETag"]})
    await publish(tree, NEW, 3, {"t2m": b"new 3"})
    after = await client.get(address, headers={"If-None-Match": before.headers["ETag"]})

    assert (before.status, same.status, after.status) == (200, 304, 200)
    assert (await before.json())["frames"]["pnw"]["t2m"]["f003"]["state"] == "expected"
    frames = (await after.json())["frames"]
    assert frames["pnw"]["t2m"]["f003"]["state"] == "published"
    assert (list(frames), list(frames["pnw"])) == (["pnw"], ["t2m"])
