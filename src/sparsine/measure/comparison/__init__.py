"""WHICH METHOD: methods x levels x seeds on the same signals, each combination a cell with a record of its own."""
