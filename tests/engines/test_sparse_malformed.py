"""Straight calls into the compiled part with what it must not take: all are refused, and nothing is touched."""

import numpy as np
import pytest
from small_problems import field_of, random_pattern

from sparsine.engines import _native

FIELD = field_of(2, 5, 4, 3)
PATTERN = random_pattern(FIELD, 0.6)
PARAMS = PATTERN.num_params
SIGNALS, POINTS = 3, 7
QUESTIONS = {
    "predict": ("theta", "coords", "out"),
    "loss_and_grad": ("theta", "coords", "values", "loss", "grad"),
    "hvp": ("theta", "v", "coords", "values", "product"),
}
OUTPUTS = ("out", "loss", "grad", "product")


def engine_of(sizes=FIELD.sizes, keep=None, omega_0=3.0, output_offset=0.0, instructions="portable", **further):
    keep = PATTERN.keep.numpy().view(np.uint8) if keep is None else keep
    return _native.Engine(sizes, keep, omega_0, output_offset, instructions, **further)


def arguments():
    rng = np.random.default_rng(1)

    def random(*shape):
        return rng.random(shape, dtype=np.float32)

    given = {
        "theta": random(SIGNALS, PARAMS),
        "v": random(SIGNALS, PARAMS),
        "coords": random(1, POINTS, 2),
        "values": random(SIGNALS, POINTS, 3),
    }
    asked = {
        "out": np.full((SIGNALS, POINTS, 3), 7, np.float32),
        "loss": np.full(SIGNALS, 7, np.float64),
        "grad": np.full((SIGNALS, PARAMS), 7, np.float32),
        "product": np.full((SIGNALS, PARAMS), 7, np.float32),
    }
    return given | asked


def ask(engine, question, given, num_threads=1):
    getattr(engine, question)(*[given[name] for name in QUESTIONS[question]], num_threads)


def shorter(axis):
    return lambda a: np.ascontiguousarray(a.take(range(a.shape[axis] - 1), axis))


def longer(axis):
    return lambda a: np.concatenate([a, a.take([0], axis)], axis)


def strided(a):
    return np.repeat(a, 2, axis=-1)[..., ::2]


def unaligned(a):
    room = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    room[:] = a
    return room


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def of_kind(dtype):
    return lambda a: a.astype(dtype)


ANY = {
    "of float64": of_kind(np.float64),
    "of float16": of_kind(np.float16),
    "of whole numbers": of_kind(np.int32),
    "of complex numbers": of_kind(np.complex64),
    "of the other byte order": of_kind(">f4"),
    "with strides": strided,
    "column by column": np.asfortranarray,
    "between two floats": unaligned,
    "of one axis more": lambda a: a[None],
    "of one axis less": lambda a: a[0],
    "a list": lambda a: a.tolist(),
    "missing": lambda a: None,
    "a signal more": longer(0),
    "a column more": longer(-1),
    "a column less": shorter(-1),
    "no column": lambda a: a[..., :0].copy(),
}
FEWER = {"a signal less": shorter(0), "no signal": lambda a: a[:0]}
POINTWISE = {"a point more": longer(1), "a point less": shorter(1), "no point": lambda a: a[:, :0].copy()}
LOSS = {
    "of float32": of_kind(np.float32),
    "with strides": strided,
    "between two floats": unaligned,
    "a signal more": longer(0),
    "of one axis more": lambda a: a[None],
    "missing": lambda a: None,
}
SPOILT = {
    "theta": ANY | FEWER,
    "v": ANY | FEWER,
    "coords": ANY | {"no point": POINTWISE["no point"], "of no signal": lambda a: a[:0]},
    "values": ANY | FEWER | POINTWISE,
    "loss": LOSS | FEWER | {"read-only": read_only},
    "grad": ANY | FEWER | {"read-only": read_only},
    "product": ANY | FEWER | {"read-only": read_only},
    "out": ANY | FEWER | POINTWISE | {"read-only": read_only},
}
CASES = [(question, name, how) for question, names in QUESTIONS.items() for name in names for how in SPOILT[name]]


@pytest.mark.parametrize(("question", "name", "how"), CASES, ids=lambda part: part.replace(" ", "-"))
def test_a_malformed_array_is_refused_before_anything_is_written(question, name, how):
    engine, given = engine_of(), arguments()
    ask(engine, question, arguments())
    given[name] = SPOILT[name][how](given[name])
    with pytest.raises((TypeError, ValueError)):
        ask(engine, question, given)
    for output in OUTPUTS:
        if output in QUESTIONS[question] and given[output] is not None:
            assert (np.asarray(given[output]) == 7).all()


def test_points_that_coords_have_and_values_have_not_are_refused():
    for change in (longer(1), shorter(1)):
        for question in QUESTIONS:
            given = arguments()
            given["coords"] = change(given["coords"])
            with pytest.raises(ValueError):
                ask(engine_of(), question, given)
            assert (given["out"] == 7).all()
            assert (given["grad"] == 7).all()
            assert (given["product"] == 7).all()


def test_no_points_are_refused_also_where_all_agree_that_there_are_none():
    for question in QUESTIONS:
        given = arguments()
        for name in ("coords", "values", "out"):
            given[name] = POINTWISE["no point"](given[name])
        with pytest.raises(ValueError, match="at least one point"):
            ask(engine_of(), question, given)
        assert all((given[output] == 7).all() for output in OUTPUTS)


def test_no_signals_are_answered_with_nothing():
    given = arguments()
    for name, array in given.items():
        if name != "coords":
            given[name] = array[:0]
    for question in QUESTIONS:
        for num_threads in (1, 3):
            ask(engine_of(), question, given, num_threads)


@pytest.mark.parametrize("num_threads", [0, -3, 10_000])
def test_any_number_of_threads_is_taken_for_what_can_be_used(num_threads):
    engine, expected, found = engine_of(), arguments(), arguments()
    for question in QUESTIONS:
        ask(engine, question, expected)
        ask(engine, question, found, num_threads)
    for output in OUTPUTS:
        assert not (found[output] == 7).any()
        assert (found[output] == expected[output]).all()


@pytest.mark.parametrize("num_threads", [2**31, -(2**40), 1.5, "2", None])
def test_a_number_of_threads_that_is_none_is_refused(num_threads):
    for question in QUESTIONS:
        given = arguments()
        with pytest.raises(TypeError):
            ask(engine_of(), question, given, num_threads)
        assert all((given[output] == 7).all() for output in OUTPUTS)


WRONG_ENGINES = {
    "no hidden layer": (dict(sizes=[2, 3], keep=np.ones(6, np.uint8)), "at least an input, a hidden layer"),
    "no layers": (dict(sizes=[]), "at least an input, a hidden layer"),
    "a layer without neurons": (dict(sizes=[2, 0, 3], keep=np.ones(0, np.uint8)), "from 1 to 2\\^24 neurons"),
    "no inputs": (dict(sizes=[0, 5, 3], keep=np.ones(15, np.uint8)), "from 1 to 2\\^24 neurons"),
    "a layer of 2^31": (dict(sizes=[2, 2**31, 3]), "from 1 to 2\\^24 neurons"),
    "a layer of 2^32 - 1": (dict(sizes=[2, 2**32 - 1, 3]), "from 1 to 2\\^24 neurons"),
    "weights beyond 2^31": (dict(sizes=[2, 2**16, 2**16, 3]), "fewer than 2\\^31 weights"),
    "weights that come to 16 modulo 2^32": (dict(sizes=[4, 2**14, 2**18, 4]), "fewer than 2\\^31 weights"),
    "layers without end": (dict(sizes=[2**12] * 200), "fewer than 2\\^31 weights"),
    "a byte too few": (dict(keep=np.ones(FIELD.num_weights - 1, np.uint8)), "one byte for each weight"),
    "a byte too many": (dict(keep=np.ones(FIELD.num_weights + 1, np.uint8)), "one byte for each weight"),
    "no bytes": (dict(keep=np.ones(0, np.uint8)), "one byte for each weight"),
    "no frequency": (dict(omega_0=float("nan")), "finite"),
    "an endless frequency": (dict(omega_0=float("inf")), "finite"),
    "no offset": (dict(output_offset=float("nan")), "finite"),
    "an unknown instruction set": (dict(instructions="abacus"), "no instruction set 'abacus'"),
    "no instruction set": (dict(instructions=""), "no instruction set ''"),
    "an unknown activation": (dict(activation="swish"), "no activation 'swish'"),
    "no first frequency": (dict(omega_first=float("nan")), "omega_first is finite"),
    "an endless first frequency": (dict(activation="gauss", omega_first=float("inf")), "omega_first is finite"),
}
MISTYPED_ENGINES = {
    "a layer of 2^32 + 5": dict(sizes=[2, 2**32 + 5, 3]),
    "a layer of -5": dict(sizes=[2, -5, 3]),
    "a layer and a half": dict(sizes=[2, 1.5, 3]),
    "sizes that are a number": dict(sizes=5),
    "bits as booleans": dict(keep=np.ones(FIELD.num_weights, bool)),
    "bits as floats": dict(keep=np.ones(FIELD.num_weights, np.float32)),
    "bits with strides": dict(keep=np.ones(2 * FIELD.num_weights, np.uint8)[::2]),
    "bits in a matrix": dict(keep=np.ones((1, FIELD.num_weights), np.uint8)),
    "no bits": dict(keep=[]),
    "a word for a frequency": dict(omega_0="fast"),
    "no name": dict(instructions=None),
    "no name of an activation": dict(activation=None),
    "a word for a first frequency": dict(omega_first="fast"),
}


@pytest.mark.parametrize("how", WRONG_ENGINES)
def test_a_field_that_cannot_be_is_refused_before_room_is_made_for_it(how):
    wanted, words = WRONG_ENGINES[how]
    with pytest.raises(ValueError, match=words):
        engine_of(**wanted)


@pytest.mark.parametrize("how", MISTYPED_ENGINES)
def test_a_field_described_in_other_types_is_refused(how):
    with pytest.raises(TypeError):
        engine_of(**MISTYPED_ENGINES[how])


def test_the_bytes_of_a_pattern_may_have_any_value():
    keep = PATTERN.keep.numpy()
    found, expected = arguments(), arguments()
    ask(engine_of(keep=keep.view(np.uint8) * np.uint8(0x82)), "hvp", found)
    ask(engine_of(), "hvp", expected)
    assert (found["product"] == expected["product"]).all()
