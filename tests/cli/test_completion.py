"""Completion, asked for by bash itself: the script is run, and the completion function called as bash calls it."""

import shutil
import subprocess
import sys

import pytest

from sparsine.cli.commands import COMMANDS
from sparsine.cli.complete import built_in_names, script
from sparsine.recipes import RECIPES
from sparsine.signals.open import dataset_kinds
from sparsine.starts.built_in import built_in_starts, families

ASK = """
eval "$(sparsine completion bash)"
COMP_LINE="$1" COMP_POINT=${#1} COMP_TYPE=9
COMP_WORDS=($1); [[ "$1" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
function=$(complete -p sparsine | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
$function sparsine "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(tmp_path, monkeypatch):
    """What bash would offer at the end of a line, in a folder with pictures/, a.png and 'b c.png'."""
    if shutil.which("bash") is None:
        pytest.skip("no bash is installed")
    here, bin = tmp_path / "here", tmp_path / "bin"
    (here / "pictures").mkdir(parents=True)
    (here / "a.png").touch()
    bin.mkdir()
    (bin / "sparsine").write_text(
        f"#!{sys.executable}\nimport sys\nfrom sparsine.cli.main import main\nsys.exit(main())\n"
    )
    (bin / "sparsine").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin}:/usr/bin:/bin")

    def offered(line):
        done = subprocess.run(["bash", "--norc", "-c", ASK, "bash", line], cwd=here, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return [word.strip() for word in done.stdout.splitlines() if word.strip()]

    return offered


def test_commands_are_offered(complete):
    assert set(COMMANDS) < set(complete("sparsine "))
    assert complete("sparsine en") == ["encode"]


def test_options_of_the_command_are_offered_and_no_others(complete):
    assert set(complete("sparsine encode --target-")) == {"--target-psnr", "--target-bytes"}
    assert complete("sparsine decode --target-") == []
    assert complete("sparsine encode photos a.png --qui") == ["--quiet"]
    assert complete("sparsine fit --ren") == [], "an earlier name is understood, and told nowhere"


def test_choices_are_offered(complete):
    assert set(complete("sparsine learn --recipe ")) == set(RECIPES)
    assert complete("sparsine encode photos a.png --effort ba") == ["balanced"]
    assert complete("sparsine completion z") == ["zsh"]


def test_built_in_starts_and_files_are_offered_where_a_start_may_stand(complete):
    assert set(complete("sparsine encode photos")) == {name for name in built_in_names() if name.startswith("photos")}
    assert complete("sparsine encode pict") == ["pictures/"]
    assert "a.png" in complete("sparsine encode photos a")


def test_kinds_of_data_are_offered_and_files_behind_the_colon(complete):
    assert complete("sparsine learn cele") == ["celeba:"]
    assert complete("sparsine learn celeba:pic") == ["pictures/"]  # bash has kept what is before the colon


def test_an_open_quotation_is_no_fault(complete):
    assert complete("sparsine encode 'pict") is not None


def test_names_of_starts_are_those_that_there_are():
    assert built_in_names() == sorted({*built_in_starts(), *families()})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_for_this_command(shell, capfd):
    from sparsine.cli.main import main

    assert main(["completion", shell]) == 0
    said = capfd.readouterr().out
    assert said.split() == script(shell).split()
    assert "sparsine" in said


def test_every_kind_of_data_can_be_completed():
    from sparsine.cli.catalogue import stored_page
    from sparsine.cli.complete import _beginning

    (dataset,) = (option for option in stored_page("learn").options if option.name == "dataset")
    assert {_beginning(word).strip(":") for word in dataset.words} == set(dataset_kinds())


def test_completing_loads_nothing_that_computes():
    code = (
        "import sys; from sparsine.cli.complete import parser_of; parser_of(['sparsine', 'encode']); "
        "print([name for name in ('torch', 'numpy', 'matplotlib', 'tyro', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
