"""An error that nobody expected names what is missing or too old of what the package needs."""

from importlib import metadata

import pytest

from sparsine import installed
from sparsine.cli.main import main


@pytest.fixture
def there(monkeypatch):
    """Versions of what is installed, by name; the package needs these."""
    versions = {"alpha": "1.10.2+cpu", "beta": "0.4.5", "gamma": "2.0rc1"}
    needed = ["alpha>=1.9", "beta>=0.4.5", "gamma>=2", "delta", 'epsilon>=1; extra == "view"',
              'zeta>=9; extra == "dev"']  # fmt: skip

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", lambda name: needed)
    return versions


def test_nothing_is_unmet_where_all_is_there_in_a_version_that_will_do(there):
    assert installed.unmet() == []
    there["zeta"] = "1"  # for those who work on the package
    assert installed.unmet() == []


@pytest.mark.parametrize(("name", "version", "lowest"), [
    ("alpha", "1.8.99", "1.9"), ("alpha", "1", "1.9"), ("beta", "0.4", "0.4.5"), ("gamma", "1.99", "2"),
    ("epsilon", "0.9", "1"),
])  # fmt: skip
def test_what_is_too_old_is_named_with_its_cure(there, name, version, lowest):
    there[name] = version
    assert installed.unmet() == [f"{name} {version} is installed, but {lowest} or later is needed: "
                                 f"python -m pip install '{name}>={lowest}'"]  # fmt: skip


def test_what_is_missing_is_named_unless_it_is_optional(there):
    del there["beta"]
    assert installed.unmet() == ["beta is not installed: python -m pip install 'beta>=0.4.5'"]


def test_what_stands_in_pyproject_is_met_here():
    assert installed.unmet() == []


def test_an_error_that_nobody_expected_says_so(there, monkeypatch, capsys):
    def fails(*args):
        raise AttributeError("module 'alpha' has no attribute 'new'")

    monkeypatch.setattr("sparsine.cli.main._run", fails)
    said = "error: unexpected AttributeError: module 'alpha' has no attribute 'new'; "
    assert main(["info", "x"]) == 1
    assert capsys.readouterr().err == f"{said}run again with --debug for the details\n"
    there["alpha"] = "1.2"
    assert main(["info", "x"]) == 1
    cure = "alpha 1.2 is installed, but 1.9 or later is needed: python -m pip install 'alpha>=1.9'"
    assert capsys.readouterr().err == f"{said}{cure}\n"
