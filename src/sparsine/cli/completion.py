"""`sparsine completion SHELL`: the lines that make a shell complete this command. What it completes: `complete.py`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from sparsine.cli.complete import script
from sparsine.cli.console import tell
from sparsine.cli.options import Common
from sparsine.cli.outputs import Output

Shell = Literal["bash", "zsh", "fish"]


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    shell: Annotated[Shell, tyro.conf.Positional]
    """bash, zsh: eval "$(sparsine completion bash)" in ~/.bashrc or ~/.zshrc. fish: sparsine completion fish >
    ~/.config/fish/completions/sparsine.fish."""


def run(options: Options, _: Output) -> int:
    for line in script(options.shell).splitlines():
        tell(line)
    return 0
