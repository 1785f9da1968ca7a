"""Shapes and types written in signatures are checked while tests run."""

import os

import torch
from jaxtyping import install_import_hook

if not os.environ.get("JAXTYPING_DISABLE"):
    # the command line is left out: tyro puts placeholders of its own where values are still missing
    parts = ("signals", "fields", "engines", "pruning", "meta", "fitting", "evaluation", "optim", "psnr", "recipes",
             "benchmarks", "comparison", "codec", "rate_distortion", "ssim", "usage", "viewer")  # fmt: skip
    install_import_hook([f"sparsine.{part}" for part in parts], "checked.checked")

# tests are small: threads that wait for one another cost more than they save, most of all on a busy machine
torch.set_num_threads(1)
