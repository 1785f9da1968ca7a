"""What is compared. A method of one's own is a class with three names and two methods, and one
line: METHODS[name] = it()."""

from sparsine.measure.comparison.methods.contract import Context as Context
from sparsine.measure.comparison.methods.contract import Method as Method
from sparsine.measure.comparison.methods.registry import METHODS as METHODS
