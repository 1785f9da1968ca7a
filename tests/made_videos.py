"""Tiny videos of known frames, written by PyAV."""

from fractions import Fraction

import av
import numpy as np


def frames(count, rows=18, columns=26, seed=0):
    """uint8 (count, rows, columns, 3): a smooth picture that moves, each frame with a brightness of its own."""
    y, x = np.mgrid[0:rows, 0:columns]
    made = []
    for number in range(count):
        moved = 96 + 60 * np.sin((x + 2 * number + 5 * seed) / 6.0) + 40 * np.cos((y + seed) / 5.0)
        made.append(np.stack([moved, 200 - moved / 2, moved / 3 + 5 * (number % 20)], axis=-1))
    return np.stack(made).clip(0, 255).astype(np.uint8)


def write_video(path, values, rate=25, *, codec="libx264", pix_fmt=None, times=None, options=None, time_base=None):
    """`times`: of each frame in units of `time_base`; without, they are evenly spaced."""
    default = {"crf": "1", "g": "8", "bf": "0", "sc_threshold": "0"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001), options=options or default)
        stream.height, stream.width = values.shape[1:3]
        grey = values.shape[-1] == 1
        stream.pix_fmt = pix_fmt or ("gray" if grey else "yuv444p")
        if times is not None:
            stream.codec_context.time_base = time_base or Fraction(1, 1000)
        for number, value in enumerate(values):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(value[:, :, 0] if grey else value),
                                               format="gray" if grey else "rgb24")  # fmt: skip
            if times is not None:
                frame.pts, frame.time_base = times[number], time_base or Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def damage(path, packet):
    """Change bytes within one packet of the video."""
    with av.open(str(path)) as container:
        found = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    position, size = found[packet]
    for place in range(position + 12, position + size, 3):
        data[place] ^= 0x5A
    path.write_bytes(data)


def read_frames(data_or_path):
    """(uint8 frames, rate) of a file."""
    with av.open(data_or_path if hasattr(data_or_path, "read") else str(data_or_path)) as container:
        rate = float(container.streams.video[0].average_rate)
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]), rate
