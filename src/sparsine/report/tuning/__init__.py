"""The race of tuning as figures and a page."""
