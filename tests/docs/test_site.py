"""The site of the documents: built strictly, complete, and read without a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sparsine

pytest.importorskip("mkdocs", reason="the site is built with MkDocs: install sparsine[dev]")
ROOT = Path(__file__).resolve().parents[2]
FETCHED = re.compile(r'<(?:script|link|img|iframe|source|video|audio)\b[^>]*?(?:src|href)="?((?:https?:)?//[^"\s>]+)')


def build(out, *options):
    # not --quiet: warnings that are not said are not counted by a strict build either
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(out), *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_page_of_the_documents_is_built_and_stands_in_the_navigation(site):
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    pages -= {Path("README.html")}
    assert {page for page in pages if not (site / page).is_file()} == set()
    named = set(re.findall(r"[\w/.-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert {str(page.with_suffix(".md")) for page in pages} <= named


def test_nothing_is_fetched_from_elsewhere(site):
    assert {(page.name, found) for page in site.rglob("*.html") for found in FETCHED.findall(page.read_text())} == set()
    for style in site.rglob("*.css"):
        assert re.findall(r"""(?:@import\s*|url\()["']?(?:https?:)?//""", style.read_text()) == []


def test_no_page_has_a_diagram_that_a_script_from_elsewhere_would_draw(site):
    assert [page.name for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text()] == []


def test_the_reference_has_every_public_name(site):
    text = (site / "reference.html").read_text()
    names = set(sparsine.__all__) - {"__version__"}
    assert {name for name in names if not re.search(rf'id="sparsine\.[\w.]*\b{name}"', text)} == set()


def test_the_first_page_is_the_readme_and_leads_to_pages_of_the_site(site):
    text = (site / "index.html").read_text()
    for target in ("getting-started.html", "documents.html", "project/CONTRIBUTING.html", "project/LICENSE.txt"):
        assert f'href="{target}"' in text
        assert (site / target).is_file()


def test_a_link_that_leads_nowhere_is_named_and_fails_the_build(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    for path in (ROOT / "docs").rglob("*"):
        place = docs / path.relative_to(ROOT / "docs")
        place.mkdir() if path.is_dir() else place.symlink_to(path)
    (docs / "gallery.md").unlink()
    (docs / "gallery.md").write_text(
        "# Gallery\n\n[nowhere](no-such-page.md), [a section](fitting.md#no-such-section)\n"
    )
    config = tmp_path / "mkdocs.yml"
    config.write_text(f"INHERIT: {ROOT}/mkdocs.yml\ndocs_dir: {docs}\nhooks: [{ROOT}/scripts/site_pages.py]\n")
    done = build(tmp_path / "site", "--config-file", str(config))
    assert done.returncode != 0
    assert "no-such-page.md" in done.stdout + done.stderr
    assert "no-such-section" in done.stdout + done.stderr


def test_every_picture_of_a_page_is_on_the_site(site):
    shown = {(page, found) for page in site.rglob("*.html")
             for found in re.findall(r'(?:src|srcset)="([^":]+\.(?:png|webp|svg))"', page.read_text())}  # fmt: skip
    assert any(found.endswith("zoom.webp") for page, found in shown if page == site / "index.html")
    assert {(page.name, found) for page, found in shown if not (page.parent / found).is_file()} == set()
