# mypy: ignore-errors
# Kernels are no Python functions: triton reads their source, and knows the types of arguments when they are launched.
"""Fused loops for a GPU, whose work shrinks with the surviving weights. Imports triton: only `engines/fused.py` asks.

A program takes some POINTS of a signal through the whole network and back. What it needs on the way lies in a piece of
memory of its own, feature-major ([neuron, point]), small enough for the caches near a multiprocessor, and used again
for the next points. A surviving weight is one multiply-add for each point, forward; backward, one for the gradient of
the input and one, summed over the points of the tile, for that of the weight. Sums of an item are added up in a second
pass, in order (`add_up`), so that a run repeats its bits. No atomics.
"""

from typing import no_type_check

import triton
import triton.language as tl

# Checkers of annotations, which tests put on every function, must leave kernels alone.


@triton.jit
@no_type_check
def _value(z, ACTIVATION: tl.constexpr, CONSTANT: tl.constexpr):
    if ACTIVATION == "sine":
        return tl.sin(z)
    elif ACTIVATION == "gauss":
        return tl.exp(-0.5 * z * z)
    elif ACTIVATION == "finer":
        return tl.sin(CONSTANT * (tl.abs(z) + 1) * z)
    else:
        return tl.maximum(z, 0.0)


@triton.jit
@no_type_check
def _slope(z, h, ACTIVATION: tl.constexpr, CONSTANT: tl.constexpr):
    if ACTIVATION == "sine":
        return tl.cos(z)
    elif ACTIVATION == "gauss":
        return -z * h
    elif ACTIVATION == "finer":
        return tl.cos(CONSTANT * (tl.abs(z) + 1) * z) * CONSTANT * (2 * tl.abs(z) + 1)
    else:
        return tl.where(z > 0, 1.0, 0.0)


@triton.jit
@no_type_check
def _row_sums(held, others, weights, start, end, ROWS: tl.constexpr, POINTS: tl.constexpr):
    """(ROWS, POINTS): weights of a group of neurons times what is held of those that lead to them."""
    row, point = tl.arange(0, ROWS), tl.arange(0, POINTS)
    total = tl.zeros((ROWS, POINTS), tl.float32)
    for slot in range(start, end):
        other, weight = tl.load(others + slot * ROWS + row), tl.load(weights + slot * ROWS + row)
        total += weight[:, None] * tl.load(held + other[:, None] * POINTS + point[None, :])
    return total


@triton.jit
@no_type_check
def _take_in(inputs, held, tile_points, inside, num_points, NUM_INPUTS: tl.constexpr, POINTS: tl.constexpr):
    for number in range(NUM_INPUTS):
        taken = tl.load(inputs + number * num_points + tile_points, mask=inside, other=0.0)
        tl.store(held + number * POINTS + tl.arange(0, POINTS), taken)
    tl.debug_barrier()


@triton.jit
@no_type_check
def _hidden(held, slopes, weights, biases, groups, neurons, starts, others, layer, SLOPES: tl.constexpr,
            ACTIVATION: tl.constexpr, CONSTANT: tl.constexpr, ROWS: tl.constexpr, POINTS: tl.constexpr):  # fmt: skip
    """A hidden level of a tile, from the one before."""
    row, point = tl.arange(0, ROWS), tl.arange(0, POINTS)
    for group in range(tl.load(groups + layer), tl.load(groups + layer + 1)):
        total = _row_sums(held, others, weights, tl.load(starts + group), tl.load(starts + group + 1), ROWS, POINTS)
        neuron = tl.load(neurons + group * ROWS + row)
        z = total + tl.load(biases + neuron, mask=neuron >= 0, other=0.0)[:, None]
        h = _value(z, ACTIVATION, CONSTANT)
        place = neuron[:, None] * POINTS + point[None, :]
        there = (neuron >= 0)[:, None] & (point >= 0)[None, :]
        tl.store(held + place, h, mask=there)
        if SLOPES:
            tl.store(slopes + place, _slope(z, h, ACTIVATION, CONSTANT), mask=there)
    tl.debug_barrier()  # what one warp stored, others load


# What changes from call to call is no reason to compile anew
SIZES = ["num_points", "num_items", "per_signal", "input_stride", "num_slots"]


@triton.jit(do_not_specialize=SIZES)
@no_type_check
def predict(inputs, weights, biases, groups, neurons, starts, others, scratch, out, num_points, num_items, per_signal,
            input_stride, num_slots, offset, NUM_HIDDEN: tl.constexpr, NUM_INPUTS: tl.constexpr,
            NUM_NEURONS: tl.constexpr, NUM_OUTPUTS: tl.constexpr, TILES: tl.constexpr, ACTIVATION: tl.constexpr,
            CONSTANT: tl.constexpr, ROWS: tl.constexpr, POINTS: tl.constexpr):  # fmt: skip
    """Values of all signals: out (signals, points, outputs). An item is TILES tiles of a signal."""
    row, point = tl.arange(0, ROWS), tl.arange(0, POINTS)
    held = scratch + tl.program_id(0).to(tl.int64) * NUM_NEURONS * POINTS
    for item in range(tl.program_id(0), num_items, tl.num_programs(0)):
        signal = tl.cast(item // per_signal, tl.int64)
        for tile in range((item % per_signal) * TILES, (item % per_signal) * TILES + TILES):
            at = tile * POINTS + point
            own_weights, own_biases = weights + signal * num_slots, biases + signal * NUM_NEURONS
            _take_in(inputs + signal * input_stride, held, at, at < num_points, num_points, NUM_INPUTS, POINTS)
            for layer in range(NUM_HIDDEN):
                _hidden(held, held, own_weights, own_biases, groups, neurons, starts, others, layer, False, ACTIVATION,
                        CONSTANT, ROWS, POINTS)  # fmt: skip
            for group in range(tl.load(groups + NUM_HIDDEN), tl.load(groups + NUM_HIDDEN + 1)):
                total = _row_sums(held, others, own_weights, tl.load(starts + group), tl.load(starts + group + 1),
                                  ROWS, POINTS)  # fmt: skip
                neuron = tl.load(neurons + group * ROWS + row)
                value = total + tl.load(own_biases + neuron, mask=neuron >= 0, other=0.0)[:, None] + offset
                channel = neuron - (NUM_NEURONS - NUM_OUTPUTS)
                place = (signal * num_points + at[None, :]) * NUM_OUTPUTS + channel[:, None]
                tl.store(out + place, value, mask=(neuron >= 0)[:, None] & (at < num_points)[None, :])
            tl.debug_barrier()


@triton.jit
@no_type_check
def _residuals(held, deltas, own_weights, own_biases, groups, neurons, starts, others, targets, counts, partial, at,
               num_points, offset, scale, again, NUM_HIDDEN: tl.constexpr, NUM_NEURONS: tl.constexpr,
               NUM_OUTPUTS: tl.constexpr, WEIGHED: tl.constexpr, ROWS: tl.constexpr, POINTS: tl.constexpr):  # fmt: skip
    """The loss's gradient at the outputs of a tile, and the tile's share of the loss. `partial`: of biases."""
    row, point = tl.arange(0, ROWS), tl.arange(0, POINTS)
    squares = 0.0
    for group in range(tl.load(groups + NUM_HIDDEN), tl.load(groups + NUM_HIDDEN + 1)):
        total = _row_sums(held, others, own_weights, tl.load(starts + group), tl.load(starts + group + 1), ROWS, POINTS)
        neuron = tl.load(neurons + group * ROWS + row)
        there = (neuron >= 0)[:, None] & (at < num_points)[None, :]
        channel = neuron - (NUM_NEURONS - NUM_OUTPUTS)
        target = tl.load(targets + at[None, :] * NUM_OUTPUTS + channel[:, None], mask=there, other=0.0)
        value = total + tl.load(own_biases + neuron, mask=neuron >= 0, other=0.0)[:, None] + offset
        error = tl.where(there, value - target, 0.0)
        counted = error
        if WEIGHED:
            counted = error * tl.load(counts + at, mask=at < num_points, other=0.0)[None, :]
        squares += tl.sum(tl.sum(error * counted, axis=1), axis=0)
        delta = 2 * scale * counted
        tl.store(deltas + neuron[:, None] * POINTS + point[None, :], delta, mask=(neuron >= 0)[:, None])
        before = tl.load(partial + neuron, mask=(neuron >= 0) & again, other=0.0)
        tl.store(partial + neuron, before + tl.sum(delta, axis=1), mask=neuron >= 0)
    tl.debug_barrier()
    return squares * scale


@triton.jit
@no_type_check
def _back(held, deltas, own_weights, groups, neurons, starts, others, partial, partial_biases, layer, again,
          HIDDEN: tl.constexpr, ROWS: tl.constexpr, POINTS: tl.constexpr, SLOTS: tl.constexpr):  # fmt: skip
    """Through a layer: gradients of its weights, and of what leads to it, in the place of the slopes."""
    row, point, number = tl.arange(0, ROWS), tl.arange(0, POINTS), tl.arange(0, SLOTS)
    for group in range(tl.load(groups + layer), tl.load(groups + layer + 1)):
        neuron = tl.load(neurons + group * ROWS + row)
        place, there = neuron[:, None] * POINTS + point[None, :], (neuron >= 0)[:, None] & (point >= 0)[None, :]
        h = tl.load(held + place, mask=there, other=0.0)
        total = tl.zeros((ROWS, POINTS), tl.float32)
        end = tl.load(starts + group + 1)
        for first in range(tl.load(starts + group), end, SLOTS):
            sums = tl.zeros((ROWS, SLOTS), tl.float32)  # stored together: a store has warps wait for each other
            for slot in range(first, tl.minimum(first + SLOTS, end)):
                slots = slot * ROWS + row
                other = tl.load(others + slots)
                delta = tl.load(deltas + other[:, None] * POINTS + point[None, :])
                if HIDDEN:
                    total += tl.load(own_weights + slots)[:, None] * delta
                sums = tl.where(number[None, :] == slot - first, tl.sum(delta * h, axis=1)[:, None], sums)
            slots = (first + number)[None, :] * ROWS + row[:, None]
            used = (first + number < end)[None, :] & (row >= 0)[:, None]
            before = tl.load(partial + slots, mask=used & again, other=0.0)
            tl.store(partial + slots, before + sums, mask=used)
        if HIDDEN:
            total *= tl.load(deltas + place, mask=there, other=0.0)
            tl.store(deltas + place, total, mask=there)
            before = tl.load(partial_biases + neuron, mask=(neuron >= 0) & again, other=0.0)
            tl.store(partial_biases + neuron, before + tl.sum(total, axis=1), mask=neuron >= 0)
    tl.debug_barrier()


@triton.jit(do_not_specialize=[*SIZES, "count_stride", "back_slots"])
@no_type_check
def loss_and_grad(inputs, weights, biases, groups, neurons, starts, others, back_weights, back_groups, back_neurons,
                  back_starts, back_others, targets, counts, scratch, partial, losses, num_points, num_items,
                  per_signal, input_stride, count_stride, num_slots, back_slots, offset, scale,
                  NUM_HIDDEN: tl.constexpr, NUM_INPUTS: tl.constexpr, NUM_NEURONS: tl.constexpr,
                  NUM_OUTPUTS: tl.constexpr, WEIGHED: tl.constexpr, TILES: tl.constexpr, ACTIVATION: tl.constexpr,
                  CONSTANT: tl.constexpr, ROWS: tl.constexpr, POINTS: tl.constexpr,
                  SLOTS: tl.constexpr):  # fmt: skip
    """Losses (items,), and the gradients of an item (items, slots of the way back, then neurons)."""
    held = scratch + tl.program_id(0).to(tl.int64) * 2 * NUM_NEURONS * POINTS
    deltas = held + NUM_NEURONS * POINTS  # slopes at first
    for item in range(tl.program_id(0), num_items, tl.num_programs(0)):
        signal = tl.cast(item // per_signal, tl.int64)
        own_weights, own_biases = weights + signal * num_slots, biases + signal * NUM_NEURONS
        own_back, own_targets = back_weights + signal * back_slots, targets + signal * num_points * NUM_OUTPUTS
        of_weights = partial + tl.cast(item, tl.int64) * (back_slots + NUM_NEURONS)
        of_biases = of_weights + back_slots
        loss = 0.0
        first = (item % per_signal) * TILES
        for tile in range(first, first + TILES):
            again, at = tile > first, tile * POINTS + tl.arange(0, POINTS)
            _take_in(inputs + signal * input_stride, held, at, at < num_points, num_points, NUM_INPUTS, POINTS)
            for layer in range(NUM_HIDDEN):
                _hidden(held, deltas, own_weights, own_biases, groups, neurons, starts, others, layer, True, ACTIVATION,
                        CONSTANT, ROWS, POINTS)  # fmt: skip
            loss += _residuals(held, deltas, own_weights, own_biases, groups, neurons, starts, others, own_targets,
                               counts + signal * count_stride, of_biases, at, num_points, offset, scale, again,
                               NUM_HIDDEN, NUM_NEURONS, NUM_OUTPUTS, WEIGHED, ROWS, POINTS)  # fmt: skip
            for layers_left in range(NUM_HIDDEN):
                _back(held, deltas, own_back, back_groups, back_neurons, back_starts, back_others, of_weights,
                      of_biases, NUM_HIDDEN - layers_left, again, True, ROWS, POINTS, SLOTS)  # fmt: skip
            _back(held, deltas, own_back, back_groups, back_neurons, back_starts, back_others, of_weights, of_biases,
                  0, again, False, ROWS, POINTS, SLOTS)  # fmt: skip
        tl.store(losses + item, loss)


@triton.jit(do_not_specialize=["per_signal", "width"])
@no_type_check
def add_up(partial, out, per_signal, width, BLOCK: tl.constexpr):
    """out (signals, width): the rows of a signal's items, in their order."""
    column = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    signal = tl.program_id(1).to(tl.int64)
    total = tl.zeros((BLOCK,), tl.float32)
    for item in range(per_signal):
        total += tl.load(partial + (signal * per_signal + item) * width + column, mask=column < width, other=0.0)
    tl.store(out + signal * width + column, total, mask=column < width)
