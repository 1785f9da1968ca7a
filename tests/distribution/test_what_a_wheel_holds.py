"""What scripts/check_wheel.py says of wheels that lack something or have too much, and what documents say of them."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = {"sparsine/__init__.py", "sparsine/py.typed", "sparsine/engines/csrc/plan.cpp"}
LICENCES = {"LICENSE", "licenses/nanobind.txt"}
PUBLISHED = False
"""Whether `pip install sparsine` finds this package; only then may documents say so."""


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_wheel", ROOT / "scripts" / "check_wheel.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture
def wheel(check):
    """(file name, names of what is in it) of a wheel that is as it should be, for some ABI."""

    def wheel(tag="cp311-cp311", suffix="cpython-311-x86_64-linux-gnu"):
        info = f"sparsine-{check.version()}.dist-info"
        names = ["sparsine/__init__.py", "sparsine/py.typed", f"sparsine/engines/_native.{suffix}.so"]
        names += [f"{info}/{one}" for one in (*check.DIST_INFO, "licenses/LICENSE", "licenses/licenses/nanobind.txt")]
        return f"sparsine-{check.version()}-{tag}-linux_x86_64.whl", names

    return wheel


@pytest.mark.parametrize(("tag", "suffix"), [
    ("cp311-cp311", "cpython-311-x86_64-linux-gnu"), ("cp311-cp311", "cpython-311-darwin"), ("cp312-abi3", "abi3"),
])  # fmt: skip
def test_nothing_is_said_of_a_wheel_that_is_as_it_should_be(check, wheel, tag, suffix):
    assert check.faults_of_wheel(*wheel(tag, suffix), PACKAGE, LICENCES) == []


@pytest.mark.parametrize("extra", [
    "sparsine/engines/csrc/plan.cpp", "tests/test_wheel.py", "sparsine/__pycache__/a.pyc", "sparsine/nanobind/nb.h",
])  # fmt: skip
def test_what_does_not_belong_in_a_wheel_is_named(check, wheel, extra):
    name, names = wheel()
    assert check.faults_of_wheel(name, [*names, extra], PACKAGE, LICENCES) == [f"has {extra}"]


def test_whatever_a_wheel_lacks_is_named(check, wheel):
    name, names = wheel()
    for missing in names:
        left = [one for one in names if one != missing]
        said = check.faults_of_wheel(name, left, PACKAGE, LICENCES)
        assert said == (["has 0 extensions: "] if missing.endswith(".so") else [f"lacks {missing}"])


def test_an_extension_of_another_python_beside_the_right_one_is_told(check, wheel):
    name, names = wheel("cp312-abi3", "abi3")
    said = check.faults_of_wheel(name, [*names, "sparsine/engines/_native.cpython-311-darwin.so"], PACKAGE, LICENCES)
    assert said[0].startswith("has 2 extensions: ")


@pytest.mark.parametrize(("tag", "suffix"), [("cp312-abi3", "cpython-312-darwin"), ("cp312-cp312", "abi3")])
def test_a_wheel_for_other_pythons_than_its_extension_is_told(check, wheel, tag, suffix):
    (said,) = check.faults_of_wheel(*wheel(tag, suffix), PACKAGE, LICENCES)
    assert said.startswith(f"says {tag} of sparsine/engines/_native.{suffix}.so")


def test_the_archive_of_the_sources_has_the_cpp_and_no_built_extension(check):
    folder = f"sparsine-{check.version()}"
    names = [f"{folder}/src/{one}" for one in PACKAGE] + [f"{folder}/{one}" for one in LICENCES]
    names += [f"{folder}/{one}" for one in (*check.SOURCES, *check.MADE)]
    assert check.faults_of_sources("x.tar.gz", names, PACKAGE, LICENCES) == []
    built = f"{folder}/src/sparsine/engines/_native.abi3.so"
    assert check.faults_of_sources("x.tar.gz", [*names, built], PACKAGE, LICENCES) == [f"has {built}"]
    cpp = f"{folder}/src/sparsine/engines/csrc/plan.cpp"
    assert check.faults_of_sources("x.tar.gz", set(names) - {cpp}, PACKAGE, LICENCES) == [f"lacks {cpp}"]


def test_an_image_is_made_of_all_that_the_archive_of_the_sources_is_made_of(check):
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {one.split("/")[0] for one in project["tool"]["scikit-build"]["sdist"]["include"]}
    assert needed - let_through == {"CHANGELOG.md", "CITATION.cff"}  # for readers alone
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {one for one in copied if one != "."} <= let_through


def test_documents_send_nobody_to_an_index_where_the_package_is_not():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.*")]
    said = re.compile(r"pip install [^\n`]*(?<![\w./-])sparsine\b(?![-\w./]*\.whl)")
    found = [path.name for path in documents if path.is_file() and said.search(path.read_text(errors="ignore"))]
    assert PUBLISHED or set(found) == {"CONTRIBUTING.md"}  # which says when to
