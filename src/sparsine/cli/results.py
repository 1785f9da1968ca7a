"""What `--json` writes, command by command: the fields that a program may rely on. More may stand beside them.

docs/command-line.md says the same for people.
"""

from sparsine.parts import NUMBER, Like

_SIGNAL = {"input": str, "status": str}
_START = {"start_sha256": str, "weights": int, "biases": int}

RESULTS: dict[str, Like] = {
    "learn": {"kind": {"learn-summary"}, "record_version": int, "run": str, "start": str, "starts": [str], **_START,
              "sparsity": float, "learn_seconds": float, "unreadable": {str: str}},
    "fit": [{**_SIGNAL, "steps": [int], "psnr_db": [NUMBER]}],
    "report": {"kind": {"evaluation"}, "record_version": int, "rows": [
        {"name": str, "weights": int, "biases": int, "density": float, "steps": [int], "mean_psnr_db": [NUMBER],
         "signals": [{**_SIGNAL, "metrics": {"psnr_db": [NUMBER]}}]}]},
    "encode": {"kind": {"encode-summary"}, "record_version": int, "start_sha256": str, "signals": int, "codes": int,
               "bytes": int, "psnr_db": NUMBER, "files": [
                   {**_SIGNAL, "code": (str, None), "bytes": (int, None), "psnr_db": NUMBER, "shape": [int]}]},
    "decode": [{**_SIGNAL, "picture": (str, None), "shape": [int], "kept": bool}],
    "export": {"kind": {"export-summary"}, "record_version": int, "to": str, "out": str},
    "tune": {"kind": {"sparsine-tuning"}, "record_version": int, "winner": (int, None),
             "candidates": [{}], "trials": [{}]},
    "starts": [{"start": str, "weights": int, "biases": int, "for": (str, None), "shape": [int], "file_bytes": int,
                "expected": {}}],
    "plan": {"kind": {"plan-summary"}, "record_version": int, "start": str, "start_sha256": str, "signals": int,
             "plans": {str: {"optimizer": str, "steps": int, "lr": float}},
             "tried": [{"effort": str, "step_size": float, "psnr_db": NUMBER}]},
    "calibrate": {"kind": {"calibrate-summary"}, "record_version": int, "start": str, "start_sha256": str, "bytes": int,
                  "bytes_before": int, "signals": int, "fitted_psnr_db": NUMBER},
    "compare": {"kind": {"compare-summary"}, "record_version": int, "folder": str, "cells": int, "measured": int,
                "failed": {str: str}, "points": [
                    {"data": str, "method": str, "level": str, "numbers": int, "psnr_db": NUMBER, "signals": int}]},
    "rate-distortion": {"kind": {"rate-distortion"}, "record_version": int, "starts": [{}], "signals": [{}]},
    "info": {"kind": {"info"}, "record_version": int, "file": ({"what": str, "path": str, "bytes": int}, None),
             "engines": ({"names": [str], "threads": int}, None)},
    "bench": {"kind": {"benchmark"}, "rows": [{"task": str, "density": float, "ratio": float}]},
    "fetch": {"kind": {"fetch-summary"}, "record_version": int, "data": [
        {"name": str, "licence": str, "home": str, "size": str, "url": (str, None), "folder": str, "there": bool,
         "next": str}]},
    "import-learnit": {"kind": {"import-summary"}, "record_version": int, "start": str, **_START},
}  # fmt: skip
