import os
import time
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from twf_async.clock import Clock
from twf_async.ledger.ledger import Ledger
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import load
from twf_async.settings.service import CacheSettings
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.retention import Retention, runs_kept, runs_to_delete
from twf_async.upkeep.space import SpaceMaker

FEW = {"hours": (0,), "regions": ("pnw",), "products": ("t2m",)}
CYCLES = st.sets(st.integers(2026010100, 2026010123).map(str), max_size=10)


@given(CYCLES, st.integers(1, 6), st.data())
def test_the_newest_runs_stay_and_so_do_those_shown_pinned_or_in_work(cycles, keep, data):
    some = st.sampled_from(sorted(cycles)) if cycles else st.none()
    shown = data.draw(st.none() | some)
    active = data.draw(st.sets(some)) - {None}
    pinned = data.draw(st.sets(some)) - {None}
    going = runs_to_delete(cycles, keep=keep, shown=shown, active=active, pinned=pinned)
    assert list(going) == sorted(going)
    left = cycles - set(going)
    assert set(sorted(cycles - pinned)[-keep:]) <= left
    assert (active | pinned | {shown}) - {None} <= left
    assert len(left) <= keep + len(active) + len(pinned) + 1


@asynccontextmanager
async def opened(tmp_path):
    """A published tree and a ledger, both running."""
    tree, ledger = PublishedTree(tmp_path / "publish"), Ledger(tmp_path / "l.sqlite")
    await tree.start()
    await ledger.start()
    try:
        yield tree, ledger
    finally:
        await tree.stop()
        await ledger.stop()


async def test_room_is_made_before_a_run_comes_but_never_an_empty_site(tmp_path):
    async with opened(tmp_path) as (tree, ledger):
        cycles = [f"20260129{hour:02d}" for hour in (0, 6, 12, 18)]
        for cycle in cycles:
            await tree.open_run("gfs", cycle, **FEW)
            await ledger.run_started("gfs", cycle)
        await tree.open_run("hrrr", "2026012900", **FEW)
        retention = Retention(
            tree, ledger, keep_runs=lambda _: 2, active=lambda: {("gfs", "2026012906")}
        )
        await retention.make_room("gfs", "2026013000")
        assert tree.runs("gfs") == ("2026012918", "2026012906")
        assert tree.runs("hrrr") == ("2026012900",)
        assert [run.cycle for run in await ledger.runs("gfs")] == ["2026012918", "2026012906"]


async def test_a_run_whose_files_cannot_be_moved_away_holds_up_no_other(tmp_path):
    async with opened(tmp_path) as (tree, ledger):
        for cycle in ("2026012900", "2026012906"):
            await tree.open_run("gfs", cycle, **FEW)
        tree.staging.rmdir()  # where runs go to be deleted
        tree.staging.touch()
        retention = Retention(tree, ledger, keep_runs=lambda _: 1, active=set)
        with capture_logs() as lines:
            await retention.make_room("gfs", "2026012912")
        told = [line["cycle"] for line in lines if line["event"] == "retention.run_not_deleted"]
        assert told == ["2026012900", "2026012906"]
        assert tree.runs("gfs") == ()


async def test_what_is_pinned_stays_however_many_runs_come(tmp_path):
    async with opened(tmp_path) as (tree, ledger):
        cycles = [f"20260129{hour:02d}" for hour in (0, 6, 12, 18)]
        for cycle in cycles:
            for model in ("gfs", "hrrr"):
                await tree.open_run(model, cycle, **FEW)
        await tree.pin("gfs", cycles[0], "the storm")
        kept = {"gfs": 1, "hrrr": 2}
        retention = Retention(tree, ledger, keep_runs=kept.__getitem__, active=set)
        assert retention.due("gfs") == (cycles[1], cycles[2])
        assert retention.due("gfs", coming={"2026013000"}) == (cycles[1], cycles[2], cycles[3])
        await retention.sweep()
        assert tree.runs("gfs") == (cycles[3], cycles[0])
        assert tree.runs("hrrr") == (cycles[3], cycles[2])
        await tree.unpin("gfs", cycles[0])
        await retention.sweep()
        assert tree.runs("gfs") == (cycles[3],)


def test_a_model_may_keep_another_number_of_runs_than_the_others(config_dir):
    environ = {"TWF_MODELS__HRRR__KEEP_RUNS": "12"}
    settings = load(config_dir, environ)
    models, publish = settings.catalog.models, settings.service.publish
    assert [runs_kept(model, models, publish) for model in ("hrrr", "gfs", "gone")] == [12, 4, 4]


async def test_old_downloads_go_and_those_of_a_run_in_work_stay(tmp_path):
    old = time.time() - 7 * 3600
    for cycle, name in (("2026012900", "f000"), ("2026012906", "f000"), ("2026012912", "f000")):
        folder = tmp_path / "gfs" / cycle
        folder.mkdir(parents=True)
        for suffix in (".grib2", ".json"):
            file = folder / f"{name}{suffix}"
            file.write_bytes(b"x" * 10)
            if cycle != "2026012912":
                os.utime(file, (old, old))
    cleaner = CacheCleaner(
        tmp_path,
        settings=CacheSettings,
        active=lambda: {("gfs", "2026012906")},
        clock=Clock(),
    )
    await cleaner.start()
    await cleaner.stop()
    assert sorted(path.name for path in (tmp_path / "gfs").iterdir()) == [
        "2026012906",
        "2026012912",
    ]
    assert await cleaner.clean() == 0


async def test_several_directories_share_one_bound_and_are_left_standing(tmp_path):
    grib, totals = tmp_path / "grib" / "gfs", tmp_path / "increments" / "gfs"
    now = time.time()
    for age, path in ((30, grib / "a"), (20, totals / "b"), (10, grib / "c")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (now - age, now - age))
    cleaner = CacheCleaner(
        tmp_path / "grib",
        tmp_path / "increments",
        settings=lambda: CacheSettings(max_gb=1500 / (1 << 30)),
        active=frozenset,
        clock=Clock(),
    )
    assert await cleaner.clean() == 2000
    assert [path.name for path in tmp_path.rglob("?")] == ["c"]
    assert (tmp_path / "increments").is_dir()
    assert not totals.exists()


def keep(root, name, *, age_s=0.0, size=1000):
    """A download and its record, written a moment apart."""
    data = root / f"{name}.grib2"
    data.parent.mkdir(parents=True, exist_ok=True)
    for path, age in ((data, age_s + 1.0), (data.with_suffix(".json"), age_s)):
        path.write_bytes(b"x" * (size if path is data else 100))
        os.utime(path, (time.time() - age,) * 2)
    return data


def cleaner(root, *, active=frozenset, **bounds):
    return CacheCleaner(
        root, settings=lambda: CacheSettings(**bounds), active=active, clock=Clock()
    )


async def test_a_download_and_its_record_go_together_or_not_at_all(tmp_path):
    for number in range(6):
        keep(tmp_path, f"gfs/2026012912/f{number:03d}.aa", age_s=600.0 - number)

    for bound in (6000, 5000, 4567, 1101, 1100, 1):
        await cleaner(tmp_path, max_gb=bound / (1 << 30)).clean()
        left = {path.name for path in tmp_path.rglob("f*")}
        assert {name.rpartition(".")[0] for name in left if name.endswith(".grib2")} == {
            name.rpartition(".")[0] for name in left if name.endswith(".json")
        }
        assert sum(path.stat().st_size for path in tmp_path.rglob("f*")) <= bound


async def test_no_more_good_downloads_go_than_room_is_wanted_for(tmp_path):
    cache = tmp_path / "cache"
    for hour in range(3):
        keep(cache, f"gfs/2026012912/f{hour:03d}.aa", age_s=600.0 - hour)
    async with opened(tmp_path) as (tree, ledger):
        retention = Retention(tree, ledger, keep_runs=lambda _: 4, active=set)
        space = SpaceMaker(
            retention,
            cleaner(cache),
            cache,
            maps=tree.root,
            active=frozenset,
            free_bytes=lambda _: 50_000.0,
        )

        assert await space.make_room({"cache_dir": 50_000.0}) == 0
        assert await space.make_room({"cache_dir": 50_500.0}) == 1100

    left = sorted(path.name for path in cache.rglob("*.grib2"))
    assert left == ["f001.aa.grib2", "f002.aa.grib2"]


async def test_a_run_of_another_model_of_the_same_cycle_protects_nothing(tmp_path):
    for model in ("gfs", "aigfs"):
        keep(tmp_path, f"{model}/2026012912/f000.aa", age_s=7 * 3600)

    await cleaner(tmp_path, active=lambda: {("gfs", "2026012912")}).clean()

    assert [path.name for path in tmp_path.iterdir()] == ["gfs"]


async def test_files_of_a_run_in_work_stay_beyond_every_bound_and_the_log_says_so_once(tmp_path):
    active = {("gfs", "2026012912")}
    for hour in range(3):
        keep(tmp_path, f"gfs/2026012912/f{hour:03d}.aa", age_s=7 * 3600)
    keep(tmp_path, "gfs/2026012906/f000.aa")
    cleaning = cleaner(tmp_path, active=lambda: frozenset(active), max_gb=2000 / (1 << 30))

    with capture_logs() as logs:
        for _ in range(3):
            await cleaning.clean()
    while_active = cleaning.status()
    active.clear()
    await cleaning.clean()

    assert [line["event"] for line in logs] == ["cache.cleaned", "cache.overfull"]
    assert (logs[0]["files"], logs[0]["kept_bytes"]) == (1, 3300)
    assert (while_active["files"], while_active["max_age_hours"]) == (3, 6.0)
    assert cleaning.status()["files"] == 0
    assert not (tmp_path / "gfs").exists()


async def test_a_file_that_cannot_be_deleted_is_told_once_and_the_others_go(tmp_path):
    old = time.time() - 7 * 3600
    folder = tmp_path / "gfs" / "2026012900"
    folder.mkdir(parents=True)
    for name in ("f000", "f006"):
        file = folder / f"{name}.grib2"
        file.write_bytes(b"x" * 10)
        os.utime(file, (old, old))
    (folder / "f000.json").mkdir()  # where its record would be
    cleaner = CacheCleaner(tmp_path, settings=CacheSettings, active=set, clock=Clock())
    with capture_logs() as lines:
        assert await cleaner.clean() == 10
        assert await cleaner.clean() == 0
    told = [line["reason"] for line in lines if line["event"] == "cache.not_cleaned"]
    assert len(told) == 1
    assert "f000.json" in told[0]
    assert cleaner.status()["files"] == 1
