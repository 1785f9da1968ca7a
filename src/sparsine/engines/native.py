"""The compiled part of the sparse engine: is it there, and which instruction set does it use?"""

import os
from types import ModuleType

from sparsine.errors import BadInput
from sparsine.fields import activations
from sparsine.fields.activations import Activation

VARIABLE = "SPARSINE_INSTRUCTIONS"
"""Environment variable that forces an instruction set: avx512, avx2 or portable."""


def native() -> ModuleType:
    """The extension module.

    Raises:
        BadInput: this installation has none, with what to do about it.
    """
    try:
        from sparsine.engines import _native
    except ImportError as error:
        raise BadInput(
            f"engine 'sparse' is not part of this installation ({error}); install sparsine from a wheel, or from "
            "source with a C++ compiler (Debian, Ubuntu: apt install g++; macOS: xcode-select --install), "
            "or use engine 'dense'"
        ) from error
    return _native


def why_missing() -> str | None:
    """Why this installation lacks the extension, and what to do; None where it has it."""
    try:
        native()
    except BadInput as error:
        return str(error)
    return None


def is_built() -> bool:
    """Whether this installation has the extension."""
    return why_missing() is None


def instruction_sets() -> list[str]:
    """What this processor and this build can run, fastest first; empty where the extension is missing."""
    return list(native().instruction_sets()) if is_built() else []


def can_draw_half() -> bool:
    """Whether the instruction set in use comes with drawing in half precision."""
    return is_built() and hasattr(native(), "draws_half") and bool(native().draws_half(chosen_instructions()))


def compiled() -> list[str]:
    """Activations of the extension; none of one that is older than the questions."""
    return list(native().activations()) if hasattr(native(), "constants") else []


def is_compiled(activation: Activation) -> bool:
    """Whether it is the one that the extension knows by that name: the package's own, with the same constants. Another
    class could be registered under the name."""
    name = activation.name
    if type(activation).__module__ != f"{activations.__name__}.{name}" or name not in compiled():
        return False
    return list(activation.to_dict()) == ["name", *native().constants(name)]


def check_instructions(name: str) -> str:
    """`name`, if this machine can run it.

    Raises:
        BadInput: it cannot.
    """
    known = native().instruction_sets()
    if name not in known:
        raise BadInput(f"instruction set {name!r} cannot be used here; this machine has {', '.join(known)}")
    return name


def chosen_instructions() -> str:
    """The fastest instruction set, or the one that the environment variable names."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return str(native().instruction_sets()[0])
    try:
        return check_instructions(wanted)
    except BadInput as error:
        raise BadInput(f"{VARIABLE}: {error}") from None
