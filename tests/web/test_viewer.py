"""The viewer's files: complete, self-contained, within the content security policy, labelled."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import twf_async.web
from tests.web.conftest import NEW

VIEWER = Path(twf_async.web.__file__).parent / "viewer"
SCRIPTS = sorted(VIEWER.glob("*.js"))
STYLES = sorted(VIEWER.glob("*.css"))
NAMESPACE = "http://www.w3.org/2000/svg"  # an identifier, never fetched


class Tags(HTMLParser):
    """Every start tag with its attributes; texts inside script and style."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.inside = ""
        self.inline = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def index():
    return Tags((VIEWER / "index.html").read_text())


async def test_the_start_page_is_the_viewer_under_its_policy(client):
    answer = await client.get("/")

    assert answer.status == 200
    assert answer.content_type == "text/html"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_every_file_that_the_page_names_is_served(client, index):
    named = [value for _, attrs in index.found for value in (attrs.get("href"), attrs.get("src"))]
    files = [value for value in named if value and value.startswith("/viewer/")]

    assert "/viewer/main.js" in files
    for file in files:
        answer = await client.get(file)
        assert answer.status == 200, file
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_import_is_a_file_that_is_loaded_ahead(index):
    ahead = {a["href"] for tag, a in index.found if a.get("rel") == "modulepreload"}

    needed = ["main.js"]  # a module for other pages, such as values.js, is not loaded by this one
    for script in needed:
        for name in re.findall(r'from "\./([\w.]+)"', (VIEWER / script).read_text()):
            assert f"/viewer/{name}" in ahead, name
            if name not in needed:
                needed.append(name)


def test_every_import_of_every_module_is_a_file():
    for script in SCRIPTS:
        for name in re.findall(r'from "\./([\w.]+)"', script.read_text()):
            assert (VIEWER / name).is_file(), f"{script.name} imports {name}"


def test_every_name_that_is_imported_is_exported():
    for script in SCRIPTS:
        found = re.findall(r'import \{([^}]+)\} from "\./([\w.]+)"', script.read_text())
        for names, source in found:
            text = (VIEWER / source).read_text()
            for name in (name.strip() for name in names.split(",") if name.strip()):
                exported = rf"export (async )?(function|const|class) {name}\b"
                assert re.search(exported, text), f"{script.name}: {name} of {source}"


def test_every_element_that_a_script_looks_up_is_on_the_page(index):
    ids = [attrs["id"] for _, attrs in index.found if "id" in attrs]

    assert len(ids) == len(set(ids))
    for script in SCRIPTS:
        for name in re.findall(r'(?:getElementById|\bid)\("([\w-]+)"\)', script.read_text()):
            assert name in ids, f"{script.name}: {name}"


def test_nothing_is_inline_that_the_policy_forbids(index):
    assert index.inline == []
    for tag, attrs in index.found:
        assert "style" not in attrs, tag
        assert not [name for name in attrs if name.startswith("on")], tag
        assert not (attrs.get("href") or "").startswith("javascript:"), tag


def test_nothing_comes_from_another_server():
    for path in (*SCRIPTS, *STYLES, VIEWER / "index.html", VIEWER / "favicon.svg"):
        text = path.read_text().replace(NAMESPACE, "")
        assert not re.search(r"https?://|[\"'(]//|@import", text), path.name


def test_whatever_can_be_pressed_has_a_name(index):
    labelled = {"aria-label", "aria-labelledby", "title"}
    for tag, attrs in index.found:
        if tag in {"select", "summary"} or attrs.get("role") in {"slider", "progressbar", "img"}:
            assert labelled & attrs.keys(), attrs
        if tag == "button" and "icon" in (attrs.get("class") or ""):
            assert attrs.get("aria-label"), attrs
    page = dict(index.found)
    assert page["html"]["lang"] == "en"


def test_the_strip_can_be_read_out_and_times_are_announced(index):
    by_id = {attrs["id"]: (tag, attrs) for tag, attrs in index.found if "id" in attrs}

    assert by_id["strip"][1]["role"] == "slider"
    assert by_id["strip"][1]["tabindex"] == "0"
    assert by_id["announce"][1]["aria-live"] == "polite"


def test_pictures_of_the_page_itself_are_hidden_from_readers_aloud(index):
    assert all(attrs.get("aria-hidden") == "true" for tag, attrs in index.found if tag == "svg")


def test_styles_know_dark_light_and_reduced_motion():
    text = "".join(path.read_text() for path in STYLES)

    assert "prefers-color-scheme: dark" in text
    assert "prefers-reduced-motion: reduce" in text
    assert ":focus-visible" in text


def test_both_ways_into_the_dark_have_the_same_colours():
    text = (VIEWER / "base.css").read_text()
    by_system = re.search(r'not\(\[data-theme="light"\]\) \{(.*?)\}', text, re.DOTALL)
    by_choice = re.search(r':root\[data-theme="dark"\] \{(.*?)\}', text, re.DOTALL)

    assert by_system[1].split() == by_choice[1].split()


def test_scripts_stay_small():
    assert all(len(path.read_text().splitlines()) <= 320 for path in SCRIPTS)
    assert sum(path.stat().st_size for path in VIEWER.iterdir()) < 130_000


async def test_a_manifest_can_be_narrowed_to_what_is_shown(client):
    whole = await (await client.get(f"/api/v1/runs/gfs/{NEW}")).json()
    part = await (await client.get(f"/api/v1/runs/gfs/{NEW}?region=pnw&product=t2m")).json()
    none = await (await client.get(f"/api/v1/runs/gfs/{NEW}?region=nowhere")).json()

    assert part == whole | {"frames": {"pnw": {"t2m": whole["frames"]["pnw"]["t2m"]}}}
    assert none["frames"] == {}


async def test_a_reader_who_leaves_the_stream_is_let_go(client, events):
    async with client.get("/api/v1/events") as stream:
        assert stream.content_type == "text/event-stream"
        await stream.content.readline()
        assert events.subscribers == 1
        stream.close()

    for _ in range(3):  # writing to who has gone is what tells
        events.emit("status.changed", {})

    answer = await client.get("/healthz")
    assert answer.status == 200
