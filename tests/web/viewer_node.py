"""The viewer's modules in node: what they decide and say, without a browser."""

import json
import os
import shutil
import subprocess

from twf_async.web.viewer_files import DIRECTORY

NODE = shutil.which("node")
BROWSER = 'globalThis.navigator ??= { languages: ["en-US"] }; // what a browser brings along\n'


def run(directory, script, *given, timezone="America/Los_Angeles"):
    """What *script*, a module among the viewer's, prints as JSON; *given* is in its argv[2]."""
    for file in DIRECTORY.glob("*.js"):
        shutil.copy(file, directory)
    (directory / "package.json").write_text('{"type": "module"}')
    (directory / "script.js").write_text(BROWSER + script)
    done = subprocess.run(
        [NODE, "script.js", json.dumps(given)],
        cwd=directory,
        env=os.environ | {"TZ": timezone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
