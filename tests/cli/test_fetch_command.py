"""`sparsine fetch`, from a server on this machine: it goes on, it is checked, and it writes into its folder alone."""

import errno
import hashlib
import http.server
import io
import json
import re
import shutil
import tarfile
import threading

import pytest

from sparsine import download
from sparsine.cli.main import main
from sparsine.public_data import DATA_SETS, PublicData


def archive(members):
    """A tar.gz of (name, bytes), or of ready members."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


NOISE = hashlib.shake_256(b"noise").digest(700_001)
GOOD = archive([("things-1/README", b"about"), ("things-1/data/a.bin", NOISE), ("things-1/data/deep/b.txt", b"b")])


class Server:
    """What it serves, what it was asked for, and after how many bytes it hangs up, a number for each answer."""

    def __init__(self):
        self.files, self.ranges, self.hang_ups = {"/good.tar.gz": GOOD}, [], []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self.listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.listening.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.listening.server_port}"

    def answer(self, request):
        if (data := self.files.get(request.path)) is None:
            request.send_error(404)
            return
        self.ranges.append(request.headers.get("Range"))
        begin = int(re.findall(r"\d+", self.ranges[-1])[0]) if self.ranges[-1] else 0
        if begin >= len(data):
            request.send_error(416)
            return
        request.send_response(206 if begin else 200)
        request.send_header("Content-Length", str(len(data) - begin))
        request.end_headers()
        end = begin + self.hang_ups.pop(0) if self.hang_ups else len(data)
        request.wfile.write(data[begin:end])


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    serving = Server()
    offer(monkeypatch, serving, "good")
    yield serving
    serving.listening.shutdown()
    serving.listening.server_close()


def offer(monkeypatch, serving, name, **more):
    told = dict(what="things", licence="CC0", home="https://example.org/things", size="1 MiB",
                command="sparsine learn array:{} --out runs/things", url=f"{serving.address}/{name}.tar.gz",
                digest=f"sha256:{hashlib.sha256(GOOD).hexdigest()}", inside="things-1/data")  # fmt: skip
    monkeypatch.setitem(DATA_SETS, name, PublicData(**{**told, **more}))


def refused(capfd, *args, code):
    capfd.readouterr()
    assert main(["fetch", *args]) == code
    (line,) = capfd.readouterr().err.splitlines()
    return line


def test_it_is_checked_unpacked_and_what_comes_next_is_said(server, tmp_path, capfd):
    assert main(["fetch", "good"]) == 0
    said = capfd.readouterr().out
    assert said.index("licence: CC0") < said.index("done")
    assert "next: sparsine learn array:data/good --out runs/things" in said
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"data/good/a.bin": NOISE, "data/good/deep/b.txt": b"b"}


def test_what_is_there_is_not_fetched_again(server, capfd):
    assert main(["fetch", "good"]) == 0
    assert main(["fetch", "good"]) == 0
    assert "it is there already: data/good" in capfd.readouterr().out
    assert len(server.ranges) == 1


def test_a_connection_that_ends_early_is_taken_up_where_it_ended(server):
    server.hang_ups = [300_000, 200_000]
    assert main(["fetch", "good"]) == 0
    assert server.ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_an_interrupted_command_goes_on_where_it_ended(server, tmp_path, capfd):
    server.hang_ups = [100_000, 0, 0, 0, 0, 0]
    said = refused(capfd, "good", code=1)
    assert "is there a network? What is there is kept: the same command goes on" in said
    assert (tmp_path / "data/good.tar.gz.part").stat().st_size == 100_000
    server.hang_ups, server.ranges = [], []
    assert main(["fetch", "good"]) == 0
    assert server.ranges == ["bytes=100000-"]


def test_all_of_it_may_be_there_already(server, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/good.tar.gz.part").write_bytes(GOOD)
    assert main(["fetch", "good"]) == 0


def test_another_file_than_it_should_be_is_refused_and_removed(server, tmp_path, capfd):
    server.files["/good.tar.gz"] = GOOD[:-1] + b"?"
    assert "is not what it should be (sha256 " in refused(capfd, "good", code=1)
    assert list((tmp_path / "data").iterdir()) == []


def test_what_was_half_loaded_of_another_file_does_not_stay(server, tmp_path, capfd):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/good.tar.gz.part").write_bytes(b"?" * 1000)
    assert "it was removed" in refused(capfd, "good", code=1)
    assert main(["fetch", "good"]) == 0


def test_a_file_that_is_gone_is_one_line(server, monkeypatch, capfd):
    offer(monkeypatch, server, "gone")
    assert re.search(r"^error: cannot fetch http.*gone.tar.gz: 404 Not Found; it may have moved$",
                     refused(capfd, "gone", code=1))  # fmt: skip


def test_without_a_network_it_is_one_line(server, monkeypatch, capfd):
    offer(monkeypatch, server, "far", url="http://127.0.0.1:9/far.tar.gz")
    assert "Connection refused; is there a network?" in refused(capfd, "far", code=1)


def test_a_disk_without_room_is_said_before_anything_is_written(server, monkeypatch, tmp_path, capfd):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda place: usage._replace(free=1 << 18))
    assert "has room for 0 MiB, but 1 are to come" in refused(capfd, "good", code=2)


def test_a_disk_that_fills_up_keeps_what_is_there(server, monkeypatch, tmp_path, capfd):
    def fill(answer, file, *_):
        file.write(answer.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    usual = download._copied
    monkeypatch.setattr(download, "_copied", fill)
    assert "No space left on device; make room, and the same command goes on" in refused(capfd, "good", code=1)
    monkeypatch.setattr(download, "_copied", usual)
    assert main(["fetch", "good"]) == 0
    assert server.ranges == [None, "bytes=1000-"]


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", "things-1/data/../../../escaped"])
def test_an_archive_that_wants_to_write_elsewhere_is_refused_whole(server, monkeypatch, tmp_path, capfd, name):
    bad = archive([("things-1/data/a", b"a"), (name, b"!")])
    server.files["/bad.tar.gz"] = bad
    offer(monkeypatch, server, "bad", digest=f"sha256:{hashlib.sha256(bad).hexdigest()}")
    assert "outside of its folder; nothing was unpacked" in refused(capfd, "bad", code=1)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"bad.tar.gz"}


def test_links_in_an_archive_are_left_out(server, monkeypatch, tmp_path):
    data = archive([(link("things-1/data/out", "/etc"), b""), ("things-1/data/a", b"a")])
    server.files["/linked.tar.gz"] = data
    offer(monkeypatch, server, "linked", digest=f"md5:{hashlib.md5(data).hexdigest()}")
    assert main(["fetch", "linked"]) == 0
    assert [path.name for path in (tmp_path / "data/linked").iterdir()] == ["a"]


def test_alone_it_lists_names_sizes_licences_and_places(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["fetch"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    for name, data in DATA_SETS.items():
        assert f"{name} ({data.size}) {data.what}" in said
        assert f"licence: {data.licence} {data.home}" in said
        assert (f"sparsine fetch {name} puts it in data/{name}" if data.url else data.by_hand) in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name, data in DATA_SETS.items() if data.url is None])
def test_what_no_program_gets_is_told_with_its_address_and_what_to_do(name, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    said = refused(capfd, name, code=2)
    assert DATA_SETS[name].home in said
    assert DATA_SETS[name].by_hand in said
    assert list(tmp_path.iterdir()) == []


def test_every_data_set_that_is_fetched_has_a_hash_and_a_licence():
    for data in DATA_SETS.values():
        assert data.licence
        assert (data.url is None) == (data.digest == "") == bool(data.by_hand)
        assert data.url is None or re.fullmatch(r"https://.+|http://127.+", data.url)
        assert data.url is None or re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", data.digest)


def test_an_unknown_name_is_refused_with_the_known_ones(capfd):
    assert "must be one of: imagenette-160, imagenette-320" in refused(capfd, "imagenet", code=2)


def test_what_is_listed_is_also_a_value(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["fetch", "--json", "-"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [one["name"] for one in told["data"]] == list(DATA_SETS)
