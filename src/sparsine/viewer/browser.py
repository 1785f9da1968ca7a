"""Shows the page in a browser that has windows, never in the terminal."""

import os
import subprocess
import sys
from threading import Thread


def open_browser(address: str) -> None:
    """Asks the system for its browser and does not wait. Nothing happens where there is none.

    What is asked has no terminal: a browser for terminals finds nothing to read from or to draw on, and the lines that
    others print as they start go nowhere.
    """
    if has_windows():
        Thread(target=_ask, args=(address,), daemon=True).start()


def has_windows() -> bool:
    """Whether a browser has somewhere to appear, or somebody said which one to take."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def _ask(address: str) -> None:
    # -I: no module of the folder that one happens to be in
    subprocess.run(
        [sys.executable, "-I", "-m", "webbrowser", address], start_new_session=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
