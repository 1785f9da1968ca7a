// A pattern, made ready: which neurons are alive, the surviving connections by row and by column, and where each
// number stands in theta. Knows no instruction set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "activation.hpp"

namespace sparsine {

// What a field is besides its sizes. Pre-activations are multiplied by scale_first in the first layer, by scale in the
// other hidden ones.
struct FieldConstants {
  const Activation& activation;
  double scale_first, scale, output_offset;
};

// theta = [surviving weights, layer by layer, row by row | biases, layer by layer]
//
// A neuron is alive when a coordinate reaches it and it reaches an output (coordinates and outputs always are); constant when
// only biases reach it, but it reaches an output; dead when it reaches none. Constant neurons are computed once for a
// signal, not once for a point. The gradient of what leads to a dead neuron is zero.
class Plan {
 public:
  static constexpr uint32_t kNowhere = UINT32_MAX;

  // `keep`: one byte for each weight of the dense field, layer by layer, row by row
  Plan(std::vector<uint32_t> sizes, const uint8_t* keep, const FieldConstants& field, uint32_t rows_per_block);
  Plan(const Plan&) = delete;

  struct LayerStore {
    std::vector<uint32_t> row_order, row_start, row_input, row_theta;
    std::vector<uint32_t> col_order, col_start, col_output, col_theta;
    std::vector<uint32_t> bias_theta;      // in row_order
    std::vector<uint32_t> bias_sum_theta;  // in the order in which the sums come
    std::vector<uint32_t> bias_sum_neuron;
    std::vector<uint32_t> row_neuron;  // neuron number (over all levels), in row_order
    std::vector<uint32_t> block_start, block_input, block_theta;  // kNowhere in theta where a row lacks the input
    double scale;  // of pre-activations, over the activation's unit; 1 in the last layer
  };
  // A connection from a constant neuron; `to` and `from` number the neurons of all levels
  struct ConstantConnection {
    uint32_t to, from, theta;
  };
  struct ConstantLayer {
    std::vector<ConstantConnection> connections;
    std::vector<uint32_t> neurons;  // the constant ones that this layer leads to
    double scale;                   // of pre-activations
  };

  std::vector<uint32_t> sizes;
  const Activation& activation;
  double output_offset;
  std::vector<LayerStore> stores;
  std::vector<Layer> layers;
  std::vector<ConstantLayer> constants;
  std::vector<uint32_t> alive_count;  // neurons alive at each level, coordinates and outputs included
  std::vector<uint32_t> bias_of;      // place in theta of each neuron's bias, by neuron number
  uint32_t num_params = 0, num_neurons = 0;
  Net net;
};

}  // namespace sparsine
