// theta of one signal, narrowed for drawing in half precision.
#pragma once

#include <vector>

#include "plan.hpp"

namespace sparsine {

struct HalfWeights {
  std::vector<std::vector<uint32_t>> rows, blocks;
  std::vector<HalfLayer> layers;
  size_t packed_signal = size_t(-1);

  explicit HalfWeights(const Plan& plan);
  void pack(const Plan& plan, size_t signal, const float* theta, HalfNarrow narrow);
};

}  // namespace sparsine
