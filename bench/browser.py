"""A headless Chromium driven over its DevTools socket: open, look, press, take a picture."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def chromium() -> str | None:
    """Return the path of a Chromium on this machine, None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab. `complaints` holds console errors, exceptions and policy violations so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._asked = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.received = 0
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; events that come first are noted."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            heard = json.loads(self._socket.recv(timeout=60))
            if heard.get("id") == self._asked:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error']['message']}")
                return heard["result"]
            self._note(heard)

    def shape(
        self, width: int, height: int, *, dark: bool = False, scale: float = 1, still: bool = False
    ) -> None:
        """Set the size of the window, the colour scheme and whether motion is wanted."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 500,
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        self.ask("Emulation.setEmulatedMedia", features=features)

    def open(self, url: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self.ask("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def run(self, expression: str) -> Any:
        """Return what the expression gives in the page; promises are awaited."""
        answer = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 15) -> None:
        """Wait until the expression is true. Raises TimeoutError with what it was last."""
        end = time.monotonic() + seconds
        while not (last := self.run(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} stayed {last!r} for {seconds} s")
            time.sleep(0.05)

    def press(self, key: str, code: str | None = None, text: str = "") -> None:
        """Press and release one key."""
        known = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}
        details = {"key": key, "code": code or key, "windowsVirtualKeyCode": known.get(key, 0)}
        self.ask(
            "Input.dispatchKeyEvent", type="keyDown", text=text or ("\r" if key == "Enter" else ""), **details
        )
        self.ask("Input.dispatchKeyEvent", type="keyUp", **details)

    def point(self, x: float, y: float) -> None:
        """Move the pointer there."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, *, whole: bool = False) -> bytes:
        """Return a PNG of what is seen, or of the whole page."""
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def _note(self, heard: dict[str, Any]) -> None:
        told = heard.get("params", {})
        match heard.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"])[:400])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "assert", "warning"):
                self.complaints.append(f"console {told['type']}: {told['args']}"[:400])
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Audits.issueAdded" if told["issue"]["code"] == "ContentSecurityPolicyIssue":
                self.complaints.append(f"policy: {told['issue']['details']}"[:400])
            case "Network.loadingFinished":
                self.received += int(told["encodedDataLength"])
            case "Network.webSocketFrameReceived":
                # Binary payloads come as base64.
                size = len(told["response"]["payloadData"])
                self.received += size * 3 // 4 if told["response"]["opcode"] == 2 else size
            case _:
                pass


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium with a new empty profile and stop it at the end."""
    path = chromium()
    if path is None:
        raise RuntimeError("there is no Chromium on this machine")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_address(Path(profile), process), max_size=None) as socket:
                tab = Browser(socket)
                yield tab
                tab._session = None
                with contextlib.suppress(ConnectionClosed, TimeoutError):
                    tab.ask("Browser.close")
            process.wait(10)
        finally:
            process.kill()
            process.wait()


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    told = profile / "DevToolsActivePort"
    for _ in range(300):
        if told.is_file() and len(lines := told.read_text().split()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        if process.poll() is not None:
            raise RuntimeError(f"Chromium ended with {process.returncode} before it answered")
        time.sleep(0.1)
    raise TimeoutError("Chromium did not answer within 30 s")
