"""A browser without a window, for tests of pages."""

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-port=0",
)
"""It asks no other machine for anything."""
PATIENCE = 120  # seconds a page may take on a busy machine


class Tab:
    """A page that is open."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._number = connection, 0

    def evaluate(self, script: str) -> Any:
        """What an expression of JavaScript gives."""
        self._number += 1
        call = {"expression": script, "returnByValue": True, "awaitPromise": True}
        request = {"id": self._number, "method": "Runtime.evaluate", "params": call}
        self._connection.send(json.dumps(request))
        while (answer := json.loads(self._connection.recv(PATIENCE))).get("id") != self._number:
            """Another message."""
        return answer.get("result", {}).get("result", {}).get("value")

    def shows(self, pattern: str) -> bool:
        """Whether the page's text comes to match a regular expression; it may still be loading."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if re.search(pattern, str(self.evaluate("document.body?.innerText"))):
                return True
            time.sleep(0.2)
        return False


@contextmanager
def opened(address: str, profile: Path) -> Iterator[Tab]:
    """A new browser that opens an address.

    Args:
        profile: an empty folder.
    """
    assert CHROMIUM is not None
    quiet = subprocess.DEVNULL
    browser = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", address], stdout=quiet, stderr=quiet
    )
    try:
        until = time.monotonic() + PATIENCE
        port_file = profile / "DevToolsActivePort"  # the browser makes it, then writes to it
        while not (port_file.exists() and port_file.read_text()):
            assert time.monotonic() < until
            assert browser.poll() is None
            time.sleep(0.1)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            (page,) = (tab for tab in json.load(answer) if tab["type"] == "page")
        with connect(page["webSocketDebuggerUrl"], max_size=None) as connection:
            yield Tab(connection)
    finally:
        browser.kill()
        browser.wait()
