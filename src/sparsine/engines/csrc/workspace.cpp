#include "workspace.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sparsine {
namespace {

double rest_of_turn(double turns) { return turns - std::nearbyint(turns); }

// Pre-activations of all neurons that are not dead, as far as constants decide them; values of the constant ones.
void compute_constants(const Plan& plan, const float* theta, const float* v, Constants& c) {
  for (uint32_t n = plan.sizes[0]; n < plan.num_neurons; ++n) {
    c.pre[n] = theta[plan.bias_of[n]];
    if (v) c.dot_pre[n] = v[plan.bias_of[n]];
  }
  for (const Plan::ConstantLayer& layer : plan.constants) {
    for (const Plan::ConstantConnection& k : layer.connections) {
      c.pre[k.to] += theta[k.theta] * c.value[k.from];
      if (v) c.dot_pre[k.to] += v[k.theta] * c.value[k.from] + theta[k.theta] * c.dot_value[k.from];
    }
    for (uint32_t n : layer.neurons) {
      c.value[n] = plan.activation.value(layer.scale * c.pre[n]);
      if (v) c.dot_value[n] = layer.scale * plan.activation.slope(layer.scale * c.pre[n]) * c.dot_pre[n];
    }
  }
}

void pack_layers(const Plan& plan, const float* theta, const std::vector<double>& pre, bool turns, double offset,
                 Packed& packed) {
  for (size_t l = 0; l < plan.stores.size(); ++l) {
    const Plan::LayerStore& s = plan.stores[l];
    float *by_row = const_cast<float*>(packed[l].by_row), *by_col = const_cast<float*>(packed[l].by_col);
    float* bias = const_cast<float*>(packed[l].bias);
    const bool in_turns = turns && plan.activation.in_turns && l == 0, output = l + 1 == plan.stores.size();
    const double scale = in_turns ? s.scale / 2 : s.scale;
    float* blocks = const_cast<float*>(packed[l].blocks);
    for (uint32_t t : s.block_theta) *blocks++ = t == Plan::kNowhere ? 0.0f : float(scale * theta[t]);
    for (size_t k = 0; k < s.row_theta.size(); ++k) by_row[k] = float(scale * theta[s.row_theta[k]]);
    for (size_t k = 0; k < s.col_theta.size(); ++k) by_col[k] = float(s.scale * theta[s.col_theta[k]]);
    for (size_t k = 0; k < s.row_neuron.size(); ++k) {
      const double b = scale * pre[s.row_neuron[k]] + (output ? offset : 0.0);
      bias[k] = float(in_turns ? rest_of_turn(b) : b);
    }
    if (in_turns) {
      float* low = const_cast<float*>(packed[l].by_row_low);
      for (size_t k = 0; k < s.row_theta.size(); ++k) low[k] = float(scale * theta[s.row_theta[k]] - by_row[k]);
    }
  }
}

// Gradient at constant neurons and at the connections that leave them: one pass from the output down
void constant_gradients(const Plan& plan, const float* theta, Constants& c, float* out) {
  for (size_t l = plan.constants.size(); l-- > 0;) {
    const double scale = plan.constants[l].scale;
    for (uint32_t n : plan.constants[l].neurons) {
      c.delta[n] *= scale * plan.activation.slope(scale * c.pre[n]);
      out[plan.bias_of[n]] = float(c.delta[n]);
    }
    for (const Plan::ConstantConnection& k : plan.constants[l].connections) {
      out[k.theta] = float(c.value[k.from] * c.delta[k.to]);
      c.delta[k.from] += theta[k.theta] * c.delta[k.to];
    }
  }
}

void constant_products(const Plan& plan, const float* theta, const float* v, Constants& c, float* out) {
  for (size_t l = plan.constants.size(); l-- > 0;) {
    const double scale = plan.constants[l].scale;
    for (uint32_t n : plan.constants[l].neurons) {
      const double slope = scale * plan.activation.slope(scale * c.pre[n]);
      const double curvature = scale * scale * plan.activation.curvature(scale * c.pre[n], c.value[n]);
      c.dot_delta[n] = slope * c.dot_delta[n] + curvature * c.dot_pre[n] * c.delta[n];
      c.delta[n] *= slope;
      out[plan.bias_of[n]] = float(c.dot_delta[n]);
    }
    for (const Plan::ConstantConnection& k : plan.constants[l].connections) {
      out[k.theta] = float(c.dot_value[k.from] * c.delta[k.to] + c.value[k.from] * c.dot_delta[k.to]);
      c.dot_delta[k.from] += v[k.theta] * c.delta[k.to] + theta[k.theta] * c.dot_delta[k.to];
      c.delta[k.from] += theta[k.theta] * c.delta[k.to];
    }
  }
}

}  // namespace

size_t num_sums(const Plan& plan) {
  size_t n = num_bias_sums(plan);
  for (const Layer& layer : plan.layers) n += layer.num_connections;
  return n;
}

size_t num_bias_sums(const Plan& plan) {
  size_t n = 0;
  for (const Layer& layer : plan.layers) n += layer.num_out;
  return n;
}

Packed::Packed(const Plan& plan) {
  size_t size = Arena::padded(plan.layers[0].num_connections);
  for (const Plan::LayerStore& s : plan.stores) size += Arena::padded(s.block_theta.size());
  for (const Layer& layer : plan.layers)
    size += 2 * Arena::padded(layer.num_connections) + Arena::padded(layer.num_out);
  numbers.allocate(size);
  for (const Layer& layer : plan.layers) {
    const float* low = layers.empty() ? numbers.take(layer.num_connections) : nullptr;
    const float *by_row = numbers.take(layer.num_connections), *by_col = numbers.take(layer.num_connections);
    const float* bias = numbers.take(layer.num_out);
    layers.push_back({by_row, low, by_col, bias, numbers.take(plan.stores[layers.size()].block_theta.size())});
  }
}

Workspace::Workspace(const Plan& plan, int tile)
    : weights(plan), directions(plan), constants(plan.num_neurons), total(num_sums(plan)) {
  const size_t t = size_t(tile), levels = plan.sizes.size(), square = kMaxLanes * kMaxLanes;
  size_t width = 0, all = 0;
  for (uint32_t n : plan.alive_count) {
    width = std::max(width, size_t(n));
    all += n;
  }
  tiles.allocate(3 * all * t + 6 * width * t + plan.net.num_outputs * t + 3 * square);
  for (size_t l = 0; l < levels; ++l) {
    h.push_back(tiles.take(plan.alive_count[l] * t));
    state.push_back(tiles.take(plan.alive_count[l] * t));
    dot_z.push_back(tiles.take(plan.alive_count[l] * t));
  }
  scratch.h = h.data(), scratch.state = state.data(), scratch.dot_z = dot_z.data();
  for (int i = 0; i < 2; ++i) {
    scratch.dot_h[i] = tiles.take(width * t);
    scratch.delta[i] = tiles.take(width * t);
    scratch.dot_delta[i] = tiles.take(width * t);
  }
  scratch.targets = tiles.take(plan.net.num_outputs * t);
  scratch.partials = tiles.take(3 * square);

  size_t size = 0;
  for (const Layer& layer : plan.layers) size += Arena::padded(layer.num_connections) + 2 * Arena::padded(layer.num_out);
  sums_arena.allocate(size);
  for (const Layer& layer : plan.layers) {
    float *w = sums_arena.take(layer.num_connections), *b = sums_arena.take(layer.num_out);
    sums.push_back({w, b, sums_arena.take(layer.num_out)});
  }
}

void Workspace::pack(const Plan& plan, size_t signal, const float* theta, const float* v) {
  if (signal == packed_signal) return;
  packed_signal = signal;
  compute_constants(plan, theta, v, constants);
  pack_layers(plan, theta, constants.pre, true, plan.output_offset, weights);
  if (v) pack_layers(plan, v, constants.dot_pre, false, 0.0, directions);
}

void Workspace::clear_sums() { std::memset(sums_arena.data(), 0, sums_arena.size() * sizeof(float)); }

void Workspace::add_sums_to(const Plan& plan, float* to, float* delta_to) const {
  for (size_t l = 0; l < plan.layers.size(); ++l) {
    const uint32_t connections = plan.layers[l].num_connections, neurons = plan.layers[l].num_out;
    for (uint32_t k = 0; k < connections; ++k) to[k] += sums[l].weights[k];
    to += connections;
    for (uint32_t k = 0; k < neurons; ++k) to[k] += sums[l].bias[k];
    to += neurons;
    if (!delta_to) continue;
    for (uint32_t k = 0; k < neurons; ++k) delta_to[k] += sums[l].delta[k];
    delta_to += neurons;
  }
}

// Sums in the activation's unit become derivatives by multiplying with the layer's scale.
static void to_places(const Plan& plan, const float* total, float* out, std::vector<double>& at_neurons) {
  std::fill_n(out, plan.num_params, 0.0f);
  for (const Plan::LayerStore& s : plan.stores) {
    for (uint32_t theta : s.col_theta) out[theta] = float(s.scale * *total++);
    for (size_t k = 0; k < s.bias_sum_theta.size(); ++k, ++total) {
      at_neurons[s.bias_sum_neuron[k]] = s.scale * *total;
      out[s.bias_sum_theta[k]] = float(s.scale * *total);
    }
  }
}

void Workspace::unpack_gradient(const Plan& plan, const float* theta, float* out) {
  std::copy_n(out, total.size(), total.begin());
  std::fill(constants.delta.begin(), constants.delta.end(), 0.0);
  to_places(plan, total.data(), out, constants.delta);
  if (plan.net.has_constants) constant_gradients(plan, theta, constants, out);
}

void Workspace::unpack_product(const Plan& plan, const float* theta, const float* v, const float* delta_sums,
                               float* out) {
  std::copy_n(out, total.size(), total.begin());
  std::fill(constants.delta.begin(), constants.delta.end(), 0.0);
  std::fill(constants.dot_delta.begin(), constants.dot_delta.end(), 0.0);
  to_places(plan, total.data(), out, constants.dot_delta);
  if (!plan.net.has_constants) return;
  for (const Plan::LayerStore& s : plan.stores)
    for (uint32_t n : s.bias_sum_neuron) constants.delta[n] = s.scale * *delta_sums++;
  constant_products(plan, theta, v, constants, out);
}

}  // namespace sparsine
