"""Configurations from before scores had options of their own: those of saliency stood beside the score."""

from dataclasses import replace

import pytest

from sparsine.errors import BadInput
from sparsine.measure.comparison.config import CompareConfig
from sparsine.meta.config import LearnConfig, in_todays_words
from sparsine.pruning import PruningConfig

NEW = ("score_options", "distribution", "distribution_options", "schedule", "schedule_options")


def as_it_was(config, **saliency):
    """What `to_dict` made then."""
    saved = config.to_dict()
    pruning = {name: value for name, value in saved["pruning"].items() if name not in NEW}
    of_saliency = {"signals": 6, "steps": 100, "step_size": 1e-4} | saliency
    pruning |= {f"saliency_{name}": value for name, value in of_saliency.items()}
    field = {name: value for name, value in saved["field"].items() if not name.endswith("_options")}
    return {**saved, "field": field, "pruning": pruning}


@pytest.mark.parametrize("options", [{}, {"signals": 2, "steps": 7}, {"step_size": 1e-3}])
def test_a_run_by_saliency_has_its_options_still(options):
    config = LearnConfig(pruning=PruningConfig(score="saliency", score_options=options))
    assert LearnConfig.from_dict(as_it_was(config, **options)) == config
    assert in_todays_words(as_it_was(config, **options))["pruning"]["score_options"] == config.pruning.score_options


def test_a_run_by_another_score_leaves_them_behind():
    config = LearnConfig(pruning=PruningConfig(score="lamp"))
    assert LearnConfig.from_dict(as_it_was(config, signals=3)) == config


def test_todays_words_are_left_as_they_are():
    for score in ("magnitude", "saliency"):
        saved = LearnConfig(pruning=PruningConfig(score=score)).to_dict()
        assert in_todays_words(saved) == saved
    for damaged in (None, [], {}, {"pruning": 3}, {"pruning": {"score": []}}):
        assert in_todays_words(damaged) == damaged


def test_a_comparison_prunes_by_saliency_with_the_options_that_it_had():
    made = CompareConfig(methods=("meta-sparse", "meta-sparse-saliency"), levels=(1,))
    assert CompareConfig.from_dict({**made.to_dict(), "learn": as_it_was(made.learn)}) == made
    found = CompareConfig.from_dict({**made.to_dict(), "learn": as_it_was(made.learn, signals=3)})
    pruning = replace(made.learn.pruning, score="saliency", score_options={"signals": 3})
    assert found == replace(made, learn=replace(made.learn, pruning=pruning))
    assert found.learn.pruning.with_score("saliency").score_options["signals"] == 3
    assert found.learn.pruning.with_score("magnitude").score_options == {}


def test_options_that_a_score_has_not_are_refused():
    with pytest.raises(BadInput, match="score magnitude has no option 'signals'; it has none"):
        PruningConfig(score_options={"signals": 3})
    with pytest.raises(BadInput, match="score saliency has no option 'points'; it has signals, steps, step_size"):
        PruningConfig(score="saliency", score_options={"points": 3})
