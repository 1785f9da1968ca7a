"""Video from the command line: learned, fitted, coded, drawn at other sizes and rates, reported."""

import csv
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from sparsine import decode, load_start
from sparsine.cli.main import main

pytest.importorskip("av")

from made_videos import damage, frames, read_frames, write_sound_only, write_video

TINY = ["--recipe", "quick", "--width", "8", "--hidden-layers", "2", "--omega-0", "9", "--dense-steps", "4",
        "--steps-per-round", "2", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "2",
        "--points", "200", "--resolution", "4x12x16"]  # fmt: skip


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """(a folder with two videos, one of them damaged, and a file without video; a run)"""
    folder = tmp_path_factory.mktemp("learned")
    videos = folder / "videos"
    videos.mkdir()
    write_video(videos / "a.MP4", frames(24, 12, 16))
    write_video(videos / "b.mkv", frames(24, 12, 16, seed=1))
    damage(videos / "b.mkv", 9)
    write_sound_only(videos / "sound.mp4")
    assert run("learn", f"video:{videos}", "--out", folder / "run", *TINY) == 0
    return videos, folder / "run"


def test_a_start_tells_what_it_draws(learned, capsys):
    assert run("info", learned[1]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "draws video, 3 channels" in said
    assert "4 x 12 x 16 over ((-0.5" in said  # time reaches less far


def test_clips_are_coded_and_drawn_at_other_sizes_and_rates(learned, tmp_path):
    videos, start = learned
    assert run("encode", start, videos / "a.MP4", "--out", tmp_path / "codes", "--steps", "1") == 0
    assert sorted(p.name for p in (tmp_path / "codes").glob("*.spn")) == [f"a_{i}.spn" for i in range(6)]
    for number, (options, size, rate) in enumerate([
        ([], (4, 12, 16), 25), (["--scale", "2"], (8, 24, 32), 50), (["--size", "6x9x11"], (6, 9, 11), 37.5),
        (["--region", "0.5,0,0,1,1,0.5"], (2, 12, 8), 25),
    ]):  # fmt: skip
        out = tmp_path / f"drawn{number}"
        assert run("decode", tmp_path / "codes" / "a_3.spn", "--start", start, "--out", out, *options) == 0
        values, told = read_frames(out / "a_3.mp4")
        assert (values.shape, told) == ((*size, 3), rate)


def test_frames_are_written_as_pictures_where_that_is_asked_for(learned, tmp_path, capsys):
    videos, start = learned
    assert run("encode", start, videos / "a.MP4", "--out", tmp_path / "codes", "--steps", "1") == 0
    words = ("decode", tmp_path / "codes" / "a_2.spn", "--start", start, "--frames")
    assert run(*words, "--out", tmp_path / "drawn", "--scale", "2") == 0
    with zipfile.ZipFile(tmp_path / "drawn" / "a_2.zip") as archive:
        assert archive.namelist() == [f"{i:05}.png" for i in range(8)]
        pictures = np.stack([np.asarray(Image.open(archive.open(name))) for name in archive.namelist()])
    field = decode(load_start(start / "starts" / "round-01.safetensors"), (tmp_path / "codes" / "a_2.spn").read_bytes())
    assert np.array_equal(pictures, np.round(field.render((8, 24, 32)).clip(0, 1) * 255).astype(np.uint8))
    # an MP4 does not go into the same folder
    assert run(*words[:-1], "--out", tmp_path / "drawn", "--scale", "2") == 2
    assert "another request" in " ".join(capsys.readouterr().err.split())


def test_what_is_drawn_in_parts_is_what_is_drawn_at_once(learned, tmp_path, monkeypatch):
    from sparsine.fitting import fitted_field

    videos, start = learned
    assert run("encode", start, videos / "a.MP4", "--out", tmp_path / "codes", "--steps", "1") == 0
    drawn = []
    for points in (1 << 20, 500, 100):  # all, two frames, one
        monkeypatch.setattr(fitted_field, "BLOCK_POINTS", points)
        out = tmp_path / f"drawn{points}"
        assert run("decode", tmp_path / "codes" / "a_0.spn", "--start", start, "--out", out) == 0
        drawn.append(read_frames(out / "a_0.mp4")[0])
    assert np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[0], drawn[2])


def test_a_whole_video_is_one_code_where_its_own_size_is_asked_for(learned, tmp_path):
    videos, start = learned
    done = run("encode", start, videos / "a.MP4", "--resolution", "own", "--out", tmp_path / "codes", "--steps", "1")
    assert done == 0
    assert run("decode", tmp_path / "codes", "--start", start, "--out", tmp_path / "drawn") == 0
    assert read_frames(tmp_path / "drawn" / "a.mp4")[0].shape == (24, 12, 16, 3)


def test_a_damaged_clip_and_a_file_without_video_are_told_and_the_others_fitted(learned, tmp_path, capsys):
    videos, start = learned
    assert run("fit", start, videos, "--steps", "1", "--out", tmp_path / "fits") == 1
    said = " ".join("".join(capsys.readouterr()).split())
    assert "unreadable" in said
    assert "cannot be decoded" in said
    assert "it holds no video, but audio" in said
    with (tmp_path / "fits" / "psnr.csv").open() as file:
        status = {row["input"]: row["status"] for row in csv.DictReader(file)}
    bad = {name for name, told in status.items() if told == "unreadable"}
    assert bad == {"b.mkv@2", "b.mkv@3", "sound.mp4"}  # one keyframe in eight frames
    assert len(status) == 13
    drawn = sorted(p.name for p in (tmp_path / "fits" / "drawings").iterdir())
    assert drawn[:2] == ["a_0.mp4", "a_0.png"]
    values, rate = read_frames(tmp_path / "fits" / "drawings" / "a_0.mp4")
    assert (values.shape, rate) == ((4, 12, 16, 3), 25)


def test_a_report_has_its_measures_and_plays_each_clip(learned):
    _, start = learned
    assert run("report", start, "--limit", "1", "--pictures", "1", "--steps", "1") == 0
    record = json.loads((start / "evaluation.json").read_text())
    assert record["data"]["value_kind"] == "video"
    assert set(record["rows"][0]["signals"][0]["metrics"]) == {"psnr_db", "ssim", "frame_psnr_db"}
    values, _ = read_frames(start / "evaluation" / "pictures" / "original-0.webm")
    assert len(values) == 4
    page = (start / "report.html").read_text()
    assert page.count('<video controls loop src="data:video/webm;base64,') == 4  # original, scratch, two rounds
    assert "<audio" not in page


def test_a_start_of_another_rate_is_refused_for_a_data_set_and_files_are_brought_to_it(learned, tmp_path, capsys):
    _, start = learned
    write_video(tmp_path / "fast.mp4", frames(16, 12, 16), rate=50)
    assert run("fit", start, f"video:{tmp_path / 'fast.mp4'}", "--steps", "1", "--out", tmp_path / "a") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "video (rate 25)" in said
    assert "video (rate 50)" in said
    assert run("fit", start, tmp_path / "fast.mp4", "--steps", "1", "--out", tmp_path / "b") == 0
    with (tmp_path / "b" / "psnr.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2  # half as many frames: two clips of four
