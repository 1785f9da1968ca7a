"""Work that is done here, and addresses of clusters that others would do it on."""

import sys

import pytest

from sparsine.cli.main import main
from sparsine.errors import BadInput
from sparsine.spread import Here, Work
from sparsine.spread.ray_address import RayAddress
from sparsine.spread.ray_address import ray_address as parsed


class Halved(Work):
    def __call__(self, item):
        return item / 2

    def give_up(self, item, why):
        raise AssertionError(why)


def test_work_that_is_done_here_is_done_in_order_as_it_is_asked_for():
    taken = []

    def items():
        for number in range(5):
            taken.append(number)
            yield number

    made = Here().map(Halved(), items())
    assert [next(made), next(made)] == [0, 0.5]
    assert taken == [0, 1]
    assert list(made) == [1, 1.5, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("local", RayAddress("local")), ("local:3", RayAddress("local", 3)), ("auto", RayAddress("auto")),
     ("10.0.0.7:6379", RayAddress("10.0.0.7:6379")), ("ray://head.example:10001", RayAddress("ray://head.example:10001")),
     ("[::1]:6379", RayAddress("[::1]:6379"))],
)  # fmt: skip
def test_an_address_says_which_cluster(text, expected):
    assert parsed(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["", "local:0", "local:-1", "local:x", "head", "head:", "head:0", "head:70000",
                                  "a.png", "http://head:8265", "ray://head", "head:6379/x", ":6379"])  # fmt: skip
def test_what_is_no_address_of_a_cluster_is_refused_with_what_is_one(text):
    with pytest.raises(BadInput, match="HOST:PORT, ray://HOST:PORT, auto, local or local:N, but got"):
        parsed(text)


def test_without_ray_the_extra_that_has_it_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.chdir(tmp_path)
    assert main(["encode", "photos-2k", "leaves", "--limit", "1", "--out", "out", "--resolution", "9x9", "--ray"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("; pip install 'sparsine[ray]'")
    assert main(["encode", "photos-2k", "leaves", "--limit", "1", "--out", "out", "--ray", "--device", "cuda"]) == 2
    assert "workers of a Ray cluster compute on CPUs, but --device is cuda" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
