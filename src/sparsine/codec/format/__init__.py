"""Format version 1, frozen: every line here is a promise; change nothing without a new version.

It may become faster, or say the same in other words. What is written here decides which bytes a code has, or what a
code draws; docs/format.md describes it, and tests/codec/second_decoder.py reads codes by that page alone.

    header, varint     what a code says of itself, and the whole numbers in it
    identity           which start it belongs to
    decoder            which numbers it holds, their steps and tables, the vector they make
    quantise           the table of step sizes; numbers to vectors and back
    models, entropy    tables of frequencies; numbers to bytes and back
    default_tables     what a start that was never calibrated codes with

Promised by version 1 too, and elsewhere because others need it: starts/coding.py (tables and their names in files),
`checksum` of starts/start.py, `Pattern.to_bits`, `live_params` of fields/liveness.py, what fields, domains and kinds
say of themselves (`to_dict`), and what they draw.
"""
