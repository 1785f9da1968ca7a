"""What comes from outside is shown as text, in one line, and nothing of it is obeyed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsine.shown import as_text, shown, without_control

NAMES = [
    ("plain.png", "plain.png"), ("कि é 界 👩\u200d🚀", "कि é 界 👩\u200d🚀"), ("caf\udce9", "caf\ufffd"),
    ("\ud800x", "\ufffdx"), ("a\nb\tc", r"a\nb\tc"), ("\x1b[31mred", r"\x1b[31mred"), ("\x1b]8;;http://x\x07", r"\x1b]8;;http://x\x07"),
    ("\x9b2J", r"\x9b2J"), ("\x7f\x00", r"\x7f\x00"), ("gpj.\u202e.exe", r"gpj.\u202e.exe"), ("a\u2028b", r"a\u2028b"),
    ("[red]x[/] :smile: {0}", "[red]x[/] :smile: {0}"), ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told"), NAMES)
def test_a_name_is_shown_in_one_line_of_harmless_text(name, told):
    assert shown(name) == told


@given(st.text(st.characters(categories=None)))
def test_whatever_is_shown_can_be_written_and_moves_nothing(name):
    told = shown(name)
    told.encode()
    assert len(told.splitlines()) <= 1
    assert told.isprintable() or all(ord(c) >= 0xA0 for c in told if not c.isprintable())
    assert shown(told) == told


@given(st.text(st.characters(categories=None)))
def test_as_text_changes_nothing_but_what_is_no_text(name):
    told = as_text(name)
    told.encode()
    assert len(told) == len(name)
    assert all(a == b or "\ud800" <= a <= "\udfff" for a, b in zip(name, told, strict=True))
    assert json.loads(json.dumps(told)) == told


def test_lines_of_ours_stay_lines():
    assert without_control("plain\nMiB\x1b\udcff") == "plain\nMiB\\x1b\ufffd"
