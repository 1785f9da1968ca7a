from sparsine.cli.main import main
from sparsine.engines.native import VARIABLE, instruction_sets


def test_info_names_the_engines_and_the_instruction_set_in_use(capsys, monkeypatch):
    monkeypatch.setenv(VARIABLE, "portable")
    assert main(["info", "--engines"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("reference", "dense", "sparse uses portable on this processor"))
    assert ", ".join(instruction_sets()) in shown
    monkeypatch.delenv(VARIABLE)
    assert main(["info", "--engines"]) == 0
    assert f"sparse uses {instruction_sets()[0]} " in capsys.readouterr().out


def test_info_of_an_installation_without_the_extension_says_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setattr("sparsine.cli.info.is_built", lambda: False)
    assert main(["info", "--engines"]) == 0
    assert "install from a wheel, or with a C++ compiler" in capsys.readouterr().out


def test_info_of_nothing_is_refused(capsys):
    assert main(["info"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
