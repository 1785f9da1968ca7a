"""The record: one JSON file, a line for each codec at one setting, with a value for every signal."""

import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import PIL
from PIL import features

from sparsine.errors import BadInput
from sparsine.measure.rate_distortion.pictures import Measured
from sparsine.measure.records import check_head
from sparsine.storage import json_value, read_json, write_atomically

KIND, VERSION = "rate-distortion", 1
NAME = "rate-distortion.json"
VALUES = ("bytes", "psnr_db", "ssim", "encode_seconds", "decode_seconds")
_DIGITS = {"psnr_db": 4, "fitted_psnr_db": 4, "ssim": 5, "encode_seconds": 5, "decode_seconds": 5}


def versions() -> dict[str, str]:
    """Of the codecs that are not ours."""
    jpeg = features.version_feature("libjpeg_turbo") if features.check("libjpeg_turbo") else features.version("jpg")
    others = {"libavif": str(features.version("avif"))} if features.check("avif") else {}
    with suppress(PackageNotFoundError):
        others |= {"pillow-jxl-plugin": version("pillow-jxl-plugin")}
    return {"pillow": PIL.__version__, "libjpeg": str(jpeg), "libwebp": str(features.version("webp")), **others}


def add(record: dict[str, Any], setting: dict[str, Any], made: Measured | None, **more: float) -> None:
    """One signal's values at the end of the row of `setting`, which begins with its first signal. None where there is
    no file."""
    row = next((row for row in record["rows"] if setting_of(row) == setting), None)
    if row is None:
        row = setting | {name: [] for name in (*VALUES, *more)}
        record["rows"].append(row)
    values = (
        (made.num_bytes, made.psnr_db, made.ssim, made.encode_seconds, made.decode_seconds) if made else (None,) * 5
    )
    for name, value in (*zip(VALUES, values, strict=True), *more.items()):
        row[name].append(value if value is None or name not in _DIGITS else round(value, _DIGITS[name]))


def setting_of(row: dict[str, Any]) -> dict[str, Any]:
    """What tells a row from the others: all that is not a list of values."""
    return {name: value for name, value in row.items() if not isinstance(value, list)}


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Raises WorkFailed when the system refuses."""
    record = json_value(record)
    parts = [f"{json.dumps(name)}: {_text(value, name in ('rows', 'starts'))}" for name, value in record.items()]
    write_atomically(path, ("{\n" + ",\n".join(parts) + "\n}\n").encode())


def read_record(path: Path) -> dict[str, Any]:
    """The record at `path`, or in the folder of that name.

    Raises:
        BadInput: missing, damaged, something else, or of another version.
    """
    path = path / NAME if path.is_dir() else path
    record = read_json(path)
    check_head(record, KIND, {VERSION}, str(path), "a record of sparsine rate-distortion",
               "give the folder that one was written to")  # fmt: skip
    if missing := {"data", "config", "starts", "signals", "rows", "versions", "hardware"} - record.keys():
        raise BadInput(f"{path} is damaged: it lacks {', '.join(sorted(missing))}; restore it from a copy")
    return dict(record)


def _text(value: Any, in_lines: bool) -> str:
    if in_lines and value:
        return "[\n" + ",\n".join(json.dumps(item, allow_nan=False) for item in value) + "\n]"
    return json.dumps(value, allow_nan=False)
