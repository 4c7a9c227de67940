"""Every key of service.toml with values that it cannot have: one plain sentence each."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from twf_async.errors import BadConfiguration
from twf_async.settings.load import load
from twf_async.settings.service import ServiceSettings

WHOLE = ServiceSettings()
KEYS = [
    f"{section}.{key}" if section else key
    for section, part in [
        ("", WHOLE),
        *((name, getattr(WHOLE, name)) for name in type(WHOLE).model_fields),
    ]
    if isinstance(part, BaseModel)
    for key in type(part).model_fields
    if not isinstance(getattr(part, key), BaseModel)
]
BAD = ["nan", "inf", "-inf", "[]", "[1]", "{}", "{ a = 1 }", "12:30:00"]
NUMBERS = [key for key in KEYS if re.search("_(s|min|gb|mb_per_|pct|hours|runs)|port|speed", key)]
PYDANTIC = re.compile(r"Input|valid (?!TOML)|type=|instance|Error|pydantic|dictionary|None|True")


SMALL = {  # as little as there can be: it is read some hundred times here
    "models": """[gfs]
enabled = false
title = "GFS"
long_title = "GFS"
cycles = [0]
hours = "0-6/6"
bucket_h = 6
first_hour_min = 200
gives_up_min = 300
files = [{ path = "gfs.{date}/f{hour:03d}" }]
products = []
regions = []
""",
    "regions": "",
    "products": "",
    "scales": "",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("bad")
    for name, text in SMALL.items():
        (directory / f"{name}.toml").write_text(text)
    return directory


def told(copy, text, environ=None) -> list[str]:
    (copy / "service.toml").write_text(text)
    with pytest.raises(BadConfiguration) as caught:
        load(copy, environ or {})
    return [line.replace(f"{copy}/", "") for line in str(caught.value).splitlines()]


def in_toml(key, value):
    section, _, name = key.rpartition(".")
    return f"[{section}]\n{name} = {value}\n" if section else f"{name} = {value}\n"


@pytest.mark.parametrize("key", KEYS)
def test_a_value_that_a_key_cannot_have_is_one_plain_sentence(key, copy):
    for value in BAD:
        (line,) = told(copy, in_toml(key, value))

        assert line.startswith(f"service.toml: {key}: "), line
        assert re.search(" is (not a|neither|none of) ", line), line
        assert not PYDANTIC.search(line), line


@pytest.mark.parametrize("key", NUMBERS)
def test_no_text_and_no_truth_is_a_number(key, copy):
    for value in ('"abc"', '""', "true", "false", '"5s"', '"1,5"'):
        (line,) = told(copy, in_toml(key, value))

        shown = tomllib.loads(f"v = {value}")["v"]
        shown = str(shown).lower() if isinstance(shown, bool) else repr(shown)
        assert line.startswith(f"service.toml: {key}: {shown} is not a "), line
        assert "number" in line
        assert line.endswith("; write it without a unit") == (value == '"5s"'), line


@pytest.mark.parametrize("key", [key for key in NUMBERS if key != "web.port"])
def test_neither_nothing_nor_less_is_a_measure(key, copy):
    for value in ("0", "-1"):
        (line,) = told(copy, in_toml(key, value))

        assert line.startswith(f"service.toml: {key}: {value} is not a "), line
        assert re.search("above 0|at least 1|from 1 to", line), line


@pytest.mark.parametrize("key", NUMBERS)
def test_more_than_any_machine_has_is_no_measure(key, copy):
    """It would break a clock or a socket deep within, at a reload of a service that runs."""
    for value in ("1e300", f"1{'0' * 400}"):
        (line,) = told(copy, in_toml(key, value))

        assert line.startswith(f"service.toml: {key}: "), line
        assert " is not a " in line
        assert not PYDANTIC.search(line), line


@pytest.mark.parametrize("key", KEYS)
def test_a_variable_is_blamed_for_what_it_sets(key, copy):
    variable = f"TWF_{key.replace('.', '__').upper()}"
    kind = (
        type(WHOLE).model_fields
        if "." not in key
        else type(getattr(WHOLE, key.split(".")[0])).model_fields
    )
    if kind[key.rpartition(".")[2]].annotation in {str, Path}:
        return  # whatever a variable holds is a text

    (line,) = told(copy, "", {variable: "{ a = 1 }"})

    assert line.startswith(f"environment variable {variable}: a table is "), line


SENTENCES = [
    ("farm.workers", "0", "0 is neither a whole number from 1 to 256 nor 'auto'"),
    (
        "farm.workers",
        '"Auto"',
        "'Auto' is neither a whole number from 1 to 256 nor 'auto'; did you mean 'auto'?",
    ),
    ("farm.workers", "1e9", "1000000000.0 is neither a whole number from 1 to 256 nor 'auto'"),
    ("farm.backend", '"dusk"', "'dusk' is neither 'local' nor 'dask'; did you mean 'dask'?"),
    ("web.port", '"abc"', "'abc' is not a whole number from 0 to 65535"),
    ("web.port", "70000", "70000 is not a whole number from 0 to 65535"),
    ("web.port", "80.5", "80.5 is not a whole number from 0 to 65535"),
    (
        "web.host",
        '""',
        "it is empty; write the address to listen at, '0.0.0.0' for all of the machine",
    ),
    (
        "web.allow_origin",
        '"a\\nb"',
        "'a\\nb' has characters that cannot be printed; write it on one line",
    ),
    (
        "upstream.contact",
        '"me\\r\\nX: y"',
        "'me\\r\\nX: y' has characters that cannot be printed; write it on one line",
    ),
    (
        "upstream.nomads_url",
        '"nomads.ncep.noaa.gov"',
        "'nomads.ncep.noaa.gov' is no address; write it as 'https://host'",
    ),
    (
        "upstream.nomads_url",
        '"https://[::1"',
        "'https://[::1' is no address; write it as 'https://host'",
    ),
    (
        "upstream.nomads_url",
        '"https://host:port"',
        "'https://host:port' is no address; write it as 'https://host'",
    ),
    (
        "upstream.aws_url",
        '"none"',
        (
            "'none' is no address; write it as 'https://host', 'auto' for each model's own mirror,"
            " '' for none"
        ),
    ),
    ("upstream.connections", "17", "17 is not a whole number from 1 to 16"),
    ("upstream.multi_range", '"maybe"', "'maybe' is neither true nor false"),
    ("watchdog.pause_below", "10", "10 is not a number above 0 and below 1"),
    ("watchdog.swap_used_pct", "150", "150 is not a number above 0 and at most 100"),
    (
        "logs.level",
        '"INFO"',
        "'INFO' is none of 'debug', 'info', 'warning', 'error'; did you mean 'info'?",
    ),
    ("clock.start", '"noon"', "'noon' is not a time as 2026-01-29T15:30:00Z"),
    ("clock.start", "20260129", "20260129 is not a time as 2026-01-29T15:30:00Z"),
    ("state_dir", '""', "it is empty; write the path of a directory, or leave it out"),
    ("notice", "5", "5 is not a text in quotation marks"),
    ("cache.max_agehours", "6", "unknown key; did you mean 'max_age_hours'?"),
    ("port", "8000", "unknown key; did you mean 'web.port'?"),
    ("webb", "{ port = 1 }", "unknown section; did you mean 'web'?"),
    ("WEB", "{ port = 1 }", "unknown section; did you mean 'web'?"),
    ("web", "3", "3 is not a table of keys under a [heading]"),
    ("publish.keep", "{ runs = 3 }", "unknown section; did you mean 'keep_runs'?"),
    ("cache.colour", "3", "unknown key; there are: max_age_hours, max_gb"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), SENTENCES)
def test_the_sentence_says_what_was_given_and_what_is_allowed(key, value, sentence, copy):
    assert told(copy, in_toml(key, value)) == [f"service.toml: {key}: {sentence}"]


@pytest.mark.parametrize(
    "site",
    [
        *("https://u:p@host", "https://host:99999", "https://host:", "https://host:443"),
        *("http://host:080", "https://Host", "https://host/", "https://a b", "https://müller.de"),
        *("https://*.host", "https://host?a", "https://host#", "https://a,b", "null", "https://"),
    ],
)
def test_what_no_browser_calls_a_site_is_none(site, copy):
    (line,) = told(copy, in_toml("web.allow_origin", f'"{site}"'))

    assert line == (
        f"service.toml: web.allow_origin: {site!r} is no site; write it as browsers do,"
        " 'https://host' or 'http://host:8080', '*' for every one, '' for none"
    )


@pytest.mark.parametrize(
    "site",
    [
        *("*", "", "https://host", "http://host:8080", "https://my-site.example.org"),
        *("http://127.0.0.1:3000", "http://[::1]:8000", "https://xn--mller-kva.de"),
    ],
)
def test_what_browsers_call_a_site_is_taken_to_the_letter(site, copy):
    (copy / "service.toml").write_text(in_toml("web.allow_origin", f'"{site}"'))

    assert load(copy, {}).service.web.allow_origin == site


@pytest.mark.parametrize("url", ["http://a b", "https://host?a=b", "https://host/#a", "http://"])
def test_an_address_to_which_no_path_can_be_added_is_none(url, copy):
    (line,) = told(copy, in_toml("upstream.nomads_url", f'"{url}"'))

    assert line == (
        f"service.toml: upstream.nomads_url: {url!r} is no address; write it as 'https://host'"
    )


QUOTED = "is no TOML: numbers, true and false stand as they are, all else in quotation marks"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[web]\nport = 1\nport = 2\n[logs]", "line 3, 'port = 2', sets a key that is set already"),
        ("[web]\n\n[web]", "line 3, '[web]', begins a table that is there already"),
        ("[web]\nhost = 127.0.0.1", f"line 2, 'host = 127.0.0.1', {QUOTED}"),
        ("[web]\nport = ", f"line 2, 'port =', {QUOTED}"),
        ("[logs]\nlevel = info", f"line 2, 'level = info', {QUOTED}"),
        ("[web]\nport 8000", "line 2, 'port 8000', has no '='"),
        ("a = ['b' 'c']", "line 1, \"a = ['b' 'c']\", has no ']', or no comma between two values"),
        (
            "a = {b = 1 c = 2}",
            "line 1, 'a = {b = 1 c = 2}', has no '}', or no comma between two values",
        ),
        ("[web", "line 1, '[web', has no ']'"),
        ("[web]\n\n[web", "line 3, '[web', has no ']'"),
    ],
)
def test_what_is_no_toml_is_shown_with_its_line(text, sentence, copy):
    assert told(copy, text) == [f"service.toml: not valid TOML: {sentence}"]


def test_a_file_of_another_encoding_is_named(copy):
    (copy / "service.toml").write_bytes('notice = "Zürich"'.encode("latin-1"))
    with pytest.raises(BadConfiguration, match=r"cannot be read: byte 12 is not UTF-8; save it as"):
        load(copy, {})


def test_values_that_do_not_fit_together_name_the_variables_that_are_part_of_it(copy):
    rule = "watchdog: critical_below, pause_below and resume_above must rise, but are"
    one, two = {"TWF_WATCHDOG__PAUSE_BELOW": "0.5"}, {"TWF_WATCHDOG__RESUME_ABOVE": "0.4"}

    assert told(copy, "", one) == [
        f"service.toml with environment variable TWF_WATCHDOG__PAUSE_BELOW: {rule} 0.05, 0.5, 0.2"
    ]
    both = "TWF_WATCHDOG__PAUSE_BELOW and TWF_WATCHDOG__RESUME_ABOVE"
    assert told(copy, "", one | two) == [
        f"service.toml with environment variables {both}: {rule} 0.05, 0.5, 0.4"
    ]


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("TWF_MODELS", "x", "'x' is not a table of keys under a [heading]"),
        ("TWF_MODELS__GFS", "x", "'x' is not a table of keys under a [heading]"),
        ("TWF_MODELS__GFS__POLL_S", "x", "'x' is not a number above 0 and at most 86400"),
        ("TWF_MODELS__GFS__CYCLES", "[0, 24]", "2: 24 is not a whole number from 0 to 23"),
        ("TWF_MODELS__GFS__HOURS", "[]", "it has no entry"),
        ("TWF_MODELS__GFS__FILES", "x", "'x' is not a list"),
        ("TWF_MODELS__GFS__PRODUCTS", '["t2n"]', "there is no 't2n'; did you mean 't2m'?"),
        ("TWF_STATIONS", "x", "'x' is not a list; a station begins with [[stations]]"),
        ("TWF_STYLE__BASE", "Dark", "'Dark' is neither 'light' nor 'dark'; did you mean 'dark'?"),
    ],
)
def test_a_variable_of_the_catalog_is_blamed_and_nothing_else(
    variable, value, sentence, config_dir
):
    with pytest.raises(BadConfiguration) as caught:
        load(config_dir, {variable: value})

    assert str(caught.value) == f"environment variable {variable}: {sentence}"


def test_a_variable_for_a_text_is_that_text_whatever_it_looks_like(copy):
    (copy / "service.toml").write_text("")
    service = load(copy, {"TWF_NOTICE": "2026", "TWF_UPSTREAM__CONTACT": "true"}).service

    assert (service.notice, service.upstream.contact) == ("2026", "true")


def test_a_time_without_a_zone_is_utc(copy):
    (copy / "service.toml").write_text("[clock]\nstart = 2026-01-29T15:30:00\n")

    assert load(copy, {}).service.clock.start.isoformat() == "2026-01-29T15:30:00+00:00"


def test_a_mark_that_an_editor_put_before_a_file_is_passed_over(copy):
    (copy / "service.toml").write_text("\ufeff[web]\nport = 8042")

    assert load(copy, {}).service.web.port == 8042
