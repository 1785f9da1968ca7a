"""Work on a real Ray cluster of two workers on this machine, of which some are killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import ray_works
from codec_problems import Named, calibrated
from PIL import Image
from ray_works import Doubled

import sparsine.codec.files.collection as collection
import sparsine.spread.ray_address as ray_address
import sparsine.spread.ray_tasks as ray_tasks
from sparsine.cli.main import main
from sparsine.codec import EncodeConfig
from sparsine.codec.files.collection import encode_collection
from sparsine.codec.files.drawings import decode_collection
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.fitting.fit import FitConfig
from sparsine.spread import ray_cluster
from sparsine.starts.start import save_start

ray = pytest.importorskip("ray", reason="Ray is not installed: install sparsine[ray]")
CONFIG = EncodeConfig(fit=FitConfig(steps=3, lr=1e-3, report=(), batch=4))
SHAPES = ((5, 3), (4, 7), (5, 3), (2, 9), (4, 7), (5, 3), (4, 7), (5, 3), (5, 3))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers. Those that are started later find `place` in their environment."""
    place = tmp_path_factory.mktemp("place")
    os.environ["SPARSINE_TEST_PLACE"] = str(place)
    with ray_cluster("local:2") as executor:
        executor.place = place
        ray.cloudpickle.register_pickle_by_value(ray_works)
        yield executor
        ray.cloudpickle.unregister_pickle_by_value(ray_works)
    del os.environ["SPARSINE_TEST_PLACE"]


def made_up():
    signals = {f"{i}.png": np.random.default_rng(i).random((*shape, 3), dtype=np.float32)
               for i, shape in enumerate(SHAPES)}  # fmt: skip
    return signals | {"broken.png": UnreadableSignal("broken.png: made to fail")}


def encoded(folder, executor=None, **options):
    told = encode_collection(calibrated(), Named(made_up()), folder, CONFIG, executor=executor, **options)
    return {one.input: one for one in told}


def files_of(folder, suffix=".spn"):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == suffix}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The codes of one process, and what became of each."""
    folder = tmp_path_factory.mktemp("whole")
    told = encoded(folder)
    return folder, told


def test_codes_made_on_a_cluster_are_those_of_one_process_to_the_last_byte(cluster, whole, tmp_path):
    assert encoded(tmp_path, cluster) == whole[1]
    assert files_of(tmp_path) == files_of(whole[0])
    assert [one.status for one in whole[1].values()].count("unreadable") == 1
    lines = [sorted((folder / "journal.jsonl").read_text().splitlines()) for folder in (tmp_path, whole[0])]
    assert lines[0] == lines[1]
    assert all(one.kept for one in encoded(tmp_path, cluster).values() if one.code)


def test_drawings_made_on_a_cluster_are_those_of_one_process_to_the_last_byte(cluster, whole, tmp_path):
    codes = {path.name: path for path in sorted(whole[0].glob("*.spn"))}
    (tmp_path / "bad.spn").write_bytes(b"no code")
    codes["bad.spn"] = tmp_path / "bad.spn"
    told = [{one.input: one for one in decode_collection(calibrated(), codes, tmp_path / name, executor=executor)}
            for name, executor in (("here", None), ("ray", cluster))]  # fmt: skip
    assert told[0] == told[1]
    assert told[0]["bad.spn"].status == "bad"
    assert files_of(tmp_path / "here", ".png") == files_of(tmp_path / "ray", ".png") != {}


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(cluster, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(collection, "EncodeWork", ray_works.WaitsToBeKilled)
    before = cluster.num_deaths

    def kill():
        while not (cluster.place / "pid").exists():
            time.sleep(0.05)
        os.kill(int((cluster.place / "pid").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert encoded(tmp_path, cluster) == whole[1]
    killer.join()
    assert cluster.num_deaths == before + 1
    assert files_of(tmp_path) == files_of(whole[0])


def doubled(cluster, folder, fates, items=([1, 2, 3], [4], [5, 6])):
    work = Doubled(folder, fates)
    return work, sorted((number for made in cluster.map(work, items) for number in made), key=str)


def test_what_kills_every_worker_is_given_up_and_what_was_sent_with_it_goes_on(cluster, tmp_path):
    work, made = doubled(cluster, tmp_path, {2: ["dies"], 6: ["dies", ""]})
    assert made == [10, 12, 2, "2: its worker died, at each of 3 tries", 6, 8]
    assert (work.calls(2), work.calls(6), work.calls(4)) == (6, 2, 1)


def test_a_full_disk_of_a_node_is_tried_again_and_then_told(cluster, tmp_path):
    work, made = doubled(cluster, tmp_path, {4: ["disk", "disk", ""], 1: ["disk"]})
    told = f"1: the disk of {socket.gethostname()} is full, which ended the work, at each of 3 tries"
    assert made == [10, 12, told, 4, 6, 8]
    assert work.calls(4) == 3


def test_what_is_too_large_for_a_worker_is_told_without_another_try(cluster, tmp_path):
    work, made = doubled(cluster, tmp_path, {5: ["memory"]})
    assert made == [12, 2, 4, "5: 5 would need 9 GiB", 6, 8]
    assert work.calls(5) == 2  # with 6, and alone


@pytest.mark.parametrize(("fate", "kind", "said"), [("refused", BadInput, "^4 is not wanted$"),
                                                    ("breaks", ZeroDivisionError, "^4 / 0$")])  # fmt: skip
def test_what_the_work_itself_refuses_ends_it_with_its_own_words(cluster, tmp_path, fate, kind, said):
    with pytest.raises(kind, match=said):
        doubled(cluster, tmp_path, {4: [fate]})


def test_few_items_are_asked_for_ahead_of_what_is_done(cluster, tmp_path):
    taken, done, most = 0, 0, 0

    def items():
        nonlocal taken
        for number in range(20):
            taken += 1
            yield [number]

    for _ in cluster.map(Doubled(tmp_path, {0: ["slow"], 1: ["slow"]}), items()):
        done += 1
        most = max(most, taken - done)
    assert done == 20
    assert most <= ray_tasks.TASKS_PER_WORKER * 2


def test_a_worker_of_another_version_is_refused_before_it_reads_anything(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_tasks, "own_version", lambda: "0.0.9 (000000000000)")
    with pytest.raises(BadInput, match=r"the worker on .* has sparsine 0\.1\.0 \(.*was sent by 0\.0\.9 .*install the"):
        doubled(cluster, tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_a_worker_without_the_package_is_told(cluster, tmp_path, monkeypatch):
    def task():
        def lacking(*args):
            raise ModuleNotFoundError("No module named 'sparsine'")

        return lacking

    monkeypatch.setattr(ray_tasks, "_task", task)
    with pytest.raises(BadInput, match=r"has no sparsine 0\.1\.0 .*No module named 'sparsine'\); install the same"):
        doubled(cluster, tmp_path, {})


def test_files_that_were_loaded_here_are_loaded_by_workers(cluster, tmp_path):
    from sparsine import plugins

    (tmp_path / "mine.py").write_text("from sparsine.pruning import SCORES\n\nSCORES['mine'] = print\n")
    plugins.load_files([tmp_path / "mine.py"])
    name = plugins.loaded_files()[0].module

    class Asks(Doubled):
        def __call__(self, item):
            import sys

            return [name in sys.modules]

    assert list(cluster.map(Asks(tmp_path, {}), [[1]])) == [[True]]


DIES = """
import os, signal, sys
import sparsine.codec.files.stores as stores
from sparsine.cli.main import main
real, times = stores.append, iter((0, 0, 1))
def append(*args):
    if next(times):
        os.kill(os.getpid(), signal.SIGKILL)
    real(*args)
stores.append = append
main(sys.argv[1:])
"""


def test_a_command_that_is_killed_goes_on_where_it_ended(cluster, tmp_path, capsys):
    """The killed one joins the cluster by its address, from a process of its own."""
    start, pictures = tmp_path / "start.safetensors", tmp_path / "pictures"
    save_start(start, calibrated())
    pictures.mkdir()
    for number in range(9):
        pixels = np.random.default_rng(number).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    args = ["encode", str(start), str(pictures), "--steps", "3", "--out"]
    assert main([*args, str(tmp_path / "whole")]) == 0
    address = ray.get_runtime_context().gcs_address
    killed = subprocess.run([sys.executable, "-c", DIES, *args, str(tmp_path / "codes"), "--ray", address],
                            capture_output=True, text=True)  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert 0 < len(files_of(tmp_path / "codes")) < 9
    capsys.readouterr()
    assert main([*args, str(tmp_path / "codes"), "--ray"]) == 0
    assert re.search(r"9: 9 ok; [2-6] kept", capsys.readouterr().out)
    assert files_of(tmp_path / "codes") == files_of(tmp_path / "whole")
    drawing = ["decode", str(tmp_path / "codes"), "--start", str(start), "--out", str(tmp_path / "drawn"), "--ray"]
    assert main(drawing) == 0
    said = capsys.readouterr().out
    assert "on Ray (local): 2 CPUs of 1 node" in said
    assert "9 of 9 drawn" in said


def refused(capsys, *args):
    capsys.readouterr()
    assert main(["encode", "photos-2k", "leaves", "--limit", "1", "--out", "never", *args]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert not Path("never").exists()
    return line


def test_a_cluster_that_nobody_runs_is_refused_in_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        assert refused(capsys, "--ray", f"127.0.0.1:{port}") == (
            f"error: no Ray cluster can be reached at 127.0.0.1:{port}: Connection refused; look at it with `ray "
            "status`, or leave the address out for a cluster on this machine")  # fmt: skip
        found.listen()  # and says nothing
        monkeypatch.setattr(ray_address, "JOIN_SECONDS", 2.0)
        assert "something answers there, but could not be joined in 2 s" in refused(capsys, f"--ray=127.0.0.1:{port}")


def test_two_addresses_and_a_device_are_refused(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "one address or none, but got a.png b.png" in refused(capsys, "--ray", "a.png", "b.png")
    assert "but got 'a.png'" in refused(capsys, "--ray", "a.png")
