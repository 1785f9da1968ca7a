"""`table`: codes of one start as a data set for learning on top of them, in the layout of Hugging Face.

DIR/README.md                what it is; its head says where the rows are
DIR/data/train.jsonl         a row for each signal: name, label, PSNR, bytes, samples, its row in `vectors`
DIR/vectors.safetensors      delta (signals, params): fitted vectors less the start's; theta and pattern of the start
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sparsine.codec.coder import Coder
from sparsine.codec.encode import decode
from sparsine.errors import BadInput
from sparsine.fitting.fitted_field import FittedField
from sparsine.starts.start import Start, vectors_bytes
from sparsine.storage import write_atomically

FORMAT = "sparsine-table"
README = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train.jsonl
---
# {count} signals as vectors from one start

Each signal is the field of start `{digest}` ({counts}) with the vector `theta + delta[row]`.

```python
import json
from safetensors.torch import load_file

rows = [json.loads(line) for line in open("data/train.jsonl")]
vectors = load_file("vectors.safetensors")  # delta: (signals, params); theta: (params,); pattern: packed bits
print(rows[0], vectors["delta"].shape)
```
"""


@dataclass(frozen=True)
class Row:
    """One signal: its code, and what is known of it. `psnr_db` and `label` may be None."""

    name: str
    code: bytes
    label: str | None
    psnr_db: float | None


def write_table(out: Path, start: Start, rows: Sequence[Row]) -> None:
    """Raises BadInput for a folder that is there already, and for codes of another start, by their names."""
    if out.exists():
        raise BadInput(f"{out} is there already; choose another name for --out")
    coder, deltas, lines = Coder(start), [], []
    for place, row in enumerate(rows):
        field = _decoded(start, coder, row)
        deltas.append(field.theta - start.theta)
        lines.append(json.dumps(_told(row, place, field.shape)))
    vectors = {"delta": torch.stack(deltas), "theta": start.theta}
    about = {"start": start.digest, "signals": len(rows)}
    write_atomically(out / "vectors.safetensors", vectors_bytes(vectors, start.pattern, about, FORMAT))
    write_atomically(out / "data" / "train.jsonl", ("\n".join(lines) + "\n").encode())
    text = README.format(count=len(rows), digest=start.digest, counts=start.pattern.counts)
    write_atomically(out / "README.md", text.encode())


def _decoded(start: Start, coder: Coder, row: Row) -> FittedField:
    try:
        return decode(start, row.code, coder=coder)
    except BadInput as error:
        raise BadInput(f"{row.name}: {error}") from error


def _told(row: Row, place: int, shape: tuple[int, ...]) -> dict[str, Any]:
    return {"name": row.name, "label": row.label, "psnr_db": row.psnr_db, "bytes": len(row.code),
            "samples": list(shape), "row": place}  # fmt: skip
