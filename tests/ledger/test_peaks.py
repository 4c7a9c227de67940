"""What memory each model's jobs took, kept over a restart: the farm starts with it."""

from twf_async.ledger.entries import HourEntry
from twf_async.ledger.ledger import Ledger


async def test_the_highest_peak_of_each_model_is_known_after_a_restart(tmp_path):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    await ledger.start()
    assert await ledger.peaks() == {}
    await ledger.record_hours(
        [
            HourEntry("gfs", "2026012906", 3, "published", peak_rss_mb=210.5),
            HourEntry("gfs", "2026012912", 6, "published", peak_rss_mb=190.0),
            HourEntry("gfs", "2026012912", 9, "fetched"),
            HourEntry("hrrr", "2026012917", 1, "published", peak_rss_mb=320.0),
            HourEntry("aigfs", "2026012912", 6, "fetched"),
            HourEntry("aigfs", "2026012912", 12, "published", peak_rss_mb=0.0),
        ]
    )
    await ledger.stop()

    ledger = Ledger(path)
    await ledger.start()
    assert await ledger.peaks() == {"gfs": 210.5, "hrrr": 320.0}
    await ledger.forget_run("gfs", "2026012906")
    assert await ledger.peaks() == {"gfs": 190.0, "hrrr": 320.0}
    await ledger.stop()
