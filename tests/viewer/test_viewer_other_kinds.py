"""Signals that are no pictures: shown whole as their kind shows them, played, measured; never zoomed into."""

import io
import wave

import numpy as np
import pytest
from other_kinds import DOMAINS, FRAME_RATE, RATE, catalogue_of, signals_of, start_of
from PIL import Image
from viewer_problems import client_of

from sparsine.cli.main import main
from sparsine.signals.weights import weights_of
from sparsine.starts.start import save_start


def pixels_of(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def ask(catalogue, path, **question):
    return client_of(catalogue).get(path, params={"name": "array-1", **question})


@pytest.mark.parametrize("name", ["sound", "volume", "globe", "cloud", "video", "solid"])
def test_a_thumbnail_is_the_picture_of_its_kind_within_the_edge(tmp_path, name):
    catalogue = catalogue_of(tmp_path, name)
    thumbnail = pixels_of(ask(catalogue, "/thumbnail", edge=64))
    assert max(thumbnail.shape[:2]) <= 64 < 2 * max(thumbnail.shape[:2])
    assert thumbnail.std() > 1
    domain, kind = DOMAINS[name]
    field = catalogue.opened(catalogue.file("array-1", None)).field
    assert np.array_equal(pixels_of(ask(catalogue, "/picture")), kind.picture(field.render(domain.drawn_shape)))


@pytest.mark.parametrize("name", ["sound", "volume", "globe", "cloud", "video", "solid"])
def test_original_and_error_are_shown_and_measured_at_the_samples_of_the_original(tmp_path, monkeypatch, name):
    catalogue = catalogue_of(tmp_path, name, monkeypatch)
    sides = [pixels_of(ask(catalogue, "/picture", of=side)) for side in ("fitted", "original", "error")]
    assert len({side.shape for side in sides}) == 1
    assert not np.array_equal(sides[0], sides[1])
    (values, coords), field = signals_of(name)[1], catalogue.opened(catalogue.file("array-1", None)).field
    squares = np.square(values - (field.render() if coords is None else field(coords)))
    if name == "globe":  # by area: the cosine of the latitude, and half a step's cap on the poles
        squares = squares * weights_of(DOMAINS[name][0], values)[..., None]
    error = squares.mean()
    measures = {told["label"]: told["value"] for told in ask(catalogue, "/api/measured").json()["measures"]}
    peak = DOMAINS[name][1].peak
    assert measures["PSNR (dB)"] == pytest.approx(10 * np.log10(peak**2 / error), abs=1e-4)
    assert ("SNR (dB)" in measures) == (name == "sound")
    assert ("IoU of the insides" in measures) == (name == "solid")
    assert ("PSNR of a frame, mean (dB)" in measures) == (name == "video")


def test_sound_is_played_at_its_rate_fitted_and_original(tmp_path, monkeypatch):
    catalogue = catalogue_of(tmp_path, "sound", monkeypatch)
    for side in ("fitted", "original"):
        answer = ask(catalogue, "/media", of=side)
        assert answer.headers["content-type"] == "audio/wav"
        with wave.open(io.BytesIO(answer.content)) as file:
            assert (file.getframerate(), file.getnframes()) == (RATE, 301)
    assert ask(catalogue, "/media", of="error").status_code == 400


def test_video_is_played_at_its_rate_fitted_and_original(tmp_path, monkeypatch):
    pytest.importorskip("av")
    from made_videos import read_frames

    catalogue = catalogue_of(tmp_path, "video", monkeypatch)
    for side in ("fitted", "original"):
        answer = ask(catalogue, "/media", of=side)
        assert answer.headers["content-type"] == "video/webm"
        values, rate = read_frames(io.BytesIO(answer.content))
        assert (len(values), rate) == (5, FRAME_RATE)


@pytest.mark.parametrize("name", ["volume", "unseen"])
def test_nothing_is_played_of_a_kind_that_has_no_sound_or_film(tmp_path, name):
    answer = ask(catalogue_of(tmp_path, name), "/media")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_kind_without_a_picture_has_its_facts_and_one_line(tmp_path):
    catalogue = catalogue_of(tmp_path, "unseen")
    (code, _) = client_of(catalogue).get("/api/codes").json()["codes"]
    assert (code["value_kind"], code["shape"], code["zoomed"], code["sample"]) == ("unseen", [23], False, "sample")
    for path in ("/thumbnail", "/picture"):
        answer = ask(catalogue, path)
        assert answer.status_code == 501
        assert answer.json()["error"] == "signals of kind unseen are not shown here (NotImplementedError)"


@pytest.mark.parametrize("name", ["sound", "globe", "cloud"])
def test_what_is_not_zoomed_into_is_not_drawn_part_by_part(tmp_path, monkeypatch, name):
    catalogue = catalogue_of(tmp_path, name, monkeypatch)
    window = {"region": "0,0,1,1", "size": "8x8"}
    for path, question in (("/draw", window), ("/value", {"at": "0.5,0.5"}), ("/original", {}), ("/error", {})):
        answer = ask(catalogue, path, **question)
        assert answer.status_code == 501
        assert "are shown whole" in answer.json()["error"]


def test_a_signal_of_more_samples_than_are_shown_is_refused_in_a_line(tmp_path):
    catalogue = catalogue_of(tmp_path, "sound", max_points=300)
    for path in ("/thumbnail", "/picture", "/media"):
        answer = ask(catalogue, path)
        assert answer.status_code == 422
        assert "301 samples; up to 300" in answer.json()["error"]


def test_originals_of_another_kind_are_refused(tmp_path, monkeypatch, capsys):
    catalogue_of(tmp_path, "sound", monkeypatch)
    save_start(tmp_path / "start.safetensors", start_of("sound"))
    command = ["view", str(tmp_path), "--start", str(tmp_path / "start.safetensors"), "--no-browser", "--originals"]
    assert main([*command, "curves"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
