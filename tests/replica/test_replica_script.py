"""Which faults befall which requests: patterns, counts, chance, files, the control pages."""

import asyncio
import json
import sys

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replica.asking import GFS, GFS_F006, HandClock
from tests.replica.test_replica_files import NOW
from twf_async.errors import BadInput
from twf_async.replica.faults.director import Director
from twf_async.replica.faults.kinds import BODIES, FILES, PARTS, REPLIES, WIRE, Kind
from twf_async.replica.faults.script import (
    Asked,
    Fault,
    Script,
    Source,
    read_script,
    read_script_file,
    script_json,
)
from twf_async.replica.faults.target import Target
from twf_async.replica.limit import Burst, Limit, Refusal

F000 = f"{GFS}/gfs.t12z.pgrb2.0p25.f000"
F006 = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
ALL = f"{GFS_F006}&all_var=on&all_lev=on"
TOML = """
seed = 7
[limit]
hits_per_min = 100
refusal = "200"
[burst]
requests = 5
[[faults]]
kind = "reset"
on = ["filter", "grib"]
path = "*f006*"
probability = 0.05
at = 0.9
[[faults]]
kind = "absent"
after = 2026-01-29T15:00:00Z
until = 3600.0
"""


def met(faults, paths, seed=0):
    """What each of the requests meets, in order."""
    director = Director(HandClock(NOW), Script(seed, tuple(faults)))
    asked = (Target(path, path, Asked.GRIB, Source.NOMADS, path) for path in paths)
    return [[cue.fault.kind for cue in director.cues(target)] for target in asked]


def test_every_kind_is_of_one_family():
    families = [REPLIES, BODIES, PARTS, WIRE, FILES]
    assert sum(map(len, families)) == len(Kind)
    assert frozenset().union(*families) == set(Kind)


@pytest.mark.parametrize(
    ("counts", "hit"),
    [
        ({}, "111111"),
        ({"first": 2}, "110000"),
        ({"skip": 1, "first": 2}, "011000"),
        ({"every": 3}, "001001"),
        ({"every": 2, "first": 2}, "010100"),
        ({"skip": 4}, "000011"),
    ],
)
def test_faults_are_counted(counts, hit):
    found = met([Fault("reset", **counts)], ["/a"] * 6)
    assert "".join(str(len(kinds)) for kinds in found) == hit


def test_counts_can_be_of_each_path_apart():
    paths = ["/a", "/b", "/a", "/b", "/a"]
    together = met([Fault("reset", first=2)], paths)
    apart = met([Fault("reset", first=2, each_path=True)], paths)
    assert [len(kinds) for kinds in together] == [1, 1, 0, 0, 0]
    assert [len(kinds) for kinds in apart] == [1, 1, 1, 1, 0]


@given(st.integers(0, 99), st.lists(st.sampled_from(["/a", "/b", "/c"]), max_size=30), st.randoms())
def test_the_seed_decides_whatever_order_the_requests_come_in(seed, paths, random):
    faults = [Fault("reset", probability=0.5), Fault("flip", probability=0.3)]
    shuffled = random.sample(paths, len(paths))

    def of_each(order):
        found = met(faults, order, seed)
        pairs = zip(order, found, strict=True)
        return sorted((path, *kinds) for path, kinds in pairs)

    assert met(faults, paths, seed) == met(faults, paths, seed)
    assert of_each(paths) == of_each(shuffled)


def test_chance_is_as_often_as_it_says():
    found = met([Fault("reset", probability=0.05)], [f"/{n}" for n in range(4000)])
    assert 150 <= sum(map(len, found)) <= 250


@pytest.mark.parametrize(
    ("where", "asked", "befalls"),
    [
        ({"on": ("idx",)}, f"{F006}.idx", True),
        ({"on": ("idx",)}, F006, False),
        ({"on": ("grib",)}, F006, True),
        ({"on": ("filter",)}, ALL, True),
        ({"on": ("filter",)}, F006, False),
        ({"on": ("listing",)}, f"{GFS}/", True),
        ({"on": ("idx", "filter")}, ALL, True),
        ({"path": "f006"}, ALL, True),
        ({"path": "*/atmos/gfs.t12z.pgrb2.0p25.f006"}, ALL, True),
        ({"path": "*/atmos/gfs.t12z.pgrb2.0p25.f006"}, f"{F006}.idx", False),
        ({"path": "*all_lev=on*"}, ALL, True),
        ({"path": "f00[1-9]"}, F006, False),
        ({"path": "*f00[1-9]"}, F006, True),
        ({"source": "mirror"}, F006, False),
        ({"source": "nomads"}, F006, True),
    ],
)
async def test_patterns_choose_requests_by_what_they_are_after(scripted, where, asked, befalls):
    async with scripted(Fault("status", status=503, **where)) as (client, _):
        assert (await client.get(asked)).status == (503 if befalls else 200)


def test_a_script_is_read_from_toml_and_from_its_own_json(tmp_path):
    (tmp_path / "script.toml").write_text(TOML)
    script = read_script_file(tmp_path / "script.toml")
    assert script.limit == Limit(100, refusal=Refusal.PAGE)
    assert script.burst == Burst(5)
    reset, absent = script.faults
    assert reset == Fault("reset", "*f006*", on=("filter", "grib"), probability=0.05, at=0.9)
    assert absent.after.isoformat() == "2026-01-29T15:00:00+00:00"
    assert absent.until == 3600.0
    (tmp_path / "script.json").write_bytes(script_json(script))
    assert read_script_file(tmp_path / "script.json") == script


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"faults": [{"kind": "rest"}]}, "faults.1.kind: there is no 'rest'; did you mean 'reset'"),
        ({"faults": [{"kind": "reset", "chance": 1}]}, "faults.1.chance: unknown key"),
        (
            {"faults": [{"kind": "reset", "probability": 5}]},
            "faults.1.probability: 5 is not a number from 0 to 1",
        ),
        ({"faults": [{"kind": "reset", "after": "soon"}]}, "'soon' is neither a time as .* nor a"),
        ({"faults": [{"kind": "absent", "on": ["filter"]}]}, "on takes idx and grib only"),
        ({"seeds": 1}, "seeds: unknown key; did you mean 'seed'"),
        ([], "script: .* is not a table"),
    ],
)
def test_a_wrong_script_is_refused_by_name(data, told):
    with pytest.raises(BadInput, match=told):
        read_script(data)


def test_a_file_that_is_no_script_is_named(tmp_path):
    for name, text in (("a.toml", "seed ="), ("b.json", "{"), ("c.toml", "seed = 'x'")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadInput, match=name):
            read_script_file(tmp_path / name)


async def test_the_script_can_be_changed_over_http(scripted):
    async with scripted() as (client, replica), aiohttp.ClientSession() as session:
        url = f"{replica.url}/_replica/script"
        assert (await client.get(F006, "HEAD")).status == 200
        async with session.post(url, json={"faults": [{"kind": "status"}]}) as answer:
            assert answer.status == 204
        assert (await client.get(F006, "HEAD")).status == 500
        toml = {"Content-Type": "application/toml"}
        async with session.post(url, data=TOML, headers=toml) as answer:
            assert answer.status == 204
        told = json.loads((await client.get("/_replica/script")).body)
        assert (told["seed"], told["faults"][0]["kind"]) == (7, "reset")
        async with session.post(url, json={"fault": []}) as answer:
            assert (answer.status, await answer.text()) == (
                400,
                "fault: unknown key; did you mean 'faults'?\n",
            )
        async with session.delete(url) as answer:
            assert answer.status == 204
        assert (await client.get(ALL)).status == 200
        assert (await client.get("/_replica/nothing")).status == 404
        assert all("_replica" not in hit.path for hit in replica.hits)


async def test_the_script_can_be_changed_from_python(scripted):
    async with scripted(Fault("status")) as (client, replica):
        assert (await client.get(F006, "HEAD")).status == 500
        replica.play(limit=Limit(1, 60.0))
        assert [(await client.get(F006, "HEAD")).status for _ in range(2)] == [200, 302]
        replica.play()
        assert (await client.get(F006, "HEAD")).status == 200


async def test_the_program_takes_a_script_and_serves_the_mirror(test_data, tmp_path):
    (tmp_path / "script.toml").write_text('[[faults]]\nkind = "status"\nsource = "mirror"\n')
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twf_async", "replica", "--root", test_data / "nomads"),
        *("--script", tmp_path / "script.toml", "--mirror-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert program.stdout is not None
    try:
        nomads, mirror = [(await program.stdout.readline()).decode().strip() for _ in range(2)]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{nomads}{F006}.idx") as answer:
                assert answer.status == 200
            async with session.get(f"{mirror}/gfs.20260129/12/atmos/x") as answer:
                assert answer.status == 500
    finally:
        program.terminate()
        assert await program.wait() == 0


async def test_the_program_refuses_a_wrong_script_in_one_sentence(test_data, tmp_path):
    (tmp_path / "script.toml").write_text("[[faults]]\nkind = 'rest'\n")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "twf_async.replica", "--root", test_data / "nomads"),
        *("--script", tmp_path / "script.toml"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await program.communicate()
    assert program.returncode == 2
    (line,) = told.decode().splitlines()
    assert "script.toml: faults.1.kind" in line
