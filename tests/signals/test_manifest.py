"""What a data set holds, told by names and content, and found again when the data set has changed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_problems import MadeUpSignals
from test_image_folder import put

import sparsine.signals.manifest as manifests
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals import open_dataset
from sparsine.signals.manifest import SPLITS, Manifest, digest_of, take
from sparsine.signals.selection import find

ALL = dict.fromkeys(SPLITS, 10**9)
NAMES = dict.fromkeys(SPLITS, 0)


def names(signals):
    return [signals.name(i) for i in range(len(signals))]


def splits(dataset):
    return {split: names(getattr(dataset, split)) for split in SPLITS}


def values(signals):
    return np.stack([signals.load(i) for i in range(len(signals))])


@pytest.fixture
def photos(tmp_path):
    for i in range(23):
        put(tmp_path / "photos" / f"{i:02d}.png", seed=i)
    return tmp_path / "photos"


def opened(folder):
    return open_dataset(f"images:{folder}", seed=3)


def test_a_manifest_holds_every_name_in_order_and_survives_the_way_through_json(photos):
    dataset = opened(photos)
    told = []
    taken = take(dataset, lambda done, total: told.append((done, total)))
    assert {split: list(taken.splits[split].signals) for split in SPLITS} == splits(dataset)
    assert told == [(i + 1, 23) for i in range(23)]
    again = Manifest.from_dict(json.loads(json.dumps(taken.to_dict())))
    assert again == taken
    assert [list(again.splits[split].signals) for split in SPLITS] == list(splits(dataset).values())
    assert take(opened(photos)) == taken


def test_names_that_are_no_text_survive_too(photos):
    (photos / "00.png").rename(photos / "caf\udce9.png")
    taken = take(opened(photos))
    assert Manifest.from_dict(json.loads(json.dumps(taken.to_dict()))) == taken


def test_an_unchanged_data_set_is_found_as_it_is(photos):
    found = find(take(opened(photos)), dataset := opened(photos), ALL)
    assert [getattr(found.dataset, split) for split in SPLITS] == [getattr(dataset, split) for split in SPLITS]
    assert (found.differences(*SPLITS), found.additions()) == ([], [])


def test_signals_that_were_added_are_left_out_and_the_splits_are_those_of_before(photos):
    before = opened(photos)
    taken, expected = take(before), {split: values(getattr(before, split)) for split in SPLITS}
    for i in range(30, 70):
        put(photos / f"{i}.png", seed=i)
    now = opened(photos)
    assert splits(now)["test"] != splits(before)["test"]  # a tenth of more, chosen anew
    found = find(taken, now, ALL)
    assert splits(found.dataset) == splits(before)
    for split in SPLITS:
        assert (values(getattr(found.dataset, split)) == expected[split]).all()
    assert found.differences(*SPLITS) == []
    assert found.additions() == ["40 new signals (30.png, 31.png, 32.png, ...) left out"]


def test_what_was_removed_or_replaced_is_named_by_split_and_cannot_be_read(photos):
    before = opened(photos)
    taken = take(before)
    gone, other = names(before.train)[4], names(before.train)[7]
    (photos / gone).unlink()
    put(photos / other, seed=99)
    (photos / names(before.test)[1]).rename(photos / "renamed.png")
    found = find(taken, opened(photos), ALL)
    assert found.differences("train") == [
        f"1 train signal ({gone}) missing",
        f"1 train signal ({other}) of other content",
    ]
    assert found.differences("test") == [f"1 test signal ({names(before.test)[1]}) missing"]
    assert found.differences("val") == []
    assert found.new == ["renamed.png"]
    train = found.dataset.train
    assert names(train) == names(before.train)
    with pytest.raises(UnreadableSignal, match=f"{gone}: the data set had it when learning began, and has it no more"):
        train.load(4)
    with pytest.raises(UnreadableSignal, match=f"{other}: .* its content is another one"):
        train.load(7)
    assert train.load(5).shape == (5, 3, 3)
    assert train.fingerprint(4) == "unreadable"
    for index in (-1, len(train)):
        for ask in (train.load, train.name, train.fingerprint):
            with pytest.raises(IndexError):
                ask(index)


def test_only_so_many_signals_are_looked_at_as_asked(photos):
    before = opened(photos)
    taken = take(before)
    for name in (names(before.test)[0], names(before.test)[1], names(before.train)[0]):
        put(photos / name, seed=99)
    assert find(taken, opened(photos), NAMES).changed == {}
    told = []
    found = find(taken, opened(photos), {**NAMES, "test": 1}, lambda *said: told.append(said))
    assert found.changed == {"test": names(before.test)[:1]}
    assert told == [(1, 1)]


def test_a_data_set_from_another_source_is_not_searched(photos):
    with pytest.raises(BadInput, match=r"came from 'celeba', but images:.* comes from 'images'"):
        find(replace(take(opened(photos)), source="celeba"), opened(photos), ALL)


def test_of_a_set_that_is_made_on_the_spot_the_recipe_is_kept_and_no_signal_is_listed():
    curves = open_dataset("curves", resolution=(5, 3))
    taken = take(curves)
    assert len(json.dumps(taken.to_dict())) < 1000
    assert [taken.splits[split].count for split in SPLITS] == [1_000_000, 10_000, 10_000]
    found = find(taken, open_dataset("curves", resolution=(5, 3)), ALL)
    assert (found.differences(*SPLITS), found.additions()) == ([], [])
    other = find(taken, open_dataset("curves:4/20", resolution=(5, 3)), ALL)
    assert other.differences(*SPLITS) == [f"the {split} split is another one" for split in SPLITS]
    fewer = find(taken, open_dataset("curves:0/20", resolution=(5, 3)), ALL)
    assert fewer.differences(*SPLITS) == ["the train split is another one"]


def test_digests_alone_tell_that_a_data_set_is_another_one_but_not_where(photos):
    summary = take(opened(photos)).summary
    assert len(json.dumps(summary.to_dict())) < 1000
    assert find(summary, opened(photos), ALL).differences(*SPLITS) == []
    put(photos / names(opened(photos).test)[0], seed=99)
    found = find(summary, opened(photos), ALL)
    assert found.differences(*SPLITS) == ["the test split is another one"]
    assert find(summary, opened(photos), NAMES).differences(*SPLITS) == []  # not looked at
    (photos / names(opened(photos).train)[0]).unlink()
    assert "the train split is another one" in find(summary, opened(photos), NAMES).differences(*SPLITS)


def made_up(count, **more):
    sets = [MadeUpSignals(count, **more), MadeUpSignals(2), MadeUpSignals(1)]
    return replace(open_dataset("curves"), train=sets[0], val=sets[1], test=sets[2])


def test_of_a_large_set_that_must_be_loaded_some_signals_are_looked_at_and_the_others_known_by_name(monkeypatch):
    monkeypatch.setattr(manifests, "MOST_LOADED", 7)
    dataset = made_up(40)
    taken = take(dataset)
    assert dataset.train.loaded == [0, 6, 13, 19, 26, 32, 39]
    assert list(taken.splits["train"].signals) == names(dataset.train)
    again = made_up(40)
    assert find(taken, again, ALL).differences(*SPLITS) == []
    assert again.train.loaded == [0, 6, 13, 19, 26, 32, 39]
    assert find(taken, made_up(40, unreadable=[13, 14]), ALL).changed == {"train": ["signal-13"]}
    assert set(find(taken, made_up(38), ALL).missing["train"]) == {"signal-38", "signal-39"}


def test_two_signals_of_one_name_are_refused():
    dataset = made_up(3)
    dataset.train.name = lambda index: "same"
    with pytest.raises(BadInput, match="two signals of the train split are called 'same'"):
        take(dataset)


def test_a_digest_depends_on_names_fingerprints_and_order():
    digests = {digest_of(signals) for signals in (
        {}, {"a": "1"}, {"a": "2"}, {"b": "1"}, {"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"a": "1\nb"},
        {"a\0001": ""},
    )}  # fmt: skip
    assert len(digests) == 8


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("source"), lambda d: d.pop("splits"), lambda d: d["splits"].pop("val"),
        lambda d: d["splits"]["test"].pop("count"), lambda d: d["splits"]["test"].update(count="x"),
        lambda d: d["splits"]["test"].update(signals=[1]), lambda d: d["splits"]["test"].update(signals={"a": 1}),
        lambda d: d["splits"].update(train=3), lambda d: d.update(splits=None),
        lambda d: d["splits"]["val"].update(sha256=1), lambda d: d["splits"]["val"].update(recipe=[]),
    ],
)  # fmt: skip
def test_a_damaged_manifest_is_refused(photos, damage):
    told = take(opened(photos)).to_dict()
    damage(told)
    with pytest.raises(BadInput, match="does not say which signals there were"):
        Manifest.from_dict(told)
    with pytest.raises(BadInput):
        Manifest.from_dict([told])
