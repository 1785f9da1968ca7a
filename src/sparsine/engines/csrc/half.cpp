#include "half.hpp"

#include <algorithm>

namespace sparsine {

// The first layer keeps float32: there the phase is many turns
HalfWeights::HalfWeights(const Plan& plan) : rows(plan.stores.size()), blocks(plan.stores.size()), layers(plan.stores.size()) {
  for (size_t l = 1; l < layers.size(); ++l) {
    rows[l].resize(plan.stores[l].row_theta.size());
    blocks[l].resize(plan.stores[l].block_theta.size());
    layers[l] = {rows[l].data(), blocks[l].data()};
  }
}

void HalfWeights::pack(const Plan& plan, size_t signal, const float* theta, HalfNarrow narrow) {
  if (signal == packed_signal) return;
  packed_signal = signal;
  for (size_t l = 1; l < layers.size(); ++l) {
    const Plan::LayerStore& s = plan.stores[l];
    auto weight = [&](uint32_t t) { return t == Plan::kNowhere ? 0 : narrow(float(s.scale * theta[t])); };
    std::transform(s.row_theta.begin(), s.row_theta.end(), rows[l].begin(), weight);
    std::transform(s.block_theta.begin(), s.block_theta.end(), blocks[l].begin(), weight);
  }
}

}  // namespace sparsine
