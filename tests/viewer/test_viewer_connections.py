"""Many connections, slow ones, silent ones, and ones that talk nonsense: whoever asks properly is answered."""

import logging
import socket
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
from viewer_problems import CURVES, catalogue_of, running, said_raw

from sparsine.viewer import connections
from sparsine.viewer.bands import Bands

LARGE = "2048x4096"  # 32 MB
DRAW = f"/draw?name={CURVES[1]}&region=0,0,1,1&size="


@pytest.fixture
def address(codes, start):
    with running(catalogue_of(codes, start)) as address:
        yield address


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)


def question(address, target):
    return f"GET {target} HTTP/1.1\r\nHost: {address.removeprefix('http://')}\r\n".encode()


def connected(address, said=b"", receive_buffer=None):
    host, port = address.removeprefix("http://").split(":")
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect((host, int(port)))
    connection.sendall(said)
    return connection


@contextmanager
def many(address, number, said=b"", **more):
    """So many connections that say something and then nothing."""
    with ExitStack() as held:
        yield [held.enter_context(connected(address, said, **more)) for _ in range(number)]


def answered(address, target="/api/codes"):
    return said_raw(address, question(address, target) + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")


def ended(connection):
    """Whether the other side ends it, after whatever it says but not after a whole drawing."""
    taken = 0
    try:
        while part := connection.recv(1 << 16):
            taken += len(part)
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return taken < 4 * 2048 * 4096


def silent(address):
    return b""


def half_a_head(address):
    return question(address, "/")


def idle(address):
    return question(address, "/api/folder") + b"\r\n"


def not_reading(address):
    return question(address, DRAW + LARGE) + b"\r\n"


@pytest.mark.parametrize("said", [silent, half_a_head, idle, not_reading])
def test_more_connections_than_there_is_room_for_lock_nobody_out(address, said, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 1000.0)
    with many(address, connections.MAX_CONNECTIONS + 40, said(address), receive_buffer=4096):
        end = time.monotonic() + 60
        while not answered(address) and time.monotonic() < end:  # those that asked are being answered
            time.sleep(0.2)
        for _ in range(3):
            assert answered(address)
            assert answered(address, DRAW + "5x3")


def test_the_one_that_has_not_moved_for_the_longest_makes_room(address):
    with many(address, connections.MAX_CONNECTIONS) as first, many(address, 3):
        for connection in first[:3]:
            assert ended(connection)
        first[3].sendall(question(address, "/api/folder") + b"\r\n")
        assert first[3].recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("said", [silent, half_a_head, idle, not_reading])
def test_one_that_does_not_go_on_is_ended(impatient, address, said):
    with connected(address, said(address), receive_buffer=4096) as connection:
        time.sleep(2.5)  # so long the last of them takes nothing
        assert ended(connection)


def test_a_question_that_comes_a_byte_at_a_time_is_ended(impatient, address):
    def say_all(connection):
        for byte in question(address, "/") * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with connected(address) as connection, pytest.raises(ConnectionError):
        say_all(connection)


def test_one_that_waits_for_us_is_not_ended(impatient, codes, start, monkeypatch):
    catalogue = catalogue_of(codes, start)
    about = catalogue.about
    monkeypatch.setattr(catalogue, "about", lambda: time.sleep(2.5) or about())
    with running(catalogue) as address:
        assert answered(address, "/api/folder")


def test_a_slow_reader_gets_all_of_a_drawing(impatient, address):
    """It takes longer than a silent one is borne, but goes on taking."""
    size, taken = "512x512", 0
    with connected(address, question(address, DRAW + size) + b"Connection: close\r\n\r\n", 4096) as connection:
        began = time.monotonic()
        while part := connection.recv(1 << 14):
            taken += len(part)
            time.sleep(0.01)
    assert time.monotonic() - began > 1.5 * connections.PATIENCE_SECONDS
    assert taken > 4 * 512 * 512 + 8


def test_of_drawings_that_nobody_takes_only_the_beginning_is_drawn(address, monkeypatch):
    drawn = []
    part = Bands._part
    monkeypatch.setattr(Bands, "_part", lambda *given: drawn.append(part(*given)) or drawn[-1])
    with many(address, 12, not_reading(address), receive_buffer=4096):
        assert answered(address, DRAW + "5x3")
        before = -1
        while before != len(drawn):  # until nothing more is drawn
            before = len(drawn)
            time.sleep(0.5)
    assert sum(map(len, drawn)) < 12 * 4 * 2048 * 4096 / 10


def test_a_drawing_that_nobody_takes_any_more_is_not_gone_on_with(address, monkeypatch):
    drawn = []
    part = Bands._part
    monkeypatch.setattr(Bands, "_part", lambda *given: drawn.append(given) or part(*given))
    with connected(address, not_reading(address)) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    before = -1
    while before != len(drawn):
        before = len(drawn)
        time.sleep(0.5)
    assert len(drawn) < 200  # of 256


HEAD = b"GET /api/codes HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
WHOLE = HEAD + b"\r\n"
NONSENSE = (
    CHUNKED + b"\r\nzz\r\n", CHUNKED + b"\r\n5\r\nabcdefgh\r\n0\r\n\r\n", CHUNKED + b"\r\n-1\r\n\r\n",
    CHUNKED + b"\r\n" + b"f" * 99 + b"\r\n", CHUNKED + b"Expect: 100-continue\r\n\r\nzz\r\n",
    CHUNKED.replace(b"GET", b"HEAD") + b"\r\n\xff\xff\r\n", CHUNKED.replace(b"GET", b"POST") + b"\r\nzz\r\n",
    CHUNKED.replace(b"/api/codes", b"/draw?size=%b") + b"\r\nzz\r\n", CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n" + WHOLE,
    CHUNKED.replace(b"localhost", b"evil.example") + b"\r\nzz\r\n", CHUNKED + b"\r\n3\r\nabc\r\n0\r\nX: \x00\r\n\r\n",
    HEAD + b"Transfer-Encoding: gzip\r\n\r\nx", HEAD + b"Content-Length: 5\r\n\r\nabc",
    HEAD + b"Content-Length: x\r\n\r\n", HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    HEAD + b"Content-Length: 3\r\n\r\nabcGARBAGE \xff\r\n\r\n", WHOLE + b"GARBAGE\r\n\r\n", WHOLE + b"\x00\r\n\r\n",
    WHOLE + HEAD + WHOLE, WHOLE * 9 + CHUNKED + b"\r\nzz\r\n", HEAD + b"X: \x00\r\n\r\n",
    HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\r\n\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\nx", b"GET\r\n\r\n",
    WHOLE.replace(b"/api", b"http://localhost/api"), WHOLE.replace(b"GET /api/codes", b"OPTIONS *"),
    WHOLE.replace(b"1.1", b"9.9"), WHOLE.replace(b"/api", b"/%ff%00\xff"),
)  # fmt: skip


# Servers of their own: they keep the standard error that there is when they start.


@pytest.mark.parametrize("more", ["at once", "in two parts", "byte by byte", "and nothing is read"])
def test_nonsense_prints_nothing(capfd, codes, start, more):
    with running(catalogue_of(codes, start)) as address:
        for said in (*NONSENSE, question(address, DRAW + LARGE) + b"\r\nGARBAGE\r\n\r\n"):
            with connected(address) as connection, suppress(ConnectionError, TimeoutError):
                say(connection, said, more)
        assert answered(address)
    assert capfd.readouterr() == ("", "")


def say(connection, said, more):
    ways = {
        "in two parts": [said[: len(HEAD) + 40], said[len(HEAD) + 40 :]],
        "byte by byte": [bytes([b]) for b in said],
    }
    for part in ways.get(more, [said]):
        connection.sendall(part)
        time.sleep(0.02 if more == "in two parts" else 0)
    connection.settimeout(0.2)
    while more != "and nothing is read" and connection.recv(1 << 20):
        pass


def test_faults_of_the_libraries_below_are_one_line(capfd, codes, start):
    error = ValueError("several\nlines")
    with running(catalogue_of(codes, start)):
        for name in ("uvicorn.error", "asyncio"):
            logging.getLogger(name).error("it %s", "failed", exc_info=error)
    lines = capfd.readouterr().err.splitlines()
    assert lines == ["error: the viewer's server: it failed (ValueError: several lines)"] * 2
