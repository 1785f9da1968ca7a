"""What is compared. A method of one's own is a class with four members, and one line: METHODS[name] = it()."""

from sparsine.comparison.methods.contract import Case as Case
from sparsine.comparison.methods.contract import Method as Method
from sparsine.comparison.methods.registry import METHODS as METHODS
