"""Cells of a comparison as points, lines, tables and a page."""
