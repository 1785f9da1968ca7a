"""Packages that offer something to sparsine, as an installer would leave them: a module, and a dist-info beside it."""

from pathlib import Path


def install(folder: Path, name: str, module: str, source: str, offers: dict[str, dict[str, str]]) -> Path:
    """Into `folder`, which must be on sys.path.

    Args:
        offers: group of entry points, such as "sparsine.scores", to {name: "module:object"}.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = [f"[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in its.items())
             for group, its in offers.items()]  # fmt: skip
    (info / "entry_points.txt").write_text("\n".join(lines))
    return folder
