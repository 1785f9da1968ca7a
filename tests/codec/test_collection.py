"""Folders of codes: any shapes, any interruption, any bad input among the good ones."""

import errno
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from codec_problems import Named, calibrated, make_start

import sparsine.codec.files.collection as collection
import sparsine.codec.files.encode_work as encode_work
import sparsine.storage as storage
from sparsine import checks
from sparsine.codec import Coder, EncodeConfig, decode, encode, read_header
from sparsine.codec.files.coded import CodedSignal, summarise
from sparsine.codec.files.collection import encode_collection
from sparsine.codec.files.pipeline import POINTS_TOGETHER, POINTS_WAITING, batches, in_threads
from sparsine.codec.files.reading import Loaded
from sparsine.errors import BadInput, UnreadableSignal, WorkFailed
from sparsine.fitting.fit import FitConfig
from sparsine.folders import locked
from sparsine.memory import Room
from sparsine.psnr import psnr_db
from sparsine.signals.kind import VALUES

CONFIG = EncodeConfig(fit=FitConfig(steps=3, lr=1e-3, report=(), batch=2))
SHAPES = ((5, 3), (4, 7), (5, 3), (2, 9), (4, 7), (5, 3), (4, 7))


def made_up(shapes=SHAPES, channels=3, seed=0):
    return {
        f"signal-{i}.png": np.random.default_rng([seed, i]).random((*shape, channels), dtype=np.float32)
        for i, shape in enumerate(shapes)
    }


def encoded(folder, signals=None, config=CONFIG, start=None, **options):
    """What became of each, by name."""
    told = encode_collection(start or make_start(), Named(made_up() if signals is None else signals), folder, config,
                             **options)  # fmt: skip
    return {one.input: one for one in told}


def codes_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.spn")}


@pytest.fixture
def whole(tmp_path):
    """The codes of an uninterrupted call."""
    encoded(tmp_path / "whole")
    return codes_of(tmp_path / "whole")


def test_signals_of_several_shapes_become_the_codes_that_they_have_alone(tmp_path):
    start, signals = calibrated(), made_up()
    told = encoded(tmp_path / "codes", start=start)
    assert {one.status for one in told.values()} == {"ok"}
    for name, values in signals.items():
        one, data = told[name], (tmp_path / "codes" / told[name].code).read_bytes()
        assert data == encode(start, values, CONFIG)
        assert one.num_bytes == len(data)
        assert one.shape == values.shape[:-1] == read_header(data).shape
        assert one.bits_per_sample == 8 * len(data) / (values.shape[0] * values.shape[1])
        drawn = decode(start, data).render()
        assert one.psnr_db == pytest.approx(psnr_db(float(np.square(drawn.astype(float) - values).mean())), abs=1e-3)


def test_what_is_done_is_kept_and_never_fitted_again(tmp_path, monkeypatch):
    first = encoded(tmp_path)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.glob("*.spn")}

    def no_fit(*args, **kwargs):
        raise AssertionError("a code that is done was made again")

    monkeypatch.setattr(encode_work, "encode_batch", no_fit)
    again = encoded(tmp_path)
    assert all(one.kept for one in again.values())
    assert {name: replace(one, kept=False) for name, one in again.items()} == first
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before


def test_a_part_and_then_the_rest_give_the_bytes_of_an_uninterrupted_call(tmp_path, whole):
    encoded(tmp_path / "parts", indices=[5, 1, 3])
    told = encoded(tmp_path / "parts")
    assert [name for name, one in told.items() if one.kept] == ["signal-1.png", "signal-3.png", "signal-5.png"]
    assert codes_of(tmp_path / "parts") == whole


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "remove", "longer"])
def test_a_code_that_is_not_what_was_written_is_made_again(tmp_path, whole, damage):
    encoded(tmp_path / "codes")
    victim = tmp_path / "codes" / "signal-4.spn"
    data = victim.read_bytes()
    damaged = {
        "flip": data[:9] + bytes([data[9] ^ 4]) + data[10:],
        "cut": data[:-3],
        "empty": b"",
        "longer": data + b"x",
    }
    victim.unlink() if damage == "remove" else victim.write_bytes(damaged[damage])
    told = encoded(tmp_path / "codes")
    assert [name for name, one in told.items() if not one.kept] == ["signal-4.png"]
    assert codes_of(tmp_path / "codes") == whole


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_journal_that_was_cut_short_costs_what_it_lost(tmp_path, whole, cut):
    encoded(tmp_path / "codes")
    journal = tmp_path / "codes" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    made = [one for one in encoded(tmp_path / "codes").values() if not one.kept]
    assert len(made) == (2 if cut == 400 else 1 if cut == 40 else 0)
    assert codes_of(tmp_path / "codes") == whole
    assert all(one.kept for one in encoded(tmp_path / "codes").values())


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe\n", b"[]\n", b"null\n", b'{"input": 3}\n', b"[" * 100_000 + b"\n",
     json.dumps({"input": "signal-0.png", "input_sha256": "x", "file": "../stolen.spn", "file_sha256": "x"}).encode(),
     json.dumps({"input": "signal-0.png", "input_sha256": "x", "file": "request.json", "file_sha256": "x"}).encode(),
     json.dumps({"input": "signal-0.png", "input_sha256": "x", "file": "a\0b.spn", "file_sha256": "x"}).encode()],
)  # fmt: skip
def test_a_line_that_no_journal_has_is_forgotten(tmp_path, whole, line):
    (tmp_path / "stolen.spn").write_bytes(b"mine")
    encoded(tmp_path / "codes", indices=[1])
    with open(tmp_path / "codes" / "journal.jsonl", "ab") as journal:
        journal.write(line)
    encoded(tmp_path / "codes")
    assert codes_of(tmp_path / "codes") == whole
    assert (tmp_path / "stolen.spn").read_bytes() == b"mine"
    assert json.loads((tmp_path / "codes" / "request.json").read_text())["kind"] == "sparsine-codes"


def test_a_signal_that_changed_is_not_replaced_unless_that_is_said(tmp_path):
    encoded(tmp_path)
    before = codes_of(tmp_path)
    signals = made_up() | {"signal-2.png": made_up(seed=5)["signal-2.png"]}
    told = encoded(tmp_path, signals)
    assert [(n, one.status, one.code) for n, one in told.items() if not one.kept] == [("signal-2.png", "changed", None)]
    assert "--overwrite" in told["signal-2.png"].reason
    assert codes_of(tmp_path) == before
    told = encoded(tmp_path, signals, overwrite=True)
    assert [n for n, one in told.items() if not one.kept] == ["signal-2.png"]
    assert codes_of(tmp_path)["signal-2.spn"] == encode(make_start(), signals["signal-2.png"], CONFIG)


@pytest.mark.parametrize(
    ("changes", "said"),
    [(dict(config=replace(CONFIG, quality=79)), "quality was 80, now 79"),
     (dict(config=replace(CONFIG, target_bytes=99)), "target_bytes was null, now 99"),
     (dict(config=replace(CONFIG, rounded_steps=1)), "rounded_steps"),
     (dict(config=EncodeConfig(fit=FitConfig(steps=4, lr=1e-3, report=(), batch=2))), "steps"),
     (dict(start=make_start(seed=1)), "start was"), (dict(also={"resolution": "own"}), "resolution")],
)  # fmt: skip
def test_another_request_is_refused_and_nothing_is_touched(tmp_path, changes, said):
    encoded(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(BadInput, match=said):
        encoded(tmp_path, **changes)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert not any(one.kept for one in encoded(tmp_path, **changes, overwrite=True).values())


def test_a_larger_batch_or_another_engine_is_the_same_request(tmp_path):
    encoded(tmp_path)
    config = replace(CONFIG, fit=replace(CONFIG.fit, batch=3))
    assert all(one.kept for one in encoded(tmp_path, config=config, engine="dense").values())


def test_a_folder_with_other_files_is_refused_and_no_lock_is_laid_into_it(tmp_path):
    (tmp_path / "photo.png").write_text("mine")
    with pytest.raises(BadInput, match="holds files already"):
        encoded(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    encoded(tmp_path, overwrite=True)
    assert (tmp_path / "photo.png").read_text() == "mine"


def test_a_folder_in_which_nothing_came_of_a_request_takes_another(tmp_path):
    bad = {"a.png": UnreadableSignal("a.png: made to fail")}
    assert encoded(tmp_path, bad)["a.png"].status == "unreadable"
    assert encoded(tmp_path, start=make_start(seed=1))["signal-0.png"].status == "ok"


def test_two_processes_cannot_fill_one_folder(tmp_path):
    with locked(tmp_path), pytest.raises(BadInput, match="another process"):
        encoded(tmp_path)
    assert codes_of(tmp_path) == {}


def test_bad_signals_are_reported_and_the_good_ones_are_what_they_are_without_them(tmp_path, whole):
    signals = list(made_up().items())
    signals.insert(3, ("broken.png", UnreadableSignal("broken.png: made to fail")))
    signals.insert(1, ("loud.png", np.full((5, 3, 3), 3e30, np.float32)))
    signals.insert(5, ("long.png", np.broadcast_to(np.float32(0), (1 << 14, (1 << 14) + 1, 3))))
    told = encoded(tmp_path / "codes", dict(signals))
    assert {name: one.status for name, one in told.items() if one.status != "ok"} == {
        "broken.png": "unreadable", "loud.png": "unreadable", "long.png": "unreadable"}  # fmt: skip
    assert "expected rgb values from 0 to 1, but they run from 3e+30" in told["loud.png"].reason
    assert "made to fail" in told["broken.png"].reason
    assert "16384" in told["long.png"].reason
    assert all(one.code is None and isnan(one.bits_per_sample) for one in told.values() if one.status != "ok")
    assert codes_of(tmp_path / "codes") == whole


def test_a_signal_that_diverges_is_reported_and_the_others_go_on(tmp_path):
    start = replace(make_start(), kind=VALUES)  # which may be as large as they like
    told = encoded(tmp_path / "loud", made_up() | {"loud.png": np.full((5, 3, 3), 3e30, np.float32)}, start=start)
    assert {name: one.status for name, one in told.items() if one.status != "ok"} == {"loud.png": "diverged"}
    encoded(tmp_path / "codes", start=start)
    assert codes_of(tmp_path / "loud") == codes_of(tmp_path / "codes")


def test_signals_of_other_channels_are_refused(tmp_path):
    with pytest.raises(BadInput, match="3 channels"):
        encoded(tmp_path, made_up(channels=1))


def test_an_engine_that_does_not_exist_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadInput, match="unknown engine"):
        encoded(tmp_path / "codes", engine="fast")
    assert not (tmp_path / "codes").exists()


def test_no_name_of_a_signal_leads_out_of_the_folder(tmp_path):
    names = ["../../evil", "/etc/passwd", "a/b.png", "a/b.jpg", "A/B", "..", ".", "", "request.json", "con", "~",
             "nul\0byte", "\udcff.png", "界" * 300, "x" * 5000, "a\nb", "-rf"]  # fmt: skip
    folder = tmp_path / "in" / "codes"
    told = encoded(folder, dict.fromkeys(names, made_up()["signal-0.png"]))
    assert {one.status for one in told.values()} == {"ok"}
    assert len({one.code.lower() for one in told.values()}) == len(names)
    assert {one.code for one in told.values()} == set(codes_of(folder))
    assert {path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder} == set()
    assert all(one.kept for one in encoded(folder, dict.fromkeys(names, made_up()["signal-0.png"])).values())


def test_a_name_keeps_its_file_whatever_is_encoded_beside_it(tmp_path):
    same = made_up()["signal-0.png"]
    first = encoded(tmp_path, {"a.png": same, "a.jpg": same})
    again = encoded(tmp_path, {"a.bmp": same, "a.jpg": same, "b.png": same})
    assert again["a.jpg"].kept
    assert again["a.jpg"].code == first["a.jpg"].code
    assert len({first["a.png"].code, first["a.jpg"].code, again["a.bmp"].code, again["b.png"].code}) == 4


@pytest.mark.parametrize("number", [1, 2, 3, 6, 8])
def test_a_full_disk_ends_the_work_and_what_is_whole_stays(tmp_path, monkeypatch, whole, number):
    calls, real = iter(range(1, 10**6)), os.fsync

    def full(descriptor):
        if next(calls) >= number:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    folder = tmp_path / "codes"
    with monkeypatch.context() as patch:
        patch.setattr(storage.os, "fsync", full)
        with pytest.raises(WorkFailed, match="No space left"):
            encoded(folder)
    assert all(data == whole[name] for name, data in codes_of(folder).items())
    assert list(folder.glob(".*.tmp")) == []
    encoded(folder)
    assert codes_of(folder) == whole


def test_the_summary_counts_bytes_with_and_without_the_start(tmp_path):
    told = list(encoded(tmp_path, {**made_up(), "bad.png": UnreadableSignal("bad")}).values())
    total, pixels = sum(map(len, codes_of(tmp_path).values())), sum(a * b for a, b in SHAPES)
    found = summarise(told, start_bytes=1000, seconds=2.0)
    assert found["statuses"] == {"ok": 7, "unreadable": 1} or found["statuses"] == {"unreadable": 1, "ok": 7}
    assert (found["signals"], found["codes"], found["kept"], found["bytes"]) == (8, 7, 0, total)
    assert found["bits_per_sample"] == pytest.approx(8 * total / pixels)
    assert found["bits_per_sample_with_start"] == pytest.approx(8 * (total + 1000) / pixels)
    assert found["psnr_db"] == pytest.approx(np.mean([one.psnr_db for one in told if one.code]))
    assert found["signals_per_second"] == 3.5
    kept = summarise([replace(one, kept=True) for one in told if one.code], 1000, 2.0)
    assert kept["kept"] == 7
    assert isnan(kept["signals_per_second"])
    assert isnan(summarise([], 1000, 0.0)["bits_per_sample"])


def loaded(name, shape):
    return Loaded(name, f"{name}.spn", np.broadcast_to(np.float32(0), (*shape, 1)), "")


def test_batches_have_one_shape_and_are_no_larger_than_asked():
    items = [loaded(str(i), SHAPES[i % len(SHAPES)]) for i in range(23)]
    items.insert(7, CodedSignal(input="bad", status="unreadable"))
    made = list(batches(items, 3))
    assert made[2].input == "bad"
    groups = [batch for batch in made if isinstance(batch, list)]
    assert all(len({one.values.shape for one in group}) == 1 and len(group) <= 3 for group in groups)
    assert sorted(int(one.name) for group in groups for one in group) == list(range(23))
    assert max(map(len, groups)) == 3


def test_large_signals_are_not_gathered_in_memory():
    side = int((POINTS_TOGETHER / 2) ** 0.5) + 1
    assert [len(group) for group in batches([loaded(str(i), (side, side)) for i in range(3)], 8)] == [1, 1, 1]
    waiting, most, items = 0, 0, [loaded(str(i), (900 + i, 900)) for i in range(40)]

    def counted():
        nonlocal waiting, most
        for item in items:
            waiting += item.values.size
            most = max(most, waiting)
            yield item

    for group in batches(counted(), 8):
        waiting -= sum(one.values.size for one in group)
    assert waiting == 0
    assert most <= POINTS_WAITING + max(one.values.size for one in items)


def test_work_in_threads_comes_back_in_order_and_never_runs_far_ahead():
    given, taken = [], []

    def items():
        for i in range(30):
            given.append(i)
            assert len(given) - len(taken) <= 4
            yield i

    with ThreadPoolExecutor(3) as pool:
        for found in in_threads(pool, lambda i: (i, threading.get_ident()), items(), window=4):
            taken.append(found[0])
            assert found[1] != threading.get_ident()
    assert taken == list(range(30))


def test_an_error_in_a_thread_reaches_the_caller():
    def work(i):
        if i == 3:
            raise WorkFailed("made to fail")
        return i

    seen = []
    with ThreadPoolExecutor(1) as pool, pytest.raises(WorkFailed, match="made to fail"):
        seen.extend(in_threads(pool, work, range(9), window=2))
    assert Coder(make_start()).hash  # and the process lives on


def test_work_in_threads_stays_within_its_room_unless_one_item_alone_is_larger():
    weights, taken, under_way, most = [3, 4, 2, 9, 1, 1, 1, 1], [], [], [0]

    def first(weight):
        under_way.append(weight)
        most[0] = max(most[0], sum(under_way))
        return -weight

    with ThreadPoolExecutor(2) as pool:
        for done in in_threads(pool, lambda given: -given, weights, 3, first=first, weigh=lambda w: w, room=8):
            under_way.remove(done)
            taken.append(done)
    assert taken == weights
    assert most[0] == 9


def test_signals_that_are_read_ahead_are_few_where_they_are_large(tmp_path, monkeypatch):
    class Large(Named):
        def shape_of(self, index):
            return self.values[index].shape[:-1]

        def load(self, index):
            loaded.append(index)
            most[0] = max(most[0], len(loaded) - len(fitted))
            return super().load(index)

    loaded, fitted, most, real = [], [], [0], encode_work.encode_batch

    def encode_batch(start, signals, *args, **options):
        fitted.extend(signals)
        return real(start, signals, *args, **options)

    monkeypatch.setattr(encode_work, "encode_batch", encode_batch)
    monkeypatch.setattr(collection, "POINTS_WAITING", 30)  # two of 5 x 3
    signals = Large(made_up(((5, 3),) * 9))
    one_by_one = replace(CONFIG, fit=replace(CONFIG.fit, batch=1))
    list(encode_collection(make_start(), signals, tmp_path / "few", one_by_one))
    assert most[0] <= 3  # one that is being taken
    assert len(codes_of(tmp_path / "few")) == 9


def test_a_signal_known_to_be_too_large_is_not_even_read(tmp_path, monkeypatch):
    class Known(Named):
        def shape_of(self, index):
            return (1 << 15, 1 << 14) if index == 2 else None

        def load(self, index):
            assert index != 2
            return super().load(index)

    told = list(encode_collection(make_start(), Known(made_up()), tmp_path / "codes", CONFIG))
    (one,) = [each for each in told if each.status != "ok"]
    assert (one.input, one.status) == ("signal-2.png", "unreadable")
    assert "32768 x 16384 samples, but a code holds at most" in one.reason


def test_a_batch_that_memory_cannot_hold_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "free_memory", lambda: Room(30_000, "this test leaves"))
    huge = replace(CONFIG, fit=replace(CONFIG.fit, batch=100_000))
    with pytest.raises(BadInput, match=r"fitting 7 signals together would need .* this test leaves .*; lower --batch"):
        encoded(tmp_path / "codes", config=huge)
    assert not (tmp_path / "codes").exists()


def test_what_memory_refuses_is_the_status_of_its_signal_alone(tmp_path, monkeypatch, whole):
    encode_module = sys.modules["sparsine.codec.encode"]  # the package's own name is that of the function
    real = encode_module._encoded_together

    def refuse(coder, engine, config, arrays):
        if len(arrays) > 1 or np.array_equal(arrays[0][0], made_up()["signal-1.png"]):
            raise MemoryError
        return real(coder, engine, config, arrays)

    monkeypatch.setattr(encode_module, "_encoded_together", refuse)
    told = encoded(tmp_path / "codes")
    assert {name for name, one in told.items() if one.status != "ok"} == {"signal-1.png"}
    assert (told["signal-1.png"].status, told["signal-1.png"].code) == ("failed", None)
    assert "there was not enough memory to fit it" in told["signal-1.png"].reason
    assert codes_of(tmp_path / "codes") == {name: code for name, code in whole.items() if name != "signal-1.spn"}


def test_a_signal_whose_reading_memory_refuses_is_reported(tmp_path):
    told = encoded(tmp_path / "codes", made_up() | {"large.png": MemoryError()})
    assert {name: one.status for name, one in told.items() if one.status != "ok"} == {"large.png": "unreadable"}
