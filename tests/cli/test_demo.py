"""The demo beside an operator's own settings."""

from twf_async.cli.demo import _tell_what_is_kept


def test_who_has_named_a_directory_is_told_that_the_demo_fills_it(capsys):
    _tell_what_is_kept({"TWF_PUBLISH_DIR": "/srv/twf/publish", "TWF_WEB__PORT": "8080"})

    told = capsys.readouterr().err
    assert told == "TWF_PUBLISH_DIR is set: what the demo makes stays in /srv/twf/publish\n"
