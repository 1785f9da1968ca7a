"""`sparsine view` on the command line."""

import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
from viewer_problems import CURVES

from sparsine.cli.main import main
from sparsine.cli.viewed import starts_of
from sparsine.errors import BadInput
from sparsine.starts.built_in import families
from sparsine.starts.start import save_start
from sparsine.viewer.folder import CodeFolder
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


def test_links_that_are_left_out_are_told(tmp_path, codes, start_file, capsys, monkeypatch):
    monkeypatch.setattr("sparsine.viewer.serve.serve", lambda *_: None)
    shown = []
    for number in (0, 1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in CURVES[:number]:
            (folder / f"{name}.spn").symlink_to(codes / f"{name}.spn")
        assert main(["view", str(folder), "--start", str(start_file), "--port", "0", "--no-browser"]) == 0
        shown.append(capsys.readouterr().out.splitlines()[0])
    assert all("viewing 0 signals" in line for line in shown)
    assert ["left out" in line for line in shown] == [False, True, True]
    assert "1 link was left out" in shown[1]
    assert "2 links were left out" in shown[2]


FAKE = """#!{python}
import os, sys
def has_terminal():
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return any(os.isatty(fd) for fd in range(3))
    return True
with open({said!r}, "a") as file:
    file.write(" ".join([os.path.basename(sys.argv[0]), str(has_terminal()), *sys.argv[1:]]) + "\\n")
print("[the terminal is mine]")
"""


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12 on warns of threads that are lost
@pytest.mark.skipif(sys.platform != "linux", reason="macOS asks its own desktop")
@pytest.mark.parametrize(("where", "asked"), [
    ({}, []), ({"DISPLAY": ":7"}, ["w3m"]), ({"WAYLAND_DISPLAY": "w"}, ["w3m"]), ({"BROWSER": "mine"}, ["mine"]),
    ({"DISPLAY": ":7", "BROWSER": "mine %s"}, ["mine"]),
])  # fmt: skip
def test_a_browser_for_terminals_never_gets_the_terminal(tmp_path, codes, start_file, where, asked):
    said = tmp_path / "said"
    said.touch()
    for name in ("w3m", "mine"):
        (tmp_path / name).write_text(FAKE.format(python=sys.executable, said=str(said)))
        (tmp_path / name).chmod(0o755)
    gone = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    environment = {name: value for name, value in os.environ.items() if name not in gone} | where
    environment |= {"PATH": str(tmp_path), "TERM": "xterm"}
    command = [sys.executable, "-m", "sparsine", "view", str(codes), "--start", str(start_file), "--port", "0"]
    shown, code = on_a_terminal(command, environment, lambda shown: "Ctrl-C" in shown and told(said) >= len(asked))
    assert code == 0
    assert [line.split()[:2] for line in said.read_text().splitlines()] == [[name, "False"] for name in asked]
    assert all("http://127.0.0.1:" in line for line in said.read_text().splitlines())
    assert "[the terminal is mine]" not in shown
    assert "http://127.0.0.1:" in shown


def told(file):
    return file.read_text().count("\n")


def on_a_terminal(command, environment, enough):
    """(what it shows, its exit status) of a program on a terminal of its own, interrupted when that is enough."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(command[0], command, environment)
    shown, end, interrupted = "", time.monotonic() + 120, False
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # it has ended
                break
        if not interrupted and enough(shown):
            interrupted = True
            time.sleep(0.5)  # whoever else is asked would be by now
            os.write(terminal, b"\x03")
    os.close(terminal)
    return shown, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_only_this_machine_can_connect():
    with bind(0) as listening:
        host, _ = listening.getsockname()
        assert host == "127.0.0.1"
        assert set(hosts_of(listening)) == {"127.0.0.1", "localhost", "[::1]"}


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
        ((codes,), "name it by --start"),
        ((tmp_path,), "no codes and no fits"),
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
    (needed,) = re.findall(r"python -m pip install (.+)", err)
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert shlex.split(needed) == pyproject["project"]["optional-dependencies"]["view"]


def test_a_family_of_built_in_starts_may_draw_the_codes_of_each_of_them(tmp_path):
    found = starts_of(CodeFolder(tmp_path), Path("photos"))
    assert [drawer.name for drawer in found.drawers.values()] == [path.name for path in families()["photos"]]
