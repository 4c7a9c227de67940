"""A command that waits for a run in the service, and what it is told when that goes away."""

import asyncio
import socket
import threading

import pytest

from twf_async.app.control.handed_over import HandedOver, ServiceEnded
from twf_async.app.control.place import NAME
from twf_async.app.control.server import ControlServer
from twf_async.app.control.verbs import Verb

BODY = {"model": "gfs", "cycle": "2026012906", "hours": None, "regions": None, "products": None}
ANSWER = {"cycle": "2026012906", "begun": True, "published": 0, "pid": 7}
NOT_YET = {
    "pid": 7,
    "done": False,
    "count": {"expected": 2, "published": 1, "failed": 0, "not_applicable": 0},
    "missing": [],
    "held": "",
}


async def followed(tmp_path):
    run = HandedOver(tmp_path, BODY, ANSWER)
    return await asyncio.to_thread(run.followed, None, lambda _: None)


async def test_a_service_that_ends_is_told_and_what_to_do_then(tmp_path):
    asked = asyncio.Event()

    async def progress(_):
        asked.set()
        return NOT_YET

    server = ControlServer(tmp_path, (Verb("progress", "POST", progress),))
    await server.start()
    waiting = asyncio.create_task(followed(tmp_path))
    await asked.wait()
    await server.stop()

    with pytest.raises(ServiceEnded) as told:
        await waiting
    assert str(told.value) == (
        "the service ended before gfs 2026012906 was done; start the command again once it runs:"
        " it goes on by itself, and nothing is fetched or drawn twice"
    )


async def test_another_service_in_its_place_is_not_taken_for_it(tmp_path):
    async def progress(_):
        return NOT_YET | {"pid": 8}

    server = ControlServer(tmp_path, (Verb("progress", "POST", progress),))
    await server.start()
    with pytest.raises(ServiceEnded, match="start the command again"):
        await followed(tmp_path)
    await server.stop()


async def test_a_service_that_is_killed_in_the_middle_of_an_answer_has_ended(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / NAME))
        listener.listen()

        def half_an_answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")

        answering = threading.Thread(target=half_an_answer)
        answering.start()
        with pytest.raises(ServiceEnded, match="start the command again"):
            await followed(tmp_path)
        answering.join()
