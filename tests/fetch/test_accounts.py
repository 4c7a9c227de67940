"""What is counted, and where counting ends in refusal."""

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.fetch.conftest import NOW, PNW
from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M, T850, U10
from tests.fetch.fakes.nomads import answer, bare_302
from tests.fetch.test_fetcher import AIGFS, GFS, publish
from twf_async.clock import Clock
from twf_async.fetch.budget import BudgetSpent
from twf_async.fetch.errors import NotYetPublished, Throttled
from twf_async.fetch.patience import Patience
from twf_async.fetch.status import FetchStatus
from twf_async.settings.service import FetchSettings, UpstreamSettings

MB = 1_000_000
WIDER = PNW.model_copy(update={"south": 30.0})


def bodies(nomads):
    """Bytes of every body that the fake sent so far, by the kind of request."""
    sent = {"INVENTORY": 0, "FILTERED": 0, "RANGES": 0, "FULL": 0}
    for one in nomads.asked:
        if one.path.startswith("/cgi-bin/"):
            sent["FILTERED"] += len(nomads.filtered(one))
        elif one.path.endswith(".idx"):
            sent["INVENTORY"] += len(nomads.files.get(one.path, b""))
        elif "range" in one.headers:
            first, _, last = one.headers["range"].removeprefix("bytes=").partition("-")
            end = int(last) + 1 if last else len(nomads.files[one.path])
            sent["RANGES"] += end - int(first)
        else:
            sent["FULL"] += len(nomads.files[one.path])
    return sent


async def test_each_model_bears_its_own_requests_bytes_and_hits(nomads, gfs, aigfs, running, want):
    publish(nomads, f"{AIGFS}.sfc.f006.grib2", U10, T2M, PRMSL)
    publish(nomads, f"{AIGFS}.pres.f006.grib2", T850)
    async with running(nomads.url) as fetcher:
        status = FetchStatus(fetcher, Clock(NOW))
        await fetcher.hour(want(aigfs, T2M, T850))
        sent = bodies(nomads)
        asked = len(nomads.asked)
        publish(nomads, GFS, PRMSL, T2M, T850)
        await fetcher.hour(want(gfs, T2M))
        await fetcher.hour(want(gfs, T2M))
        both = {model.key: status.model(model) for model in (gfs, aigfs)}

    assert both["aigfs"]["bytes"] == {**sent, "CACHED": 0}
    assert sent["RANGES"] > 200_000
    assert (both["aigfs"]["requests"], both["gfs"]["requests"]) == (asked, 2)
    assert both["gfs"]["requests_last_minute"] == 2
    assert both["gfs"]["bytes"]["RANGES"] == 0
    assert both["gfs"]["bytes"]["CACHED"] == both["gfs"]["bytes"]["FILTERED"] > 0
    assert (both["aigfs"]["cache_hit_rate"], both["gfs"]["cache_hit_rate"]) == (0.0, 0.5)
    assert (both["aigfs"]["source"], both["gfs"]["source"]) == ("nomads", "nomads")


async def test_looking_in_vain_is_on_the_models_account_too(nomads, gfs, aigfs, running):
    async with running(nomads.url) as fetcher:
        for hour in (6, 9):
            with pytest.raises(NotYetPublished):
                await fetcher.appeared(gfs, CYCLE, hour)
        status = FetchStatus(fetcher, Clock(NOW))
        gfs_account, aigfs_account = status.model(gfs), status.model(aigfs)
        seen = status.seen("gfs", CYCLE)

    assert (gfs_account["requests"], gfs_account["source"], seen) == (2, None, frozenset())
    assert gfs_account["cache_hit_rate"] is None
    assert aigfs_account["requests"] == 0


async def test_an_hour_that_appeared_counts_as_seen_before_it_is_fetched(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M)
    async with running(nomads.url) as fetcher:
        status = FetchStatus(fetcher, Clock(NOW))
        await fetcher.appeared(gfs, CYCLE, 6)
        looked = status.seen("gfs", CYCLE)
        await fetcher.hour(want(gfs, T2M))
    async with running(nomads.url) as restarted:
        await restarted.appeared(gfs, CYCLE, 6)
        after = FetchStatus(restarted, Clock(NOW)).seen("gfs", CYCLE)

    assert looked == after == {6}


async def test_accounts_outlive_a_reload_and_after_a_restart_the_cache_serves_all(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, T850, PRMSL)
    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M, PRMSL))
        before = fetcher.accounts.of("gfs").received.copy()
        await fetcher.reload(
            UpstreamSettings(nomads_url=nomads.url, aws_url=""), FetchSettings(ahead_hours=2)
        )
        with capture_logs() as logs:
            await fetcher.hour(want(gfs, T2M))
        account = fetcher.accounts.of("gfs")
        after = account.received.copy()
        asked = len(nomads.asked)
    async with running(nomads.url) as restarted:
        for keys in ((T2M,), (PRMSL,), (T2M, PRMSL)):
            await restarted.hour(want(gfs, *keys))
        rate = restarted.accounts.of("gfs").hit_rate

    assert before == after
    assert account.hit_rate == 0.5
    assert [line["cache_hit_rate"] for line in logs if line["event"] == "fetch.finished"] == [0.5]
    assert rate == 1.0
    assert len(nomads.asked) == asked


async def test_the_mirror_in_use_is_named_and_its_host_counted_apart(
    nomads, mirror, gfs, running, want
):
    publish(mirror, "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006", T2M)
    nomads.script = [(".idx", bare_302())]
    patience = Patience(attempts=2, scale=0.001, throttle_s=600_000)
    async with running(
        nomads.url, aws_url=mirror.url, fallback_after_min=1e-9, patience=patience
    ) as fetcher:
        status = FetchStatus(fetcher, Clock(NOW))
        with pytest.raises(Throttled):
            await fetcher.hour(want(gfs, T2M, hour=3))
        left_s = fetcher.sources[0].host.breaker.throttled_for_s
        await fetcher.hour(want(gfs, T2M))
        model, hosts = status.model(gfs), status.hosts()

    assert model["source"] == "aws"
    asked = [hosts[name]["requests_last_minute"] for name in ("nomads", "aws")]
    assert asked == [len(nomads.asked), len(mirror.asked)] == [1, 3]
    assert model["requests"] == 4
    until = hosts["nomads"]["throttled_until"]
    assert abs((until - NOW).total_seconds() - left_s) < 5
    assert abs((model["throttled_until"] - until).total_seconds()) < 1
    assert hosts["aws"]["throttled_until"] is None


async def test_an_hour_that_costs_too_much_is_given_up_with_one_warning(nomads, gfs, running, want):
    publish(nomads, GFS, T2M, T850)
    spent = FetchSettings(budget_mb_per_hour=0.0003)
    async with running(nomads.url, fetch=spent) as fetcher:
        with capture_logs() as logs, pytest.raises(BudgetSpent) as first:
            await fetcher.hour(want(gfs, T2M))
        asked = len(nomads.asked)
        with capture_logs() as again:
            for _ in range(2):
                with pytest.raises(BudgetSpent):
                    await fetcher.hour(want(gfs, T2M))
                with pytest.raises(BudgetSpent):
                    await fetcher.appeared(gfs, CYCLE, 6)
        with pytest.raises(NotYetPublished):
            await fetcher.hour(want(gfs, T2M, hour=3))

    assert first.value.retry_after_s is None
    assert first.value.reason == "byte budget spent"
    assert "raise fetch.budget_mb_per_hour" in str(first.value)
    (warning,) = [line for line in logs if line["event"] == "fetch.budget_spent"]
    assert (warning["hour"], warning["budget_mb"]) == (6, 0.0003)
    assert "fetch.budget_spent" not in {line["event"] for line in again}
    assert len(nomads.asked) == asked + 1


async def test_what_a_run_may_cost_bounds_all_its_hours_and_no_other_run(
    nomads, gfs, running, want
):
    for hour in ("f003", "f006"):
        publish(nomads, GFS.replace("f006", hour), T2M)
    settings = FetchSettings(budget_mb_per_run=0.0004)
    async with running(nomads.url, fetch=settings) as fetcher:
        with pytest.raises(BudgetSpent):
            await fetcher.hour(want(gfs, T2M))
        asked = len(nomads.asked)
        with pytest.raises(BudgetSpent, match=r"raise fetch\.budget_mb_per_run"):
            await fetcher.appeared(gfs, CYCLE, 3)
        assert len(nomads.asked) == asked
        with pytest.raises(NotYetPublished):
            await fetcher.appeared(gfs, "2026012906", 0)


async def test_a_raised_budget_and_a_reload_go_on_where_it_ended(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    async with running(nomads.url, fetch=FetchSettings(budget_mb_per_run=0.0003)) as fetcher:
        with pytest.raises(BudgetSpent):
            await fetcher.hour(want(gfs, T2M))
        await fetcher.reload(UpstreamSettings(nomads_url=nomads.url, aws_url=""), FetchSettings())
        fetched = await fetcher.hour(want(gfs, T2M))

    assert fetched.method == "FILTERED"


async def test_what_an_earlier_process_downloaded_counts_against_the_budget(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, T850)
    async with running(nomads.url) as fetcher:
        await fetcher.hour(want(gfs, T2M))
        cost_mb = fetcher.accounts.of("gfs").received["FILTERED"] / MB
    settings = FetchSettings(budget_mb_per_run=cost_mb)
    async with running(nomads.url, fetch=settings) as restarted:
        cached = await restarted.hour(want(gfs, T2M))
        with pytest.raises(BudgetSpent):
            await restarted.hour(want(gfs, T2M, T850))

    assert cached.method == "CACHED"


async def test_a_download_that_never_ends_is_cut_at_the_budget(nomads, gfs, running, want):
    """Two ask at once: what both receive is counted together."""
    publish(nomads, GFS, T2M, T850)
    nomads.script = [("/cgi-bin/", answer(b"GRIB" + bytes(3 * MB))) for _ in range(8)]
    settings = FetchSettings(budget_mb_per_hour=2.0)
    async with running(nomads.url, fetch=settings) as fetcher:
        both = await asyncio.gather(
            *(fetcher.hour(want(gfs, T2M, box=box)) for box in (PNW, WIDER)),
            return_exceptions=True,
        )
        received = sum(fetcher.accounts.of("gfs").received.values())

    assert [type(one) for one in both] == [BudgetSpent, BudgetSpent]
    assert 2 * MB <= received < 2 * MB + (2 << 20)


async def test_a_whole_file_is_on_the_account_as_such(nomads, aigfs, running, want):
    """The source ignores the byte range: the first answer is hung up, the second one allowed."""
    publish(nomads, f"{AIGFS}.sfc.f006.grib2", U10, T2M)
    whole = nomads.files[f"{AIGFS}.sfc.f006.grib2"]
    nomads.script = [("sfc.f006.grib2.idx", answer(nomads.files[f"{AIGFS}.sfc.f006.grib2.idx"]))]
    nomads.script += [("sfc.f006.grib2", answer(whole)) for _ in range(9)]
    async with running(nomads.url, fetch=FetchSettings(allow_full=True)) as fetcher:
        fetched = await fetcher.hour(want(aigfs, T2M))
        received = fetcher.accounts.of("aigfs").received

    assert fetched.method == "FULL"
    assert received["FULL"] == len(whole)
    assert 0 < received["RANGES"] < len(whole) * 9
    assert fetched.bytes == sum(received.values())


async def test_what_a_block_kept_from_leaving_is_not_counted(nomads, gfs, aigfs, running):
    nomads.script = [(".idx", bare_302())]
    patience = Patience(throttle_s=600)
    async with running(nomads.url, per_min=600, patience=patience) as fetcher:
        outcomes = await asyncio.gather(
            *(fetcher.appeared(model, CYCLE, hour) for model in (gfs, aigfs) for hour in (0, 6)),
            return_exceptions=True,
        )
        status = FetchStatus(fetcher, Clock(NOW))
        host = status.hosts()["nomads"]["requests_last_minute"]
        models = [status.model(model)["requests_last_minute"] for model in (gfs, aigfs)]

    assert {type(outcome) for outcome in outcomes} == {Throttled}
    assert host == sum(models) == len(nomads.asked) < 4
