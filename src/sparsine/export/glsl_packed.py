"""`glsl-packed`: the same function as `glsl` in fewer bytes, as a table of whole numbers and a loop that reads it.

Shorter, and slower: every pixel reads the whole table. GLSL ES 3.00 (WebGL 2) or desktop GLSL 3.30 and later.
"""

from sparsine.export import formulas, glsl
from sparsine.export.contract import Exported
from sparsine.export.packed import Packed, packed, words
from sparsine.export.quantised import quantised
from sparsine.fields.encodings import FourierFeatures

WORD = 30
"""Bits of a word: in decimal, so many take the fewest letters."""
READ = """int B,L,K;
int r(int n){int v=B;if(L<n){B=W[K++];v|=B<<L;B>>=n-L;L+=30-n;}else{B>>=n;L-=n;}return v&(1<<n)-1;}
"""
LAYER = """void l(int n,int o,int b,int g,int m){int i=-1,j=0,q=1<<b-1;
for(int k=0;k<o;k++)a[k]=float(r(b)-q);
while(m>0){int k=r(g);i+=k;if(g<1||k!=(1<<g)-1){for(i++;i>=n;i-=n)j++;a[j]+=float(r(b)-q)*h[i];m--;}}}
"""


def write(exported: Exported) -> bytes:
    """Raises BadInput as `glsl` does."""
    glsl.check(exported, "glsl-packed")
    return (glsl.about(exported) + function(exported)).encode()


def function(exported: Exported) -> str:
    """The function, what it calls, and its table."""
    field, name = exported.cut.field, formulas.helper_name(exported.cut)
    layers, numbers = packed(quantised(exported))
    encoding = field.encoding
    widest = max(2 * encoding.num_frequencies if isinstance(encoding, FourierFeatures) else field.in_features,
                 *(layer.n_out for layer in layers))  # fmt: skip
    table = words(numbers, WORD)
    body = "".join(_layer(layer, name if number + 1 < len(layers) else "") for number, layer in enumerate(layers))
    made, given = glsl.TYPES[field.out_features], glsl.TYPES[field.in_features]
    returned = f"{made}({','.join(f'h[{i}]' for i in range(field.out_features))})"
    return (
        glsl.helpers(exported)
        + f"const highp int W[{len(table)}]=int[]({','.join(map(str, table))});\n"
        + f"highp float h[{widest}],a[{widest}];\n"
        + _highp(READ + LAYER)
        + f"highp {made} field(highp {given} x){{\nB=L=K=0;\n{_inputs(exported)}{body}return {returned};}}\n"
    )


def _layer(layer: Packed, call: str) -> str:
    numbers = ",".join(map(str, (layer.n_in, layer.n_out, layer.bits, layer.skip, layer.entries)))
    return f"l({numbers});for(int k=0;k<{layer.n_out};k++)h[k]={call}({formulas.step(layer)}*a[k]);\n"


def _inputs(exported: Exported) -> str:
    field = exported.cut.field
    x = ["x"] if field.in_features == 1 else [f"x.{'xyzw'[i]}" for i in range(field.in_features)]
    if not isinstance(field.encoding, FourierFeatures):
        return "".join(f"h[{i}]={name};" for i, name in enumerate(x)) + "\n"
    line, names = formulas.fourier(field.encoding.frequencies(len(x)).numpy(), x)
    return "".join(f"h[{i}]={made.partition('=')[2]};\n" for i, made in enumerate(line)) if names else ""


def _highp(text: str) -> str:
    """Integers of shaders have 16 bits where nobody asks for more."""
    return text.replace("int ", "highp int ")
