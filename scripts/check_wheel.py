"""Is all in a wheel, or in an archive of the sources, that should be, and nothing else? One line for each fault.

python scripts/check_wheel.py FILE.whl|FILE.tar.gz ... [--objects FOLDER]

Held against what git tracks: every file of the package but the C++ belongs in a wheel, and the extension, and the
licences of all that is linked into it. --objects: the folder in which it was built; then also whether code for newer
processors is in the kernels that ask for them, and nowhere else.
"""

import argparse
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
CSRC = "engines/csrc/"
DIST_INFO = ("METADATA", "RECORD", "WHEEL", "entry_points.txt")
SOURCES = ("CMakeLists.txt", "pyproject.toml", "constraints.txt", "README.md", "CHANGELOG.md", "CITATION.cff")
MADE = ("PKG-INFO",)
EXTENSION = re.compile(r"sparsine/engines/_native\.(abi3|cpython-\d+\w*(-[\w-]+)?)\.so")
NEWER = re.compile(r"\t\{?v[a-z0-9]+ .*%[xyz]mm")
"""Whatever is encoded as AVX and its successors are begins with a v."""


def tracked(*under: str) -> set[str]:
    lines = subprocess.run(["git", "ls-files", *under], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(lines.splitlines())


def version() -> str:
    return re.findall(r'__version__ = "(.+)"', (ROOT / "src/sparsine/version.py").read_text())[0]


def compared(found: Iterable[str], wanted: Iterable[str]) -> list[str]:
    found, wanted = set(found), set(wanted)
    return [f"lacks {name}" for name in sorted(wanted - found)] + [f"has {name}" for name in sorted(found - wanted)]


def faults_of_wheel(file_name: str, names: list[str], package: set[str], licences: set[str]) -> list[str]:
    """`names`: what is in it. `package`: files of the package, from the folder above it on."""
    name, number, python, abi, *_ = file_name.removesuffix(".whl").split("-")
    faults = [] if (name, number) == ("sparsine", version()) else [f"is {name} {number}, not sparsine {version()}"]
    extensions = [one for one in names if EXTENSION.fullmatch(one)]
    if len(extensions) != 1:
        faults.append(f"has {len(extensions)} extensions: {', '.join(extensions)}")
    faults += [f"says {python}-{abi} of {one}" for one in extensions if (abi == "abi3") != one.endswith(".abi3.so")]
    info = f"{name}-{number}.dist-info"
    wanted = {one for one in package if not one.startswith(f"sparsine/{CSRC}")}
    wanted |= {f"{info}/{one}" for one in DIST_INFO} | {f"{info}/licenses/{one}" for one in licences}
    return faults + compared(names, wanted | set(extensions))


def faults_of_sources(file_name: str, names: list[str], package: set[str], licences: set[str]) -> list[str]:
    folder = f"sparsine-{version()}"
    wanted = {f"src/{one}" for one in package} | licences | set(SOURCES) | set(MADE)
    return compared(names, {f"{folder}/{one}" for one in wanted}) if names else [f"{file_name} is empty"]


def faults_of(path: Path) -> list[str]:
    package = {one.removeprefix("src/") for one in tracked("src/sparsine")}
    licences = tracked(*tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license-files"])
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return faults_of_wheel(path.name, wheel.namelist(), package, licences)
    with tarfile.open(path) as sources:
        names = [member.name for member in sources.getmembers() if not member.isdir()]
    return faults_of_sources(path.name, names, package, licences)


def said_by(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def faults_of_objects(folder: Path) -> list[str]:
    """Where the linker finds a function twice it takes either copy, so kernels may leave none to be shared."""
    faults = []
    objects = sorted(folder.rglob(f"*/{CSRC}*.o"))
    for path in objects:
        newer = PurePosixPath(path.name).stem.removesuffix(".cpp").endswith(("_avx2", "_avx512"))
        if newer != bool(NEWER.search(said_by("objdump", "-d", "--no-show-raw-insn", path))):
            faults.append(f"{path.name}: {'no ' * newer}instructions of newer processors")
        if newer and (shared := re.findall(r" [WV] (.+)", said_by("nm", "--demangle", "--defined-only", path))):
            faults.append(f"{path.name}: shares {', '.join(shared)}")
    return faults if objects else [f"{folder} has no objects of {CSRC}"]


def size_of(path: Path) -> str:
    if path.suffix != ".whl":
        return f"{path.stat().st_size / 1e6:.2f} MB"
    with zipfile.ZipFile(path) as wheel:
        sizes = {one.filename: one.file_size for one in wheel.infolist()}
    extension = sum(size for name, size in sizes.items() if name.endswith(".so"))
    starts = sum(size for name, size in sizes.items() if name.startswith("sparsine/starts/built_in/"))
    return (
        f"{path.stat().st_size / 1e6:.2f} MB; unpacked {sum(sizes.values()) / 1e6:.2f} MB in {len(sizes)} files, "
        f"of which the extension {extension / 1e6:.2f}, built-in starts {starts / 1e6:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--objects", type=Path)
    args = parser.parse_args()
    faults = [f"{path.name} {fault}" for path in args.files for fault in faults_of(path)]
    faults += faults_of_objects(args.objects) if args.objects else []
    for path in args.files:
        print(f"{path.name}: {size_of(path)}")
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
