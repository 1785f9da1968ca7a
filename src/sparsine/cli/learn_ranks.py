"""`torchrun ... -m sparsine learn ...`: the first rank learns as ever, the others follow and are silent."""

from collections.abc import Callable
from typing import Any

from sparsine.cli.console import quietly
from sparsine.cli.status import BAD_INPUT, DONE, INTERRUPTED, NOT_ALL
from sparsine.errors import BadInput
from sparsine.meta.config import LearnConfig
from sparsine.meta.follower import follow
from sparsine.meta.rank_agreement import agree, check_alike, check_options, hear_beginning, same_signals
from sparsine.meta.rank_group import RankGroup, connected
from sparsine.meta.ranks import RankLost, Ranks
from sparsine.meta.run_folder import holds_run
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset


def among_ranks(
    options: Any,
    lead: Callable[[Ranks], int],
    configured: Callable[[Any], tuple[LearnConfig, Dataset]],
    to_go_on: Callable[[Any], str],
) -> int:
    """`lead` on the first rank; returns the exit status. An error is told by one rank alone."""
    ranks = RankGroup(options.rank_timeout)
    try:
        with connected(ranks, options.device):
            check_alike(ranks)
            if ranks.number == 0:
                return lead(ranks)
            with quietly(True):
                _follow(options, configured, ranks)
            return DONE
    except (Exception, KeyboardInterrupt) as error:
        if not ranks.speaks():
            return _status(error)
        if isinstance(error, RankLost) and (command := to_go_on(options)):
            raise RankLost(f"{error}; go on, with as many ranks as you like: {command}") from error
        raise


def _follow(options: Any, configured: Callable[[Any], tuple[LearnConfig, Dataset]], ranks: Ranks) -> None:
    config, dataset = configured(options)
    beginning = hear_beginning(ranks)
    if options.resume and not holds_run(options.out):  # the folder is on the first rank's machine
        first = beginning.config
        dataset = open_dataset(options.dataset, resolution=first.grid.resolution, seed=first.split_seed)
    else:
        check_options(beginning.config, config)
    dataset = same_signals(beginning.manifest, dataset)
    agree(ranks)
    follow(beginning, dataset, ranks)


def _status(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return BAD_INPUT if isinstance(error, BadInput) else NOT_ALL
