"""Which Ray cluster is meant, and whether it can be reached: said in seconds, where Ray itself waits for minutes."""

import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from sparsine.errors import BadInput

REACH_SECONDS, JOIN_SECONDS = 5.0, 30.0
"""Until a port must answer, and until Ray must."""
FORMS = "HOST:PORT, ray://HOST:PORT, auto, local or local:N"
_HOST_PORT = re.compile(r"(ray://)?([\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
_JOIN = """
import logging, sys, ray
ray.init(address=sys.argv[1], include_dashboard=None, log_to_driver=False, logging_level=logging.CRITICAL)
ray.shutdown()
"""


@dataclass(frozen=True)
class RayAddress:
    """A cluster: one of this machine's own, or another by its address."""

    text: str
    """As Ray takes it; "local" for a cluster that is started here and ends with us."""
    num_workers: int | None = None
    """Of a local one; None is a worker for each core."""

    @property
    def is_local(self) -> bool:
        return self.text == "local"

    def __str__(self) -> str:
        return self.text if self.num_workers is None else f"{self.text}:{self.num_workers}"


def ray_address(text: str) -> RayAddress:
    """`FORMS` as an address. Raises BadInput for anything else.

    Example:
        >>> ray_address("local:3"), ray_address("10.0.0.7:6379").text
        (RayAddress(text='local', num_workers=3), '10.0.0.7:6379')
    """
    if found := re.fullmatch(r"local(?::([1-9]\d{0,3}))?", text):
        return RayAddress("local", int(found[1]) if found[1] else None)
    host = _HOST_PORT.fullmatch(text)
    if text != "auto" and not (host and 0 < int(host[3]) < 1 << 16):
        raise BadInput(f"the address of a Ray cluster is {FORMS}, but got {text!r}")
    return RayAddress(text)


def check_reachable(address: RayAddress, environment: Mapping[str, str]) -> None:
    """Tries, in a process that can be ended, to join a cluster that runs somewhere.

    Args:
        environment: of that process.

    Raises:
        BadInput: nobody answers, or it is no cluster that this process can join.
    """
    if host := _HOST_PORT.fullmatch(address.text):
        _check_port(address, host[2].strip("[]"), int(host[3]))
    try:
        joined = subprocess.run([sys.executable, "-c", _JOIN, address.text], stdin=subprocess.DEVNULL, text=True,
                                capture_output=True, timeout=JOIN_SECONDS, env=dict(environment))  # fmt: skip
    except subprocess.TimeoutExpired:
        why = f"something answers there, but could not be joined in {JOIN_SECONDS:.0f} s"
        raise BadInput(f"no Ray cluster can be used at {address}: {why}; {_ADVICE}") from None
    if joined.returncode:
        raise BadInput(f"no Ray cluster can be used at {address}: {_reason(joined.stderr)}; {_ADVICE}")


_ADVICE = "look at it with `ray status`, or leave the address out for a cluster on this machine"


def _check_port(address: RayAddress, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=REACH_SECONDS).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(f"no Ray cluster can be reached at {address}: {why}; {_ADVICE}") from error


def _reason(said: str) -> str:
    """The last line of a traceback, without the name of the error."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it ended without a word"]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit)\b", line)]
    return re.sub(r"^[\w.]+: ", "", (errors or lines)[-1])[:300]
