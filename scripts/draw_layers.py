"""The picture of docs/architecture.md: the parts of the package, lowest at the bottom, as that page orders and explains
them.

    python scripts/draw_layers.py          # write docs/pictures/layers.svg
    python scripts/draw_layers.py --check  # fail if the picture is not what the page says
"""

import re
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE, PICTURE = ROOT / "docs" / "architecture.md", ROOT / "docs" / "pictures" / "layers.svg"
WIDTH, HEIGHT, GAP, NAME = 860, 30, 6, 170
FONT = "font-family='system-ui, sans-serif'"
BELOW_ALL = "errors, checks, registry, storage and other single modules"


def stated_parts() -> list[tuple[str, str]]:
    """(name, what it answers), lowest first. Raises SystemExit where order and table do not name the same parts."""
    text = PAGE.read_text()
    (order,) = re.findall(r"Each part imports only from parts that stand before it: (.*?)\.\s", text, re.DOTALL)
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", text, re.MULTILINE))
    names = re.findall(r"`(\w+)`", order)
    if names != list(told):
        raise SystemExit(f"error: {PAGE.name} orders {names}, but its table has {list(told)}")
    return [(name, told[name]) for name in names]


def drawn(parts: list[tuple[str, str]]) -> str:
    rows = [*reversed(parts), ("", BELOW_ALL)]
    height = len(rows) * (HEIGHT + GAP) + GAP
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img'>",
        "<title>The parts of sparsine: each imports only from those below it</title>",
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
    ]
    for number, (name, what) in enumerate(rows):
        top = GAP + number * (HEIGHT + GAP)
        fill = "#e8eef7" if name else "#eeeeee"
        lines += [
            f"<rect x='{GAP}' y='{top}' width='{WIDTH - 2 * GAP}' height='{HEIGHT}' rx='4' fill='{fill}'/>",
            f"<text x='{3 * GAP}' y='{top + 20}' {FONT} font-size='14' font-weight='600' fill='#1b2a41'>{name}</text>",
            f"<text x='{NAME}' y='{top + 20}' {FONT} font-size='13' fill='#1b2a41'>{escape(what)}</text>",
        ]
    return "\n".join([*lines, "</svg>", ""])


def main() -> int:
    made = drawn(stated_parts())
    if "--check" not in sys.argv[1:]:
        PICTURE.write_text(made)
    elif not PICTURE.is_file() or PICTURE.read_text() != made:
        print(
            f"error: {PICTURE.name} is not what {PAGE.name} says; run: python scripts/draw_layers.py", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
