"""Write what can be said to each command beside the package, so that help and completion load nothing else.

python scripts/make_help.py [--check]
"""

import json
import sys
from importlib import import_module
from typing import Any

from sparsine.cli.catalogue import FOLDER, Page
from sparsine.cli.commands import COMMANDS
from sparsine.cli.described import MISSING, page_of


def page_as_it_is(command: str) -> Page:
    """Of the options, with what is usual."""
    module: Any = import_module(f"sparsine.cli.{command.replace('-', '_')}")
    return page_of(module.Options, module.defaults(["--help"]) if hasattr(module, "defaults") else MISSING)


def written(page: Page) -> str:
    """An option a line: two that were changed by two people are two changes."""
    told = page.to_dict()
    options = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in told["options"])
    return f'{{"groups": {json.dumps(told["groups"], ensure_ascii=False)},\n "options": [\n  {options}\n]}}\n'


def main() -> int:
    stale = []
    for command in COMMANDS:
        path, text = FOLDER / f"{command}.json", written(page_as_it_is(command))
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(command)
            if "--check" not in sys.argv:
                FOLDER.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    print(f"stale: {', '.join(stale)}" if stale else "all is as it was")
    return int("--check" in sys.argv and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
