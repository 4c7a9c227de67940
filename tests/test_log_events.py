"""docs/log-events.md lists every event that the code can log, and no other."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged_events():
    """{event: levels} of every `something.LEVEL("component.past_tense", ...)` in the packages."""
    found = {}
    for package in ("twf_async", "render_farm"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute | ast.Name)
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                    and isinstance(node.args[0].value, str)
                    and EVENT.fullmatch(node.args[0].value)
                ):
                    name = getattr(node.func, "attr", None) or node.func.id
                    if name in LEVELS or name in {"emit", "log"}:  # a level chosen at run time
                        found.setdefault(node.args[0].value, set()).add(name)
    return found


def listed_events():
    text = (REPOSITORY / "docs" / "log-events.md").read_text()
    return {
        match[1]: set(match[2].split(", "))
        for match in re.finditer(r"^\| `(.+?)` \| (.+?) \|", text, re.MULTILINE)
    }


def test_the_list_and_the_code_agree():
    logged, listed = logged_events(), listed_events()

    assert sorted(logged) == sorted(listed)


def test_the_levels_in_the_list_are_those_of_the_code():
    listed = listed_events()
    for event, levels in logged_events().items():
        real = {"error" if level == "exception" else level for level in levels} - {"emit", "log"}
        assert real <= listed[event], event
