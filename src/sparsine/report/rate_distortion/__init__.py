"""A rate-distortion record as curves, tables and a page."""
