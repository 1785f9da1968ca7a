"""What the site has beside the pages of docs/, as hooks of MkDocs: the README as its first page, pages of the project,
notebooks, the sources that pages link to, and a Python reference of the public names.

Documents link to each other as they lie in the repository, so that they can be read there too; here the links are
turned to where things are on the site. A link to something that does not exist stays as it is, and the strict build
names it.
"""

import ast
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

import sparsine

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?(\))")
SHOWN = re.compile(r'((?:src|srcset)=")(?!https?:|data:)([^"\s]+)()(")')
"""Of pictures in HTML."""
MOVED = {"README.md": "index.md", "docs/README.md": "documents.md"}
"""Where a page of the repository is on the site, if it is not at its own place below docs/ or project/."""
PAGES = (".md", ".ipynb")
FOREIGN = re.compile(r'<script src="https://unpkg\.com/iframe-worker/shim"></script>')
"""What the theme would fetch from elsewhere, for pages that are opened as files."""
WORKER = (ROOT / "scripts" / "site_worker.js").read_text()
_sources: dict[str, str] = {}
"""Page of the site to page of the repository."""


def place_of(path: str) -> str:
    """Where on the site a file of the repository is."""
    if path in MOVED:
        return MOVED[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.endswith(PAGES):
        return "project/" + path.removesuffix(".ipynb").removesuffix(".md") + ".md"
    return f"project/{path}.txt"


def on_files(files: Files, config: Any) -> Files:
    """Adds every page and source that can be reached by links from the README and docs/."""
    _sources.clear()
    for file in files.documentation_pages():
        _sources[file.src_uri] = f"docs/{file.src_uri}"
    files.remove(files.src_uris["README.md"])
    waiting, seen = ["README.md", "docs/README.md", *_sources.values()], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if not path.startswith("docs/") or path in MOVED:
            files.append(_file(path, config))
        waiting += [target for target in _targets(path) if target not in seen]
    files.append(File.generated(config, "reference.md", content=_reference()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links to where their targets are on the site."""
    path = _sources.get(page.file.src_uri)
    if path is None:
        return markdown
    here = PurePosixPath(page.file.src_uri).parent

    def turned(found: re.Match[str]) -> str:
        target = _resolved(path, found[2])
        if target is None:
            return found[0]
        return f"{found[1]}{os.path.relpath(place_of(target), here)}{found[3] or ''}{found[4]}"

    return SHOWN.sub(turned, LINK.sub(turned, markdown))


def on_post_page(output: str, **_: Any) -> str:
    """Nothing is fetched from elsewhere."""
    return FOREIGN.sub(lambda _: f"<script>{WORKER}</script>", output)


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for the page of errors."""
    return on_post_page(output_content)


def _file(path: str, config: Any) -> File:
    place = place_of(path)
    if path.endswith(PAGES):
        _sources[place] = path
        return File.generated(config, place, content=_text(path))
    return File.generated(config, place, content=(ROOT / path).read_bytes())


def _text(path: str) -> str:
    text = (ROOT / path).read_text()
    return _notebook(json.loads(text)) if path.endswith(".ipynb") else text


def _notebook(notebook: dict[str, Any]) -> str:
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    return "\n\n".join(text if kind == "markdown" else f"```python\n{text}\n```" for kind, text in cells) + "\n"


def _targets(path: str) -> list[str]:
    if not path.endswith(PAGES):
        return []
    found = (_resolved(path, target) for _, target, _, _ in LINK.findall(_text(path)))
    return [target for target in found if target is not None]


def _resolved(path: str, target: str) -> str | None:
    """The file of the repository that a link leads to; of a folder of sources, its first."""
    place = (ROOT / path).parent / target
    if place.is_dir():
        place = place / "__init__.py"
    place = Path(os.path.normpath(place))
    return place.relative_to(ROOT).as_posix() if place.is_file() and place.is_relative_to(ROOT) else None


def _public_names() -> Iterator[tuple[str, str]]:
    """(name, module below `sparsine` that it comes from)."""
    for node in ast.parse(Path(sparsine.__file__).with_suffix(".pyi").read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module != "version":
            yield node.names[0].name, str(node.module)


def _reference() -> str:
    """Every public name, by the part of the package that it comes from."""
    parts: dict[str, list[str]] = {}
    for name, home in sorted(_public_names()):
        parts.setdefault(home.partition(".")[0], []).append(f"::: sparsine.{home}.{name}")
    sections = [f"## {part}\n\n" + "\n\n".join(entries) for part, entries in sorted(parts.items())]
    said = "All of it can be imported from `sparsine` itself. What each part is for: [architecture](architecture.md)."
    return "\n\n".join(["# Python reference", said, *sections]) + "\n"
