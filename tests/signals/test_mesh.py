"""`mesh:` data sets: splits, poses, notes, and what happens to the others when one cannot be used."""

import pickle

import numpy as np
import pytest

from sparsine import BadInput, UnreadableSignal, open_dataset
from sparsine.signals.kinds import Shape
from sparsine.signals.mesh_files import mesh_bytes
from sparsine.signals.sources.mesh import Solids, open_mesh_files, rotation

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("igl")

SHAPE = (12, 11, 13)


def put(folder, name, mesh=None, turned=False):
    mesh = trimesh.creation.box(extents=(1, 2, 3)) if mesh is None else mesh
    folder.mkdir(exist_ok=True)
    faces = mesh.faces[:, ::-1] if turned else mesh.faces
    (folder / name).write_bytes(mesh_bytes(np.array(mesh.vertices), np.array(faces), f".{name.rpartition('.')[2]}"))


@pytest.fixture
def six(tmp_path):
    for number, suffix in enumerate(("obj", "ply", "stl", "off", "glb", "OBJ")):
        put(tmp_path / "six", f"n{number}.{suffix}".replace(".OBJ", ".obj"), trimesh.creation.capsule(1 + number, 0.5))
    return tmp_path / "six"


def names(signals):
    return [signals.name(index) for index in range(len(signals))]


def test_six_files_are_two_to_test_one_to_validate_and_three_to_train_in_poses(six):
    data = open_dataset(f"mesh:{six}", resolution=SHAPE)
    sets = (data.train, data.val, data.test)
    files = [{name.partition("@")[0] for name in names(signals)} for signals in sets]
    assert [len(found) for found in files] == [3, 1, 2]
    assert sorted(set.union(*files)) == ["n0.obj", "n1.ply", "n2.stl", "n3.off", "n4.glb", "n5.obj"]
    assert (len(data.train), len(data.val), len(data.test)) == (48, 4, 2)
    assert (data.shape, data.num_channels, data.kind) == (SHAPE, 1, Shape())
    assert "16 poses of a training file" in data.description
    assert "4 of one that validates" in data.description


def test_the_first_pose_is_the_file_itself_and_others_are_turned_by_the_seed(six):
    data, again, other = (open_dataset(f"mesh:{six}", resolution=SHAPE, seed=seed) for seed in (3, 3, 4))
    first, second = data.train.load(0), data.train.load(1)
    name = data.train.name(0).partition("@")[0]
    alone = open_mesh_files([six / name], Shape(), SHAPE)
    assert np.array_equal(alone.load(0), first)
    assert not np.array_equal(first, second)
    assert np.array_equal(second, again.train.load(1))
    shared = set(names(data.train)) & set(names(other.train))
    for pose in sorted(name for name in shared if name.endswith("@01")):
        one, two = (signals.load(names(signals).index(pose)) for signals in (data.train, other.train))
        assert not np.array_equal(one, two)


def test_enough_files_train_as_they_are(tmp_path):
    for number in range(60):
        put(tmp_path / "many", f"{number}.ply")
    data = open_dataset(f"mesh:{tmp_path / 'many'}", resolution=(4,))
    assert (len(data.train), len(data.val), len(data.test)) == (48, 6, 6)
    assert not any("@" in name for name in names(data.train) + names(data.val))


def test_one_file_is_every_split(tmp_path):
    put(tmp_path, "one.ply")
    data = open_dataset(f"mesh:{tmp_path / 'one.ply'}", resolution=SHAPE)
    assert names(data.test) == ["one.ply"]
    assert (len(data.train), len(data.val)) == (16, 4)
    assert np.array_equal(data.train.load(0), data.test.load(0))


def test_folders_of_splits_are_taken_as_they_are(tmp_path):
    root = tmp_path / "own"
    root.mkdir()
    for split in ("train", "val", "test"):
        put(root / split, f"{split}.ply")
    data = open_dataset(f"mesh:{root}", resolution=SHAPE)
    assert names(data.test) == ["test/test.ply"]
    assert names(data.val)[0] == "val/val.ply@0"


def test_what_was_mended_is_noted_and_what_cannot_be_used_is_left_to_the_others(six):
    put(six, "inwards.ply", turned=True)
    (six / "broken.obj").write_text("v 0 0\nf 1 2 3\n")
    put(six, "flat.ply", trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]))
    data = open_dataset(f"mesh:{six}", resolution=SHAPE)
    assert any(note.startswith("inwards.ply: turned inside out") for note in data.notes)
    read, reasons = 0, []
    for signals in (data.train, data.val, data.test):
        for index in range(len(signals)):
            try:
                values = signals.load(index)
            except UnreadableSignal as error:
                reasons.append(str(error))
            else:
                read += 1
                assert values.shape == (*SHAPE, 1)
    assert read > 0
    assert all(str(six) in reason and "\n" not in reason for reason in reasons)
    assert {"broken.obj", "flat.ply"} == {name for name in ("broken.obj", "flat.ply", "n1.ply") if name in str(reasons)}


def test_a_folder_of_which_no_mesh_can_be_used_is_refused_with_the_first_reason(tmp_path):
    for number in range(3):
        put(tmp_path / "flat", f"{number}.ply", trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]]))
    with pytest.raises(BadInput, match=r"no mesh of .*flat can be used .*[0-2]\.ply: it is flat"):
        open_dataset(f"mesh:{tmp_path / 'flat'}")
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="no mesh file"):
        open_dataset(f"mesh:{tmp_path / 'none'}")


@pytest.mark.parametrize("wrong", [(1,), (513,), (8, 8), (8, 8, 8, 8)])
def test_a_lattice_that_makes_no_sense_is_refused(wrong, six):
    with pytest.raises(BadInput, match="lattice of shapes"):
        open_dataset(f"mesh:{six}", resolution=wrong)


def test_named_files_have_the_lattice_of_whoever_asks_and_say_where_they_lie(tmp_path):
    box = trimesh.creation.box(extents=(1, 2, 3))
    box.vertices += (7.0, -2.0, 0.25)
    put(tmp_path, "far.ply", box)
    signals = open_mesh_files([tmp_path / "far.ply"], Shape(band=0.2), (9, 9, 9))
    assert signals.shape_of(0) == (9, 9, 9)
    assert signals.about(0) == {"centre": [7.0, -2.0, 0.25], "unit": pytest.approx(1.5 / 0.9)}
    wide, narrow = signals.load(0), open_mesh_files([tmp_path / "far.ply"], Shape(), (9, 9, 9)).load(0)
    assert np.abs(wide).mean() < np.abs(narrow).mean()


def test_some_samples_are_those_of_the_whole(six):
    signals = open_mesh_files([six], Shape(), SHAPE)
    places = np.array([5, 1000, 3, 1715])
    assert np.array_equal(signals.values_at(2, places), signals.load(2).reshape(-1, 1)[places])


def test_a_fingerprint_follows_the_file_the_pose_and_the_lattice(six):
    one, other = (open_dataset(f"mesh:{six}", resolution=(n,)) for n in (8, 9))
    found = [one.train.fingerprint(0), one.train.fingerprint(1), other.train.fingerprint(0)]
    assert len(set(found)) == 3
    path = six / names(one.test)[0]
    before = one.test.fingerprint(0)
    path.write_bytes(path.read_bytes() + b"\n")
    assert one.test.fingerprint(0) != before


def test_a_set_can_be_pickled(six):
    signals = open_mesh_files([six], Shape(), SHAPE)
    signals.load(0)
    again = pickle.loads(pickle.dumps(signals))
    assert isinstance(again, Solids)
    assert np.array_equal(again.load(0), signals.load(0))


def test_rotations_are_rotations():
    rng = np.random.default_rng(0)
    turns = np.stack([rotation(rng) for _ in range(500)])
    assert np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max() < 1e-12
    assert np.allclose(np.linalg.det(turns), 1)
    assert np.abs(turns.mean(axis=0)).max() < 0.1


@pytest.mark.parametrize("missing", ["trimesh", "igl"])
def test_without_its_libraries_it_says_what_to_install(missing, six, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(BadInput, match=r"pip install 'sparsine\[mesh\]'"):
        open_dataset(f"mesh:{six}")
