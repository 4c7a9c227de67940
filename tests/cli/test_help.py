"""What `--help` says: of every command, and of everything that it takes."""

import click
import pytest
from click.testing import CliRunner

from twf_async.cli.group import COMMANDS, cli


def commands(group, name=""):
    context = click.Context(group)
    for key in group.list_commands(context):
        command = group.get_command(context, key)
        path = f"{name} {key}".strip()
        yield path, command
        if isinstance(command, click.Group):
            yield from commands(command, path)


OWN = [(path, command) for path, command in commands(cli) if path != "replica"]  # that has its own


def test_the_help_lists_every_command_with_what_it_does():
    shown = CliRunner().invoke(cli, ["--help"])

    assert shown.exit_code == 0
    for name, command in commands(cli):
        if name in COMMANDS:
            assert command.short_help
            assert f"\n  {name} " in shown.output


@pytest.mark.parametrize(("path", "command"), OWN, ids=[path for path, _ in OWN])
def test_a_command_says_what_it_does_and_what_its_options_are_for(path, command):
    shown = CliRunner().invoke(cli, [*path.split(), "--help"])

    assert shown.exit_code == 0
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in shown.output
        else:
            assert parameter.make_metavar(click.Context(command)) in shown.output
