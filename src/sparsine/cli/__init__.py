"""The command line: thin. Each command is one file with its options and one function."""
