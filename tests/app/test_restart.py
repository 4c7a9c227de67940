"""A reload says which settings wait for the next start, and of no others."""

from twf_async.app.restart import FIXED, restart_needed
from twf_async.settings.service import ServiceSettings


def settings(**tables):
    return ServiceSettings.model_validate(tables)


def test_nothing_waits_where_nothing_changed():
    assert restart_needed(settings(), settings()) == ()


def test_every_setting_that_is_fixed_at_the_start_is_named():
    fresh = settings(
        state_dir="a",
        cache_dir="b",
        publish_dir="c",
        clock={"speed": 2},
        web={"host": "::1", "port": 1},
        logs={"format": "json"},
        farm={
            "backend": "dask",
            "scheduler": "tcp://127.0.0.1:8786",
            "ship_limit_mb": 7,
            "workers": 7,
            "max_workers": 9,
            "reserve_gb": 3,
            "worker_gb": 2,
        },
    )

    assert restart_needed(settings(), fresh) == FIXED


def test_what_takes_effect_at_once_is_not_named():
    fresh = settings(
        notice="rehearsal",
        web={"allow_origin": "https://example.org"},
        logs={"level": "debug"},
        farm={"job_timeout_s": 5, "max_tasks_per_child": 3},
        publish={"keep_runs": 2},
    )

    assert restart_needed(settings(), fresh) == ()
