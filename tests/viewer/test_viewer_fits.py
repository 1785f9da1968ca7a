"""A folder that `sparsine fit` wrote is looked at as a folder of codes is."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sparsine.fitting.fitted_files import FORMAT, read_fitted_file
from sparsine.starts.start import write_vectors
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.config import ViewerConfig
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.starts import Starts


@pytest.fixture
def fits(tmp_path, start):
    """As `fit` writes them: of two signals, and one from another start."""
    other = replace(start, theta=start.theta + 1)
    for name, of in (("a", start), ("b", start), ("c", other)):
        about = {"input": f"{name}.png", "grid": of.domain.to_dict(), "psnr_db": [31.5], "start_sha256": of.digest}
        theta = of.theta + 0.01 * ord(name)
        write_vectors(tmp_path / "fits" / "fields" / f"{name}.safetensors", {"theta": theta}, of.pattern, about, FORMAT)
    (tmp_path / "fits" / "psnr.csv").write_text("input,status\n")
    return tmp_path / "fits"


def catalogue_of_fits(fits, start):
    return Catalogue(CodeFolder(fits), Starts([("start", start)]), None, ViewerConfig())


def test_fits_are_listed_by_name_with_what_fit_measured(fits, start):
    catalogue = catalogue_of_fits(fits, start)
    assert catalogue.about()["folder"] == "fits"
    found = catalogue.page("", "name", None, 0, 9)["codes"]
    assert [one["name"] for one in found] == ["a", "b", "c"]
    assert [one["psnr_db"] for one in found] == [31.5, 31.5, None]
    assert found[0]["shape"] == start.domain.shape
    num_bytes = (fits / "fields" / "a.safetensors").stat().st_size
    assert found[0]["bits_per_sample"] == 8 * num_bytes / np.prod(start.domain.shape)


def test_a_fit_is_drawn_as_its_field_draws_it(fits, start):
    catalogue = catalogue_of_fits(fits, start)
    catalogue.about()
    fitted = read_fitted_file(fits / "fields" / "a.safetensors").field(start)
    opened = catalogue.starts.open((fits / "fields" / "a.safetensors").read_bytes())
    assert np.array_equal(opened.field.render(), fitted.render())
    with Image.open(io.BytesIO(catalogue.thumbnail(catalogue.file("a", None), 64))) as drawn:
        assert drawn.size[0] <= 64
        assert len(set(drawn.convert("L").tobytes())) > 1


def test_a_fit_of_another_start_is_a_card_that_says_so(fits, start):
    catalogue = catalogue_of_fits(fits, start)
    catalogue.about()
    assert "another start" in catalogue.page("", "name", None, 0, 9)["codes"][2]["error"]


def test_a_damaged_fit_is_a_card_and_no_other_file_of_the_folder_is_listed(fits, start):
    whole = (fits / "fields" / "a.safetensors").read_bytes()
    (fits / "fields" / "a.safetensors").write_bytes(whole[:-3] + b"\1\2\3")
    (fits / "fields" / "notes.txt").write_text("no vector")
    (fits / "fields" / "d.safetensors").symlink_to(fits / "fields" / "b.safetensors")
    catalogue = catalogue_of_fits(fits, start)
    catalogue.about()
    found = catalogue.page("", "name", None, 0, 9)["codes"]
    assert [one["name"] for one in found] == ["a", "b", "c"]
    assert "damaged" in found[0]["error"]
    assert catalogue.folder.num_links == 1
