"""What the demo tells its newcomer is so."""

import json
import os
import signal
import subprocess
import sys

from tests.integration.service import REPOSITORY


def test_the_demo_names_its_viewer_and_how_to_ask_it_how_it_gets_on(tmp_path_factory):
    place = tmp_path_factory.mktemp("s")  # short: sockets lie below it
    environ = os.environ | {"TMPDIR": str(place), "TWF_WEB__PORT": "0"}
    program = [sys.executable, "-m", "twf_async"]
    told = {}
    with subprocess.Popen(
        [*program, "demo", "--config", REPOSITORY / "config"],
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
            asked = subprocess.run(
                [*program, *words, "--json"], cwd=place, env=environ, capture_output=True, text=True
            )
        finally:
            demo.send_signal(signal.SIGINT)
            demo.stdout.read()
        code = demo.wait()

    assert told["The viewer"].startswith("http://127.0.0.1:")
    assert {*json.loads(asked.stdout)["models"]} == {"gfs", "aigfs", "hrrr"}
    assert code == 0
