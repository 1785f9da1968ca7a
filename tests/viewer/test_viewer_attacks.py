"""Requests and files that the server must refuse, and go on."""

import os
import struct
import zlib

import pytest
from viewer_problems import CURVES, HOST, catalogue_of, client_of, codes_of, running, said_raw, tiny_start

from sparsine.viewer.config import ViewerConfig

NAME = CURVES[1]
DRAW = {"name": NAME, "region": "0,0,1,1", "size": "8x8"}


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8765", "127.0.0.1:8765.evil.example", "127.0.0.1.evil.example:8765", "notlocalhost",
    "127.0.0.1:8765@evil.example", "evil.example@localhost:1", "", ":8765", "127.0.0.1:8765,evil.example",
    "0.0.0.0:8765", "localhost.evil.example", "localhost:evil.example", "localhost:80:80", "localhost:",
    "localhost:\u0661", "localhost:123456", "127.0.0.1:-1", "[::2]:8765", "[::1", "::1", "[::1]evil.example",
    "[localhost]:8765",
    "127.1", "2130706433", "localhost/evil.example", "localhost.",
])  # fmt: skip
def test_another_host_is_refused(client, host):
    answer = client.get("/api/codes", headers={"host": host.encode()})
    assert answer.status_code == 403
    assert NAME not in answer.text


@pytest.mark.parametrize("host", [
    "127.0.0.1:8765", "localhost:8765", "localhost:9000", "LocalHost:1", "127.0.0.1:65535", "127.0.0.1", "localhost",
    "[::1]:8765", "[::1]",
])  # fmt: skip
def test_this_machine_is_answered_at_any_port_as_tunnels_have_their_own(client, host):
    own = {"host": host, "origin": f"http://{host.lower()}", "sec-fetch-site": "same-origin"}
    assert client.get("/api/codes", headers=own).status_code == 200


def test_another_server_of_this_machine_is_another_site(client):
    for origin in (
        "http://localhost:9000",
        f"http://localhost:{HOST.partition(':')[2]}",
        "http://127.0.0.1",
        "http://[::1]",
    ):
        assert client.get("/api/codes", headers={"host": HOST, "origin": origin}).status_code == 403


def test_two_hosts_or_none_are_refused(codes, start):
    with running(catalogue_of(codes, start)) as address:
        host = address.removeprefix("http://").encode()
        for lines in (b"Host: " + host + b"\r\nHost: evil.example\r\n", b""):
            said = said_raw(address, b"GET /api/codes HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n")
            assert said.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400")), said
        said = said_raw(address, b"GET /api/codes HTTP/1.0\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": f"https://{HOST}"}, {"origin": "http://127.0.0.1:81"},
    {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
])  # fmt: skip
def test_another_site_is_refused(client, headers):
    for path in ("/api/codes", f"/thumbnail?name={NAME}"):
        assert client.get(path, headers=headers).status_code == 403


def test_our_own_page_and_a_link_to_it_are_answered(client):
    own = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
    assert client.get("/api/codes", headers=own).status_code == 200
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/", headers=link).status_code == 200
    assert client.get("/", headers={**link, "sec-fetch-dest": "iframe"}).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FETCH"])
def test_only_questions_are_answered(client, method):
    answer = client.request(method, "/api/codes")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_question_with_a_body_is_refused(client):
    assert client.request("GET", "/api/codes", content=b"x").status_code == 413


NAMES = (
    "../secret", "..%2fsecret", "....//secret", "/etc/passwd", "../secret.spn", f"../codes/{NAME}", f"./{NAME}",
    f"{NAME}.spn", f"{NAME}\0", "\0", "", ".", "..", "journal", "journal.jsonl", "link", "linked/inside",
    "inside", "pipe", "a" * 1000, "\ud7ff\U0010ffff", "CON", f"{NAME} ", f"sub/{NAME}", "%00", "..\\secret",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/thumbnail", "/api/code", "/draw", "/value", "/original", "/error"])
def test_only_names_of_the_folder_lead_to_a_file(folder, start, path):
    outside = folder.parent / "secret.spn"
    outside.write_bytes((folder / f"{NAME}.spn").read_bytes())
    (folder / "link.spn").symlink_to(outside)
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "inside.spn").write_bytes(outside.read_bytes())
    (folder / "linked").symlink_to(folder.parent / "other")
    os.mkfifo(folder / "pipe.spn")
    client = client_of(catalogue_of(folder, start))
    assert client.get("/api/codes").json()["total"] == 3
    for name in NAMES:
        for level in (None, "linked"):
            question = {**DRAW, "at": "0.5,0.5", "name": name} | ({} if level is None else {"level": level})
            answer = client.get(path, params=question)
            assert answer.status_code == 404, (name, level, answer.text)


@pytest.mark.parametrize("level", ["..", "/", ".", "x", "\0", "../codes"])
def test_only_levels_of_a_code_lead_to_a_file(client, level):
    assert client.get("/draw", params={**DRAW, "level": level}).status_code == 404
    assert client.get("/draw", params={**DRAW, "level": ""}).status_code == 200


def test_a_file_that_became_a_link_after_it_was_listed_is_not_followed(folder, start):
    outside = folder.parent / "secret.spn"
    outside.write_bytes(codes_of(start, 1)[0])
    (folder / "level").mkdir()
    (folder / "level" / "deep.spn").write_bytes(outside.read_bytes())
    catalogue = catalogue_of(folder, start)
    client = client_of(catalogue)
    catalogue.file("deep", None), catalogue.file(NAME, None)
    (folder / f"{NAME}.spn").unlink()
    (folder / f"{NAME}.spn").symlink_to(outside)
    (folder / "level" / "deep.spn").unlink()
    (folder / "level").rmdir()
    (folder.parent / "away").mkdir()
    (folder.parent / "away" / "deep.spn").write_bytes(outside.read_bytes())
    (folder / "level").symlink_to(folder.parent / "away")
    for name in (NAME, "deep"):
        answer = client.get("/draw", params={**DRAW, "name": name})
        assert answer.status_code == 422
        assert "cannot be read" in answer.json()["error"]


TARGETS = (
    "/../../etc/passwd", "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/%2fetc%2fpasswd",
    "/static/", "/static/main.js%00", "/static/..\\app.py", "//etc/passwd", "/static/__init__.py", "/codes", "/api/",
    "/api/shelf", "/%2e%2e/%2e%2e/etc/passwd", "/static//main.js", "/api/codes/", "/static/%252e%252e%252fapp.py",
    "/static", "/%00",
)  # fmt: skip


def test_paths_lead_nowhere_but_to_the_page(codes, start):
    with running(catalogue_of(codes, start)) as address:
        host = address.removeprefix("http://")
        for target in TARGETS:
            said = said_raw(address, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert said.split(b"\r\n")[0] in (b"HTTP/1.1 404 Not Found", b"HTTP/1.1 400 Bad Request"), (target, said)


@pytest.mark.parametrize("question", [
    {"size": "8192x8192"}, {"size": "99999x1"}, {"size": "0x4"}, {"size": "-4x4"}, {"size": "4"}, {"size": "4x4x4"},
    {"size": ""}, {"size": "1e3x4"}, {"size": "٣x٣"}, {"size": "4x" + "9" * 39}, {"size": " 4x4"}, {"size": "4.0x4"},
    {"region": "0,0,1"}, {"region": "0,0,1,1,1"}, {"region": "nan,0,1,1"}, {"region": "0,0,inf,1"},
    {"region": "-0.1,0,1,1"}, {"region": "0.5,0,0.5,1"}, {"region": "0.7,0,0.5,1"}, {"region": "0,0,1,1.0001"},
    {"region": "a,b,c,d"}, {"region": ""},
    {"region": "0,0,1," + "0" * 3000 + "1"}, {"region": "0,0,1e-400,1"}, {"region": ["0,0,1,1", "0,0,1,1"]},
    {"name": [NAME, NAME]}, {"name": "x" * 1025},
])  # fmt: skip
def test_a_drawing_of_senseless_or_boundless_size_is_refused(client, question):
    answer = client.get("/draw", params={**DRAW, **question})
    assert answer.status_code == 400
    assert len(answer.json()["error"]) < 200


@pytest.mark.parametrize(("path", "question"), [
    ("/thumbnail", {"edge": "100000"}), ("/thumbnail", {"edge": "0"}), ("/thumbnail", {"edge": "nan"}),
    ("/value", {"at": "2,0"}), ("/value", {"at": "nan,0"}), ("/value", {"at": "0.5"}), ("/value", {}),
    ("/api/codes", {"count": "100000"}), ("/api/codes", {"first": "-1"}), ("/api/codes", {"first": "9" * 30}),
    ("/api/codes", {"sort": "__class__"}), ("/api/codes", {"search": "x" * 201}), ("/api/code", {"name": []}),
])  # fmt: skip
def test_other_senseless_questions_are_refused(client, path, question):
    assert client.get(path, params={"name": NAME, **question}).status_code == 400


def test_an_address_without_end_is_refused(client, codes, start):
    assert client.get("/api/codes", params={"search": "x" * 5000}).status_code == 414
    with running(catalogue_of(codes, start)) as address:
        said = said_raw(address, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 200_000)
        assert said.startswith(b"HTTP/1.1 4") or not said
        host = address.removeprefix("http://").encode()
        assert b" 200 OK" in said_raw(address, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")


def test_a_drawing_within_its_bounds_is_drawn(codes, start):
    client = client_of(catalogue_of(codes, start, config=ViewerConfig(max_points=100, max_edge=20)))
    assert client.get("/draw", params={**DRAW, "size": "5x20"}).status_code == 200
    for size in ("5x21", "10x11"):
        assert client.get("/draw", params={**DRAW, "size": size}).status_code == 400


def forged(data):
    """A code whose checksum is right and whose payload is not."""
    body = data[:-12] + bytes(b ^ 0x5A for b in data[-12:-4])
    return body + struct.pack("<I", zlib.crc32(body))


def test_broken_codes_say_why_and_the_others_are_shown(folder, start):
    good = (folder / f"{NAME}.spn").read_bytes()
    broken = {
        "empty": b"", "cut": good[:25], "flipped": good[:30] + bytes([good[30] ^ 1]) + good[31:], "long": good + b"x",
        "text": b"hello", "huge": good + bytes(10_000_000), "other": codes_of(tiny_start(seed=9), 1)[0],
        "version": good[:4] + b"\x07" + good[5:],
    }  # fmt: skip
    for name, data in broken.items():
        (folder / f"{name}.spn").write_bytes(data)
    (folder / "folder.spn").mkdir()
    client = client_of(catalogue_of(folder, start))
    listed = {code["name"]: code for code in client.get("/api/codes").json()["codes"]}
    assert set(listed) == {*CURVES, *broken}
    for name in broken:
        assert listed[name]["error"]
        for path in ("/thumbnail", "/draw", "/value"):
            answer = client.get(path, params={**DRAW, "at": "0.5,0.5", "name": name})
            assert answer.status_code == 422
            assert answer.json()["error"] == listed[name]["error"]
    assert "another start" in listed["other"]["error"]
    assert "version 7" in listed["version"]["error"]
    assert client.get("/draw", params=DRAW).status_code == 200


def test_a_forged_payload_is_refused_or_drawn_but_never_a_fault(folder, start):
    (folder / "forged.spn").write_bytes(forged((folder / f"{NAME}.spn").read_bytes()))
    answer = client_of(catalogue_of(folder, start)).get("/draw", params={**DRAW, "name": "forged"})
    assert answer.status_code in (200, 422)


def test_a_fault_inside_shows_the_client_nothing_of_it(codes, start, monkeypatch, capsys):
    catalogue = catalogue_of(codes, start)

    def fail(*_):
        raise RuntimeError("secret detail /home/somebody")

    monkeypatch.setattr(catalogue, "draw", fail)
    client = client_of(catalogue)
    answer = client.get("/draw", params=DRAW)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "secret detail" in said
    assert client.get("/api/codes").status_code == 200


def test_notes_that_make_no_sense_are_passed_over(folder, start):
    lines = [
        b"\xff\xfe", b'{"file": 3}', b'{"file": "../../x.spn", "input": ["a"], "psnr_db": "NaN"}', b"[" * 100_000,
        b'{"file": "curve-test-000001.spn", "psnr_db": NaN}', b'{"file": "curve-test-000002.spn", "psnr_db": 1e999}',
    ]  # fmt: skip
    (folder / "journal.jsonl").write_bytes(b"\n".join(lines))
    listed = client_of(catalogue_of(folder, start)).get("/api/codes").json()
    assert [code["psnr_db"] for code in listed["codes"]] == [None] * 3


def test_names_that_are_no_text_are_listed_all_the_same(folder, start):
    data = (folder / f"{NAME}.spn").read_bytes()
    with open(os.fsencode(folder) + b"/\xff\xfe.spn", "wb") as file:
        file.write(data)
    (folder / "<img src=x onerror=alert(1)>.spn").write_bytes(data)
    client = client_of(catalogue_of(folder, start))
    names = [code["name"] for code in client.get("/api/codes").json()["codes"]]
    assert "<img src=x onerror=alert(1)>" in names
    assert "��" in names
    for name in names:
        assert client.get("/thumbnail", params={"name": name}).status_code == 200
