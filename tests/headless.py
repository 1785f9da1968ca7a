"""A headless Chromium, driven over the Chrome DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
# no sandbox: it cannot be had as root or in most containers, and the page is our own
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
    "--disable-extensions", "--disable-background-networking", "--remote-debugging-port=0",
)  # fmt: skip
WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""WebGL2 on the processor, for those who ask for it."""
SECONDS = 60.0
KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9}
"""Those that do something of their own in the browser have to be given by number too."""
MOVES = ("mousePressed", "mouseReleased", "mouseMoved", "mouseWheel")


def find_browser():
    """The path of an installed browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a browser of its own. What it complains about is in `complaints`, what it asks for in `requests`;
    `sent` has what of that no policy stopped, by number, and `windows` those that it would open."""

    def __init__(self, profile: Path, size=(1280, 800), density=1.0, options=()):
        self.profile, self.size, self.density, self.options = profile, size, density, options
        self.complaints, self.requests, self.windows, self.sent = [], [], [], {}
        self.number, self.held = 0, ExitStack()

    def __enter__(self):
        profile, home = f"--user-data-dir={self.profile}", {**os.environ, "HOME": str(self.profile)}
        self.process = subprocess.Popen(
            [find_browser(), *OPTIONS, *self.options, profile, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home,
        )  # fmt: skip
        try:
            port = self._port()
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(f"http://127.0.0.1:{port}/json", timeout=SECONDS) as answer:
                pages = json.load(answer)
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            self.socket = self.held.enter_context(connect(address, max_size=None, proxy=None))
            for domain in ("Runtime", "Log", "Network", "Page"):
                self.call(f"{domain}.enable")
            self.resize(*self.size)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.held.close()
        self.process.terminate()
        self.process.wait(timeout=SECONDS)

    def _port(self):
        file, until = self.profile / "DevToolsActivePort", time.monotonic() + SECONDS
        while time.monotonic() < until:
            if file.exists() and "\n" in (text := file.read_text()):
                return int(text.splitlines()[0])
            time.sleep(0.05)
        raise TimeoutError("the browser did not start")

    def call(self, method, **params):
        """The answer to one command; what happens meanwhile is kept."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=SECONDS))
            if message.get("id") == self.number:
                assert "error" not in message, message["error"]
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
            self.sent[params["requestId"]] = params["request"]["url"]
        elif method == "Network.webSocketCreated":
            self.requests.append(params["url"])
            self.sent[params["requestId"]] = params["url"]
        elif method == "Network.loadingFailed" and params.get("blockedReason") == "csp":
            self.sent.pop(params["requestId"], None)
        elif method == "Page.windowOpen":
            self.windows.append(params["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("exception", {}).get("description", params)))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def open(self, address):
        self.call("Page.navigate", url=address)

    def begin(self, address):
        """Open a page with nothing remembered of what was before."""
        self.open("about:blank")
        self.until("location.href === 'about:blank'")
        for kept in (self.complaints, self.requests, self.windows, self.sent):
            kept.clear()
        self.open(address)
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'")

    def touch(self, fingers):
        """Whether the screen is one that is touched."""
        self.call("Emulation.setTouchEmulationEnabled", enabled=fingers)

    def resize(self, width, height, *, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=self.density,
                  mobile=mobile)  # fmt: skip

    def theme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def run(self, expression):
        """The value of some JavaScript."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, expression, seconds=SECONDS):
        """Wait until some JavaScript is true; returns its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(expression):
                return value
            time.sleep(0.02)
        raise AssertionError(f"{expression} did not become true; {self.complaints}")

    def mouse(self, kind, x, y, **more):
        assert kind in MOVES
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def wheel(self, x, y, turned):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=turned)

    def drag(self, start, end):
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        self.mouse("mousePressed", *start, **button)
        self.mouse("mouseMoved", *end, button="left", buttons=1)
        self.mouse("mouseReleased", *end, **button)

    def press(self, key):
        text = {"text": key} if len(key) == 1 else {"windowsVirtualKeyCode": KEYS.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def screenshot(self):
        """The bytes of a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
