"""`glsl`: a function from coordinates to values for any shader, GLSL ES 1.00 and later."""

from sparsine.export import formulas
from sparsine.export.contract import Exported, refuse

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
    formulas.check(exported, "glsl")
    field = exported.cut.field
    if field.in_features > 4 or field.out_features > 4:
        refuse("glsl", f"vectors have at most four numbers there, and it has {field.in_features} coordinates and "
                       f"{field.out_features} values")  # fmt: skip
    return (_about(exported) + function(exported)).encode()


def function(exported: Exported) -> str:
    """The function and what it calls. All of it is highp, whatever a shader's own precision."""
    field, (lines, outputs) = exported.cut.field, formulas.statements(exported)
    inputs = [f"x{i}=x" + (f".{'xyzw'[i]}" if field.in_features > 1 else "") for i in range(field.in_features)]
    body = "".join(f"highp float {line};\n" for line in [",".join(inputs), *lines])
    own = OWN[formulas.helper_name(exported.cut)].format(formulas.helper_constant(exported.cut))
    made = TYPES[field.out_features]
    returned = outputs[0] if made == "float" else f"{made}({','.join(outputs)})"
    return (HELPERS % formulas.SINE + own + f"highp {made} field(highp {TYPES[field.in_features]} x){{\n{body}"
            f"return {returned};}}\n")  # fmt: skip


def _about(exported: Exported) -> str:
    domain = exported.drawn.domain
    return (f"// {_one_line(exported.name)}: {exported.cut.field.description}; {exported.cut.num_weights:,} weights\n"
            f"// field(x): x as in {_one_line(str(domain.to_dict()))}\n")  # fmt: skip


def _one_line(text: str) -> str:
    """Nothing that ends a comment."""
    return " ".join(text.split()).replace("\\", "/")
