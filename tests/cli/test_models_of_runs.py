"""A run is named by its model and its cycle: a slip in the model is told as one."""

import pytest

from tests.cli.test_faults import CONFIG, call  # noqa: F401 - a fixture


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A state that nobody works on."""
    for name in ("state", "cache", "publish"):
        monkeypatch.setenv(f"TWF_{name.upper()}_DIR", str(tmp_path / name))


@pytest.mark.parametrize(("command", "why"), [("pin", ["a", "storm"]), ("unpin", [])])
@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("gsf", "there is no model 'gsf'; did you mean 'gfs'?"),
        ("GFS", "there is no model 'GFS'; did you mean 'gfs'?"),
        ("icon", "there is no model 'icon'; there are: aigfs, gfs, hrrr"),
        ("gfs", "there is no run 2026012912 of gfs online; there are: none"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_a_model_that_there_is_not_is_told_with_the_one_that_was_meant(
    command,
    why,
    model,
    told,
    call,  # noqa: F811 - that fixture
):
    assert call(command, model, "2026012912", *why, *CONFIG) == (2, "", [told])


@pytest.mark.parametrize("command", ["pin", "unpin", "backfill"])
def test_a_run_in_one_word_is_refused_with_the_two_that_it_is(
    command,
    call,  # noqa: F811 - that fixture
):
    code, out, (line,) = call(command, "gsf/2026012912")

    assert (code, out) == (2, "")
    assert "'gsf/2026012912' is not a model; write it and its cycle as two words: gsf 2026" in line
