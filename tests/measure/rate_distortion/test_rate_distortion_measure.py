import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from html_page import Page
from PIL import Image
from rate_problems import SMALL, START, Pictures, make_start, picture, save_pictures

from sparsine.cli.main import main
from sparsine.codec import EncodeConfig, decode, encode
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.fields.liveness import live_params
from sparsine.measure.rate_distortion import measure_rate_distortion, read_record, write_record
from sparsine.measure.rate_distortion.codecs.ours import OurCodec
from sparsine.measure.rate_distortion.codecs.pillow_codecs import codecs
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.measure.rate_distortion.measure import Collection, NamedStart
from sparsine.measure.rate_distortion.pictures import as_picture, picture_psnr_db
from sparsine.measure.rate_distortion.records import VALUES
from sparsine.measure.rate_distortion.signals import read_batches
from sparsine.report.rate_distortion.figures import write_figures
from sparsine.report.rate_distortion.page import write_page
from sparsine.starts.start import save_start


def collection(signals, count=None):
    return Collection("made up", "images:x", "Some pictures.", signals, count or len(signals))


def rows(record, **setting):
    return [row for row in record["rows"] if setting.items() <= row.items()]


@pytest.fixture(scope="module")
def record():
    signals = Pictures([picture(0), picture(1), picture(2, (15, 12))])
    return measure_rate_distortion([NamedStart("small", START, 1234)], collection(signals), SMALL)


def test_our_files_are_those_that_encode_writes():
    original = picture(7)
    for quality, coded in OurCodec(START, SMALL).measure([original]).items():
        data = encode(
            START, original.astype(np.float32) / 255, EncodeConfig(fit=SMALL.fit, quality=quality, rounded_steps=0)
        )
        assert coded[0].data == data
        assert coded[0].measured.num_bytes == len(data)
        assert coded[0].measured.psnr_db == picture_psnr_db(original, as_picture(decode(START, data).render()))


def test_further_steps_may_see_the_rounded_vector():
    original, config = picture(8), replace(SMALL, rounded_steps=2, qualities=(90, 100))
    for quality, coded in OurCodec(START, config).measure([original]).items():
        wanted = EncodeConfig(fit=SMALL.fit, quality=quality, rounded_steps=2)
        assert coded[0].data == encode(START, original.astype(np.float32) / 255, wanted)


def test_a_start_that_was_never_calibrated_is_refused():
    with pytest.raises(BadInput, match="calibrate it first: sparsine calibrate START"):
        OurCodec(make_start(calibrated=False), SMALL)


def test_rounded_steps_below_none_are_refused():
    with pytest.raises(BadInput, match="rounded_steps is -1"):
        RateDistortionConfig(rounded_steps=-1)


def test_every_row_has_a_value_for_every_signal(record):
    assert [(s["input"], s["shape"]) for s in record["signals"]] == [
        ("picture-0.png", [13, 17]), ("picture-1.png", [13, 17]), ("picture-2.png", [15, 12])]  # fmt: skip
    settings = [tuple(sorted((n, v) for n, v in row.items() if not isinstance(v, list))) for row in record["rows"]]
    assert len(set(settings)) == len(settings) == 2 + 2 * len(codecs()) + 2 * len(codecs()) + 2 * 2
    for row in record["rows"]:
        assert {len(row[name]) for name in VALUES} == {3}, row
    assert len(rows(record, codec="sparsine", quality=80)[0]["fitted_psnr_db"]) == 3


def test_others_are_given_no_more_bytes_than_ours(record):
    for codec in ("jpeg", "webp"):
        for quality in SMALL.qualities:
            (ours,) = rows(record, codec="sparsine", quality=quality)
            (theirs,) = rows(record, codec=codec, beside_quality=quality)
            pairs = list(zip(theirs["bytes"], ours["bytes"], strict=True))
            assert all(their is None or their <= our for their, our in pairs)


def test_finer_steps_take_more_bytes_and_lose_less(record):
    coarse, fine = (rows(record, codec="sparsine", quality=quality)[0] for quality in (40, 80))
    assert all(a < b for a, b in zip(coarse["bytes"], fine["bytes"], strict=True))
    lost = [sum(np.array(row["fitted_psnr_db"]) - row["psnr_db"]) for row in (coarse, fine)]
    assert lost[0] > lost[1]


def test_the_bits_of_a_code_are_all_told(record):
    told = record["starts"][0]["spending"]
    assert (told["quality"], told["signals"]) == (80, 2)
    sizes = rows(record, codec="sparsine", quality=80)[0]["bytes"][:2]
    assert sum(row["bits"] for row in told["rows"]) == pytest.approx(8 * np.mean(sizes))
    assert [row["group"] for row in told["rows"]][::3] == ["weights 1", "biases 1", "header and checksum"]
    assert sum(row["numbers"] for row in told["rows"]) == live_params(START.pattern).sum()


def test_a_record_survives_its_file(record, tmp_path):
    write_record(tmp_path / "rate-distortion.json", record)
    assert read_record(tmp_path) == json.loads(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "says"),
    [({"kind": "cell"}, "not a record"), ({"record_version": 9}, "version 9"), ({"rows": None}, "lacks rows")],
)
def test_other_files_are_refused(record, tmp_path, change, says):
    changed = {name: value for name, value in (record | change).items() if value is not None}
    write_record(tmp_path / "rate-distortion.json", changed)
    with pytest.raises(BadInput, match=says):
        read_record(tmp_path)


class SomeBroken(Pictures):
    def load(self, index):
        if index == 1:
            raise UnreadableSignal("picture-1.png: the file is empty")
        return super().load(index)


def test_what_cannot_be_read_is_told_and_left_out():
    signals = SomeBroken([picture(i) for i in range(3)])
    config = replace(SMALL, jpeg=(), webp=(), coin_widths=())
    record = measure_rate_distortion([NamedStart("small", START, 1)], collection(signals), config)
    assert record["unreadable"] == {"picture-1.png": "picture-1.png: the file is empty"}
    assert [s["input"] for s in record["signals"]] == ["picture-0.png", "picture-2.png"]
    assert {len(row["bytes"]) for row in record["rows"]} == {2}


def test_batches_have_one_shape_and_a_limit():
    shapes = [(5, 4)] * 3 + [(4, 5)] + [(5, 4)]
    found = list(read_batches(Pictures([picture(i, s) for i, s in enumerate(shapes)]), 5, 2, {}))
    assert [[o.index for o in batch] for batch in found] == [[0, 1], [2], [3], [4]]


def test_the_command_writes_record_figure_and_page(tmp_path, capsys):
    save_start(tmp_path / "start.safetensors", START)
    folder = save_pictures(tmp_path / "pictures", [(13, 17), (15, 12)])
    (folder / "broken.png").write_bytes(b"no picture")
    args = ["--out", tmp_path / "out", "--steps", "2", "--qualities", "60", "80", "--jpeg", "30", "--webp", "30",
            "--coin-widths", "3", "--coin-steps", "2", "--label", "two pictures"]  # fmt: skip
    assert command(tmp_path / "start.safetensors", folder, *args) == 1  # one was left out
    said = capsys.readouterr().out
    record = read_record(tmp_path / "out")
    assert [s["input"] for s in record["signals"]] == ["picture-0.png", "picture-1.png"]
    assert record["starts"][0]["file_bytes"] == (tmp_path / "start.safetensors").stat().st_size
    assert "broken.png" in said
    assert "2 signals" in said
    for suffix in (".png", ".svg", ".html"):
        assert (tmp_path / "out" / f"rate-distortion{suffix}").stat().st_size > 1000


def test_what_a_codec_keeps_exactly_is_inf_everywhere(tmp_path, capsys):
    """A picture of one colour, which WebP or JPEG give back as it was."""
    save_start(tmp_path / "start.safetensors", START)
    (tmp_path / "pictures").mkdir()
    for name in ("black", "dark"):
        Image.new("RGB", (24, 16)).save(tmp_path / "pictures" / f"{name}.png")
    args = ["--out", tmp_path / "out", "--steps", "2", "--qualities", "60", "--jpeg", "30", "90", "--webp", "30",
            "--coin-widths", "3", "--coin-steps", "2", "--label", "black"]  # fmt: skip
    assert command(tmp_path / "start.safetensors", tmp_path / "pictures", *args) == 0
    capsys.readouterr()
    record = read_record(tmp_path / "out")
    exact = next(row for row in record["rows"] if row["codec"] == "jpeg" and row.get("quality") == 90)
    assert exact["psnr_db"] == ["inf", "inf"]
    page = Page((tmp_path / "out" / "rate-distortion.html").read_text())
    (jpeg,) = [trace for trace in page.figures["psnr-apart"]["data"] if trace["name"] == "JPEG"]
    assert jpeg["y"] == [None, None]
    assert all("<br>inf dB" in text for text in jpeg["text"])
    assert "Where a fit is perfect its PSNR is infinite (inf)" in page.reading
    given = html.unescape(re.search("<code>(sparsine .*?)</code>", page.text)[1])
    again = write_page(tmp_path / "out", record, given)  # from the file, not from what was measured
    assert again.read_text() == page.text
    assert write_figures([record], tmp_path)


def test_mistakes_are_answered_in_one_line(tmp_path, capsys):
    save_start(tmp_path / "plain.safetensors", make_start(calibrated=False))
    save_start(tmp_path / "grey.safetensors", make_start((2, 5, 1)))
    folder = save_pictures(tmp_path / "pictures", [(13, 17)])
    for start, options, says in (
        ("plain", [], "never calibrated"), ("grey", [], "draws 1 channel,"), ("plain", ["--jpeg", "0"], "jpeg is 0"),
        ("plain", ["--qualities", "80", "40"], "smallest first"), ("missing", [], "there is no"),
    ):  # fmt: skip
        assert command(tmp_path / f"{start}.safetensors", folder, "--out", tmp_path / "out", *options) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1
        assert says in said[0]


def command(*args):
    return main(["rate-distortion", *map(str, args)])
