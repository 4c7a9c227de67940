import asyncio

from render_farm.domain.fields import MessageKey, Statistic
from tests.fetch.fakes.messages import CYCLE

GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
LEVELS = ("2 m above ground", "850 mb", "500 mb")
PARAMETERS = ("TMP", "RH", "HGT")


async def test_no_answer_of_an_hour_waits_for_another_one_of_it(nomads, gfs, running, want):
    """The filter takes seconds for each. No two of the fields share a level or a parameter."""
    fields = [f"{parameter}:{level}" for parameter in PARAMETERS for level in LEVELS]
    lines = (
        f"{n}:{(n - 1) * 500_000}:d={CYCLE}:{each}:6 hour fcst:" for n, each in enumerate(fields, 1)
    )
    nomads.files[f"{GFS}.idx"] = "\n".join(lines).encode() + b"\n"
    release = asyncio.Event()
    nomads.script = [("/cgi-bin/", lambda _: release)] * 3
    wanted = [
        MessageKey(parameter, level, 6, 6, Statistic.INSTANT)
        for parameter, level in zip(PARAMETERS, LEVELS, strict=True)
    ]

    async with running(nomads.url) as fetcher:
        fetching = asyncio.create_task(fetcher.hour(want(gfs, *wanted)))
        async with asyncio.timeout(60):
            while sum(path.startswith("/cgi-bin/") for path in nomads.paths()) < len(wanted):
                await asyncio.sleep(0.01)
        fetching.cancel()
        await asyncio.wait({fetching})
        release.set()

    asked = [one.names for one in nomads.asked if one.path.startswith("/cgi-bin/")]
    assert [len(names & {f"var_{p}" for p in PARAMETERS}) for names in asked] == [1, 1, 1]
