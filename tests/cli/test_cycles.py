"""A cycle of the future is a slip of the keyboard: no run of it may be left behind."""

from tests.cli.test_faults import CONFIG, call  # noqa: F401 - a fixture


def test_a_cycle_that_has_not_begun_is_refused_and_leaves_no_run(
    call,  # noqa: F811 - that fixture
    monkeypatch,
    tmp_path,
):
    for name in ("state", "cache", "publish"):
        monkeypatch.setenv(f"TWF_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.setenv("TWF_CLOCK__START", "2026-01-29T17:59:00Z")

    code, out, (line,) = call("run", "--model", "gfs", "--cycle", "2026012918", *CONFIG)

    assert (code, out) == (2, "")
    assert line == (
        "cycle 2026012918 has not begun, for it is 2026-01-29 17:59 UTC; name an earlier one, or"
        " 'latest'"
    )
    assert [*tmp_path.iterdir()] == []
