"""`glsl`: a function from coordinates to values for any shader, GLSL ES 1.00 and later."""

from sparsine.export import formulas
from sparsine.export.contract import Exported, refuse
from sparsine.export.quantised import quantised

TYPES = {1: "float", 2: "vec2", 3: "vec3", 4: "vec4"}
HELPERS = """highp float S(highp float z){highp float n=floor(z+.5),r=z-n,q=r*r;
return (1.-2.*(n-2.*floor(n*.5)))*r*(%s+q*(%s+q*(%s+q*(%s+q*%s))));}
"""
OWN = {
    "S": "",
    "F": "highp float F(highp float z){{return S({0}*(abs(z)+1.)*z);}}\n",
    "G": "highp float G(highp float z){{return exp(-.5*z*z);}}\n",
    "R": "highp float R(highp float z){{return max(z,0.);}}\n",
}


def write(exported: Exported) -> bytes:
    """Raises BadInput for fields with more than four coordinates or values, or with too many weights."""
    check(exported, "glsl")
    return (about(exported) + function(exported)).encode()


def check(exported: Exported, what: str) -> None:
    """Raises BadInput as `write` does."""
    formulas.check(exported, what)
    field = exported.cut.field
    if field.in_features > 4 or field.out_features > 4:
        refuse(what, f"vectors have at most four numbers there, and it has {field.in_features} coordinates and "
                     f"{field.out_features} values")  # fmt: skip


def function(exported: Exported) -> str:
    """The function and what it calls. All of it is highp, whatever a shader's own precision."""
    field, layers, name = exported.cut.field, quantised(exported), formulas.helper_name(exported.cut)
    lines, outputs = formulas.statements(exported, layers)
    steps = "".join(f"highp float {name}{level}(highp float z){{return {name}({formulas.step(layer)}*z);}}\n"
                    for level, layer in enumerate(layers[:-1]))  # fmt: skip
    inputs = [f"x{i}=x" + (f".{'xyzw'[i]}" if field.in_features > 1 else "") for i in range(field.in_features)]
    body = "".join(f"highp float {line};\n" for line in [",".join(inputs), *lines])
    made = TYPES[field.out_features]
    returned = outputs[0] if made == "float" else f"{made}({','.join(outputs)})"
    return (helpers(exported) + steps + f"highp {made} field(highp {TYPES[field.in_features]} x){{\n{body}"
            f"return {returned};}}\n")  # fmt: skip


def helpers(exported: Exported) -> str:
    """The sine, and the activation."""
    return HELPERS % formulas.SINE + OWN[formulas.helper_name(exported.cut)].format(
        formulas.helper_constant(exported.cut)
    )


def about(exported: Exported) -> str:
    """Two lines of comment."""
    domain = exported.drawn.domain
    return (f"// {_one_line(exported.name)}: {exported.cut.field.description}; {exported.cut.num_weights:,} weights\n"
            f"// field(x): x as in {_one_line(str(domain.to_dict()))}\n")  # fmt: skip


def _one_line(text: str) -> str:
    """Nothing that ends a comment."""
    return " ".join(text.split()).replace("\\", "/")
