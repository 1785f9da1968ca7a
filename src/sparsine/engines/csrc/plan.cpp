#include "plan.hpp"

#include <algorithm>
#include <numeric>

namespace sparsine {
namespace {

using Flags = std::vector<std::vector<bool>>;

struct Connection {
  uint32_t row, col, theta;
};

struct Dense {
  const std::vector<uint32_t>& sizes;
  std::vector<std::vector<Connection>> layers;
};

Dense connections_of(const std::vector<uint32_t>& sizes, const uint8_t* keep) {
  Dense dense{sizes, std::vector<std::vector<Connection>>(sizes.size() - 1)};
  uint32_t theta = 0;
  for (size_t l = 0; l + 1 < sizes.size(); ++l)
    for (uint32_t i = 0; i < sizes[l + 1]; ++i)
      for (uint32_t j = 0; j < sizes[l]; ++j)
        if (*keep++) dense.layers[l].push_back({i, j, theta++});
  return dense;
}

// Which neurons a coordinate reaches
Flags reached(const Dense& dense) {
  Flags flags;
  for (uint32_t n : dense.sizes) flags.emplace_back(n, false);
  flags.front().assign(flags.front().size(), true);
  for (size_t l = 0; l < dense.layers.size(); ++l)
    for (const Connection& c : dense.layers[l])
      if (flags[l][c.col]) flags[l + 1][c.row] = true;
  return flags;
}

// Which neurons reach an output
Flags mattering(const Dense& dense) {
  Flags flags;
  for (uint32_t n : dense.sizes) flags.emplace_back(n, false);
  flags.back().assign(flags.back().size(), true);
  for (size_t l = dense.layers.size(); l-- > 0;)
    for (const Connection& c : dense.layers[l])
      if (flags[l + 1][c.row]) flags[l][c.col] = true;
  return flags;
}

// Numbers 0 .. count-1 by rising `degree`
std::vector<uint32_t> by_degree(const std::vector<uint32_t>& degree) {
  std::vector<uint32_t> order(degree.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return degree[a] < degree[b]; });
  return order;
}

// Hidden neurons are numbered by their outgoing connections, so that the backward pass visits them one after another.
void sort_by_outgoing(const std::vector<Connection>& connections, const std::vector<bool>& row_matters,
                      std::vector<uint32_t>& alive, uint32_t num_neurons) {
  std::vector<uint32_t> degree(num_neurons, 0);
  for (const Connection& c : connections)
    if (row_matters[c.row]) ++degree[c.col];
  std::stable_sort(alive.begin(), alive.end(), [&](uint32_t a, uint32_t b) { return degree[a] < degree[b]; });
}

// Compressed storage by `group` (row or column), in the order of by_degree
void compress(const std::vector<Connection>& connections, uint32_t num_groups, uint32_t Connection::*group,
              uint32_t Connection::*other, std::vector<uint32_t>& order, std::vector<uint32_t>& start,
              std::vector<uint32_t>& others, std::vector<uint32_t>& theta) {
  std::vector<uint32_t> degree(num_groups, 0), next(num_groups);
  for (const Connection& c : connections) ++degree[c.*group];
  order = by_degree(degree);
  start.assign(num_groups + 1, 0);
  for (uint32_t at = 0; at < num_groups; ++at) {
    next[order[at]] = start[at];
    start[at + 1] = start[at] + degree[order[at]];
  }
  others.resize(connections.size());
  theta.resize(connections.size());
  for (const Connection& c : connections) {
    const uint32_t at = next[c.*group]++;
    others[at] = c.*other;
    theta[at] = c.theta;
  }
}

// From this density on, computing some zeros costs less than loading every input for every row (measured).
constexpr double kBlockedFrom = 0.55;

void make_blocks(Plan::LayerStore& s, uint32_t num_in, uint32_t rows_per_block) {
  const uint32_t num_blocks = uint32_t(s.row_order.size()) / rows_per_block;
  s.block_start.assign(1, 0);
  for (uint32_t b = 0; b < num_blocks; ++b) {
    std::vector<uint32_t> theta(size_t(num_in) * rows_per_block, Plan::kNowhere);
    for (uint32_t r = 0; r < rows_per_block; ++r)
      for (uint32_t k = s.row_start[b * rows_per_block + r]; k < s.row_start[b * rows_per_block + r + 1]; ++k)
        theta[size_t(s.row_input[k]) * rows_per_block + r] = s.row_theta[k];
    for (uint32_t j = 0; j < num_in; ++j) {
      const auto first = theta.begin() + j * rows_per_block, last = first + rows_per_block;
      if (std::all_of(first, last, [](uint32_t t) { return t == Plan::kNowhere; })) continue;
      s.block_input.push_back(j);
      s.block_theta.insert(s.block_theta.end(), first, last);
    }
    s.block_start.push_back(uint32_t(s.block_input.size()));
  }
}

}  // namespace

Plan::Plan(std::vector<uint32_t> sizes_, const uint8_t* keep, const FieldConstants& field, uint32_t rows_per_block)
    : sizes(std::move(sizes_)), activation(field.activation), output_offset(field.output_offset) {
  const Dense dense = connections_of(sizes, keep);
  const Flags reach = reached(dense), matter = mattering(dense);
  const size_t levels = sizes.size();

  std::vector<uint32_t> first_neuron(levels + 1, 0);
  for (size_t l = 0; l < levels; ++l) first_neuron[l + 1] = first_neuron[l] + sizes[l];
  num_neurons = first_neuron[levels];
  uint32_t num_weights = 0;
  for (const auto& layer : dense.layers) num_weights += uint32_t(layer.size());
  num_params = num_weights + num_neurons - sizes[0];
  bias_of.assign(num_neurons, 0);
  for (uint32_t n = sizes[0]; n < num_neurons; ++n) bias_of[n] = num_weights + n - sizes[0];

  // places of the neurons that are alive, within their level
  auto is_alive = [&](size_t level, uint32_t n) {
    return level == 0 || level + 1 == levels || (reach[level][n] && matter[level][n]);
  };
  auto is_constant = [&](size_t level, uint32_t n) {
    return level + 1 < levels && !reach[level][n] && matter[level][n];
  };
  std::vector<std::vector<uint32_t>> place(levels), alive(levels);
  for (size_t l = 0; l < levels; ++l) {
    for (uint32_t n = 0; n < sizes[l]; ++n)
      if (is_alive(l, n)) alive[l].push_back(n);
    if (l > 0 && l + 1 < levels) sort_by_outgoing(dense.layers[l], matter[l + 1], alive[l], sizes[l]);
    place[l].assign(sizes[l], 0);
    for (size_t at = 0; at < alive[l].size(); ++at) place[l][alive[l][at]] = uint32_t(at);
    alive_count.push_back(uint32_t(alive[l].size()));
  }

  stores.resize(levels - 1);
  constants.resize(levels - 1);
  bool has_constants = false;
  for (size_t l = 0; l + 1 < levels; ++l) {
    std::vector<Connection> kept;
    for (const Connection& c : dense.layers[l]) {
      if (!matter[l + 1][c.row]) continue;
      if (is_constant(l, c.col))
        constants[l].connections.push_back({first_neuron[l + 1] + c.row, first_neuron[l] + c.col, c.theta});
      else
        kept.push_back({place[l + 1][c.row], place[l][c.col], c.theta});
    }
    for (uint32_t n = 0; n < sizes[l + 1]; ++n)
      if (is_constant(l + 1, n)) constants[l].neurons.push_back(first_neuron[l + 1] + n);
    has_constants = has_constants || !constants[l].neurons.empty();

    LayerStore& s = stores[l];
    constants[l].scale = l == 0 ? field.scale_first : field.scale;
    s.scale = l + 2 < levels ? constants[l].scale / activation.unit : 1.0;
    compress(kept, alive_count[l + 1], &Connection::row, &Connection::col, s.row_order, s.row_start, s.row_input,
             s.row_theta);
    compress(kept, alive_count[l], &Connection::col, &Connection::row, s.col_order, s.col_start, s.col_output,
             s.col_theta);
    const double places = double(alive_count[l]) * alive_count[l + 1];
    if (l > 0 && l + 2 < levels && double(kept.size()) >= kBlockedFrom * places)
      make_blocks(s, alive_count[l], rows_per_block);
    for (uint32_t at : s.row_order) s.row_neuron.push_back(first_neuron[l + 1] + alive[l + 1][at]);
    for (uint32_t n : s.row_neuron) s.bias_theta.push_back(bias_of[n]);
  }
  for (size_t l = 0; l + 1 < levels; ++l) {
    LayerStore& s = stores[l];
    const bool output = l + 2 == levels;
    for (uint32_t at = 0; at < alive_count[l + 1]; ++at) {
      const uint32_t row = output ? at : stores[l + 1].col_order[at];
      s.bias_sum_neuron.push_back(first_neuron[l + 1] + alive[l + 1][row]);
    }
    for (uint32_t n : s.bias_sum_neuron) s.bias_sum_theta.push_back(bias_of[n]);
    layers.push_back({alive_count[l], alive_count[l + 1], uint32_t(s.row_theta.size()), s.row_order.data(),
                      s.row_start.data(), s.row_input.data(), s.col_order.data(), s.col_start.data(),
                      s.col_output.data(), s.block_start.empty() ? 0 : uint32_t(s.block_start.size() - 1),
                      s.block_start.data(), s.block_input.data()});
  }
  net = {uint32_t(layers.size()), sizes.front(), sizes.back(), layers.data(), has_constants};
}

}  // namespace sparsine
