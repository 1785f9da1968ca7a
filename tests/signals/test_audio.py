"""Sound: files as clips, and what is heard, seen and written of them."""

import io
import os
import wave

import numpy as np
import pytest

from sparsine import BadInput, UnreadableSignal, open_dataset
from sparsine.signals.kinds import Audio
from sparsine.signals.kinds.audio import snr_db, spectrogram
from sparsine.signals.sources.audio import open_audio_files

soundfile = pytest.importorskip("soundfile")


def tone(samples, rate=8000, hertz=440.0, channels=1):
    wave_ = 0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate).astype(np.float32)
    return np.repeat(wave_[:, None], channels, axis=1)


def put(folder, **files):
    """name: (values, rate)"""
    folder.mkdir(exist_ok=True)
    for name, (values, rate) in files.items():
        soundfile.write(folder / f"{name}.wav", values, rate, subtype="FLOAT")
    return folder


def test_files_become_clips_of_one_second_and_a_long_rest_is_filled_up_with_silence(tmp_path):
    put(tmp_path / "s", a=(tone(8000), 8000), b=(tone(20_500), 8000), c=(tone(12_500), 8000), d=(tone(8000), 8000))
    data = open_dataset(f"audio:{tmp_path / 's'}")
    sets = (data.train, data.val, data.test)
    names = sorted(signals.name(i) for signals in sets for i in range(len(signals)))
    assert names == ["a.wav", "b.wav@0", "b.wav@1", "b.wav@2", "c.wav@0", "c.wav@1", "d.wav"]
    assert (data.shape, data.num_channels, data.kind) == ((8000,), 1, Audio(rate=8000))
    clips = {signals.name(i): signals.load(i) for signals in sets for i in range(len(signals))}
    assert np.array_equal(clips["b.wav@1"], tone(20_500)[8000:16_000])
    assert np.array_equal(clips["c.wav@1"][:4500], tone(12_500)[8000:])
    assert not clips["c.wav@1"][4500:].any()
    # all clips of a file are in one split
    owner = {name: i for i, signals in enumerate(sets) for name in [signals.name(j) for j in range(len(signals))]}
    assert len({owner[f"b.wav@{i}"] for i in range(3)}) == 1


def test_one_file_is_split_in_time(tmp_path):
    put(tmp_path, long=(tone(30_000), 1000))
    data = open_dataset(f"audio:{tmp_path / 'long.wav'}", resolution=(1000,))
    assert [len(signals) for signals in (data.train, data.val, data.test)] == [24, 3, 3]
    assert np.array_equal(data.test.load(2), tone(30_000)[29_000:])


def test_the_length_of_clips_may_be_chosen_and_short_files_are_filled_up(tmp_path):
    put(tmp_path / "s", a=(tone(300), 8000), b=(tone(500), 8000), c=(tone(400), 8000))
    data = open_dataset(f"audio:{tmp_path / 's'}", resolution=(450,))
    assert data.shape == (450,)
    assert {len(signals) for signals in (data.train, data.val, data.test)} == {1}
    for wrong in ((1,), (10, 10)):
        with pytest.raises(BadInput, match="length of clips"):
            open_dataset(f"audio:{tmp_path / 's'}", resolution=wrong)


def test_other_rates_and_channels_are_brought_to_those_of_most_files_and_it_is_said(tmp_path):
    put(tmp_path / "s", a=(tone(4000), 8000), b=(tone(4000), 8000), c=(tone(8000, 16_000, channels=2), 16_000))
    data = open_dataset(f"audio:{tmp_path / 's'}", resolution=(4000,))
    assert any("1 file of another rate resampled to 8000 Hz" in note for note in data.notes)
    assert any("1 file brought to 1 channel" in note for note in data.notes)
    sets = (data.train, data.val, data.test)
    (odd,) = (signals.load(i) for signals in sets for i in range(len(signals)) if signals.name(i) == "c.wav")
    assert odd.shape == (4000, 1)
    assert np.abs(odd - tone(4000))[100:-100].max() < 0.01


def test_stereo_stays_stereo(tmp_path):
    left_right = np.concatenate([tone(900), tone(900, hertz=700.0)], axis=1)
    put(tmp_path / "s", a=(left_right, 8000), b=(left_right, 8000), c=(left_right, 8000))
    data = open_dataset(f"audio:{tmp_path / 's'}")
    assert np.array_equal(data.train.load(0), left_right)


def test_a_broken_file_is_unreadable_and_the_others_go_on(tmp_path):
    folder = put(tmp_path / "s", a=(tone(300), 8000), b=(tone(300), 8000), c=(tone(300), 8000))
    (folder / "broken.wav").write_bytes(b"RIFF of nothing")
    put(folder, nan=(np.full((300, 1), np.nan, np.float32), 8000))
    signals = open_audio_files([folder], 8000, (300,), 1)
    said = {}
    for index in range(len(signals)):
        try:
            signals.load(index)
        except UnreadableSignal as error:
            said[signals.name(index)] = str(error)
    assert set(said) == {"broken.wav", "nan.wav"}
    assert "not finite" in said["nan.wav"]
    with pytest.raises(BadInput, match="holds no sound"):
        open_audio_files([(tmp_path / "empty").mkdir() or tmp_path / "empty"], 8000, None, 1)


@pytest.mark.timeout(60)  # whoever waits for a pipe waits for ever
@pytest.mark.parametrize("shape", [(300,), None])
def test_a_pipe_or_a_device_among_files_is_not_waited_for(tmp_path, shape):
    folder = put(tmp_path / "s", **{name: (tone(300), 8000) for name in "abc"})
    os.mkfifo(folder / "pipe.wav")
    (folder / "zero.wav").symlink_to("/dev/zero")
    signals = open_audio_files([folder], 8000, shape, 1)
    assert [signals.name(i) for i in range(len(signals))] == ["a.wav", "b.wav", "c.wav", "pipe.wav", "zero.wav"]
    for index, what in ((3, "a pipe"), (4, "a device")):
        with pytest.raises(UnreadableSignal, match=f"it is {what}, and not a file"):
            signals.load(index)
    assert open_dataset(f"audio:{folder}").counts == "3 train, 1 val, 1 test"


def test_a_stream_that_begins_anew_at_another_rate_is_not_read_in_part(tmp_path):
    folder = put(tmp_path / "s", **{name: (tone(300), 8000) for name in "abc"})
    parts = []
    for rate in (8000, 16_000):
        soundfile.write(tmp_path / "part.ogg", tone(9000, rate), rate)
        parts.append((tmp_path / "part.ogg").read_bytes())
    (folder / "whole.ogg").write_bytes(parts[0])
    (folder / "chained.ogg").write_bytes(parts[0] + parts[1])
    signals = open_audio_files([folder], 8000, None, 1)
    loaded = {name: index for index in range(len(signals)) if (name := signals.name(index)).endswith("ogg")}
    assert signals.load(loaded["whole.ogg"]).shape == (9000, 1)
    with pytest.raises(UnreadableSignal, match=r"chained\.ogg: its stream begins anew further on.*convert it to WAV"):
        signals.load(loaded["chained.ogg"])


def assert_refused_in_a_line(folder, line):
    with pytest.raises(BadInput) as refused:
        open_dataset(f"audio:{folder}")
    assert str(refused.value) == line.format(folder)


def test_silence_alone_is_refused_and_a_silent_clip_among_others_is_not(tmp_path):
    silent = {name: (np.zeros((300, 1), np.float32), 8000) for name in "abcdef"}
    folder = put(tmp_path / "s", **silent)
    assert_refused_in_a_line(folder, "{} holds nothing but silence in 4 training clips; give recordings with sound")
    put(folder, **{name: (tone(300), 8000) for name in "ghijkl"})
    dataset = open_dataset(f"audio:{folder}")
    loud = [dataset.train.load(index).any() for index in range(len(dataset.train))]
    assert 0 < sum(loud) < len(loud)


def test_sound_of_one_sample_is_refused_and_one_such_file_among_others_is_filled_up(tmp_path):
    folder = put(tmp_path / "s", **{name: (tone(300)[5:6], 8000) for name in "abc"})
    assert_refused_in_a_line(folder, "the longest sound file of {} has 1 sample; a clip needs two or more")
    put(folder, d=(tone(300), 8000), e=(tone(300), 8000))
    assert open_dataset(f"audio:{folder}").shape == (300,)
    with pytest.raises(BadInput, match="the length of clips is 1; give one whole number of samples, from 2"):
        open_dataset(f"audio:{folder}", resolution=(1,))


def test_more_than_two_channels_are_refused_where_all_files_have_them_and_left_out_of_the_count_elsewhere(tmp_path):
    folder = put(tmp_path / "s", **{name: (tone(300, channels=6), 8000) for name in "abc"})
    assert_refused_in_a_line(
        folder, "the sound files of {} have 6 channels or more, and one or two can be used; mix them down"
    )
    put(folder, d=(tone(300), 8000), e=(tone(300), 8000))
    dataset = open_dataset(f"audio:{folder}")
    assert (dataset.num_channels, dataset.notes) == (1, ())


def test_a_folder_of_broken_files_is_refused_in_a_line(tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.wav").write_bytes(b"RIFF of nothing")
    assert_refused_in_a_line(folder, "not one of the 3 sound files of {} can be read")


def test_one_broken_file_is_refused_by_its_name(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF of nothing")
    assert_refused_in_a_line(tmp_path / "a.wav", "{} cannot be read as sound")


def test_a_written_file_is_heard_at_the_rate_that_its_size_asks_for():
    sound = Audio(rate=8000)
    for scale, rate in ((1.0, 8000), (2.0, 16_000), (2.75625, 22_050)):
        with wave.open(io.BytesIO(sound.write(tone(400), None, scale))) as file:
            assert (file.getframerate(), file.getnframes(), file.getsampwidth()) == (rate, 400, 2)
            read = np.frombuffer(file.readframes(400), "<i2") / 32_767
    assert np.abs(read - tone(400)[:, 0]).max() < 1 / 32_000


def test_what_is_louder_than_full_scale_or_not_finite_is_written_all_the_same():
    values = np.array([[2.0], [-2.0], [np.nan], [np.inf]], np.float32)
    with wave.open(io.BytesIO(Audio(rate=8).write(values))) as file:
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [32_767, -32_767, 0, 32_767]


def test_snr_is_that_of_the_power_and_silence_has_none():
    signal = tone(1000)
    assert snr_db(signal, signal + 0.1 * signal) == pytest.approx(20, abs=1e-3)
    assert snr_db(signal, signal) == float("inf")
    assert snr_db(np.zeros_like(signal), signal) is None


def test_a_tone_is_a_line_in_the_spectrogram_where_its_frequency_is():
    picture = spectrogram(tone(8000, hertz=1000.0)[:, 0], rows=100, columns=60)
    brightest = picture.sum(axis=2)[:, 30].argmax()
    assert abs(brightest - (100 - 1 - 25)) <= 1  # 1000 Hz of 4000, from below


def test_pictures_of_one_sample_and_of_silence_can_be_made():
    for values in (np.zeros((1, 1), np.float32), np.zeros((5000, 2), np.float32)):
        assert Audio().picture(values).ndim == 3


def test_without_the_library_the_extra_is_named(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(BadInput, match=r"pip install 'sparsine\[audio\]'"):
        open_dataset(f"audio:{tmp_path}")
