import jaxtyping
import pytest

from sparsine.errors import BadInput
from sparsine.fitting import FitConfig


def test_the_defaults_are_the_papers_test_time_protocol():
    config = FitConfig()
    assert (config.chosen, config.num_steps, config.step_size) == ("adam", 100, 1e-4)
    assert config.report_steps == (0, 1, 2, 5, 10, 20, 50, 100)


def test_sgd_is_the_papers_second_protocol():
    config = FitConfig(optimizer="sgd")
    assert (config.num_steps, config.step_size, config.report_steps) == (2, 1e-2, (0, 1, 2))


def test_what_is_given_counts():
    config = FitConfig(optimizer="sgd", steps=37, lr=0.25)
    assert (config.num_steps, config.step_size) == (37, 0.25)
    assert config.report_steps == (0, 1, 2, 5, 10, 20, 37)


@pytest.mark.parametrize(
    ("report", "expected"),
    [((), (7,)), ((0,), (0, 7)), ((7,), (7,)), ((5, 3, 3), (3, 5, 7)), (None, (0, 1, 2, 5, 7))],
)
def test_the_last_step_is_always_reported_and_every_step_once(report, expected):
    assert FitConfig(steps=7, report=report).report_steps == expected


def test_no_steps_report_the_start_itself():
    assert FitConfig(steps=0).report_steps == (0,)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"optimizer": "lbfgs"}, "optimizer is 'lbfgs', but it must be one of: adam, sgd"),
        ({"steps": -1}, "steps is -1, but it must lie between 0"),
        ({"lr": 0.0}, "lr is 0.0"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": float("inf")}, "lr is inf"),
        ({"batch": 0}, "batch is 0"),
        ({"steps": 7, "report": (8,)}, "report is 8, but it must lie between 0 and 7"),
        ({"steps": 7, "report": (3, -1)}, "report is -1"),
        ({"optimizer": "sgd", "report": (3,), "protocol": "paper"}, "report is 3, but it must lie between 0 and 2"),
        ({"protocol": "papers"}, "protocol is 'papers', but it must be one of: start, paper"),
        ({"effort": "most"}, "effort is 'most', but it must be one of: instant, fast, balanced, best"),
        ({"decay": "linear"}, "decay is 'linear'"),
        ({"share": 0.0}, "share is 0.0"),
        ({"share": 1.5}, "share is 1.5"),
        ({"points": 3, "share": 0.5}, "both points and share"),
    ],
)
def test_nonsense_is_refused_by_name(monkeypatch, wrong, words):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # which would refuse a wrong Literal first
    with pytest.raises(BadInput) as error:
        FitConfig(**wrong)
    assert words in str(error.value)
