"""Names of signals become names of files: within one folder, each of its own."""

import pytest

from sparsine.signals.file_names import MAX_BYTES, FileNames


@pytest.mark.parametrize(
    ("name", "file"),
    [("a.png", "a"), ("a.PNG", "a"), ("a.b", "a.b"), ("a/b.jpg", "a_b"), ("../../etc/passwd", "_.._etc_passwd"),
     ("..", "signal"), ("", "signal"), (".png", "png"), ("-rf", "-rf"), ("a\0b", "a_b"), ("\udcff", "_"),
     ("straße 界.webp", "straße_界")],
)  # fmt: skip
def test_a_name_keeps_letters_and_leads_nowhere_else(name, file):
    assert FileNames().of(name) == file


@pytest.mark.parametrize(
    ("name", "file"),
    [("a.wav", "a"), ("a.WAV", "a"), ("a.wav.wav", "a.wav"), ("b/long.wav@03", "b_long_03"), ("long.wav@", "long.wav_"),
     ("a.wav@b", "a.wav_b"), ("a.png", "a"), ("a.mp3", "a.mp3"), ("7", "7"), ("@7", "_7"), (".wav", "wav")],
)  # fmt: skip
def test_the_suffixes_of_a_kind_are_left_out_and_those_of_parts_of_files_too(name, file):
    assert FileNames(suffixes=[".wav"]).of(name) == file


def test_no_two_names_get_one_file_whatever_the_case():
    names = FileNames(taken=["b"])
    assert [names.of(name) for name in ("a.png", "A.jpg", "a", "a-2", "B")] == ["a", "A-2", "a-3", "a-2-2", "B-2"]


def test_a_long_name_is_cut_by_bytes_and_stays_unique():
    names = FileNames()
    first, second = names.of("界" * 300), names.of("界" * 300)
    assert len(first.encode()) <= MAX_BYTES
    assert first == "界" * 50
    assert second == f"{first}-2"
