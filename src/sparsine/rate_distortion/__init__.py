"""HOW MANY BYTES FOR WHICH QUALITY: our codes beside other codecs and small dense fields, by real file sizes.

measure     signals through every codec; gives the record
config      what is measured
signals     what is compressed, a batch of one shape after another
ours, pillow_codecs, half_floats     the codecs
pictures    8 bits: what every codec is given and gives back
records     the record as a file
points, published     means over signals; what others published
bjontegaard_delta     whole curves beside whole curves, in one number
lines       curves as they are drawn, with their looks
tables, figures, charts, page     made from records alone
"""

from sparsine.rate_distortion.config import RateDistortionConfig as RateDistortionConfig
from sparsine.rate_distortion.measure import measure_rate_distortion as measure_rate_distortion
from sparsine.rate_distortion.records import read_record as read_record
from sparsine.rate_distortion.records import write_record as write_record
