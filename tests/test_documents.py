"""What the documents point at is there, and the picture of the architecture shows every room."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENTS = [REPOSITORY / name for name in ("README.md", "CHANGELOG.md", "tests/README.md")]
DOCUMENTS += sorted((REPOSITORY / "docs").rglob("*.md"))
ROOM = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document):
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())

    own = [target for target in targets if "://" not in target]
    assert [target for target in own if not (document.parent / target).exists()] == []


def test_decisions_have_numbers_of_their_own():
    names = [path.name for path in DOCUMENTS if path.parent.name == "decisions"]

    assert len(names) > 20
    assert len({name[:4] for name in names}) == len(names)


@pytest.mark.parametrize("package", ["twf_async", "render_farm"])
def test_the_picture_of_the_architecture_has_the_rooms_that_there_are(package):
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    _, _, section = text.partition(f"\n`{package}/`: ")
    table = section.partition("\n| room | owns |")[2].partition("\n\n")[0]
    shown = {name for row in ROOM.findall(table) for name in re.findall(r"\w+", row)}

    inside = (REPOSITORY / package).iterdir()
    there = {p.stem for p in inside if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert shown == {name for name in there if not name.startswith("__")}


def test_modules_that_the_picture_names_are_there():
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`(?!var/)([a-z_]+/[a-z_/]+(?:\.py)?)`", text))

    def is_there(name):
        roots = (REPOSITORY, REPOSITORY / "twf_async", REPOSITORY / "render_farm")
        return any((root / f"{name}{end}").exists() for root in roots for end in ("", ".py"))

    assert "app/control" in named
    assert {name for name in named if not is_there(name)} == set()
