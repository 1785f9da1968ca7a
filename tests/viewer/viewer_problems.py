"""A folder of codes of curves from tiny starts, some of them broken, and what is outside it."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

from small_problems import field_of, random_pattern
from starlette.testclient import TestClient

from sparsine.codec import EncodeConfig, encode_batch
from sparsine.fitting.fit import FitConfig
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Distance
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start
from sparsine.viewer.app import make_app
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.originals import Originals
from sparsine.viewer.serve import bind, make_server
from sparsine.viewer.starts import Starts

HOST = "127.0.0.1:8765"
SHAPE = (13, 17)
ORIGINALS = "curves:0/50"
CURVES = [f"curve-test-00000{i}" for i in range(3)]


def tiny_start(seed=0, density=0.7):
    field = field_of(2, 12, 9, 1, omega_0=7.0)
    pattern = random_pattern(field, density, seed)
    theta = pattern.gather(field.initial_theta(seed)[None])[0]
    return Start(pattern, theta, Grid(shape=SHAPE), kind=Distance())


def codes_of(start, number=3, steps=12):
    """Codes of the first curves of the test split."""
    curves = open_dataset("curves", resolution=SHAPE).test
    config = EncodeConfig(fit=FitConfig(steps=steps, lr=3e-3, report=()))
    return [encoded.data for encoded in encode_batch(start, [curves.load(i) for i in range(number)], config)]


def write_folder(folder, start, noted=True):
    """DIR with three codes, and what the encoder noted of them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (name, data) in enumerate(zip(CURVES, codes_of(start), strict=True)):
        (folder / f"{name}.spn").write_bytes(data)
        lines.append(json.dumps({"input": name, "file": f"{name}.spn", "psnr_db": 20.0 + number}))
    if noted:
        (folder / "journal.jsonl").write_text("\n".join(lines) + "\nno json\n[3]\n")
    return folder


def catalogue_of(folder, *starts, originals=None, config=None):
    named = [(f"round-{i:02}.safetensors", start) for i, start in enumerate(starts)]
    found = Originals(originals, starts[0], room=1 << 20) if originals else None
    return Catalogue(CodeFolder(folder), Starts(named), found, config)


def client_of(catalogue):
    return TestClient(make_app(catalogue, ["localhost", "127.0.0.1", "[::1]"]), base_url=f"http://{HOST}")


@contextmanager
def running(catalogue):
    """The address of a server in a thread of its own."""
    listening = bind(0)
    server = make_server(catalogue, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://{listening.getsockname()[0]}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()


def said_raw(address, request):
    """What a server says to bytes, whole; it may hang up while they come."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        end, said = time.monotonic() + 30, b""
        with suppress(ConnectionError):
            connection.sendall(request)
            while time.monotonic() < end and (part := connection.recv(65_536)):
                said += part
    return said
