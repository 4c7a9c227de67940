"""The demo beside an operator's own settings."""

import pytest

from twf_async.cli.demo import _config_dir, _tell_what_is_kept
from twf_async.errors import BadConfiguration


def test_who_has_named_a_directory_is_told_that_the_demo_fills_it(capsys):
    _tell_what_is_kept({"TWF_PUBLISH_DIR": "/srv/twf/publish", "TWF_WEB__PORT": "8080"})

    told = capsys.readouterr().err
    assert told == "TWF_PUBLISH_DIR is set: what the demo makes stays in /srv/twf/publish\n"


def test_the_demo_runs_from_anywhere_by_the_configuration_that_came_with_it(monkeypatch, tmp_path):
    monkeypatch.delenv("TWF_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)

    assert (_config_dir(None) / "models.toml").is_file()


@pytest.mark.parametrize("named", ["--config", "TWF_CONFIG"])
def test_a_configuration_that_was_named_and_is_not_there_is_not_replaced(
    named, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWF_CONFIG", "nowhere" if named == "TWF_CONFIG" else "")

    with pytest.raises(BadConfiguration, match=f"no configuration in {tmp_path}/nowhere \\(models"):
        _config_dir("nowhere" if named == "--config" else None)
