"""encode, decode, calibrate and info of codes, as they are given on the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_problems import field_of, random_pattern

from sparsine.cli.main import main
from sparsine.codec import decode, read_header
from sparsine.codec.code_statistics import code_statistics
from sparsine.engines import SparseEngine
from sparsine.fields import Pattern
from sparsine.folders import locked
from sparsine.psnr import psnr_db
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Distance, Rgb
from sparsine.starts.start import Start, load_start, save_start

FAST = ["--steps", "3", "--lr", "1e-3"]


def make_start(path, channels, seed=0):
    field = field_of(2, 9, 7, channels, omega_0=6.5, output_offset=0.5)
    pattern: Pattern = random_pattern(field, 0.6, seed)
    theta = pattern.gather(field.initial_theta(seed)[None])[0]
    kind = Rgb() if channels == 3 else Distance()
    save_start(path, Start(pattern, theta, Grid(shape=(8, 6)), kind=kind))
    return path


@pytest.fixture
def start(tmp_path):
    return make_start(tmp_path / "rgb.safetensors", 3)


@pytest.fixture
def grey(tmp_path):
    return make_start(tmp_path / "one.safetensors", 1)


@pytest.fixture
def images(tmp_path):
    """Five images of three sizes, (rows, columns) 11 x 13, 7 x 5 and 4 x 9."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i, shape in enumerate([(11, 13), (7, 5), (11, 13), (4, 9), (7, 5)]):
        values = np.random.default_rng(i).integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{i}.png")
    return folder


def run(*args):
    return main([str(arg) for arg in args])


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def shape_of(path):
    return pixels_of(path).shape[:2]


def refused(capsys, *args, code=2):
    """The one line that the command says when it refuses."""
    capsys.readouterr()
    found = run(*args)
    said = capsys.readouterr().err.strip().splitlines()
    assert found == code, (found, said)
    assert len(said) == 1, said
    assert said[0].startswith("error: ")
    return said[0]


def test_images_of_several_sizes_become_codes_and_pictures_of_their_own_size(capsys, start, images, tmp_path):
    codes, report = tmp_path / "codes", tmp_path / "codes.json"
    assert run("encode", start, images, "--out", codes, "--json", report, *FAST) == 0
    said = capsys.readouterr().out
    told = json.loads(report.read_text())
    assert [one["input"] for one in told["files"]] == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    pixels, total = 0, 0
    for one in told["files"]:
        data, picture = (codes / one["code"]).read_bytes(), pixels_of(images / one["input"])
        drawn = decode(load_start(start), data).render()
        assert drawn.shape == picture.shape
        assert one["status"] == "ok"
        assert one["bytes"] == len(data)
        assert one["bits_per_pixel"] == pytest.approx(8 * len(data) / (picture.shape[0] * picture.shape[1]))
        assert one["psnr_db"] == pytest.approx(psnr_db(float(np.square(drawn - picture / 255.0).mean())), abs=1e-3)
        assert abs(one["psnr_db"] - one["fitted_psnr_db"]) < 1
        pixels, total = pixels + picture.shape[0] * picture.shape[1], total + len(data)
    assert told["bits_per_pixel"] == pytest.approx(8 * total / pixels)
    assert told["bits_per_pixel_with_start"] == pytest.approx(8 * (total + start.stat().st_size) / pixels)
    assert f"{total:,} bytes" in said
    assert f"start's {start.stat().st_size:,} bytes" in said
    assert run("decode", codes, "--start", start, "--out", tmp_path / "own") == 0
    for image in images.iterdir():
        assert shape_of(tmp_path / "own" / image.name) == shape_of(image)


@pytest.mark.parametrize(
    ("options", "shape"),
    [(["--size", "5x8"], (5, 8)), (["--scale", "3"], (33, 39)), (["--region", "0,0,0.5,1", "--scale", "2"], (11, 26)),
     (["--region", "0.2,.3,0.21,.31", "--size", "40"], (40, 40)), (["--region", "0.5,0.5,1,1"], (6, 6))],
)  # fmt: skip
def test_codes_are_drawn_at_other_sizes_and_in_part(start, images, tmp_path, options, shape):
    assert run("encode", start, images / "0.png", "--out", tmp_path / "codes", *FAST) == 0
    assert run("decode", tmp_path / "codes" / "0.spn", "--start", start, "--out", tmp_path / "out", *options) == 0
    assert shape_of(tmp_path / "out" / "0.png") == shape


def test_codes_are_drawn_in_half_precision_where_the_processor_can_and_else_one_line_says_so(
    capsys, start, images, tmp_path, monkeypatch
):
    assert run("encode", start, images / "0.png", "--out", tmp_path / "codes", *FAST) == 0
    decode_it = ["decode", tmp_path / "codes" / "0.spn", "--start", start, "--scale", "4", "--out"]
    if SparseEngine(load_start(start).pattern).why_not_half() is None:
        assert run(*decode_it, tmp_path / "whole") == 0
        assert run(*decode_it, tmp_path / "half", "--half") == 0
        off = pixels_of(tmp_path / "half" / "0.png").astype(int) - pixels_of(tmp_path / "whole" / "0.png")
        assert np.abs(off).max() <= 1
        assert "--overwrite" in refused(capsys, *decode_it, tmp_path / "half")  # one folder does not hold both
    capsys.readouterr()
    monkeypatch.setenv("SPARSINE_INSTRUCTIONS", "portable")
    said = refused(capsys, *decode_it, tmp_path / "out", "--half")
    assert "AVX512-FP16" in said
    assert "runs on portable; draw without it" in said
    assert "engine 'dense' does not draw in half" in refused(
        capsys, *decode_it, tmp_path / "out", "--half", "--engine", "dense"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "shapes"),
    [(["--resolution", "start"], {(8, 6)}), (["--resolution", "5x9"], {(5, 9)}),
     (["--resolution", "own"], {(11, 13), (7, 5), (4, 9)})],
)  # fmt: skip
def test_images_are_brought_to_another_size_where_that_is_said(start, images, tmp_path, options, shapes):
    assert run("encode", start, images, "--out", tmp_path / "codes", *options, *FAST) == 0
    assert {read_header(path.read_bytes()).shape for path in (tmp_path / "codes").glob("*.spn")} == shapes


def test_a_start_of_one_channel_codes_a_data_set_at_its_own_grid(grey, tmp_path):
    assert run("encode", grey, "curves", "--limit", 3, "--out", tmp_path / "codes", *FAST) == 0
    assert run("encode", grey, "curves", "--limit", 4, "--out", tmp_path / "codes", *FAST) == 0
    codes = sorted((tmp_path / "codes").glob("*.spn"))
    assert {read_header(path.read_bytes()).shape for path in codes} == {(8, 6)}
    assert run("decode", *codes, "--start", grey, "--out", tmp_path / "out", "--json", tmp_path / "out.json") == 0
    records = json.loads((tmp_path / "out.json").read_text())
    assert [record["picture"] for record in records] == [f"curve-test-00000{i}.png" for i in range(4)]


def test_the_second_time_everything_is_kept(capsys, start, images, tmp_path):
    command = ["encode", start, images, "--out", tmp_path / "codes", *FAST]
    assert run(*command, "--json", tmp_path / "1.json") == 0
    assert "kept" not in capsys.readouterr().out
    assert run(*command, "--json", tmp_path / "2.json") == 0
    assert "5 kept" in capsys.readouterr().out
    first, second = (json.loads((tmp_path / f"{i}.json").read_text()) for i in (1, 2))
    assert [{**one, "kept": True} for one in first["files"]] == second["files"]
    assert (second["psnr_db"], second["signals_per_second"]) == (first["psnr_db"], None)


def test_targets_are_kept_or_the_miss_is_told(capsys, start, images, tmp_path):
    assert run("encode", start, images, "--out", tmp_path / "bytes", "--target-bytes", 120, *FAST) == 0
    assert max(path.stat().st_size for path in (tmp_path / "bytes").glob("*.spn")) <= 120
    capsys.readouterr()
    report = tmp_path / "psnr.json"
    assert run("encode", start, images, "--out", tmp_path / "psnr", "--target-psnr", 60, "--json", report, *FAST) == 1
    assert capsys.readouterr().out.count("cannot be reached") == 5
    told = json.loads(report.read_text())
    assert told["statuses"] == {"missed": 5}
    assert all("cannot be reached" in one["reason"] and one["code"] for one in told["files"])


def test_bad_images_among_good_ones_are_reported_and_skipped(capsys, start, images, tmp_path):
    (images / "note.png").write_text("no picture")
    (images / "empty.jpg").touch()
    (images / "dir.png").mkdir()
    report = tmp_path / "codes.json"
    given = [*sorted(images.iterdir()), tmp_path / "gone.png"]
    assert run("encode", start, *[p for p in given if p.is_file() or not p.exists()], "--out", tmp_path / "codes",
               "--json", report, *FAST) == 1  # fmt: skip
    said = capsys.readouterr().out
    bad = [one for one in json.loads(report.read_text())["files"] if one["status"] != "ok"]
    assert {one["input"] for one in bad} == {"note.png", "empty.jpg", "gone.png"}
    assert all(one["status"] == "unreadable" and one["code"] is None and one["psnr_db"] is None for one in bad)
    assert said.count("unreadable ") == 4  # a line for each, and the count
    assert len(list((tmp_path / "codes").glob("*.spn"))) == 5


def test_a_name_that_is_no_text_is_coded_and_can_be_told(tmp_path, start, images):
    """Bytes of a file name that are not UTF-8, and a terminal that takes nothing else."""
    odd = os.fsencode(images) + b"/\xff[red]\n.png"
    Path(os.fsdecode(odd)).write_bytes((images / "0.png").read_bytes())
    Path(os.fsdecode(odd[:-4] + b"bad.png")).write_text("no picture")
    args = ["encode", str(start), str(images), "--out", str(tmp_path / "codes"), "--json", str(tmp_path / "codes.json")]
    done = subprocess.run([sys.executable, "-m", "sparsine", *args, *FAST], capture_output=True, text=True,
                          env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"})  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert len(list((tmp_path / "codes").glob("*.spn"))) == 6


def test_if_nothing_could_be_coded_or_drawn_the_exit_code_is_1(start, tmp_path):
    (tmp_path / "note.png").write_text("no picture")
    (tmp_path / "note.spn").write_text("no code")
    assert run("encode", start, tmp_path / "note.png", "--out", tmp_path / "codes", *FAST) == 1
    assert run("decode", tmp_path / "note.spn", "--start", start, "--out", tmp_path / "out") == 1


@pytest.mark.parametrize(
    ("options", "mentions"),
    [(["--quality", "101"], "quality"), (["--quality", "-1"], "quality"), (["--quality", "best"], "--quality"),
     (["--target-psnr", "nan"], "target_psnr"), (["--target-bytes", "0"], "target_bytes"),
     (["--target-psnr", "30", "--target-bytes", "900"], "both"), (["--target-psnr", "30", "--quality", "80"], "both"),
     (["--rounded-steps", "-1"], "rounded_steps"), (["--resolution", "0x3"], "resolution"),
     (["--resolution", "big"], "resolution"), (["--limit", "0"], "limit"), (["--split", "testing"], "split"),
     (["--sparsity", "0.5"], "sparsity"), (["--engine", "fast"], "engine"), (["--device", "tpu-9"], "device"),
     (["--batch", "0"], "batch"), (["--json", "."], "--json")],
)  # fmt: skip
def test_options_of_encode_that_make_no_sense_are_refused(capsys, start, images, tmp_path, options, mentions):
    said = refused(capsys, "encode", start, images, "--out", tmp_path / "codes", *FAST, *options)
    assert mentions in said
    assert not (tmp_path / "codes").exists()


@pytest.mark.parametrize(
    ("options", "mentions"),
    [(["--size", "3x4", "--scale", "2"], "both"), (["--size", "0x4"], "size"), (["--size", "3x99999"], "size"),
     (["--scale", "0"], "scale"), (["--scale", "inf"], "scale"), (["--region", "0,0,1"], "Y0,X0,Y1,X1"),
     (["--region", "0,0,1,2"], "fractions"), (["--region", "a,b,c,d"], "Y0,X0,Y1,X1"),
     (["--region", "0.5,0,0.5,1"], "fractions"), (["--engine", "fast"], "engine")],
)  # fmt: skip
def test_options_of_decode_that_make_no_sense_are_refused(capsys, start, tmp_path, options, mentions):
    (tmp_path / "a.spn").write_bytes(b"")
    said = refused(capsys, "decode", tmp_path / "a.spn", "--start", start, "--out", tmp_path / "out", *options)
    assert mentions in said
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_or_of_another_kind_is_refused(capsys, start, grey, images, tmp_path):
    out = ["--out", tmp_path / "out"]
    assert "nothing to encode" in refused(capsys, "encode", start, *out)
    assert "no code file was given" in refused(capsys, "decode", "--start", start, *out)
    assert "nothing to calibrate" in refused(capsys, "calibrate", start, "--out", tmp_path / "s.safetensors")
    assert "nowhere" in refused(capsys, "encode", tmp_path / "nowhere", images, *out)
    assert "nowhere" in refused(capsys, "decode", images, "--start", tmp_path / "nowhere", *out)
    assert "holds no code" in refused(capsys, "decode", images, "--start", start, *out)
    assert "not a safetensors file" in refused(capsys, "encode", images / "0.png", images, *out)
    assert "not read from files" in refused(capsys, "encode", grey, images, *out)
    assert "draws rgb, but" in refused(capsys, "encode", start, "curves", *out)
    assert "is a file" in refused(capsys, "encode", start, images, "--out", start)
    assert "Not a directory" in refused(capsys, "encode", start, images, "--out", start / "codes")
    assert "--overwrite" in refused(capsys, "encode", start, images, "--out", images)
    assert "--overwrite" in refused(capsys, "decode", images / "0.png", "--start", start, "--out", images)
    assert sorted(path.name for path in images.iterdir()) == [f"{i}.png" for i in range(5)]


def test_another_quality_into_the_same_folder_is_refused(capsys, start, images, tmp_path):
    command = ["encode", start, images, "--out", tmp_path / "codes", *FAST]
    assert run(*command) == 0
    assert "quality was 80, now 40" in refused(capsys, *command, "--quality", 40)
    assert run(*command, "--quality", 40, "--overwrite") == 0
    assert "quality was 40, now 80" in refused(capsys, *command)


def test_two_processes_cannot_encode_into_one_folder(capsys, start, images, tmp_path):
    with locked(tmp_path / "codes"):
        assert "another process" in refused(capsys, "encode", start, images, "--out", tmp_path / "codes", *FAST)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(capsys, start, images, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    assert "shut" in refused(capsys, "encode", start, images, "--out", tmp_path / "shut" / "codes", *FAST)


def test_calibration_makes_a_start_of_its_own(capsys, start, images, tmp_path):
    better = tmp_path / "better.safetensors"
    assert run("calibrate", start, images, "--out", better, "--limit", 4, *FAST) == 0
    assert load_start(better).coding is not None
    before = better.read_bytes()
    assert "--overwrite" in refused(capsys, "calibrate", start, images, "--out", better)
    assert "folder" in refused(capsys, "calibrate", start, images, "--out", images)
    assert better.read_bytes() == before
    assert run("encode", better, images, "--out", tmp_path / "codes", *FAST) == 0
    assert run("decode", tmp_path / "codes", "--start", better, "--out", tmp_path / "right") == 0
    assert run("decode", tmp_path / "codes", "--start", start, "--out", tmp_path / "wrong") == 1
    assert capsys.readouterr().out.count("belongs to the start") == 5


def test_info_says_what_is_in_a_code_and_with_its_start_where_the_bits_are(capsys, start, grey, images, tmp_path):
    assert run("encode", start, images / "0.png", "--out", tmp_path / "codes", *FAST) == 0
    path = tmp_path / "codes" / "0.spn"
    header = read_header(path.read_bytes())
    capsys.readouterr()
    assert run("info", path) == 0
    said = capsys.readouterr().out
    for fact in (f"({header.code_bytes} bytes)", "version 1", header.start_hash.hex(), "11 x 13",
                 f"{header.num_numbers:,}", f"{header.bits_per_sample:.4g}"):  # fmt: skip
        assert fact in said
    assert "weights 1" not in said
    assert run("info", path, "--start", start) == 0
    said = capsys.readouterr().out
    assert "SIREN 2-9-7-3" in said
    assert all(f"{what} {layer}" in said for what in ("weights", "biases") for layer in (1, 2, 3))
    assert "belongs to the start" in refused(capsys, "info", path, "--start", grey)
    assert "goes with a code" in refused(capsys, "info", start, "--start", start)
    path.write_bytes(path.read_bytes()[:-1])
    assert "0.spn" in refused(capsys, "info", path)


def test_bits_by_group_add_up_to_the_payload(start, images, tmp_path):
    from sparsine.codec import Coder

    assert run("encode", start, images / "0.png", "--out", tmp_path / "codes", *FAST) == 0
    coder = Coder(load_start(start))
    code = coder.read((tmp_path / "codes" / "0.spn").read_bytes())
    groups = code_statistics(coder, code)
    assert sum(group.numbers for group in groups) == code.header.num_numbers
    assert abs(sum(group.bits for group in groups) - 8 * code.header.payload_bytes) < 40
    assert all(group.entropy_bits >= 0 and group.spread_steps >= 0 for group in groups)


def test_a_killed_command_goes_on_and_gives_the_same_bytes(grey, tmp_path):
    script = Path(__file__).with_name("killed_commands.py")
    done = subprocess.run([sys.executable, str(script), str(grey), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 8
    for case in found:
        expected = {"killed": True, "sound": True, "resumed": True, "same": True, "leftovers": 0}
        assert {key: case[key] for key in expected} == expected, case
    assert any(0 < case["left"] < case["of"] for case in found)


def test_a_full_disk_ends_the_command_with_1_and_it_goes_on_afterwards(start, images, tmp_path):
    """A limit on the size of files stands in for the full disk: the same OSError at the same calls."""
    script = ("import resource, signal, sys; from sparsine.cli.main import main; "
              "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
              "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2); "
              "sys.exit(main(sys.argv[2:]))")  # fmt: skip
    args = ["encode", str(start), str(images), "--out", str(tmp_path / "codes"), *FAST, "--batch", "1"]
    done = subprocess.run([sys.executable, "-c", script, "700", *args], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cannot write" in done.stderr
    before = {path: path.read_bytes() for path in (tmp_path / "codes").glob("*.spn")}
    assert 0 < len(before) < 5
    assert main(args) == 0
    assert len(list((tmp_path / "codes").glob("*.spn"))) == 5
    assert {path: path.read_bytes() for path in before} == before


def test_of_a_run_folder_the_start_that_a_code_names_is_taken(capsys, tmp_path, images):
    run_folder = tmp_path / "run"
    for round, seed in enumerate((4, 5, 6)):
        (run_folder / "starts").mkdir(parents=True, exist_ok=True)
        make_start(run_folder / "starts" / f"round-{round:02d}.safetensors", 3, seed)
    codes = tmp_path / "codes"
    assert run("encode", run_folder / "starts" / "round-01.safetensors", images, "--out", codes, *FAST) == 0
    (codes / "0.spn").write_bytes(b"broken")  # the first of them says nothing
    capsys.readouterr()
    assert run("decode", codes, "--start", run_folder, "--out", tmp_path / "drawn") == 1
    assert "round-01.safetensors" in capsys.readouterr().out.replace("\n", "")
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 4
    assert run("info", codes / "1.spn", "--start", run_folder) == 0
    assert "weights 1" in capsys.readouterr().out
    assert run("decode", codes, "--start", tmp_path / "rgb.safetensors", "--out", tmp_path / "none") == 2
