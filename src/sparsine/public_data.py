"""Public data sets that the paper and the documents use: where they are, under which licence, and what comes after.

Only hashes that somebody published are here, each with its source; what has none is named with its address, for a
person to get.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PublicData:
    """A data set of others."""

    what: str
    licence: str
    home: str
    """A page for people."""
    size: str
    command: str
    """What comes next; {} is the folder."""
    url: str | None = None
    """An archive (tar.gz); None is one that no program may or can get."""
    digest: str = ""
    """'md5:...' or 'sha256:...' of the archive."""
    inside: str = ""
    """The folder within the archive that holds the data."""
    by_hand: str = ""
    """What a person does where there is no `url`."""


_IMAGENET = "Apache-2.0; the photographs are ImageNet's: non-commercial research"
DATA_SETS = {
    "imagenette-160": PublicData(  # md5: torchvision/datasets/imagenette.py
        what="photographs of ten kinds of things, 160 pixels high; the paper's second collection, small",
        licence=_IMAGENET, home="https://github.com/fastai/imagenette", size="94 MiB",
        url="https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
        digest="md5:e793b78cc4c9e9a4ccc0c1155377a412", inside="imagenette2-160",
        command="sparsine learn imagenette:{} --out runs/photos",
    ),
    "imagenette-320": PublicData(  # md5: the same
        what="the same, 320 pixels high: enough for the paper's 178 x 178", licence=_IMAGENET,
        home="https://github.com/fastai/imagenette", size="326 MiB",
        url="https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz",
        digest="md5:3df6f0d01a2c9592104656642f5e78a3", inside="imagenette2-320",
        command="sparsine learn imagenette:{} --out runs/photos",
    ),
    "spoken-digits": PublicData(  # sha256: TensorFlow Datasets, audio/spoken_digit/checksums.tsv
        what="3,000 spoken digits, 8 kHz (Free Spoken Digit Dataset 1.0.9)", licence="CC BY-SA 4.0",
        home="https://github.com/Jakobovski/free-spoken-digit-dataset", size="11 MiB",
        url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
        digest="sha256:8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
        inside="free-spoken-digit-dataset-1.0.9/recordings",
        command="sparsine learn audio:{} --out runs/digits",
    ),
    "celeba": PublicData(
        what="202,599 faces, aligned; the paper's first collection", licence="non-commercial research only",
        home="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html", size="1.4 GiB",
        by_hand="agree to its terms there; take Img/img_align_celeba.zip (md5 00d2c5bc6d35e252742224ab0c1e8fcb) and "
                "Eval/list_eval_partition.txt (md5 d32c9cbf5e040fd4025c592c306e6668); unpack one beside the other",
        command="sparsine learn celeba:{} --out runs/faces",
    ),
    "kodak": PublicData(
        what="24 photographs, 768 x 512: the benchmark of image compression", licence="unrestricted use",
        home="https://r0k.us/graphics/kodak/", size="15 MiB",
        by_hand="save kodim01.png to kodim24.png; nobody publishes their hashes",
        command="sparsine encode photos {} --out codes",
    ),
    "bunny": PublicData(
        what="the Stanford bunny, a triangle mesh", licence="research, with acknowledgement; not commercial",
        home="https://graphics.stanford.edu/data/3Dscanrep/", size="5 MiB",
        by_hand="take bunny.tar.gz; the scan has holes below, which must be closed before it is a solid",
        command="sparsine learn mesh:{} --out runs/bunny",
    ),
}  # fmt: skip
