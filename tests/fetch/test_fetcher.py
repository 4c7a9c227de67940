import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from render_farm.domain.places import Box
from tests.fetch.conftest import NOW, PNW
from tests.fetch.fakes.messages import (
    CUT_OUT,
    CYCLE,
    PRMSL,
    T2M,
    T850,
    TOTAL,
    U10,
    file_of,
    message,
)
from tests.fetch.fakes.nomads import answer, ranged
from twf_async.fetch.errors import NotYetPublished, ServerTrouble
from twf_async.fetch.patience import Patience
from twf_async.settings.service import FetchSettings, UpstreamSettings

COM = "/pub/data/nccf/com"
GFS = f"{COM}/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
AIGFS = f"{COM}/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z"
LEVELS = {
    "lev_2_m_above_ground": T2M,
    "lev_850_mb": T850,
    "lev_mean_sea_level": PRMSL,
    "lev_surface": TOTAL,
    "lev_10_m_above_ground": U10,
}


def the_filter(asked):
    """What the grib filter would send of fields that lie on one level each."""
    found = [key for name, key in LEVELS.items() if {name, f"var_{key.parameter}"} <= asked.names]
    return b"".join(message(key, grid=CUT_OUT, payload=bytes(500)) for key in found)


def publish(fake, path, *keys):
    content, idx = file_of(*keys, payload_bytes=200_000)
    fake.files[path] = content
    fake.files[f"{path}.idx"] = idx.encode()
    fake.filtered = the_filter


async def test_an_hour_is_downloaded_once_and_then_served_from_disk(nomads, gfs, running, want):
    publish(nomads, GFS, PRMSL, T2M, T850)

    async with running(nomads.url) as fetcher:
        first = await fetcher.hour(want(gfs, T2M, PRMSL))
        asked = len(nomads.asked)
        again = await fetcher.hour(want(gfs, T2M))
    async with running(nomads.url) as restarted:
        after = await restarted.hour(want(gfs, PRMSL, T2M))
        exists = await restarted.exists(gfs, CYCLE, 6)

    assert (first.method, again.method, after.method) == ("FILTERED", "CACHED", "CACHED")
    assert first.requests == asked == len(nomads.asked)
    assert after.files == first.files
    assert (after.bytes, after.requests, after.source) == (0, 0, "nomads")
    assert exists


async def test_only_new_fields_of_a_known_hour_are_asked_for(nomads, gfs, running, want):
    publish(nomads, GFS, PRMSL, T2M, T850)

    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M))
        more = await fetcher.hour(want(gfs, T2M, T850))

    assert nomads.asked[-1].names >= {"var_TMP", "lev_850_mb"}
    assert "lev_2_m_above_ground" not in nomads.asked[-1].names
    assert {key for _, keys in more.files for key in keys} == {T2M, T850}


async def test_each_field_is_listed_with_one_file(nomads, gfs, running, want):
    publish(nomads, GFS, PRMSL, T2M, T850)
    wider = Box(west=-130, east=-100, south=30, north=55)

    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M, PRMSL))
        fetched = await fetcher.hour(want(gfs, T2M, PRMSL, T850, box=wider))
        fetched = await fetcher.hour(want(gfs, T2M, T850))

    listed = [key for _, keys in fetched.files for key in keys]
    assert len(listed) == len(set(listed))


async def test_a_larger_box_is_asked_for_anew(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)

    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M))
        wider = PNW.model_copy(update={"south": 30.0})
        fetched = await fetcher.hour(want(gfs, T2M, box=wider))

    assert fetched.method == "FILTERED"
    assert ("bottomlat", "30") in nomads.asked[-1].query


async def test_two_who_ask_for_an_hour_at_once_share_one_download(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)

    async with running(nomads.url) as fetcher:
        both = await asyncio.gather(*(fetcher.hour(want(gfs, T2M)) for _ in range(2)))

    assert sorted(fetched.method for fetched in both) == ["CACHED", "FILTERED"]
    assert len(nomads.asked) == 2


async def test_a_field_that_the_model_does_not_write_is_missing_not_an_error(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M)

    async with running(nomads.url) as fetcher:
        some = await fetcher.hour(want(gfs, T2M, TOTAL))
        none = await fetcher.hour(want(gfs, TOTAL))

    assert (some.missing, none.missing) == ({TOTAL}, {TOTAL})
    assert none.files == ()


async def test_aigfs_comes_from_two_files_in_byte_ranges(nomads, aigfs, running, want):
    publish(nomads, f"{AIGFS}.sfc.f006.grib2", U10, T2M, PRMSL, TOTAL)
    publish(nomads, f"{AIGFS}.pres.f006.grib2", T850)

    async with running(nomads.url) as fetcher:
        exists = await fetcher.exists(aigfs, CYCLE, 6)
        fetched = await fetcher.hour(want(aigfs, T2M, PRMSL, T850))

    assert exists
    assert fetched.method == "RANGES"
    assert {key for _, keys in fetched.files for key in keys} == {T2M, PRMSL, T850}
    assert len(nomads.paths(".idx")) == 2  # what was read to see is not read again to fetch
    assert nomads.paths(".pl") == []
    assert fetched.last_modified == datetime(2026, 1, 29, 15, 40, tzinfo=UTC)


async def test_half_of_an_hour_survives_the_failure_of_the_other(nomads, aigfs, running, want):
    publish(nomads, f"{AIGFS}.sfc.f006.grib2", T2M)
    publish(nomads, f"{AIGFS}.pres.f006.grib2", T850)
    bad = [("pres.f006.grib2", answer(b"", "503 Service Unavailable"))] * 4
    nomads.script = [("pres.f006.grib2.idx", answer(nomads.files[f"{AIGFS}.pres.f006.grib2.idx"]))]
    nomads.script += bad

    async with running(nomads.url) as fetcher:
        with pytest.raises(ServerTrouble):
            await fetcher.hour(want(aigfs, T2M, T850))
        fetched = await fetcher.hour(want(aigfs, T2M, T850))

    assert len(nomads.paths("sfc.f006.grib2")) == 1
    assert {key for _, keys in fetched.files for key in keys} == {T2M, T850}


async def test_an_hour_exists_when_all_its_inventories_do(nomads, gfs, aigfs, running):
    publish(nomads, GFS, T2M)
    publish(nomads, f"{AIGFS}.sfc.f006.grib2", T2M)
    nomads.script = [("gfs.t12z", answer(b""))]

    async with running(nomads.url) as fetcher:
        empty = await fetcher.exists(gfs, CYCLE, 6)
        whole = await fetcher.exists(gfs, CYCLE, 6)
        half = await fetcher.exists(aigfs, CYCLE, 6)

    assert (empty, whole, half) == (False, True, False)


async def test_the_newest_run_is_found_by_asking_newest_first(nomads, gfs, running):
    publish(nomads, f"{COM}/gfs/prod/gfs.20260129/06/atmos/gfs.t06z.pgrb2.0p25.f000", T2M)
    nomads.files = {
        path: body.replace(b"d=2026012912", b"d=2026012906") for path, body in nomads.files.items()
    }

    async with running(nomads.url) as fetcher:
        newest = await fetcher.newest_cycle(gfs)

    assert newest == "2026012906"
    assert [path.split("/")[-1][:8] for path in nomads.paths(".idx")] == ["gfs.t12z", "gfs.t06z"]


async def test_no_run_is_asked_for_before_it_can_be_there(nomads, gfs, running):
    early = datetime(2026, 1, 29, 12, tzinfo=UTC) + timedelta(minutes=gfs.first_hour_min - 30)

    async with running(nomads.url, now=early) as fetcher:
        assert await fetcher.newest_cycle(gfs) is None

    assert not [path for path in nomads.paths(".idx") if "t12z" in path and "20260129" in path]


async def test_a_cancelled_download_leaves_nothing_and_can_be_repeated(
    nomads, aigfs, running, want, tmp_path
):
    path = f"{AIGFS}.sfc.f006.grib2"
    publish(nomads, path, T2M)
    arrived, release = asyncio.Event(), asyncio.Event()

    def stall(_):
        arrived.set()
        return release

    nomads.script = [(".idx", answer(nomads.files[f"{path}.idx"])), ("sfc.f006.grib2", stall)]

    async with running(nomads.url) as fetcher:
        task = asyncio.create_task(fetcher.hour(want(aigfs, T2M)))
        await arrived.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []
        release.set()
        fetched = await fetcher.hour(want(aigfs, T2M))

    assert fetched.missing == frozenset()


async def test_a_run_keeps_to_the_way_it_began_with(nomads, gfs, running, want):
    """Totals of two hours can only be subtracted on the same grid."""
    publish(nomads, GFS, PRMSL, T2M)
    later = GFS.replace("f006", "f009")

    async with running(nomads.url) as fetcher:
        assert (await fetcher.hour(want(gfs, T2M))).method == "FILTERED"
    content, idx = file_of(PRMSL, T2M, payload_bytes=500)  # now ranges would be cheaper
    nomads.files[later], nomads.files[f"{later}.idx"] = content, idx.encode()
    async with running(nomads.url) as restarted:
        fetched = await restarted.hour(want(gfs, T2M, hour=9))

    assert fetched.method == "FILTERED"


async def test_a_run_keeps_its_box_when_less_is_wanted_later(nomads, gfs, running, want):
    """A region was taken off the menu between two hours, and the service restarted."""
    publish(nomads, GFS, PRMSL, T2M)
    later = GFS.replace("f006", "f009")
    nomads.files[later], nomads.files[f"{later}.idx"] = (
        nomads.files[GFS],
        nomads.files[f"{GFS}.idx"],
    )
    wider = PNW.model_copy(update={"south": 30.0})

    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M))
        await fetcher.hour(want(gfs, T2M, box=wider))
    async with running(nomads.url) as restarted:
        before = await restarted.hour(want(gfs, T2M))
        after = await restarted.hour(want(gfs, T2M, hour=9))

    boxes = [dict(one.query)["bottomlat"] for one in nomads.asked if "/cgi-bin/" in one.path]
    assert boxes == ["41.25", "30", "30"]
    assert before.method == "CACHED"
    assert after.method == "FILTERED"


async def test_hours_begun_together_are_cut_alike(nomads, gfs, running, want):
    """Of the second hour ranges would be cheaper."""
    publish(nomads, GFS, PRMSL, T2M)
    later = GFS.replace("f006", "f009")
    content, idx = file_of(PRMSL, T2M, payload_bytes=500)
    nomads.files[later], nomads.files[f"{later}.idx"] = content, idx.encode()

    async with running(nomads.url) as fetcher:
        both = await asyncio.gather(
            fetcher.hour(want(gfs, T2M)), fetcher.hour(want(gfs, T2M, hour=9))
        )

    assert {fetched.method for fetched in both} == {"FILTERED"}


async def test_a_reload_takes_effect_without_breaking_what_is_under_way(
    nomads, mirror, gfs, running, want
):
    publish(nomads, GFS, T2M)
    publish(mirror, GFS, T2M)
    arrived, release = asyncio.Event(), asyncio.Event()

    def stall(_):
        arrived.set()
        return release

    nomads.script = [("/cgi-bin/", stall)]
    async with running(nomads.url, read_timeout_s=20) as fetcher:
        old = asyncio.create_task(fetcher.hour(want(gfs, T2M)))
        await arrived.wait()
        settings = UpstreamSettings(nomads_url=mirror.url, aws_url="", contact="new@example.org")
        await fetcher.reload(settings, FetchSettings())
        assert await fetcher.exists(gfs, CYCLE, 6)
        release.set()
        fetched = await old

    assert fetched.method == "FILTERED"
    assert mirror.asked[0].headers["user-agent"].endswith("(+new@example.org)")


async def test_we_say_who_we_are_and_keep_cookies_from_an_address(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    idx = nomads.files[f"{GFS}.idx"]
    nomads.script = [(".idx", answer(idx, headers=["Set-Cookie: ak_bm=1; path=/"]))]

    async with running(nomads.url, contact="maps@example.org") as fetcher:
        await fetcher.hour(want(gfs, T2M))

    agents = {one.headers["user-agent"] for one in nomads.asked}
    assert len(agents) == 1
    assert agents.pop().endswith("(+maps@example.org)")
    assert nomads.asked[1].headers["cookie"] == "ak_bm=1"


async def test_every_download_is_told_with_its_way_and_weight(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)

    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            fetched = await fetcher.hour(want(gfs, T2M, TOTAL))
            left = fetcher.sources[0].host.pacer.last_minute()

    (line,) = [line for line in logs if line["event"] == "fetch.finished"]
    assert {key: line[key] for key in ("model", "cycle", "hour", "method", "source")} == {
        "model": "gfs",
        "cycle": CYCLE,
        "hour": 6,
        "method": "FILTERED",
        "source": "nomads",
    }
    assert (
        line["requests"] == fetched.requests == 3
    )  # an inventory that lacks a field is doubted once
    assert line["megabytes"] == round(fetched.bytes / 1e6, 3)
    assert line["missing"] == 1
    assert left == 3


async def test_all_models_share_one_pace(nomads, gfs, aigfs, running, want):
    publish(nomads, GFS, T2M, T850)
    publish(nomads, f"{AIGFS}.sfc.f006.grib2", T2M)
    publish(nomads, f"{AIGFS}.pres.f006.grib2", T850)

    async with running(nomads.url, per_min=1200) as fetcher:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(
            fetcher.hour(want(gfs, T2M, T850)), fetcher.hour(want(aigfs, T2M, T850))
        )

    assert len(nomads.asked) == 6
    # The first may be late to arrive; the last left no sooner than five beats after the beginning.
    assert max(one.at for one in nomads.asked) - began >= 5 * 60 / 1200


async def test_a_source_is_never_asked_over_more_connections_than_allowed(
    nomads, gfs, aigfs, running, want
):
    release = asyncio.Event()
    nomads.script = [(".idx", lambda _: release)] * 6

    async with running(nomads.url, connections=3, connections_per_model=2) as fetcher:
        tasks = [
            asyncio.create_task(fetcher.exists(model, CYCLE, hour))
            for model in (gfs, aigfs)
            for hour in (0, 6, 12)
        ]
        while len(nomads.asked) < 3:
            await asyncio.sleep(0.01)
        for _ in range(20):
            await asyncio.sleep(0)
        asked = [one.path for one in nomads.asked]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        release.set()

    assert len(asked) == 3
    assert max(sum("/gfs/" in path for path in asked), sum("/aigfs/" in p for p in asked)) == 2


async def test_a_full_disk_is_told_before_anything_is_asked(nomads, aigfs, running, want, tmp_path):
    path = f"{AIGFS}.sfc.f006.grib2"
    publish(nomads, path, T2M, PRMSL)
    huge = f"1:0:d={CYCLE}:{T2M}:\n2:{10**15 - 1}:d={CYCLE}:{PRMSL}:\n"
    nomads.files[f"{path}.idx"] = huge.encode()

    async with running(nomads.url) as fetcher:
        with pytest.raises(Exception, match="bytes free"):
            await fetcher.hour(want(aigfs, T2M))

    assert nomads.paths("f006.grib2") == []


async def test_nomads_down_sends_us_to_the_mirror(mirror, gfs, running, want, nobody):
    path = "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
    publish(mirror, path, T2M, PRMSL)

    with capture_logs() as logs:
        async with running(nobody, aws_url=mirror.url) as fetcher:
            exists = await fetcher.exists(gfs, CYCLE, 6)
            fetched = await fetcher.hour(want(gfs, T2M))

    assert exists
    assert (fetched.source, fetched.method) == ("aws", "RANGES")
    assert "fetch.fell_back" in {line["event"] for line in logs}


async def test_the_mirror_is_asked_only_after_a_while_of_failing(
    nomads, mirror, gfs, running, want
):
    publish(mirror, "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006", T2M)

    async with running(nomads.url, aws_url=mirror.url, fallback_after_min=15) as fetcher:
        with pytest.raises(NotYetPublished):
            await fetcher.hour(want(gfs, T2M))
        with pytest.raises(NotYetPublished):
            await fetcher.hour(want(gfs, T2M))
    assert mirror.asked == []

    async with running(nomads.url, aws_url=mirror.url, fallback_after_min=1e-9) as fetcher:
        with pytest.raises(NotYetPublished):
            await fetcher.hour(want(gfs, T2M, hour=9))
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.source == "aws"


async def test_nomads_is_asked_again_once_it_is_back(nomads, mirror, gfs, running, want):
    publish(nomads, GFS, T2M)
    publish(mirror, "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006", T2M)
    nomads.script = [(".idx", answer(b"", "503 Busy"))] * 4

    async with running(nomads.url, aws_url=mirror.url, fallback_after_min=1e-9) as fetcher:
        with pytest.raises(ServerTrouble):
            nomads.script += [(".idx", answer(b"", "503 Busy"))] * 4
            mirror.script = [(".idx", answer(b"", "404 Not Found"))]
            await fetcher.hour(want(gfs, T2M))
        nomads.script = []
        fetched = await fetcher.hour(want(gfs, T2M))

    assert fetched.source == "nomads"


async def test_a_block_by_nomads_does_not_touch_the_mirrors_budget(
    nomads, mirror, gfs, running, want
):
    publish(mirror, "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006", T2M)
    nomads.script = [(".idx", answer(b"", "302 Found"))]
    patience = Patience(attempts=2, scale=0.001, throttle_s=600_000)

    async with running(
        nomads.url, aws_url=mirror.url, fallback_after_min=1e-9, patience=patience
    ) as fetcher:
        with pytest.raises(Exception, match="302"):
            await fetcher.hour(want(gfs, T2M, hour=3))
        fetched = await fetcher.hour(want(gfs, T2M))
        throttled_s = [source.host.breaker.throttled_for_s for source in fetcher.sources]

    assert fetched.source == "aws"
    assert throttled_s[0] > 0
    assert throttled_s[1] == 0


async def test_a_run_cleared_away_on_nomads_is_taken_from_the_mirror(
    nomads, mirror, gfs, running, want
):
    publish(mirror, "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006", T2M)
    nomads.script = [(".idx", answer(b"", "403 Forbidden"))]

    late = NOW + timedelta(days=30)
    async with running(nomads.url, aws_url=mirror.url, now=late) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))

    assert fetched.source == "aws"


async def test_a_model_without_a_mirror_has_none(nomads, mirror, aigfs, running, want):
    async with running(nomads.url, aws_url=mirror.url, fallback_after_min=1e-9) as fetcher:
        for _ in range(2):
            with pytest.raises(NotYetPublished):
                await fetcher.hour(want(aigfs, T2M))

    assert mirror.asked == []


async def test_a_large_range_never_lies_whole_in_memory_or_half_on_disk(
    nomads, aigfs, running, want, tmp_path
):
    path = f"{AIGFS}.sfc.f006.grib2"
    content, idx = file_of(T2M, payload_bytes=5_000_000)
    nomads.files[path], nomads.files[f"{path}.idx"] = content, idx.encode()
    nomads.script = [
        (".idx", answer(idx.encode())),
        ("sfc.f006.grib2", lambda asked: ranged(content, asked, keep=3_333_333)),
    ]

    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(aigfs, T2M))

    (file,) = (tmp_path / "cache").rglob("*.grib2")
    assert file.read_bytes() == content
    assert fetched.bytes == len(content) + len(idx)
