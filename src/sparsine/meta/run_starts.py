"""What happens to the starts of a run after their rounds: plans are added, and lost ones are noticed."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sparsine.errors import BadInput
from sparsine.fitting.plan_search import Trial, find_plans, plans_like
from sparsine.meta.config import LearnConfig
from sparsine.meta.outer import LearnState
from sparsine.meta.run_folder import start_path
from sparsine.signals.dataset import Dataset
from sparsine.starts.start import Start, load_start, save_start


def plan_starts(
    folder: Path, last: Start, rounds: int, config: LearnConfig, dataset: Dataset, on_trial: Trial | None
) -> Start:
    """`last`, which comes after so many rounds, when it was found how signals are best fitted from it; earlier ones get
    what that says of them."""
    if not config.plan.plan_signals:
        return last
    plans = find_plans(last, dataset.split("val"), config.plan, engine=config.engine, device=config.device,
                       on_trial=on_trial)  # fmt: skip
    for round in range(rounds):  # the last one is the last to be written
        with suppress(BadInput):  # lost, as was said
            start = load_start(start_path(folder, round))
            like = plans_like(plans, last.pattern.num_weights, start.pattern.num_weights)
            save_start(start_path(folder, round), replace(start, plans=like))
    planned = replace(last, plans=plans)
    save_start(start_path(folder, rounds), planned)
    return planned


def lost_starts(folder: Path, state: LearnState) -> Iterator[str]:
    """Of rounds before that of `state`, a sentence each: they cannot be made again by going on."""
    for round in range(state.round):
        path = start_path(folder, round)
        try:
            pattern = load_start(path).pattern
            sound = pattern.field == state.pattern.field and not (state.pattern.keep & ~pattern.keep).any()
            reason = "" if sound else f"{path} is of another run"
        except BadInput as error:
            reason = str(error)
        if reason:
            yield f"the start of round {round} is lost, and going on does not make it again: {reason}"
