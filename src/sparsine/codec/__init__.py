"""HOW a fitted signal becomes bytes and back.

A code is one small file for one signal. It holds the whole numbers round((theta - centre) / step), one for each
parameter of the fitted vector theta, entropy-coded; the pattern, the centre (the start's vector, moved to the mean of
fitted ones by calibration), the steps and the statistics lie in the start and are paid once for a collection.
docs/format.md describes every byte.

    start = calibrate(load_start(path), dataset.val)   # once; save_start keeps what was measured in the start's file
    data = encode(start, signal)                       # fits, rounds, packs; signal (rows, columns, channels)
    field = decode(start, data)                        # a FittedField; another start is refused
    field.render()                                     # (rows, columns, channels), at its own size
    field.render((1024, 1024), region=(0.25, 0.5, 0.5, 0.75))   # y0, x0, y1, x1 as fractions of the picture
    field([[0.1, -0.3]])                               # values at coordinates, as the start's grid counts them
    field.as_module()                                  # a torch.nn.Module, differentiable in the coordinates

Whole collections: `encode_collection(start, signals, folder)` fills a folder of codes, `decode_collection(start, codes,
folder, View(scale=2))` one of pictures; both go on where an interrupted call ended, and report what is bad. Without
files: `encode_batch` fits a batch of one shape together and returns an `Encoded` for each (data, psnr_db,
fitted_psnr_db, status, reason); keep one `Coder(start)` and hand it to every batch, and to `decode`, since it remembers
its tables. Coding without fitting: `encode_vector` and `decode_vector`, or `Coder.write` and `Coder.read`.
`read_header(data)` says what is in a code without its start. `EncodeConfig` chooses the fit, the quality, or a target.
`bit_allocation` says what its bits are for, group by group. Bad bytes raise BadInput, whatever they are.

Rooms, downwards: files (folders of codes and of drawings), what lies here (the encoder's choices, which may change),
format (what version 1 promises, which may not). Inside, downwards: calibrate and coding_tables (what a start knows),
encode (signals to codes), straight_through (quantisation-aware fitting), rate_control (which step), code_statistics,
coder (vectors to codes), scales (bits, and the shortest payload).
"""

from sparsine.codec.calibrate import calibrate as calibrate
from sparsine.codec.code_statistics import GroupAllocation as GroupAllocation
from sparsine.codec.code_statistics import bit_allocation as bit_allocation
from sparsine.codec.coder import Coder as Coder
from sparsine.codec.config import CalibrationConfig as CalibrationConfig
from sparsine.codec.config import EncodeConfig as EncodeConfig
from sparsine.codec.encode import Encoded as Encoded
from sparsine.codec.encode import decode as decode
from sparsine.codec.encode import decode_vector as decode_vector
from sparsine.codec.encode import encode as encode
from sparsine.codec.encode import encode_batch as encode_batch
from sparsine.codec.encode import encode_vector as encode_vector
from sparsine.codec.files.coded import CodedSignal as CodedSignal
from sparsine.codec.files.collection import encode_collection as encode_collection
from sparsine.codec.files.drawings import decode_collection as decode_collection
from sparsine.codec.files.drawn import DrawnCode as DrawnCode
from sparsine.codec.format.decoder import Code as Code
from sparsine.codec.format.header import SUFFIX as SUFFIX
from sparsine.codec.format.header import CodeHeader as CodeHeader
from sparsine.codec.format.header import read_header as read_header
from sparsine.codec.format.identity import start_hash as start_hash
from sparsine.fitting.fit_array import fit_array as fit_array
from sparsine.fitting.fitted_field import FittedField as FittedField
from sparsine.fitting.view import View as View
