"""What the demo tells its newcomer is so."""

import json
import os
import signal
import subprocess
import sys

from tests.integration.service import REPOSITORY


def test_the_demo_names_its_viewer_and_how_to_ask_it_how_it_gets_on(tmp_path_factory, prepared):
    place = tmp_path_factory.mktemp("s")  # short: sockets lie below it
    environ = os.environ | {"TMPDIR": str(place), "TWF_WEB__PORT": "0"}
    told = {}
    with subprocess.Popen(
        [sys.executable, "-m", "twf_async", "demo", "--config", REPOSITORY / "config"],
        cwd=place,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        try:
            for line in demo.stdout:
                name, _, value = line.strip().partition(": ")
                told[name] = value
                if name == "How it gets on":
                    break
            _, *words = told["How it gets on"].split()
            asked = prepared.run([*words, "--json"], cwd=place, env=environ, timeout=60)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.stdout.read()
        code = demo.wait()

    assert told["The viewer"].startswith("http://127.0.0.1:")
    assert {*json.loads(asked.stdout)["models"]} == {"gfs", "aigfs", "hrrr"}
    assert code == 0
