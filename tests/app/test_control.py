"""The control socket: who may use it, what becomes of an old one, how refusals travel."""

import asyncio
import signal
import socket
import subprocess
import sys

import pytest
from structlog.testing import capture_logs

from twf_async.app.control.client import Refused, ask
from twf_async.app.control.place import NAME, NoControl
from twf_async.app.control.server import ControlServer
from twf_async.app.control.verbs import Verb
from twf_async.errors import BadConfiguration, BadInput

LISTEN = (
    "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]);"
    "s.listen(); print('listening', flush=True); time.sleep(600)"
)


@pytest.fixture
def listener(tmp_path):
    """Another process that listens at the socket's place."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, tmp_path / NAME], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "listening\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def echo(body):
    return {"said": dict(body)}


async def refuse(_):
    raise BadConfiguration("products.toml: t2m.recipe: there is no recipe 'x'")


async def reject(_):
    raise BadInput("there is no run gfs 2026012912")


async def fail(_):
    raise ZeroDivisionError


VERBS = (
    Verb("status", "GET", echo),
    Verb("pause", "POST", echo),
    Verb("reload", "POST", refuse),
    Verb("pin", "POST", reject),
    Verb("break", "POST", fail),
)


@pytest.fixture
async def server(tmp_path):
    running = ControlServer(tmp_path, VERBS)
    await running.start()
    yield running
    await running.stop()


def asked(tmp_path, *question, **options):
    return asyncio.to_thread(ask, tmp_path, *question, **options)


async def test_a_verb_is_answered_and_takes_a_json_object(server, tmp_path):
    assert await asked(tmp_path, "status") == {"said": {}}
    assert await asked(tmp_path, "pause", {"reason": "schnee ❄"}) == {
        "said": {"reason": "schnee ❄"}
    }


async def test_only_its_owner_can_use_the_socket_and_it_goes_with_the_service(server, tmp_path):
    path = tmp_path / NAME
    assert path.stat().st_mode & 0o777 == 0o600
    await server.stop()
    assert not path.exists()


@pytest.mark.parametrize(
    ("verb", "exit_code", "sentence"),
    [
        ("reload", 78, "products.toml: t2m.recipe: there is no recipe 'x'"),
        ("pin", 2, "there is no run gfs 2026012912"),
        ("status", 2, "status is asked for with GET"),
        ("dance", 2, "this service knows no 'dance', but status, pause, reload, pin, break"),
    ],
)
async def test_a_refusal_comes_back_as_its_sentence_and_exit_code(
    verb, exit_code, sentence, server, tmp_path
):
    with pytest.raises(Refused) as refused:
        await asked(tmp_path, verb, {})

    assert (str(refused.value), refused.value.exit_code) == (sentence, exit_code)


async def test_a_fault_of_ours_is_logged_and_the_service_goes_on_answering(server, tmp_path):
    with capture_logs() as logs, pytest.raises(Refused, match="its log has it"):
        await asked(tmp_path, "break", {})

    assert [(line["event"], line["verb"]) for line in logs] == [("control.request_failed", "break")]
    assert await asked(tmp_path, "status") == {"said": {}}


async def test_what_is_not_json_is_refused_without_harm(server, tmp_path):
    reader, writer = await asyncio.open_unix_connection(tmp_path / NAME)
    writer.write(b"POST /v1/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n[1]")
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    await writer.wait_closed()

    assert b"400" in answer
    assert await asked(tmp_path, "status") == {"said": {}}


async def test_without_a_service_the_client_says_so(tmp_path):
    with pytest.raises(NoControl, match="no service runs here") as nobody:
        await asked(tmp_path, "status")

    assert nobody.value.exit_code == 1


async def test_the_socket_of_a_killed_process_is_replaced(listener, tmp_path):
    listener.send_signal(signal.SIGKILL)
    listener.wait()
    assert (tmp_path / NAME).is_socket()
    with pytest.raises(NoControl, match="no service runs here"):
        await asked(tmp_path, "status")

    server = ControlServer(tmp_path, VERBS)
    await server.start()
    answer = await asked(tmp_path, "status")
    await server.stop()

    assert answer == {"said": {}}


async def test_the_socket_of_a_living_process_is_left_alone(listener, tmp_path):
    with pytest.raises(NoControl, match="another service listens at"):
        await ControlServer(tmp_path, VERBS).start()

    assert (tmp_path / NAME).is_socket()
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(tmp_path / NAME))


async def test_a_service_that_does_not_answer_is_given_up_in_time(listener, tmp_path):
    with pytest.raises(NoControl, match=r"does not answer within 0\.2 s"):
        await asked(tmp_path, "status", timeout_s=0.2)


async def test_a_file_in_the_way_is_named_and_not_removed(tmp_path):
    (tmp_path / NAME).write_text("mine")

    with pytest.raises(NoControl, match="is in the way of the control socket; move it away"):
        await ControlServer(tmp_path, VERBS).start()

    assert (tmp_path / NAME).read_text() == "mine"


async def test_a_path_that_is_too_long_costs_the_control_not_the_service(tmp_path):
    state = tmp_path / ("d" * 108)
    state.mkdir()
    server = ControlServer(state, VERBS)

    with capture_logs() as logs:
        await server.start()
        await server.stop()
    with pytest.raises(NoControl, match="a socket's path may have 107; set a shorter state_dir"):
        await asked(state, "status")

    assert [line["event"] for line in logs] == ["control.unavailable"]
    assert list(state.iterdir()) == []
