"""A real Chromium, driven through its DevTools protocol: no driver, no package, no download."""

import asyncio
import base64
import itertools
import os
import shutil
import signal
import subprocess
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--mute-audio",
    "--remote-debugging-port=0",
)
PATIENCE_S = 20.0


class PageFault(AssertionError):
    """The page threw, or did not become as expected in time."""


def executable():
    """Where Chromium lies, or None."""
    named = os.environ.get("TWF_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return named or next(filter(None, map(shutil.which, names)), None)


class Page:
    """One tab. `errors` collects what went to its console as an error."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers = {}
        self.errors = []
        self.requests = []
        self._reader = asyncio.create_task(self._read())

    async def start(self):
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")

    async def send(self, method, **parameters):
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    async def open(self, url):
        await self.send("Page.navigate", url=url)

    async def evaluate(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        answer = await self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if fault := answer.get("exceptionDetails"):
            said = fault.get("exception", {}).get("description") or fault["text"]
            raise PageFault(f"{expression}: {said}")
        return answer["result"].get("value")

    async def until(self, expression, patience_s=PATIENCE_S):
        """Wait until the expression is truthy; returns its value."""
        end = time.monotonic() + patience_s
        while True:
            with suppress(PageFault):  # the page may just be changing
                if value := await self.evaluate(expression):
                    return value
            if time.monotonic() > end:
                raise PageFault(f"never came true: {expression}; errors: {self.errors}")
            await asyncio.sleep(0.03)

    async def press(self, key, text="", modifiers=0):
        code = {"key": key, "modifiers": modifiers} | ({"text": text} if text else {})
        await self.send("Input.dispatchKeyEvent", type="keyDown", **code)
        await self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def mouse(self, kind, x, y, **more):
        await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    async def click(self, selector):
        """Press the left button in the middle of an element."""
        x, y = await self.middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            await self.mouse(kind, x, y, button="left", clickCount=1)

    async def touch(self, *places):
        """Put fingers at the first of *places*, [(x, y), ..], move them to the others, let go."""
        for number, fingers in enumerate(places):
            points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
            kind = "touchMove" if number else "touchStart"
            await self.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        await self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    async def middle(self, selector):
        return await self.evaluate(
            f"(() => {{ const box = document.querySelector({selector!r}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )

    async def resize(self, width, height, *, scale=1, mobile=False):
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=mobile,
        )

    async def prefer(self, **features):
        listed = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        await self.send("Emulation.setEmulatedMedia", features=listed)

    async def picture(self, path):
        answer = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(Path(path).write_bytes, base64.b64decode(answer["data"]))

    async def stop(self):
        self._reader.cancel()
        await asyncio.wait({self._reader})

    async def _read(self):
        async for message in self._socket:
            said = message.json()
            if (number := said.get("id")) is not None:
                self._answer(number, said)
                continue
            facts = said.get("params", {})
            if said["method"] == "Runtime.exceptionThrown":
                thrown = facts["exceptionDetails"].get("exception", {})
                self.errors.append(thrown.get("description"))
            elif said["method"] == "Log.entryAdded" and facts["entry"]["level"] == "error":
                self.errors.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')}")
            elif said["method"] == "Network.requestWillBeSent":
                self.requests.append(facts["request"]["url"])

    def _answer(self, number, said):
        future = self._answers.pop(number)
        if future.done():
            return
        if "error" in said:
            future.set_exception(PageFault(said["error"]["message"]))
        else:
            future.set_result(said["result"])


@contextmanager
def running(profile: Path, *, timezone):
    """Run Chromium with a fresh profile; yields the port of its DevTools."""
    process = subprocess.Popen(
        [executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        env=os.environ | {"TZ": timezone, "HOME": str(profile)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield _port(process, profile / "DevToolsActivePort")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@asynccontextmanager
async def tab(port):
    """A tab of its own in the running browser, with storage of its own; yields a `Page`."""
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.put("/json/new?about:blank") as answer,
    ):
        url = (await answer.json())["webSocketDebuggerUrl"]
        async with session.ws_connect(url, max_msg_size=0) as socket:
            page = Page(socket)
            try:
                await page.start()
                yield page
            finally:
                await page.send("Page.close")
                await page.stop()


def _port(process, path: Path) -> int:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(FileNotFoundError, ValueError, IndexError):
            return int(path.read_text().splitlines()[0])
        time.sleep(0.05)
    raise PageFault(f"Chromium did not start (exit code {process.poll()})")
