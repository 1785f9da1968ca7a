// What the instruction-set specific kernels and the rest of the engine share: plain structs and function pointers.
//
// The kernels are compiled several times with different processor flags. This header therefore includes no part of
// the standard library that could leave an inline function behind: the linker might keep the copy that was compiled
// for a processor we are not running on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sparsine {

#define SPARSINE_UNROLL _Pragma("GCC unroll 16")

// A list of activations (activations.inl)
template <class... A>
struct Activations {};

// Every kernels_*.cpp is compiled once more, as weighted_*.cpp, for points that count unequally: those that count alike
// are spared even the question, and their loops stay the code that was measured.
#ifdef SPARSINE_WEIGHTED
constexpr bool kWeighted = true;
#define SPARSINE_TABLE(instructions) weighted_##instructions
#else
constexpr bool kWeighted = false;
#define SPARSINE_TABLE(instructions) kernels_##instructions
#endif

constexpr double kPi = 3.14159265358979323846;
constexpr int kMaxLanes = 16;  // floats in the widest vector; gradient buffers are padded to a multiple of it

// One layer between neurons that are alive, its surviving connections by row (for the forward pass) and by column
// (for the backward pass). Rows and columns are visited in `*_order`, by rising number of connections, so that trip
// counts are predictable. `*_start` counts in that order.
struct Layer {
  uint32_t num_in, num_out, num_connections;
  const uint32_t *row_order, *row_start, *row_input;
  const uint32_t *col_order, *col_start, *col_output;
  // Nearly full layers: rows of row_order, several at a time, with every input that any of them has (a zero weight
  // where one lacks it). An input is then loaded once for all. Rows that fill no block are left to the above.
  uint32_t num_blocks;
  const uint32_t *block_start, *block_input;
};

struct Net {
  uint32_t num_layers, num_inputs, num_outputs;
  const Layer* layers;
  bool has_constants;  // neurons that no coordinate reaches, but that reach the output
};

// The numbers of one layer for one signal. Hidden layers are scaled so that a pre-activation is counted in the unit of
// the activation (see activation.hpp): of the sine by omega_0 / pi, so that it counts half turns and sin(omega_0 a) is
// sin(pi z). Where the activation has turns, the first layer is in whole ones, as a float and its rounding error.
struct LayerWeights {
  const float *by_row, *by_row_low;  // by_row_low: the first layer alone
  const float* by_col;
  const float* bias;    // in row_order
  const float* blocks;  // rows_per_block for each entry of block_input
};

// Sums over points, in the activation's unit (see LayerWeights): weights in column order; biases in the order in which they come
// (col_order of the layer above; the output's in natural order). Padded to kMaxLanes.
struct LayerSums {
  float* weights;
  float* bias;
  float* delta;  // for the Hessian-vector product of a net with constants: the sums of the gradient itself
};

struct Points {
  const float *coords, *values;  // (count, inputs), (count, outputs)
  union {                        // not one beside the other: a larger struct would make the compiler inline other calls
    float* predictions;          // (count, outputs)
    float* coords_grad;          // (count, inputs), or null: nobody asks; of vjp
    const float* weights;        // (count,): how much each point counts; of weighted kernels alone
  };
  uint32_t count;
  float residual_scale;  // 2 / (points * channels) of the whole signal
};

// Buffers of one tile, feature-major: neuron n's points lie at n * tile. One pointer for each level of neurons.
struct Scratch {
  float *const *h, *const *state, *const *dot_z;  // state: see activations.inl
  float *dot_h[2], *delta[2], *dot_delta[2];
  float* partials;  // kMaxLanes x kMaxLanes for each of three kinds of sums
  float* targets;   // outputs x tile
};

struct Kernels {
  const char* name;
  int tile, tile_hvp, rows_per_block;
  void (*predict)(const Net&, const LayerWeights*, const Points&, const Scratch&);
  double (*loss_and_grad)(const Net&, const LayerWeights*, const Points&, const Scratch&, const LayerSums*);
  // values are the gradient at the outputs
  void (*vjp)(const Net&, const LayerWeights*, const Points&, const Scratch&, const LayerSums*);
  void (*hvp)(const Net&, const LayerWeights*, const LayerWeights*, const Points&, const Scratch&, const LayerSums*);
  void (*value_and_slope)(const float* z, float* value, float* slope, size_t count);
};

// By the activation's number. Null where the compiler cannot make them.
const Kernels* kernels_portable(uint32_t activation);
const Kernels* kernels_avx2(uint32_t activation);
const Kernels* kernels_avx512(uint32_t activation);
// The same for points that count unequally
const Kernels* weighted_portable(uint32_t activation);
const Kernels* weighted_avx2(uint32_t activation);
const Kernels* weighted_avx512(uint32_t activation);

// Drawing in half precision. The weights of one layer but the first as float16, each twice in 32 bits (LayerWeights).
struct HalfLayer {
  const uint32_t *by_row, *blocks;
};
using HalfNarrow = uint32_t (*)(float weight);
struct HalfKernels {
  void (*predict)(const Net&, const LayerWeights*, const HalfLayer*, const Points&, const Scratch&);
  HalfNarrow narrow;
};

// By the activation's number. Null where the compiler cannot make them.
const HalfKernels* half_avx512(uint32_t activation);

}  // namespace sparsine
