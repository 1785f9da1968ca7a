"""Where a number was measured: commit, versions, hardware."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparsine.version import __version__


def environment() -> dict[str, Any]:
    """What a record says of its origin. `commit` is None outside a checkout; a '+' ends it where files were changed."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "versions": {"sparsine": __version__, "python": platform.python_version(), "torch": torch.__version__,
                     "numpy": np.__version__},
        "hardware": {"processor": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads(),
                     "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
                     "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None},
    }  # fmt: skip


def _commit() -> str | None:
    here = Path(__file__).parent

    def git(*words: str) -> str:
        command = ["git", "-C", str(here), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # an installed copy may lie inside somebody else's repository: only our own sources count
        if not git("ls-files", "--", Path(__file__).name):
            return None
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--", str(here)) else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
