"""OUT OF HERE: a fitted field, or a table of them, in formats that other programs read."""

from sparsine.export.contract import Exported as Exported
from sparsine.export.contract import Format as Format
from sparsine.export.cut import Cut as Cut
from sparsine.export.cut import cut as cut
from sparsine.export.registry import FORMATS as FORMATS
from sparsine.export.table import write_table as write_table
