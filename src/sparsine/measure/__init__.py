"""HOW GOOD: signals read, fitted, drawn and scored, and the records of it. Draws no figure and writes no page."""
