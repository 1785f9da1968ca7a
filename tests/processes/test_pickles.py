"""What people send to other processes: pickled and copied things give the same numbers."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from small_problems import answers, field_of, make_problem, random_pattern
from torch.utils.data import DataLoader

from sparsine import Coder, EncodeConfig, FitConfig, decode, encode, encode_batch, fit, open_dataset, open_files
from sparsine.engines import ENGINES, make_engine
from sparsine.errors import BadInput, UnreadableSignal, WorkFailed
from sparsine.meta.modulated_engine import ModulatedEngine
from sparsine.meta.modulations import initial
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb
from sparsine.starts.start import Start

WAYS = {"pickle": lambda thing: pickle.loads(pickle.dumps(thing)), "deepcopy": copy.deepcopy, "copy": copy.copy}
each_way = pytest.mark.parametrize("again", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def start():
    pattern = random_pattern(field_of(2, 9, 7, 3, omega_0=6.5), 0.6)
    theta = pattern.gather(pattern.field.initial_theta(3)[None])[0]
    return Start(pattern, theta, Grid(shape=(7, 5)), kind=Rgb())


def put_images(folder, number=11, rows=7, columns=5):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(number):
        pixels = np.random.default_rng(i).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i:02d}.png")
    return folder


def put_celeba(folder):
    put_images(folder / "img_align_celeba", 5, 218, 178)
    lines = [f"{i:02d}.png {split}" for i, split in enumerate((0, 0, 2, 1, 0))]
    (folder / "list_eval_partition.txt").write_text("\n".join(lines))
    return folder


def put_imagenette(folder):
    put_images(folder / "train" / "n01", 4, 31, 40), put_images(folder / "val" / "n01", 2, 31, 40)
    return folder


def put_sdf2d(folder):
    stored = np.random.default_rng(0).integers(0, 256, (5, 7, 5, 1), dtype=np.uint8)
    stored[:, 0, 0], stored[:, 0, 1] = 0, 255
    np.savez(folder / "sdf.npz", train_data=stored, test_data=stored[:2])
    return folder / "sdf.npz"


SPECS = {
    "images": lambda folder: f"images:{put_images(folder)}",
    "celeba": lambda folder: f"celeba:{put_celeba(folder)}",
    "imagenette": lambda folder: f"imagenette:{put_imagenette(folder)}",
    "sdf2d": lambda folder: f"sdf2d:{put_sdf2d(folder)}",
    "curves": lambda _: "curves:2/9",
}


@each_way
@pytest.mark.parametrize("resolution", [None, (6, 4)])
@pytest.mark.parametrize("kind", SPECS)
def test_a_data_set_reads_the_same_signals_elsewhere(kind, resolution, again, tmp_path):
    dataset = open_dataset(SPECS[kind](tmp_path), resolution=resolution)
    dataset.train.load(0)
    copied = again(dataset)
    assert replace(copied, train=dataset.train, val=dataset.val, test=dataset.test) == dataset
    for split in ("train", "val", "test"):
        ours, theirs = getattr(dataset, split), getattr(copied, split)
        assert [theirs.name(i) for i in range(min(len(theirs), 9))] == [ours.name(i) for i in range(min(len(ours), 9))]
        assert (theirs.load(0) == ours.load(0)).all()


@each_way
@pytest.mark.parametrize("shape", [None, (6, 4)])
def test_files_read_the_same_elsewhere(shape, again, tmp_path):
    files = open_files([put_images(tmp_path)], shape=shape, num_channels=3)
    assert (again(files).load(2) == files.load(2)).all()


def test_a_pickled_set_leaves_what_it_has_read_behind(tmp_path):
    files = open_files([put_images(tmp_path, 2, 200, 300)], shape=(190, 290), num_channels=3)
    before = len(pickle.dumps(files))
    files.load(0)
    assert len(pickle.dumps(files)) == before < 2000


@each_way
@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_gives_the_same_bits_elsewhere(name, again):
    pattern = random_pattern(field_of(2, 9, 7, 3), 0.6)
    if reason := ENGINES[name].supports(pattern.field, torch.device("cpu"), torch.float32):
        pytest.skip(reason)
    problem, engine = make_problem(pattern, points=29).to(torch.float32), make_engine(pattern, name)
    expected = answers(engine, problem)
    found = answers(again(engine), problem)
    assert all(torch.equal(found[question], expected[question]) for question in expected)


@each_way
def test_an_engine_keeps_its_instruction_set(again, start):
    engine = ENGINES["sparse"](start.pattern, instructions="portable")
    assert again(engine).instructions == again(engine)._native.instructions == "portable"


@each_way
def test_an_engine_of_latents_can_be_copied(again, start):
    engine = ModulatedEngine(make_engine(start.pattern), initial(start, latents=4, seed=0))
    theta, coords = torch.ones(2, 4), start.domain.coords()
    assert torch.equal(again(engine).predict(theta, coords), engine.predict(theta, coords))


@each_way
def test_a_field_that_has_drawn_can_be_copied_and_draws_the_same(again, start):
    field = decode(start, encode(start, np.full((7, 5, 3), 0.3, np.float32), EncodeConfig(fit=FitConfig(steps=2))))
    expected = field.render((9, 8))
    assert again(field).render((9, 8)).tobytes() == expected.tobytes()
    assert field.render((9, 8)).tobytes() == expected.tobytes()
    module, copied = field.as_module(), again(field.as_module())
    assert torch.equal(copied(start.domain.coords()), module(start.domain.coords()))


@each_way
def test_starts_patterns_coders_and_results_can_be_copied(again, start):
    copied = again(start)
    assert (copied.digest, copied.domain, copied.info) == (start.digest, start.domain, start.info)
    assert torch.equal(again(start.pattern).keep, start.pattern.keep)
    values = np.full((7, 5, 3), 0.3, np.float32)
    (encoded,) = encode_batch(start, [values], EncodeConfig(fit=FitConfig(steps=2)))
    assert again(encoded).data == encoded.data
    coder = Coder(start)
    coder.read(encoded.data)  # its tables are made
    assert torch.equal(again(coder).theta(again(coder).read(encoded.data)), coder.theta(coder.read(encoded.data)))
    engine = make_engine(start.pattern)
    fitted = fit(engine, start.theta, start.domain.coords(), torch.full((1, 35, 3), 0.3), FitConfig(steps=2))
    assert torch.equal(again(fitted).theta, fitted.theta)


@pytest.mark.parametrize("kind", [BadInput, UnreadableSignal, WorkFailed])
def test_a_failure_reaches_the_process_that_asked(kind):
    error = pickle.loads(pickle.dumps(kind("a.png: it is no image")))
    assert (type(error), str(error)) == (kind, "a.png: it is no image")


def test_a_set_can_be_looped_over_and_ends(tmp_path):
    files = open_files([put_images(tmp_path, 3)], shape=None, num_channels=3)
    assert [values.shape for values in files] == [(7, 5, 3)] * 3
    with pytest.raises(IndexError):
        files[3]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", torch.multiprocessing.get_all_start_methods())
def test_a_data_loader_reads_a_set_with_workers(method, tmp_path):
    train = open_dataset(f"images:{put_images(tmp_path)}", resolution=(6, 4)).train
    train.load(1)
    loader = DataLoader(train, batch_size=4, num_workers=1, multiprocessing_context=method)
    batches = torch.cat(list(loader))
    assert torch.equal(batches, torch.stack([torch.from_numpy(train.load(i)) for i in range(len(train))]))
