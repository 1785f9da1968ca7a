"""Shapes and types written in signatures are checked while tests run."""

import os

import pytest
import torch
from jaxtyping import install_import_hook

from sparsine import plugins

if not torch.cuda.is_available():
    # before anything imports triton, which decides then: its kernels are interpreted on the CPU
    os.environ.setdefault("TRITON_INTERPRET", "1")

# helpers that assert say what they found
pytest.register_assert_rewrite("browsing", "html_page")

if not os.environ.get("JAXTYPING_DISABLE"):
    # the command line is left out: tyro puts placeholders of its own where values are still missing
    parts = ("signals", "fields", "engines", "pruning", "starts", "meta", "fitting", "optim", "psnr", "recipes",
             "codec", "measure", "report", "ssim", "usage", "viewer")  # fmt: skip
    install_import_hook([f"sparsine.{part}" for part in parts], "checked.checked")

# tests are small: threads that wait for one another cost more than they save, most of all on a busy machine
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def nothing_stays_loaded():
    """A file that a test loads is no part of what other tests record, or hand to processes."""
    yield
    plugins._files.clear()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A browser for pages, where one is installed."""
    headless = pytest.importorskip("headless", reason="websockets drive the browser: install sparsine[dev]")
    if headless.find_browser() is None:
        pytest.skip("no chromium is installed")
    if os.name != "posix":
        pytest.skip("the driver of the browser is for posix")
    with headless.Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser
