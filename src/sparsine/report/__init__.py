"""WHAT IT SAYS: tables, figures and pages, made from records alone.

run, comparison, rate_distortion, tuning     a folder for each kind of record
wording, table, styles, colours              what they share
html, templates                              the frame of every page
"""
