"""Our codes, the codecs of others, and small dense fields in half floats."""
