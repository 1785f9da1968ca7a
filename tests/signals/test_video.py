"""Video: files as clips, and what is seen, measured and written of them."""

import io
import pickle
import sys
from fractions import Fraction

import numpy as np
import pytest

from sparsine import BadInput, Grid, UnreadableSignal, open_dataset
from sparsine.signals.kinds import Video
from sparsine.signals.kinds.video import mean_frame_psnr_db, mean_ssim, shown_frames

av = pytest.importorskip("av")

from made_videos import damage, frames, read_frames, write_sound_only, write_video  # noqa: E402

from sparsine.signals.sources.video import open_video_files, space_and_time  # noqa: E402

CLOSE = 0.03
"""Of a value in [0, 1], mean: what colours lose on their way through a nearly lossless H.264."""


def all_of(dataset):
    sets = (dataset.train, dataset.val, dataset.test)
    return {signals.name(i): signals.load(i) for signals in sets for i in range(len(signals))}


def assert_close(values, wanted):
    assert values.shape == wanted.shape
    assert np.abs(values - wanted / 255.0).mean() < CLOSE


def test_a_file_becomes_clips_one_after_the_other_and_a_rest_is_left_out(tmp_path):
    made = frames(31)
    write_video(tmp_path / "a.mp4", made)
    data = open_dataset(f"video:{tmp_path / 'a.mp4'}", resolution=(5, 18, 26))
    assert data.counts == "4 train, 1 val, 1 test"
    assert (data.shape, data.num_channels, data.kind) == ((5, 18, 26), 3, Video(rate=25.0))
    clips = all_of(data)
    assert sorted(clips) == [f"a.mp4@{i}" for i in range(6)]
    for number in range(6):
        assert_close(clips[f"a.mp4@{number}"], made[5 * number : 5 * number + 5])
    assert data.test.name(0) == "a.mp4@5"
    assert clips["a.mp4@0"].dtype == np.float32


def test_a_few_files_are_each_split_in_time_and_many_by_file(tmp_path):
    for number in range(3):
        write_video(tmp_path / f"{number}.mp4", frames(12 + number, seed=number))
    data = open_dataset(f"video:{tmp_path}", resolution=(3, 18, 26))
    assert [data.test.name(i) for i in range(len(data.test))] == ["0.mp4@3", "1.mp4@3", "2.mp4@3"]
    for number in range(3, 11):
        write_video(tmp_path / f"{number}.mp4", frames(7, seed=number))
    data = open_dataset(f"video:{tmp_path}", resolution=(3, 18, 26))
    sets = (data.train, data.val, data.test)
    owners = [{signals.name(i).split("@")[0] for i in range(len(signals))} for signals in sets]
    assert [len(owner) for owner in owners] == [9, 1, 1]
    assert len(set.union(*owners)) == 11


def test_its_own_folders_are_the_splits(tmp_path):
    for split in ("train", "val", "test"):
        (tmp_path / split).mkdir()
        write_video(tmp_path / split / "x.mkv", frames(6))
    data = open_dataset(f"video:{tmp_path}", resolution=(6, 18, 26))
    assert (data.counts, data.test.name(0)) == ("1 train, 1 val, 1 test", "test/x.mkv")


def test_without_a_size_clips_are_small_and_a_short_file_is_held_at_its_end(tmp_path):
    write_video(tmp_path / "a.mp4", frames(40, rows=80, columns=160))
    data = open_dataset(f"video:{tmp_path / 'a.mp4'}")
    assert data.shape == (16, 64, 128)
    short = frames(7)
    write_video(tmp_path / "b.mp4", short)
    (name,) = open_video_files([tmp_path / "b.mp4"], 25, (10, 18, 26), 3)._clips
    assert name.frames == 10
    values = open_video_files([tmp_path / "b.mp4"], 25, (10, 18, 26), 3).load(0)
    assert_close(values, np.concatenate([short, short[-1:], short[-1:], short[-1:]]))


def test_whole_files_keep_their_own_size_unless_one_is_asked_for(tmp_path):
    made = frames(9)
    write_video(tmp_path / "a.mp4", made)
    signals = open_video_files([tmp_path / "a.mp4"], 25, None, 3)
    assert signals.shape_of(0) == (9, 18, 26)
    assert_close(signals.load(0), made)
    # covered and cropped around the middle, as pictures are
    smaller = open_video_files([tmp_path / "a.mp4"], 25, (9, 9, 9), 3).load(0)
    assert_close(smaller.mean(axis=(1, 2)), made[:, :, 4:22].mean(axis=(1, 2)))


def test_a_part_of_the_values_is_that_of_the_whole(tmp_path):
    write_video(tmp_path / "a.mp4", frames(12))
    for asked in ((4, 18, 26), (20, 18, 26)):
        signals = open_video_files([tmp_path / "a.mp4"], 25, asked, 3)
        index = len(signals) - 1
        whole = signals.load(index).reshape(-1, 3)
        places = np.array([0, len(whole) - 1, 7, 200, 7])
        assert np.array_equal(signals.values_at(index, places), whole[places])


def test_a_set_can_be_sent_to_another_process_before_and_after_it_was_read(tmp_path):
    write_video(tmp_path / "a.mp4", frames(6))
    signals = open_video_files([tmp_path / "a.mp4"], 25, None, 3)
    sent = pickle.loads(pickle.dumps(signals))
    values = signals.load(0)
    assert np.array_equal(sent.load(0), values)
    assert np.array_equal(pickle.loads(pickle.dumps(signals)).load(0), values)
    assert signals.fingerprint(0) == sent.fingerprint(0)


def test_grey_video_has_one_channel(tmp_path):
    made = frames(6)[..., :1]
    write_video(tmp_path / "a.mkv", made, codec="ffv1")
    data = open_dataset(f"video:{tmp_path / 'a.mkv'}", resolution=(2, 18, 26))
    assert data.num_channels == 1
    assert np.array_equal(all_of(data)["a.mkv@1"], made[2:4].astype(np.float32) / np.float32(255))


def test_a_variable_frame_rate_becomes_a_constant_one_by_time_and_it_is_said(tmp_path):
    # 40 ms each, but the sixth stays for 200: frames 6 to 9 of 25 a second are its repetitions
    times = [0, 40, 80, 120, 160, 200, 400, 440, 480, 520]
    made = frames(10)
    write_video(tmp_path / "a.mkv", made, codec="ffv1", pix_fmt="bgr0", times=times)
    data = open_dataset(f"video:{tmp_path / 'a.mkv'}", resolution=(14, 18, 26))
    assert data.kind.rate == pytest.approx(25)
    assert "1 file of variable frame rate brought to 25 frames a second by time stamps" in data.notes
    shown = [0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 6, 7, 8, 9]
    assert np.array_equal(data.train.load(0), made[shown].astype(np.float32) / np.float32(255))


def test_other_rates_and_channels_are_brought_to_those_of_most_files(tmp_path):
    for name in "abc":
        write_video(tmp_path / f"{name}.mkv", frames(20), codec="ffv1", pix_fmt="bgr0")
    made = frames(20, seed=3)
    write_video(tmp_path / "d.mkv", made, rate=50, codec="ffv1", pix_fmt="bgr0")
    write_video(tmp_path / "e.mkv", made[..., :1], codec="ffv1")
    data = open_dataset(f"video:{tmp_path}", resolution=(10, 18, 26))
    assert (data.kind.rate, data.num_channels) == (25, 3)
    assert any("1 file of another rate brought to 25 frames a second" in note for note in data.notes)
    assert any("1 file brought to 3 channels" in note for note in data.notes)
    clips = all_of(data)
    assert np.array_equal(clips["d.mkv"], made[::2].astype(np.float32) / np.float32(255))
    assert np.ptp(clips["e.mkv@0"], axis=3).max() == 0


def test_rates_that_are_written_in_two_ways_are_one(tmp_path):
    for name, rate in (("a", Fraction(30000, 1001)), ("b", Fraction(2997, 100)), ("c", Fraction(30000, 1001))):
        write_video(tmp_path / f"{name}.mp4", frames(6), rate=rate)
    data = open_dataset(f"video:{tmp_path}", resolution=(2, 18, 26))
    assert data.kind.rate == pytest.approx(29.97, abs=1e-3)
    assert data.notes == ()
    assert len(all_of(data)) == 9


def test_a_frame_that_is_damaged_takes_its_clip_with_it_and_no_other(tmp_path):
    made = frames(32)
    write_video(tmp_path / "a.mp4", made)
    damage(tmp_path / "a.mp4", 11)
    signals = open_video_files([tmp_path / "a.mp4"], 25, (4, 18, 26), 3)
    said, fine = {}, []
    for index in range(len(signals)):
        try:
            assert_close(signals.load(index), made[4 * index : 4 * index + 4])
            fine.append(index)
        except UnreadableSignal as error:
            said[index] = str(error)
    # frames 8 to 15 hang together: one keyframe in eight
    assert fine == [0, 1, 4, 5, 6, 7]
    assert "frame 11 (counted from 0) cannot be decoded" in said[2]
    assert "frame 12, 13, 14, 15 (counted from 0) cannot be decoded" in said[3]


def test_a_file_that_is_cut_short_has_the_frames_that_are_there(tmp_path):
    made = frames(40)
    whole = write_video(tmp_path / "whole.mkv", made)
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    signals = open_video_files([tmp_path / "cut.mkv"], 25, (4, 18, 26), 3)
    assert 2 < len(signals) < 8
    assert_close(signals.load(0), made[:4])


def assert_refused(spec, line, **options):
    with pytest.raises(BadInput) as refused:
        open_dataset(spec, **options)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_what_holds_no_video_is_refused_in_a_line(tmp_path):
    sound = write_sound_only(tmp_path / "sound.mp4")
    assert_refused(f"video:{sound}", f"{sound}: it holds no video, but audio")
    (tmp_path / "broken.mp4").write_bytes(b"ftyp of nothing")
    assert_refused(f"video:{tmp_path / 'broken.mp4'}", f"{tmp_path / 'broken.mp4'}: Invalid data found")
    assert_refused(f"video:{tmp_path}", f"not one of the 2 video files of {tmp_path} can be read; the first says")
    (tmp_path / "empty").mkdir()
    assert_refused(f"video:{tmp_path / 'empty'}", f"{tmp_path / 'empty'} holds no video file (.avi")
    assert_refused(f"video:{tmp_path / 'none'}", f"{tmp_path / 'none'} does not exist")


def test_files_that_cannot_be_read_are_signals_that_cannot_and_the_others_go_on(tmp_path):
    write_sound_only(tmp_path / "sound.mp4")
    write_video(tmp_path / "a.mp4", frames(12))
    write_video(tmp_path / "one.mp4", frames(1))
    signals = open_video_files([tmp_path], 25, (4, 18, 26), 3)
    assert [signals.name(i) for i in range(len(signals))] == ["a.mp4@0", "a.mp4@1", "a.mp4@2", "one.mp4", "sound.mp4"]
    for index, why in ((3, "it has one frame; a clip needs two or more"), (4, "it holds no video, but audio")):
        with pytest.raises(UnreadableSignal, match=why):
            signals.load(index)
    assert signals.shape_of(4) is None


def test_sizes_that_make_no_sense_are_refused(tmp_path):
    write_video(tmp_path / "a.mp4", frames(12))
    write_video(tmp_path / "one.mp4", frames(1))
    for wrong in ((1, 18, 26), (4, 18), (4, 1, 26), (16384, 16384, 16384)):
        assert_refused(f"video:{tmp_path / 'a.mp4'}", "the size of clips is", resolution=wrong)
    one = tmp_path / "one.mp4"
    assert_refused(f"video:{one}", f"the longest video of {one} has one frame; a clip needs two or more")


def test_decoded_frames_that_the_disk_cannot_hold_are_refused_before_one_is_decoded(tmp_path, monkeypatch):
    import shutil

    write_video(tmp_path / "a.mp4", frames(12))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10, 10, 12 * 18 * 26 * 3 - 1))
    with pytest.raises(UnreadableSignal, match=r"a\.mp4: its decoded frames take .* by TMPDIR"):
        open_video_files([tmp_path / "a.mp4"], 25, None, 3).load(0)


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path, monkeypatch):
    import tempfile

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    write_video(tmp_path / "a.mp4", frames(12))
    signals = open_video_files([tmp_path / "a.mp4"], 25, (4, 18, 26), 3)
    values = signals.load(1)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert np.array_equal(signals.load(1), values)


def test_time_reaches_less_far_than_space_where_clips_have_fewer_frames_than_pixels():
    for shape, reach in (((8, 48, 64), (8 / np.sqrt(48 * 64)) ** 0.5), ((90, 20, 30), 1.0)):
        grid = space_and_time(shape)
        assert isinstance(grid, Grid)
        assert grid.axis_extents == ((-reach, reach), (-1, 1), (-1, 1))


def test_a_written_file_has_all_frames_at_the_rate_that_their_number_asks_for():
    for count, rows, columns, scale, rate in ((6, 18, 26, 1.0, 25.0), (12, 17, 25, 2.0, 50.0), (3, 18, 26, 0.5, 12.5)):
        made = frames(count, rows, columns)
        read, told = read_frames(io.BytesIO(Video(rate=25.0).write(made / np.float32(255), None, scale)))
        assert told == rate
        assert_close(read / 255.0, made)


def test_a_file_that_is_written_in_parts_is_that_of_the_whole():
    values = frames(7) / np.float32(255)
    kind = Video(rate=24.0)
    assert kind.write_slabs([values[:3], values[3:4], values[4:]]) == kind.write(values)


def test_the_same_frames_are_the_same_bytes_each_time():
    values, rng, other = frames(7, 64, 64) / np.float32(255), np.random.default_rng(0), []
    made = set()
    for value in range(60):  # with memory that held something else before
        other = [*other[-20:], np.full(int(rng.integers(1_000, 200_000)), value, np.uint8)]
        made.add(Video(rate=24.0).write(values))
    assert len(made) == 1


def test_what_is_out_of_range_or_not_finite_is_written_all_the_same():
    values = np.full((2, 18, 26, 1), 2.0, np.float32)
    values[1] = np.nan
    read, _ = read_frames(io.BytesIO(Video().write(values)))
    assert read[0].min() > 245
    assert (read[1].mean(axis=(0, 1)) - (255, 0, 255) < 12).all()


def test_a_page_gets_a_webm_with_all_frames():
    media = Video().media(frames(5, 17, 25) / np.float32(255))
    assert (media.mime, media.suffix) == ("video/webm", ".webm")
    read, _ = read_frames(io.BytesIO(media.data))
    assert len(read) == 5
    assert min(read.shape[1:3]) % 2 == 0
    assert read.shape[2] >= 256


def test_a_picture_shows_frames_from_the_first_to_the_last():
    assert shown_frames(9) == [0, 2, 3, 5, 6, 8]
    assert shown_frames(2) == [0, 1]
    values = frames(9) / np.float32(255)
    picture = Video().picture(values)
    assert picture.shape == (2 * 18 + 2, 3 * 26 + 4, 3)
    assert np.array_equal(picture[:18, :26], frames(9)[0])
    assert np.array_equal(picture[-18:, -26:], frames(9)[8])
    error = Video().error_picture(values, np.where(np.arange(9)[:, None, None, None] == 8, values + 0.2, values))
    assert error.shape == picture.shape
    assert error[-18:, -26:].min() > error[:18, :26].max()


def test_measures_are_those_of_the_frames():
    values = frames(3) / np.float32(255)
    fitted = values.copy()
    fitted[1] += 0.1
    fitted[2] += 0.01
    assert mean_frame_psnr_db(values, fitted) == pytest.approx((20 + 40) / 2, abs=1e-3)  # one is perfect
    assert mean_frame_psnr_db(values, values) == float("inf")
    assert mean_ssim(values, values) == pytest.approx(1)
    assert 0.5 < mean_ssim(values, fitted) < 1
    assert mean_ssim(values[:, :5], fitted[:, :5]) is None


def test_without_the_library_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match=r"pip install 'sparsine\[video\]'"):
        open_dataset(f"video:{tmp_path}")
