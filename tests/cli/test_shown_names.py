"""Names and metadata from outside on the terminal, in messages, in tables and files: as they are, and harmless."""

import csv
import os
import re
from pathlib import Path

import pytest
from small_starts import make_pictures, make_start

import sparsine.cli
from sparsine.cli.console import PlainConsole, Waiting, console, named_reason, say
from sparsine.cli.main import main

FAST = ["--steps", "2"]
HOSTILE = "[bold]x[/y] :smile: \x1b]0;title\x07\x1b[2J\x9b1A\n\u202ecode"
TOLD = r"[bold]x[/y] :smile: \x1b]0;title\x07\x1b[2J\x9b1A\n\u202ecode"


@pytest.fixture
def start(tmp_path):
    return make_start(tmp_path / "start.safetensors")


def picture(path):
    make_pictures(path.parent, path.name)
    return path


def run(*args):
    return main([str(arg) for arg in args])


def test_nothing_that_is_printed_is_taken_for_markup_or_obeyed(capsys):
    say((HOSTILE, "yellow"), f" {HOSTILE}")
    console.print(HOSTILE)
    said = capsys.readouterr().out
    assert said.splitlines()[0] == f"{TOLD} {TOLD}"
    assert [line for line in said.splitlines() if "\x1b" in line] == []


def test_a_console_for_a_terminal_writes_its_own_codes_only():
    import io

    from rich.table import Table
    from rich.text import Text

    out = io.StringIO()
    plain = PlainConsole(file=out, force_terminal=True, width=200, color_system="standard")
    table = Table("a\nb", title=HOSTILE)
    table.add_row(HOSTILE)
    plain.print(table)
    plain.print(Text("red", "red"))
    written = out.getvalue()
    assert "\x1b[31mred" in written
    assert set(re.findall("\x1b.", written)) == {"\x1b["}
    assert not {"\x07", "\x9b", "\u202e"} & set(written)
    assert "\x1b[2J" not in written


def test_lines_of_progress_are_harmless(capsys, monkeypatch):
    monkeypatch.setattr("sparsine.cli.console.LOG_SECONDS", -1.0)
    with Waiting("fitting", 2) as waiting:
        waiting.at(1, f"fitted {HOSTILE}")
    assert capsys.readouterr().err == f"fitted {TOLD}: 1 of 2\n"


def test_commands_leave_no_markup_in_what_they_print():
    for path in Path(sparsine.cli.__file__).parent.glob("*.py"):
        found = re.search(r"\[/?(bold|red|green|yellow|dim)[ a-z]*\]|\[/\]", path.read_text())
        assert found is None, f"{path.name}: {found}; the console takes nothing for markup: say(('done', 'bold'), ...)"


def test_brackets_in_paths_are_shown_as_they_are(capsys, tmp_path):
    for name in ("s[old]", "t[/x]", "[red]", "u[", "v\\[w]"):
        path = make_start(tmp_path / name / "start.safetensors")
        assert run("info", path) == 0
        said = capsys.readouterr().out
        assert f"{path} (" in said
        assert run("fit", path, picture(tmp_path / name / "[b]a.png"), "--out", tmp_path / name / "out", *FAST) == 0
        said = capsys.readouterr().out
        assert f"from {path} (" in said
        assert f"in {tmp_path / name / 'out'}" in said
        assert "[b]a.png" in said


def test_control_characters_of_metadata_do_not_reach_the_terminal(capsys, tmp_path):
    path = make_start(tmp_path / "start.safetensors", data=HOSTILE, description=HOSTILE, recipe=HOSTILE)
    assert run("info", path) == 0
    said = capsys.readouterr().out
    assert said.count(TOLD) == 3
    assert "\x1b" not in said


def test_control_characters_of_names_do_not_reach_the_terminal(capsys, tmp_path, start):
    bad = tmp_path / f"{HOSTILE.replace('/', '-')}.png"
    bad.write_text("no picture")
    good = picture(tmp_path / "\x1b[31mgood.png")
    for command in ("fit", "encode"):
        run(command, start, bad, good, "--out", tmp_path / command, *FAST)
        found = capsys.readouterr()
        assert r"\x1b[2J" in found.out
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(found.out + found.err)
    assert run("info", tmp_path / "\x1b[2Jnowhere\n") == 2
    assert capsys.readouterr().err.startswith(rf"error: there is no {tmp_path}/\x1b[2Jnowhere\n; ")


def test_no_table_is_lost_to_a_name_that_is_no_text(capsys, tmp_path, start):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/in/caf\xe9"))
    picture(odd.with_name(odd.name + ".png"))
    (odd.with_name(odd.name + "-broken.png")).write_text("no picture")
    run("fit", start, tmp_path / "in", "--out", tmp_path / "out", "--json", tmp_path / "fit.json", *FAST)
    assert "caf\N{REPLACEMENT CHARACTER}-broken.png" in capsys.readouterr().out
    rows = list(csv.reader((tmp_path / "out" / "psnr.csv").read_text(encoding="utf-8").splitlines()))
    assert [row[:2] for row in rows[1:]] == [
        ["caf\N{REPLACEMENT CHARACTER}-broken.png", "unreadable"], ["caf\N{REPLACEMENT CHARACTER}.png", "ok"],
    ]  # fmt: skip
    assert [p.name for p in (tmp_path / "out" / "drawings").iterdir()] == ["caf_.png"]


def test_vowel_signs_and_accents_stay_in_the_names_of_files(tmp_path, start):
    for name in ("कि", "की", "कु", "e\u0301", "Ⅳ²"):
        picture(tmp_path / "in" / f"{name}.png")
    assert run("encode", start, tmp_path / "in", "--out", tmp_path / "out", *FAST) == 0
    found = {p.stem for p in (tmp_path / "out").glob("*.spn")}
    assert found == {"कि", "की", "कु", "\N{LATIN SMALL LETTER E WITH ACUTE}", "Ⅳ²"}


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("a.png", "in/a.png: it is empty", "in/a.png: it is empty"),
        ("a.png", "a.png: it is empty", "a.png: it is empty"),
        ("b/a.png", "in/b/a.png: it is empty", "in/b/a.png: it is empty"),
        ("a.png", "it is empty", "a.png: it is empty"),
        ("a.png", "in/ba.png: it is empty", "a.png: in/ba.png: it is empty"),
        ("long.wav@1", "in/long.wav: it is empty", "long.wav@1: in/long.wav: it is empty"),
    ],
)
def test_a_signal_is_named_once_where_the_reason_begins_with_its_file(name, reason, told):
    assert named_reason(name, reason) == told
