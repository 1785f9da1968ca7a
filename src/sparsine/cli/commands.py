"""The commands, and which of their options are told first."""

COMMANDS = {
    "learn": "learn a sparse start for a collection of signals",
    "fit": "fit signals from a start, draw them, measure PSNR",
    "report": "measure a run on held-out signals and write its report page",
    "encode": "fit signals from a start and write a small code file for each",
    "decode": "draw codes at any size, or parts at any magnification",
    "export": "write a field, or a table of them, for other programs",
    "tune": "race settings on your signals; writes a recipe file for learn",
    "starts": "list the starts that come with the package",
    "plan": "find out on a few signals how to fit from a start",
    "calibrate": "find out on a few signals how codes of a start are told best",
    "compare": "measure methods beside each other, as the paper's figures do",
    "rate-distortion": "measure codes beside JPEG and WebP: bytes, PSNR, SSIM, time",
    "info": "say what is in a start or a code, or which engines there are",
    "view": "show codes in a page on this machine",
    "bench": "time the engines beside plain PyTorch",
    "completion": "print what makes a shell complete this command",
    "import-learnit": "turn a start published by Learnit (npz) into a start file",
}
FIRST = {
    "learn": ("out", "recipe", "resolution", "sparsity", "resume"),
    "fit": ("out", "effort", "size", "limit", "sparsity"),
    "report": ("limit", "effort", "levels", "pictures", "data"),
    "encode": ("out", "target-bytes", "target-psnr", "quality", "effort"),
    "decode": ("start", "out", "scale", "size", "region"),
    "export": ("to", "out", "start", "sparsity"),
    "tune": ("out", "numbers", "effort", "resolution", "candidates"),
    "plan": ("out", "plan-signals", "resolution", "sparsity", "split"),
    "calibrate": ("out", "limit", "effort", "resolution", "sparsity"),
    "compare": ("data", "out", "methods", "seeds", "limit"),
    "rate-distortion": ("out", "qualities", "more-starts", "effort", "limit"),
    "info": ("start", "sparsity", "engines"),
    "view": ("start", "originals", "port", "no-browser"),
    "bench": ("densities", "batches", "resolution", "repeats", "device"),
    "import-learnit": ("out", "omega-0", "conventions"),
}
"""At most five, and all that must be given."""
