"""`sparsine view` on the command line."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from sparsine.cli.main import main
from sparsine.errors import BadInput
from sparsine.meta.start import save_start
from sparsine.viewer.serve import bind, hosts_of


@pytest.fixture
def start_file(tmp_path, start):
    save_start(tmp_path / "start.safetensors", start)
    return tmp_path / "start.safetensors"


def said(capsys, *words):
    code = main(["view", *map(str, words)])
    return code, capsys.readouterr().err


def test_it_serves_until_it_is_interrupted(codes, start_file):
    command = [sys.executable, "-m", "sparsine", "view", codes, "--start", start_file, "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        line = server.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line + server.stderr.read()
        assert "3 signals" in line
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{address[0]}api/codes", timeout=30) as answer:
            assert b'"total": 3' in answer.read()
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=60)
    assert (server.returncode, err) == (0, "")
    assert "ended" in out


def test_only_this_machine_can_connect():
    with bind(0) as listening:
        host, port = listening.getsockname()
        assert host == "127.0.0.1"
        assert hosts_of(listening) == [f"127.0.0.1:{port}", f"localhost:{port}"]


def test_a_port_that_is_taken_is_refused_or_passed_over(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"port {port} cannot be used"):
            bind(port)
        monkeypatch.setattr("sparsine.viewer.serve.USUAL_PORT", port)
        with bind(None) as listening:
            assert listening.getsockname()[1] != port


def test_what_is_missing_is_named(capsys, codes, start_file, tmp_path):
    for words, expected in (
        ((tmp_path / "none", "--start", start_file), "does not exist"),
        ((start_file, "--start", start_file), "is a file"),
        ((codes, "--start", tmp_path / "none"), "there is no"),
        ((codes, "--start", codes), "no finished round"),
        ((codes, "--start", start_file, "--originals", "images:nowhere"), "nowhere"),
        ((codes, "--start", start_file, "--port", "70000"), "port is 70000"),
        ((codes,), "--start"),
    ):
        code, err = said(capsys, *words)
        assert code == 2
        assert expected in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(capsys, codes, start_file, monkeypatch, package):
    for name in ("sparsine.viewer.serve", "sparsine.viewer.app"):
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, package, None)
    code, err = said(capsys, codes, "--start", start_file, "--port", "0", "--no-browser")
    assert code == 2
    assert "pip install 'sparsine[view]'" in err
