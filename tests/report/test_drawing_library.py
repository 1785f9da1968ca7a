"""The drawing library that every page carries."""

import hashlib
from importlib.resources import files

from fabricated import metrics, record

from sparsine.report.html import plotly_js
from sparsine.report.run.page import write_report

SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"
FOLDER = files("sparsine.report") / "plotly"


def test_it_is_as_its_authors_published_it_with_their_licence():
    assert hashlib.sha256((FOLDER / "plotly-basic.min.js").read_bytes()).hexdigest() == SHA256
    assert "MIT License" in (FOLDER / "LICENSE").read_text()
    assert "plotly.js (basic - minified) v4.1.1" in plotly_js()[:100]
    assert "plotly.js 4.1.1" in (FOLDER / "README.md").read_text()


def test_it_may_stand_inside_of_a_page():
    assert "</script" not in plotly_js().lower()
    assert "<!--" not in plotly_js()


def test_a_page_is_little_more_than_it(tmp_path):
    page = write_report(tmp_path, record(num_rounds=21), metrics(21)).stat().st_size
    assert len(plotly_js().encode()) < page < 1_400_000
