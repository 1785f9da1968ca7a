"""Scripts of benchmarks/ write their records by the rules of the commands: links are followed, devices and pipes are
written to, `-` is standard output, and all is looked at before the work."""

import importlib.util
import json
import os
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if '"--json"' in path.read_text())
NEEDED = {
    "codec": ["start.safetensors", "curves"],
    "codec_choices": ["start.safetensors", "curves"],
    "half": ["picture.png"],
    "encode_on_ray": ["pictures"],
}
RECORD = ROOT / "results" / "benchmarks" / "linear_cost.json"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a script with some arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(name, *args, **changed):
        spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / "benchmarks" / f"{name}.py")
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        for attribute, value in changed.items():
            setattr(script, attribute, value)
        monkeypatch.setattr("sys.argv", [name, *map(str, args)])
        script.main()

    return run


def test_there_are_such_scripts():
    assert len(SCRIPTS) >= 5


@pytest.mark.parametrize("name", [path.stem for path in SCRIPTS])
def test_a_place_where_no_record_can_be_written_is_told_before_the_work(run, capsys, name):
    Path("folder").mkdir()
    with pytest.raises(SystemExit) as end:
        run(name, *NEEDED.get(name, []), "--json", "folder", measure=None, measured=None)  # whoever works fails
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: folder is a folder; --json needs the name of a file\n"


def test_what_is_wrong_with_the_input_is_one_line(run, capsys):
    with pytest.raises(SystemExit) as end:
        run("codec", "nowhere.safetensors", "curves")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("error: cannot read nowhere.safetensors")


TINY = ("--device", "cpu", "--densities", 0.5, "--width", 7, "--size", 5, 4, "--repeats", 1, "--signals", 2)


def test_the_bars_of_a_gpu_can_be_tried_without_one(run, capsys):
    run("gpu_bars", *TINY, "--batch", 2, "--steps", 2, "--engines", "dense", "sparse", "--json", "bars.json")
    rows, told = json.loads(Path("bars.json").read_text())["rows"], capsys.readouterr().out
    assert [row["task"] for row in rows] == ["loss_and_grad"] * 2 + ["fits"] * 2 + ["meta_gradient"] * 4
    assert all(row.get("same", True) and "left_out" not in row for row in rows)
    assert {row["ok"] for row in rows if row["task"] == "fits"} == {2}
    assert len(told.splitlines()) == len(rows)


def test_an_engine_that_is_not_here_is_named_and_what_there_is_no_time_for_is_left_out(run, capsys, monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    run("gpu_bars", *TINY, "--batch", 1, "--engines", "triton", "dense", "--seconds", 0, "--json", "bars.json")
    record = json.loads(Path("bars.json").read_text())
    assert (len(record["rows"]), record["cut_short"]) == (1, True)
    assert record["rows"][0]["left_out"].startswith("engine 'triton' computes torch.float32 on cuda")
    assert "what is left is left out" in capsys.readouterr().out


def test_the_bars_of_a_gpu_want_one(run, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SystemExit) as end:
        run("gpu_bars", "--device", "cuda:99")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("error: device 'cuda:99' cannot be used here (")


def redrawn(run, *more):
    run("linear_cost", "--redraw", RECORD, "--json", *more)


def test_a_link_is_followed(run):
    Path("real").mkdir()
    Path("real/record").write_text("old")
    for name in ("record", "figure.png"):
        Path(name).symlink_to(f"real/{name}")
    redrawn(run, "record", "--figure", "figure.png")
    assert json.loads(Path("real/record").read_text()) == json.loads(RECORD.read_text())
    assert Path("real/figure.png").read_bytes().startswith(b"\x89PNG")
    assert Path("record").is_symlink()
    assert Path("figure.png").is_symlink()


@pytest.mark.timeout(60)  # whoever waits for a pipe waits for ever
def test_a_pipe_is_written_to_and_stays_one(run):
    os.mkfifo("pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()))
    reader.start()
    redrawn(run, "pipe")
    reader.join()
    assert json.loads(read[0]) == json.loads(RECORD.read_text())
    assert Path("pipe").is_fifo()


def test_a_device_is_written_to_and_stays_one(run):
    before = os.stat(os.devnull)
    redrawn(run, os.devnull)
    assert os.path.samestat(os.stat(os.devnull), before)


def test_a_dash_is_standard_output_and_what_people_read_goes_elsewhere(run, capfdbinary):
    redrawn(run, "-")
    out, err = capfdbinary.readouterr()
    assert json.loads(out) == json.loads(RECORD.read_text())
    assert b"weights: " in err


def test_a_record_is_written_anew_after_every_row(run):
    rows = []

    def seconds_of(problem, engines, repeats):
        rows.append(len(json.loads(Path("record").read_text())["rows"]) if Path("record").exists() else 0)
        return {"predict": dict.fromkeys([*engines, "dense"], 1.0)}

    run("engine_choice", "--json", "record", "--densities", "1.0", "0.3", "--widths", "8", CASES=((8, 6, 1),),
        seconds_of=seconds_of)  # fmt: skip
    assert rows == [0, 1]
    assert len(json.loads(Path("record").read_text())["rows"]) == 2
