"""Mesh files to solids and back, by trimesh. Every failure is an `UnreadableSignal` with a reason of one line."""

import io
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.extras import optional
from sparsine.signals.solid import MOST_UNSURE, Solid, in_the_box, unsure_share
from sparsine.signals.solid import library as distances
from sparsine.storage import read_file

SAME = 1e-7
"""In half extents: vertices that lie so near to each other are one. Seams of textures repeat theirs."""
FLAT = 1e-6
"""In half extents, of the third axis of a box that encloses nothing."""
Vertices = Float[np.ndarray, "vertices xyz"]
Faces = Int[np.ndarray, "faces corners"]


def library() -> ModuleType:
    """trimesh. Raises BadInput where it, or what finds distances, is missing."""
    distances()
    return _trimesh()


def read_solid(path: Path) -> Solid:
    """The solid that a file of triangles or polygons encloses, in its box. Raises UnreadableSignal."""
    try:
        vertices, faces = _read(path)
        return solid_of(vertices, faces)
    except UnreadableSignal:
        raise
    except BadInput as error:
        reason = str(error).removeprefix(f"cannot read {path}: ")
        raise UnreadableSignal(f"{path}: {reason}") from error


def solid_of(vertices: Vertices, faces: Faces) -> Solid:
    """What triangles enclose: brought into the box, repeated vertices merged, turned outside out.

    Raises:
        BadInput: nothing to enclose, vertices that are not finite, or holes so large that no point is sure of its side.
    """
    if not len(vertices) or not len(faces):
        raise BadInput("it holds no triangle")
    if not np.isfinite(vertices[np.unique(faces)]).all():
        raise BadInput("it has vertices that are not finite (NaN or infinity); mend or remove them")
    used, numbers = np.unique(faces, return_inverse=True)
    box, centre, unit = _boxed(vertices[used].astype(np.float64))
    box, faces = _merged(box, numbers.reshape(faces.shape))
    faces, notes = _turned_outside_out(box, faces)
    if borders := _borders(faces):
        unsure = unsure_share(box, faces)
        if unsure > MOST_UNSURE:
            raise BadInput(_what_is_wrong(unsure))
        notes += (f"holes ({counted(borders, 'open edge')}) closed by winding number",)
    elif unsure_share(box, faces) == np.inf and abs(_volume(box, faces)) < FLAT:
        raise BadInput("it encloses nothing: every part of its surface is there twice, or it has no thickness")
    return Solid(box, faces, centre, unit, notes)


def mesh_bytes(vertices: Vertices, faces: Faces, suffix: str) -> bytes:
    """A file with that suffix (.ply, .obj, .glb, .stl, .off)."""
    mesh = _trimesh().Trimesh(vertices, faces, process=False)
    data: Any = mesh.export(file_type=suffix.lstrip("."))
    return data.encode() if isinstance(data, str) else bytes(data)


def _trimesh() -> ModuleType:
    return optional("trimesh", "mesh", "meshes are read and written by trimesh")


def _read(path: Path) -> tuple[Vertices, Faces]:
    suffix = path.suffix.lower().lstrip(".")
    data = io.BytesIO(read_file(path))  # bytes: other files that it names are not looked for
    more = {"skip_materials": True} if suffix == "obj" else {}
    trimesh = library()
    try:
        mesh = trimesh.load_mesh(data, file_type=suffix, process=False, **more)
        return np.array(mesh.vertices, dtype=np.float64).reshape(-1, 3), np.array(mesh.faces, np.int64).reshape(-1, 3)
    except MemoryError:
        raise
    except Exception as error:  # whatever a reader makes of a broken file
        reason = (str(error) or type(error).__name__).splitlines()[0].removesuffix(".")
        raise BadInput(f"it cannot be read as a mesh ({reason})") from error


def _boxed(vertices: Vertices) -> tuple[Vertices, tuple[float, ...], float]:
    sizes = np.ptp(vertices, axis=0)
    if not np.isfinite(sizes).all():
        raise BadInput("its vertices lie too far apart for floating point; scale it down")
    if sizes.min() <= FLAT * sizes.max():
        raise BadInput("it is flat and encloses nothing; give a surface around a solid")
    return in_the_box(vertices)


def _merged(vertices: Vertices, faces: Faces) -> tuple[Float[np.ndarray, "fewer xyz"], Int[np.ndarray, "kept corners"]]:
    """Without repeated vertices, and without triangles that come to nothing by that."""
    _, first, number = np.unique(np.round(vertices / SAME).astype(np.int64), axis=0, return_index=True,
                                 return_inverse=True)  # fmt: skip
    merged = number.reshape(-1)[faces]
    a, b, c = merged.T
    return vertices[first], np.ascontiguousarray(merged[(a != b) & (b != c) & (c != a)])


def _turned_outside_out(vertices: Vertices, faces: Faces) -> tuple[Faces, tuple[str, ...]]:
    """Neighbours alike, and the outside outside. A cavity keeps its own turn where all are alike already."""
    notes: tuple[str, ...] = ()
    if _is_mixed(faces):
        faces, part = distances().bfs_orient(faces)
        faces = faces.astype(np.int64)
        for number in np.unique(part):
            mine = np.flatnonzero(part == number)
            if _volume(vertices, faces[mine]) < 0:
                faces[mine] = faces[mine][:, ::-1]
        notes = ("triangles that faced other ways than their neighbours turned",)
    if _volume(vertices, faces) < 0:
        return np.ascontiguousarray(faces[:, ::-1]), (*notes, "turned inside out: its triangles faced inwards")
    return faces, notes


def _volume(vertices: Vertices, faces: Faces) -> float:
    """Signed, of the cones from the middle of the box."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def _borders(faces: Faces) -> int:
    """Edges that are not gone along as often one way as the other: those of holes."""
    return int(np.count_nonzero(_edges(faces)[1]))


def _is_mixed(faces: Faces) -> bool:
    """Whether two neighbours go along their common edge the same way."""
    count, balance = _edges(faces)
    return bool(((count == 2) & (balance != 0)).any())


def _edges(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Of each edge: how many triangles have it, and how many more of them go along it one way than the other."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, number, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    return count, np.bincount(number.reshape(-1), weights=np.where(edges[:, 0] < edges[:, 1], 1, -1))


def _what_is_wrong(unsure: float) -> str:
    part = "" if unsure >= 1 else f" for {unsure:.0%} of it"
    return (
        f"its surface is not closed, and{part} nobody can say what is inside; close its holes first, in Blender by "
        "Mesh, Clean Up, Fill Holes"
    )
