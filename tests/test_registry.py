"""Tables of what there is to choose from: what packages offer is looked for late and once, a broken one is left out."""

import re
import subprocess
import sys
import warnings

import pytest
from packages_of_others import install

from sparsine import registry
from sparsine.errors import BadInput, UnknownName
from sparsine.registry import LeftOut, Registry


def of_numbers(**known):
    return Registry(
        "number", "sparsine_tests.numbers", known, wanted="a whole number", suits=lambda name, value: type(value) is int
    )


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of packages on sys.path. What is imported from it is forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "packages", {})
    monkeypatch.setattr(registry, "_left_out", set())
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_what_packages_offer_is_imported_when_a_name_is_missing_and_not_before(site):
    install(site, "sparsine-more", "more", "seven = 7", {"sparsine_tests.numbers": {"seven": "more:seven"}})
    numbers = of_numbers(one=1)
    assert numbers["one"] == 1
    assert "one" in numbers
    assert numbers.named("one") == 1
    assert "more" not in sys.modules
    assert numbers["seven"] == 7
    assert "more" in sys.modules
    assert registry.packages == {"sparsine-more": "1.2"}


@pytest.mark.parametrize("ask", [list, len, dict, lambda numbers: "two" in numbers, lambda numbers: numbers.get("two")])
def test_all_names_are_all_names(site, ask):
    install(site, "sparsine-more", "more", "seven = 7", {"sparsine_tests.numbers": {"seven": "more:seven"}})
    numbers = of_numbers(one=1)
    ask(numbers)
    assert "more" in sys.modules
    assert dict(numbers) == {"one": 1, "seven": 7}


def test_packages_are_asked_once(site):
    source = "import sys\nsys.asked = getattr(sys, 'asked', 0) + 1\nseven = 7"
    install(site, "sparsine-more", "more", source, {"sparsine_tests.numbers": {"seven": "more:seven"}})
    numbers = of_numbers()
    try:
        for _ in range(3):
            assert "eight" not in numbers
            del sys.modules["more"]
            sys.modules["more"] = None  # a second import would fail
        assert sys.asked == 1
    finally:
        del sys.asked


def test_a_package_may_look_at_the_table_that_asks_it(site):
    source = "import tables\nseven = len(tables.numbers) + 6"
    install(site, "sparsine-more", "more", source, {"sparsine_tests.numbers": {"seven": "more:seven"}})
    sys.modules["tables"] = type(sys)("tables")
    sys.modules["tables"].numbers = numbers = of_numbers(one=1)
    assert numbers["seven"] == 7


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError: "),
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        ("raise SystemExit('two\\nlines')", "SystemExit: two lines"),
        ("eight = 8", "AttributeError: .* no attribute 'seven'"),
        ("seven = 'VII'", "number 'seven' must be a whole number, but got 'VII'"),
    ],
)
def test_a_broken_package_is_named_in_one_line_and_left_out(site, source, why):
    offers = {"sparsine_tests.numbers": {"seven": "broken:seven", "more": "broken:more"}}
    install(site / "a", "sparsine-broken", "broken", source, offers)
    install(site / "b", "sparsine-sound", "sound", "nine = 9", {"sparsine_tests.numbers": {"nine": "sound:nine"}})
    sys.path[:0] = [str(site / "a"), str(site / "b")]
    try:
        with pytest.warns(LeftOut) as said:
            assert dict(of_numbers(one=1)) == {"one": 1, "nine": 9}
    finally:
        del sys.path[:2]
    (message,) = [str(one.message) for one in said]
    assert re.fullmatch(
        rf"the package sparsine-broken is left out: its number 'seven' \(broken:seven\): {why}[^\n]*", message
    )
    assert registry.packages == {"sparsine-sound": "1.2"}


def test_what_is_there_already_is_not_replaced_by_a_package(site):
    install(site, "sparsine-more", "more", "one = 111", {"sparsine_tests.numbers": {"one": "more:one"}})
    numbers = of_numbers(one=1)
    with pytest.warns(LeftOut, match="its number 'one' .*: there is one of that name already"):
        assert list(numbers) == ["one"]
    assert numbers["one"] == 1


def test_what_a_package_entered_itself_may_be_offered_too(site):
    source = "import tables\nseven = tables.numbers['seven'] = 7"
    install(site, "sparsine-more", "more", source, {"sparsine_tests.numbers": {"seven": "more:seven"}})
    sys.modules["tables"] = type(sys)("tables")
    sys.modules["tables"].numbers = numbers = of_numbers()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dict(numbers) == {"seven": 7}


def test_what_does_not_belong_into_a_table_is_refused():
    numbers = of_numbers(one=1)
    with pytest.raises(BadInput, match=r"number 'two' must be a whole number, but got 2\.0"):
        numbers["two"] = 2.0
    assert dict(numbers) == {"one": 1}


def test_an_unknown_name_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownName, match="unknown number 'two'; known are one, three, and those that --load"):
        of_numbers(one=1, three=3).named("two")
    with pytest.raises(UnknownName, match="known are auto, one, and"):
        of_numbers(one=1).refuse("two", "auto")


GROUPS = ("kinds", "sources", "activations", "encodings", "scores", "distributions", "schedules", "methods", "engines")
LISTS = """
import sys
import sparsine, sparsine.cli.main
{work}
print(sorted(name for name in sys.modules if name in ("offers", "torch", "importlib.metadata")))
"""


@pytest.mark.parametrize(
    ("work", "imported"),
    [
        ("sparsine.cli.main.main(['--help'])", []),
        ("sparsine.__version__", []),
        ("from sparsine import Siren, Pattern, make_engine; make_engine(Pattern.full(Siren(sizes=(2, 3, 1))))",
         ["importlib.metadata", "torch"]),
        ("from sparsine.meta.config import LearnConfig; LearnConfig.from_dict(LearnConfig().to_dict())",
         ["importlib.metadata", "torch"]),
        ("from sparsine.pruning import SCORES; SCORES['mine']", ["importlib.metadata", "offers", "torch"]),
    ],
)  # fmt: skip
def test_packages_that_nobody_asks_for_are_not_imported(site, work, imported):
    offers = {f"sparsine.{group}": {"mine": "offers:mine"} for group in GROUPS}
    install(site, "sparsine-offers", "offers", "def mine(pattern, theta, context):\n    return theta", offers)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n" + LISTS.format(work=work)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(imported)
