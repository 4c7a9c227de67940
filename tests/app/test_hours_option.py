"""`--hours`: numbers must be there, spans take what the model has."""

import click
import pytest
from click.testing import CliRunner

from twf_async.cli.hours import hours_option
from twf_async.errors import BadInput
from twf_async.settings.load import load


@pytest.fixture(scope="module")
def models(config_dir):
    return load(config_dir, {}).catalog.models


def asked(*arguments):
    taken = []

    @click.command()
    @hours_option
    def command(hours):
        taken.append(hours)

    result = CliRunner().invoke(command, arguments)
    return taken[0] if taken else result


@pytest.mark.parametrize(
    ("text", "model", "cycle", "hours"),
    [
        ("0-12", "gfs", "latest", (0, 3, 6, 9, 12)),
        ("0-12/6", "gfs", "latest", (0, 6, 12)),
        ("0-3,30", "gfs", "2026012912", (0, 3, 30)),
        ("16-24", "hrrr", "2026012917", (16, 17, 18)),
        ("17-20", "hrrr", "2026012912", (17, 18, 19, 20)),
        ("7", "gfs", "latest", (7,)),  # by its number: the plan says that there is none
    ],
)
def test_a_span_takes_the_hours_that_the_model_has(text, model, cycle, hours, models):
    assert asked("--hours", text).of(models[model], cycle) == hours


def test_a_span_without_any_hour_of_the_model_is_refused(models):
    with pytest.raises(BadInput, match="gfs has no hour from 1 to 2"):
        asked("--hours", "1-2").of(models["gfs"], "latest")


@pytest.mark.parametrize("text", ["", "a", "6-", "9-3", "0-6/0", "1,,2", "-3"])
def test_what_is_no_hours_is_refused_in_one_sentence(text):
    result = asked(f"--hours={text}")
    assert result.exit_code == 2
    assert "hours" in result.output.splitlines()[-1]


def test_without_the_option_all_hours_are_meant():
    assert asked() is None
