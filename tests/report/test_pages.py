"""What every page has: links to the others in its folder, the command that made it, the records beside it."""

import os

import pytest
from html_page import Page, assert_loads_nothing

from sparsine.report.html import PAGES, write_page

TEMPLATE = """{% extends "page.html.j2" %}
{% from "pieces.html.j2" import again, wide with context %}
{% block title %}{{ words }}{% endblock %}
{% block main %}{{ links }}<p>{{ words }}</p>{{ again() }}
{% call wide("Numbers, <all>") %}
<table>
<thead><tr><th rowspan="2">row</th><th colspan="2">PSNR</th><th rowspan="2">what</th></tr>
<tr><th>1</th><th>2,000</th></tr></thead>
<tbody><tr><th>=cmd()</th><td>1,234.5</td><td>&minus;2.5</td><td>a, "b"</td></tr></tbody>
</table>
{% endcall %}{% endblock %}
"""
CSV = """row,PSNR 1,"PSNR 2,000",what
'=cmd(),1234.5,-2.5,"a, ""b"\"\"
"""


@pytest.fixture
def write(tmp_path):
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "made_up.html.j2").write_text(TEMPLATE)

    def write(name, words="words", commands=None, records=()):
        path = tmp_path / "a folder" / name
        write_page(path, "made_up.html.j2", {"words": words, "figures": {}}, templates, commands=commands or {},
                   records=records)  # fmt: skip
        return path

    return write


def links(path):
    return [link["href"] for link in Page(path.read_text()).named("a")]


def test_a_page_alone_leads_nowhere(write):
    assert links(write("report.html")) == []


def test_pages_of_one_folder_lead_to_each_other_whichever_was_first(write):
    for name in reversed(PAGES):
        write(name)
    folder = write("report.html").parent
    for name in PAGES:
        assert links(folder / name) == list(PAGES)
        (here,) = [link["href"] for link in Page((folder / name).read_text()).named("a") if "aria-current" in link]
        assert here == name
        assert_loads_nothing(Page((folder / name).read_text()))


def test_a_page_that_learns_of_another_stays_the_same_in_all_else(write):
    before = write("report.html", "<!-- end of pages --> & <nav>").read_text()
    after = write("tune.html").with_name("report.html").read_text()
    start, _, end = before.partition("<!-- pages --><!-- end of pages -->")
    assert end
    assert after.startswith(start)
    assert after.endswith(end)
    assert "tune.html" in after[len(start) : -len(end)]


def test_a_page_is_written_although_another_cannot_be_changed(write):
    other = write("report.html")
    other.unlink()
    os.mkfifo(other)
    assert links(write("tune.html")) == []
    other.unlink()
    other.mkdir()
    assert links(write("tune.html")) == []


def test_a_file_of_the_user_that_has_the_name_of_a_page_stays_as_it_is(write):
    other = write("tune.html").with_name("report.html")
    other.write_text("mine")
    write("tune.html")
    assert other.read_text() == "mine"


def test_commands_are_text_and_those_that_nobody_gave_are_left_out(write):
    path = write("report.html", commands={"This page": "sparsine report '<b>'", "Another": ""})
    made = Page(path.read_text())
    assert "This page sparsine report '<b>'" in made.reading
    assert "Another" not in made.reading
    assert len(made.named("pre")) == 1


def test_records_beside_the_page_are_linked_where_they_are(write):
    write("report.html").with_name("tune.json").touch()
    assert links(write("report.html", records=("tune.json", "cells.jsonl"))) == ["tune.json"]


def test_tables_are_saved_as_csv_with_one_head_and_no_formulas(write, chromium):
    path = write("report.html")
    chromium.begin(path.as_uri())
    chromium.call("Page.setDownloadBehavior", behavior="deny")
    chromium.run("URL.createObjectURL = (blob) => { globalThis.saved = blob; return 'blob:none'; }, 0")
    chromium.run("HTMLAnchorElement.prototype.click = function () { globalThis.savedName = this.download; }, 0")
    assert chromium.run("document.querySelector('.scroll + button').ariaLabel") == "Save as CSV: Numbers, <all>"
    chromium.run("document.querySelector('.scroll + button').click()")
    assert chromium.run("saved.text()") == CSV
    assert chromium.run("savedName") == "Numbers-all-.csv"
    assert chromium.complaints == []


def test_a_command_is_copied_or_at_least_selected(write, chromium):
    path = write("report.html", commands={"This page": "sparsine report 'a  b'"})
    for clipboard, said in (("async (text) => { globalThis.copied = text; }", "Copied"),
                            ("async () => { throw new Error('not allowed'); }", "Selected")):  # fmt: skip
        chromium.begin(path.as_uri())
        chromium.run(f"Object.defineProperty(navigator, 'clipboard', {{ value: {{ writeText: {clipboard} }} }}), 0")
        chromium.run("document.querySelector('figure.command button').click()")
        chromium.until(f"document.querySelector('figure.command button').textContent === '{said}'")
        held = "copied" if said == "Copied" else "String(getSelection())"
        assert chromium.run(held) == "sparsine report 'a  b'"
