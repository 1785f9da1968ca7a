"""Sound from the command line: how what is made of it is called, and what is said of it."""

import json
import wave

import numpy as np
import pytest

from sparsine.cli.main import main

pytest.importorskip("soundfile")

TINY = ["--recipe", "quick", "--width", "8", "--hidden-layers", "2", "--omega-0", "9", "--dense-steps", "4",
        "--steps-per-round", "2", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "2",
        "--resolution", "200"]  # fmt: skip


def run(*words):
    return main([str(word) for word in words])


def write_tone(path, samples, hertz):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((9000 * np.sin(2 * np.pi * hertz * np.arange(samples) / 8000)).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """(a folder with a long sound, a short one and a broken one, a run)"""
    folder = tmp_path_factory.mktemp("learned")
    sounds = folder / "sounds"
    sounds.mkdir()
    for number in range(4):
        write_tone(sounds / f"n{number}.WAV", 200, 100 + 50 * number)
    write_tone(sounds / "long.wav", 600, 130)
    (sounds / "broken.wav").write_bytes(b"RIFF of nothing")
    assert run("learn", f"audio:{sounds}", "--out", folder / "run", *TINY) == 0
    return sounds, folder / "run"


def test_names_of_what_is_made_of_sounds_have_one_suffix(learned, tmp_path):
    sounds, start = learned
    named = (sounds / "n1.WAV", sounds / "long.wav")
    assert run("encode", start, *named, "--resolution", "start", "--out", tmp_path / "codes", "--steps", "1") == 0
    assert sorted(p.name for p in (tmp_path / "codes").glob("*.spn")) == [
        "long_0.spn", "long_1.spn", "long_2.spn", "n1.spn",
    ]  # fmt: skip
    assert run("decode", tmp_path / "codes", "--start", start, "--out", tmp_path / "drawn") == 0
    drawn = sorted(p.name for p in (tmp_path / "drawn").glob("*.wav"))
    assert drawn == ["long_0.wav", "long_1.wav", "long_2.wav", "n1.wav"]
    assert run("fit", start, named[0], "--steps", "1", "--out", tmp_path / "fits") == 0
    assert sorted(p.name for p in (tmp_path / "fits" / "drawings").iterdir()) == ["n1.png", "n1.wav"]


def test_drawings_of_codes_that_are_called_as_sounds_have_one_suffix(learned, tmp_path):
    sounds, start = learned
    assert run("encode", start, sounds / "n1.WAV", "--out", tmp_path / "codes", "--steps", "1") == 0
    (tmp_path / "codes" / "n1.spn").rename(tmp_path / "n1.wav.spn")
    assert run("decode", tmp_path / "n1.wav.spn", "--start", start, "--out", tmp_path / "drawn") == 0
    assert [p.name for p in (tmp_path / "drawn").glob("*.wav")] == ["n1.wav"]


@pytest.mark.parametrize("command", ["encode", "fit"])
def test_a_sound_that_cannot_be_read_is_named_once_and_with_the_reason(command, learned, tmp_path, capsys):
    sounds, start = learned
    files = [sounds / name for name in ("missing.wav", "broken.wav", "n1.WAV")]
    assert run(command, start, *files, "--steps", "1", "--out", tmp_path / "out") == 1
    said = "".join(capsys.readouterr()).replace("\n", " ")
    assert f"unreadable {sounds}/missing.wav: No such file or directory " in said
    assert f"unreadable {sounds}/broken.wav: Format not recognised " in said


@pytest.mark.parametrize(("data", "has_pixels"), [("sound", False), ("curves", True)])
def test_only_what_has_rows_and_columns_is_counted_in_pixels(data, has_pixels, learned, tmp_path):
    sounds, start = learned
    given = [sounds / "n1.WAV", sounds / "missing.wav"]
    if has_pixels:
        start, given = tmp_path / "run", ["curves", "--limit", "2"]
        assert run("learn", "curves", "--out", start, *TINY[:-1], "9x7") == 0
    run("encode", start, *given, "--out", tmp_path / "codes", "--steps", "1", "--json", tmp_path / "told.json")
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["bits_per_sample"] == pytest.approx(8 * told["bytes"] / told["samples"])
    assert told["bits_per_sample_with_start"] > told["bits_per_sample"]
    assert told["files"][0]["bits_per_sample"] > 0
    for record in (told, *told["files"]):
        pixels = {key: value for key, value in record.items() if "pixel" in key}
        assert len(pixels) == has_pixels * (3 if record is told else 1)
        assert all(value == record[key.replace("pixel", "sample")] for key, value in pixels.items())
