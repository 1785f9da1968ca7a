"""HOW MANY BYTES FOR WHICH QUALITY: our codes beside other codecs and small dense fields, by real file sizes.

measure     signals through every codec; gives the record
config      what is measured
signals     what is compressed, a batch of one shape after another
codecs      ours, those of others, half floats
pictures    8 bits: what every codec is given and gives back
records     the record as a file
"""

from sparsine.measure.rate_distortion.config import RateDistortionConfig as RateDistortionConfig
from sparsine.measure.rate_distortion.measure import measure_rate_distortion as measure_rate_distortion
from sparsine.measure.rate_distortion.records import read_record as read_record
from sparsine.measure.rate_distortion.records import write_record as write_record
