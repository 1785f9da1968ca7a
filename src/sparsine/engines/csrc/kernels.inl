// The answers of the engine for a run of coordinates, in terms of a vector type V (in each kernels_*.cpp) and an
// activation A (activations.inl).
// Included once by each kernels_*.cpp, inside an anonymous namespace.
//
// Coordinates go through the whole network in tiles that stay in the cache. Within a tile everything is kept
// feature-major: one surviving connection is one broadcast weight times a contiguous run of points.

// A value that is used several times is loaded once: left alone, GCC makes each use a load of its own.
template <class V>
inline V in_register(V a) {
#if defined(__x86_64__)
  asm("" : "+v"(a.x));
#endif
  return a;
}

#include "activations.inl"

// Sums of many vectors: they are collected until there are as many as lanes, then turned and added up together,
// which costs a few instructions for each instead of a dozen. Neighbours are halved and joined on the way in, because
// storing is what costs most.
template <class V>
struct Sums {
  static constexpr int kFull = V::lanes / 2 * V::lanes;
  float *const partials, *next, *out;
  V waiting = V::zero();
  bool waits = false;

  Sums(float* partials_, float* out_) : partials(partials_), next(partials_), out(out_) {}
  inline void push(V x) {
    waits = !waits;
    if (waits) {
      waiting = x;
      return;
    }
    halves(waiting, x).store(next);
    next += V::lanes;
    if (next == partials + kFull) add_up();
  }
  inline void add_up() {
    add_sums_of_halves(V(), partials, out);
    out += V::lanes;
    next = partials;
  }
  inline void finish() {
    while (waits || next != partials) push(V::zero());
  }
};

template <class V, int NV>
struct Tile {
  V v[NV];

  static inline Tile load(const float* p) {
    Tile t;
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) t.v[i] = V::load(p + i * V::lanes);
    return t;
  }
  static inline Tile set(float x) {
    Tile t;
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) t.v[i] = V::set(x);
    return t;
  }
  inline void store(float* p) const {
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) v[i].store(p + i * V::lanes);
  }
  inline void add_product(V w, const float* p) {
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) v[i] = fma(w, V::load(p + i * V::lanes), v[i]);
  }
  inline V sum() const {
    V s = v[0];
    SPARSINE_UNROLL for (int i = 1; i < NV; ++i) s = s + v[i];
    return s;
  }
};

// ---- forward ----

// Pre-activations of the first layer of sines, in half turns. Each product w x is taken apart into whole turns, which
// the sine does not see, and a rest, by one fused multiply-add: omega_0 = 200 leaves float32 only 5 digits of phase
// otherwise.
template <class V, int NV>
inline Tile<V, NV> first_phase(const Layer& layer, const LayerWeights& w, const float* x, uint32_t at) {
  constexpr int T = V::lanes * NV;
  Tile<V, NV> z;
  if constexpr (V::has_fma) {
    z = Tile<V, NV>::set(w.bias[at]);
    for (uint32_t k = layer.row_start[at]; k < layer.row_start[at + 1]; ++k) {
      const float* in = x + layer.row_input[k] * T;
      V high = V::set(w.by_row[k]), low = V::set(w.by_row_low[k]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) {
        V c = V::load(in + i * V::lanes);
        z.v[i] = fma(low, c, z.v[i]) + fma(high, c, V::zero() - round(high * c));
      }
    }
  } else {
    alignas(64) float phase[T];
    constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to whole numbers
    for (int p = 0; p < T; ++p) {
      double turns = w.bias[at];
      for (uint32_t k = layer.row_start[at]; k < layer.row_start[at + 1]; ++k)
        turns += (double(w.by_row[k]) + w.by_row_low[k]) * x[layer.row_input[k] * T + p];
      phase[p] = float(turns - ((turns + kRound) - kRound));
    }
    z = Tile<V, NV>::load(phase);
  }
  SPARSINE_UNROLL for (int i = 0; i < NV; ++i) z.v[i] = z.v[i] + z.v[i];
  return z;
}

template <class V, int NV>
inline Tile<V, NV> row_product(const Layer& layer, const LayerWeights& w, const float* in, uint32_t at) {
  Tile<V, NV> z = Tile<V, NV>::set(w.bias[at]);
  const uint32_t end = layer.row_start[at + 1];
  for (uint32_t k = layer.row_start[at]; k < end; ++k)
    z.add_product(V::set(w.by_row[k]), in + size_t(layer.row_input[k]) * (V::lanes * NV));
  return z;
}

template <class V, int NV, class A, bool first>
inline Tile<V, NV> pre_activation(const Layer& layer, const LayerWeights& w, const float* in, uint32_t at) {
  if constexpr (first && A::turns)
    return first_phase<V, NV>(layer, w, in, at);
  else
    return row_product<V, NV>(layer, w, in, at);
}

template <class V, int NV, class A, bool with_state>
inline void activate(const Tile<V, NV>& z, float* h, float* state) {
  const typename A::template At<V, NV> at(z.v);
  Tile<V, NV> y;
  at.value(y.v);
  y.store(h);
  if constexpr (with_state) {
    at.state(y.v);
    y.store(state);
  }
}

// As many rows together as leave room in the registers for one tile of inputs
template <class V, int NV>
inline void block_product(const Layer& layer, const LayerWeights& w, const float* in, uint32_t block,
                          Tile<V, NV> (&z)[V::rows_per_block]) {
  constexpr int R = V::rows_per_block;
  SPARSINE_UNROLL for (int r = 0; r < R; ++r) z[r] = Tile<V, NV>::set(w.bias[block * R + r]);
  const uint32_t* inputs = layer.block_input;
  const float* weights = w.blocks;
  const uint32_t end = layer.block_start[block + 1];
  for (uint32_t k = layer.block_start[block]; k < end; ++k) {
    const float* h = in + size_t(inputs[k]) * (V::lanes * NV);
    V x[NV];
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) x[i] = in_register(V::load(h + i * V::lanes));
    SPARSINE_UNROLL for (int r = 0; r < R; ++r) {
      const V weight = V::set(weights[size_t(k) * R + r]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) z[r].v[i] = fma(weight, x[i], z[r].v[i]);
    }
  }
}

template <class V, int NV, class A, bool first, bool with_state>
void forward_hidden(const Layer& layer, const LayerWeights& w, const float* in, float* h, float* state) {
  constexpr int T = V::lanes * NV, R = V::rows_per_block;
  for (uint32_t block = 0; block < layer.num_blocks; ++block) {
    Tile<V, NV> z[R];
    block_product<V, NV>(layer, w, in, block, z);
    SPARSINE_UNROLL for (int r = 0; r < R; ++r) {
      const size_t to = size_t(layer.row_order[block * R + r]) * T;
      activate<V, NV, A, with_state>(z[r], h + to, state + to);
    }
  }
  for (uint32_t at = layer.num_blocks * R; at < layer.num_out; ++at) {
    const size_t to = size_t(layer.row_order[at]) * T;
    activate<V, NV, A, with_state>(pre_activation<V, NV, A, first>(layer, w, in, at), h + to, state + to);
  }
}

template <class V, int NV>
void forward_output(const Layer& layer, const LayerWeights& w, const float* in, float* out) {
  for (uint32_t at = 0; at < layer.num_out; ++at)
    row_product<V, NV>(layer, w, in, at).store(out + size_t(layer.row_order[at]) * V::lanes * NV);
}

// All levels stay for the backward pass (s.h and s.state); without one, two buffers take turns. Returns the output.
template <class V, int NV, class A, bool with_state>
float* forward(const Net& net, const LayerWeights* w, const Scratch& s) {
  const uint32_t last = net.num_layers - 1;
  float *in = s.h[0], *out = with_state ? s.h[1] : s.delta[0];
  forward_hidden<V, NV, A, true, with_state>(net.layers[0], w[0], in, out, s.state[1]);
  for (uint32_t l = 1; l < last; ++l) {
    in = out;
    out = with_state ? s.h[l + 1] : s.delta[l % 2];
    forward_hidden<V, NV, A, false, with_state>(net.layers[l], w[l], in, out, s.state[l + 1]);
  }
  forward_output<V, NV>(net.layers[last], w[last], out, s.h[last + 1]);
  return s.h[last + 1];
}

// ---- tiles from and to rows of points ----

inline void take_columns(const float* rows, uint32_t count, uint32_t width, int tile, float* columns) {
  for (uint32_t c = 0; c < width; ++c) {
    float* to = columns + size_t(c) * tile;
    for (uint32_t p = 0; p < count; ++p) to[p] = rows[size_t(p) * width + c];
    for (int p = int(count); p < tile; ++p) to[p] = 0;  // a short last tile is filled up
  }
}

inline void put_columns(const float* columns, uint32_t count, uint32_t width, int tile, float* rows) {
  for (uint32_t c = 0; c < width; ++c)
    for (uint32_t p = 0; p < count; ++p) rows[size_t(p) * width + c] = columns[size_t(c) * tile + p];
}

inline Points part_of(const Net& net, const Points& points, uint32_t first, int tile) {
  Points part = points;
  const uint32_t left = points.count - first;
  part.count = left < uint32_t(tile) ? left : uint32_t(tile);
  part.coords += size_t(first) * net.num_inputs;
  if (part.values) part.values += size_t(first) * net.num_outputs;
  if constexpr (kWeighted)
    part.weights += first;
  else if (part.predictions)
    part.predictions += size_t(first) * net.num_outputs;
  return part;
}

// The loss's gradient at the output into `delta`, zero at the points that only fill the tile; returns the squares.
inline double residual(const Net& net, const Points& part, int tile, const float* out, float* targets, float* delta) {
  take_columns(part.values, part.count, net.num_outputs, tile, targets);
  double squares = 0;
  for (uint32_t c = 0; c < net.num_outputs; ++c) {
    const size_t at = size_t(c) * tile;
    float sum[16] = {0};
    for (int p = 0; p < tile; ++p) {
      const float error = uint32_t(p) < part.count ? out[at + p] - targets[at + p] : 0.0f;
      sum[p % 16] += error * error;
      delta[at + p] = error * part.residual_scale;
    }
    for (float x : sum) squares += x;
  }
  return squares;
}

// How much each point counts into `delta`; returns the squares that count so. Of weighted kernels alone.
inline double weigh(const Net& net, const Points& part, int tile, const float* out, const float* targets, float* delta) {
  double squares = 0;
  for (uint32_t c = 0; c < net.num_outputs; ++c) {
    const size_t at = size_t(c) * tile;
    for (uint32_t p = 0; p < part.count; ++p) {
      const double error = out[at + p] - targets[at + p];
      squares += part.weights[p] * error * error;
      delta[at + p] *= part.weights[p];
    }
  }
  return squares;
}

template <class V, int NV>
void output_bias_sums(uint32_t num_outputs, const float* delta, float* partials, float* out) {
  Sums<V> sums(partials, out);
  for (uint32_t c = 0; c < num_outputs; ++c) sums.push(Tile<V, NV>::load(delta + size_t(c) * V::lanes * NV).sum());
  sums.finish();
}

// ---- answers ----

template <class V, int NV, class A>
void predict(const Net& net, const LayerWeights* w, const Points& points, const Scratch& s) {
  constexpr int T = V::lanes * NV;
  for (uint32_t first = 0; first < points.count; first += T) {
    const Points part = part_of(net, points, first, T);
    take_columns(part.coords, part.count, net.num_inputs, T, s.h[0]);
    const float* out = forward<V, NV, A, false>(net, w, s);
    put_columns(out, part.count, net.num_outputs, T, part.predictions);
  }
}

// One hidden or output layer backwards: weight sums, and delta of the level below (unless that is the coordinates).
template <class V, int NV, class A, bool to_input>
void backward(const Layer& layer, const LayerWeights& w, const float* delta, const float* h, const float* state,
              float* delta_below, float* partials, const LayerSums& sums, float* bias_below) {
  constexpr int T = V::lanes * NV;
  Sums<V> weight_sums(partials, sums.weights), bias_sums(partials + kMaxLanes * kMaxLanes, bias_below);
  const uint32_t *col_order = layer.col_order, *col_start = layer.col_start, *col_output = layer.col_output;
  const uint32_t num_in = layer.num_in;
  const float* by_col = w.by_col;
  for (uint32_t at = 0; at < num_in; ++at) {
    const size_t j = size_t(col_order[at]) * T;
    const Tile<V, NV> in = Tile<V, NV>::load(h + j);
    Tile<V, NV> g = Tile<V, NV>::set(0);
    const uint32_t end = col_start[at + 1];
    for (uint32_t k = col_start[at]; k < end; ++k) {
      const float* d = delta + size_t(col_output[k]) * T;
      const V weight = V::set(to_input ? 0.0f : by_col[k]);
      V product = V::zero();
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) {
        const V x = in_register(V::load(d + i * V::lanes));
        if constexpr (!to_input) g.v[i] = fma(weight, x, g.v[i]);
        product = i == 0 ? x * in.v[0] : fma(x, in.v[i], product);
      }
      weight_sums.push(product);
    }
    if constexpr (!to_input) {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i)
        g.v[i] = g.v[i] * A::slope(in.v[i], V::load(state + j + i * V::lanes));
      g.store(delta_below + j);
      bias_sums.push(g.sum());
    }
  }
  weight_sums.finish();
  bias_sums.finish();
}

template <class V, int NV, class A>
double loss_and_grad(const Net& net, const LayerWeights* w, const Points& points, const Scratch& s,
                     const LayerSums* sums) {
  constexpr int T = V::lanes * NV;
  const uint32_t last = net.num_layers - 1;
  double squares = 0;
  for (uint32_t first = 0; first < points.count; first += T) {
    const Points part = part_of(net, points, first, T);
    take_columns(part.coords, part.count, net.num_inputs, T, s.h[0]);
    const float* out = forward<V, NV, A, true>(net, w, s);
    float *delta = s.delta[0], *below = s.delta[1];
    if constexpr (kWeighted) {
      residual(net, part, T, out, s.targets, delta);
      squares += weigh(net, part, T, out, s.targets, delta);
    } else {
      squares += residual(net, part, T, out, s.targets, delta);
    }
    output_bias_sums<V, NV>(net.num_outputs, delta, s.partials, sums[last].bias);
    for (uint32_t l = last; l > 0; --l) {
      backward<V, NV, A, false>(net.layers[l], w[l], delta, s.h[l], s.state[l], below, s.partials, sums[l],
                                sums[l - 1].bias);
      float* swap = delta;
      delta = below;
      below = swap;
    }
    backward<V, NV, A, true>(net.layers[0], w[0], delta, s.h[0], nullptr, nullptr, s.partials, sums[0], nullptr);
  }
  return squares;
}

// From delta of the first hidden level to the coordinates
template <class V, int NV>
void backward_to_coords(const Layer& layer, const LayerWeights& w, const float* delta, float* columns) {
  constexpr int T = V::lanes * NV;
  for (uint32_t at = 0; at < layer.num_in; ++at) {
    Tile<V, NV> g = Tile<V, NV>::set(0);
    for (uint32_t k = layer.col_start[at]; k < layer.col_start[at + 1]; ++k)
      g.add_product(V::set(w.by_col[k]), delta + size_t(layer.col_output[k]) * T);
    g.store(columns + size_t(layer.col_order[at]) * T);
  }
}

// As loss_and_grad, from a gradient at the output that is given, and down to the coordinates.
template <class V, int NV, class A>
void vjp(const Net& net, const LayerWeights* w, const Points& points, const Scratch& s, const LayerSums* sums) {
  constexpr int T = V::lanes * NV;
  const uint32_t last = net.num_layers - 1;
  Points given = points;
  given.predictions = nullptr;  // it shares its place with coords_grad
  for (uint32_t first = 0; first < points.count; first += T) {
    const Points part = part_of(net, given, first, T);
    take_columns(part.coords, part.count, net.num_inputs, T, s.h[0]);
    forward<V, NV, A, true>(net, w, s);
    float *delta = s.delta[0], *below = s.delta[1];
    take_columns(part.values, part.count, net.num_outputs, T, delta);
    output_bias_sums<V, NV>(net.num_outputs, delta, s.partials, sums[last].bias);
    for (uint32_t l = last; l > 0; --l) {
      backward<V, NV, A, false>(net.layers[l], w[l], delta, s.h[l], s.state[l], below, s.partials, sums[l],
                                sums[l - 1].bias);
      float* swap = delta;
      delta = below;
      below = swap;
    }
    backward<V, NV, A, true>(net.layers[0], w[0], delta, s.h[0], nullptr, nullptr, s.partials, sums[0], nullptr);
    if (!points.coords_grad) continue;
    backward_to_coords<V, NV>(net.layers[0], w[0], delta, below);
    put_columns(below, part.count, net.num_inputs, T, points.coords_grad + size_t(first) * net.num_inputs);
  }
}

// ---- Hessian-vector product: Pearlmutter's R-operator. dot_* is the derivative along v ----

template <class V, int NV, class A, bool first>
inline void dot_row_product(const Layer& layer, const LayerWeights& w, const LayerWeights& v, const float* in,
                            const float* dot_in, uint32_t at, Tile<V, NV>& z, Tile<V, NV>& dot_z) {
  constexpr int T = V::lanes * NV;
  dot_z = Tile<V, NV>::set(v.bias[at]);
  const uint32_t end = layer.row_start[at + 1];
  if constexpr (first) {
    z = pre_activation<V, NV, A, true>(layer, w, in, at);
    for (uint32_t k = layer.row_start[at]; k < end; ++k)
      dot_z.add_product(V::set(v.by_row[k]), in + size_t(layer.row_input[k]) * T);
  } else {
    z = Tile<V, NV>::set(w.bias[at]);
    Tile<V, NV> rest = Tile<V, NV>::set(0);  // a chain of its own: one sum of both would wait for itself
    for (uint32_t k = layer.row_start[at]; k < end; ++k) {
      const size_t j = size_t(layer.row_input[k]) * T;
      const V weight = V::set(w.by_row[k]), direction = V::set(v.by_row[k]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) {
        const V h = in_register(V::load(in + j + i * V::lanes));
        z.v[i] = fma(weight, h, z.v[i]);
        dot_z.v[i] = fma(direction, h, dot_z.v[i]);
        rest.v[i] = fma(weight, V::load(dot_in + j + i * V::lanes), rest.v[i]);
      }
    }
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) dot_z.v[i] = dot_z.v[i] + rest.v[i];
  }
}

template <class V, int NV, class A, bool first>
void dot_forward_hidden(const Layer& layer, const LayerWeights& w, const LayerWeights& v, const float* in,
                        const float* dot_in, float* h, float* state, float* dot_z, float* dot_h) {
  for (uint32_t at = 0; at < layer.num_out; ++at) {
    Tile<V, NV> z, dz;
    dot_row_product<V, NV, A, first>(layer, w, v, in, dot_in, at, z, dz);
    const size_t to = size_t(layer.row_order[at]) * V::lanes * NV;
    dz.store(dot_z + to);
    const typename A::template At<V, NV> point(z.v);
    Tile<V, NV> value, y;
    point.value(value.v);
    value.store(h + to);
    point.state(y.v);
    y.store(state + to);
    SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y.v[i] = A::slope(value.v[i], y.v[i]) * dz.v[i];
    y.store(dot_h + to);
  }
}

template <class V, int NV, class A, bool to_input>
void dot_backward(const Layer& layer, const LayerWeights& w, const LayerWeights& v, const float* delta,
                  const float* dot_delta, const float* h, const float* state, const float* dot_z, float* delta_below,
                  float* dot_delta_below, float* partials, const LayerSums& sums, const LayerSums* below,
                  bool wants_delta) {
  constexpr int T = V::lanes * NV;
  constexpr int kNext = kMaxLanes * kMaxLanes;
  Sums<V> weight_sums(partials, sums.weights);
  Sums<V> bias_sums(partials + kNext, below ? below->bias : nullptr);
  Sums<V> delta_sums(partials + 2 * kNext, below ? below->delta : nullptr);
  const uint32_t *col_order = layer.col_order, *col_start = layer.col_start, *col_output = layer.col_output;
  const uint32_t num_in = layer.num_in;
  const float *by_col = w.by_col, *v_by_col = v.by_col;
  for (uint32_t at = 0; at < num_in; ++at) {
    const size_t j = size_t(col_order[at]) * T;
    const Tile<V, NV> in = Tile<V, NV>::load(h + j);
    Tile<V, NV> g = Tile<V, NV>::set(0), dot_g = g, rest = g, dot_in = g;
    if constexpr (!to_input) {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i)
        dot_in.v[i] = A::slope(in.v[i], V::load(state + j + i * V::lanes)) * V::load(dot_z + j + i * V::lanes);
    }
    const uint32_t end = col_start[at + 1];
    for (uint32_t k = col_start[at]; k < end; ++k) {
      const size_t from = size_t(col_output[k]) * T;
      const V weight = V::set(to_input ? 0.0f : by_col[k]), direction = V::set(to_input ? 0.0f : v_by_col[k]);
      V product = V::zero();
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) {
        const V dx = in_register(V::load(dot_delta + from + i * V::lanes));
        product = i == 0 ? dx * in.v[0] : fma(dx, in.v[i], product);
        if constexpr (!to_input) {
          const V x = in_register(V::load(delta + from + i * V::lanes));
          product = fma(x, dot_in.v[i], product);
          g.v[i] = fma(weight, x, g.v[i]);
          dot_g.v[i] = fma(weight, dx, dot_g.v[i]);
          rest.v[i] = fma(direction, x, rest.v[i]);
        }
      }
      weight_sums.push(product);
    }
    if constexpr (!to_input) {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) {
        const V kept = V::load(state + j + i * V::lanes), dz = V::load(dot_z + j + i * V::lanes);
        const V steep = A::slope(in.v[i], kept), dot_steep = A::curvature(in.v[i], kept) * dz;
        dot_g.v[i] = fma(dot_steep, g.v[i], steep * (dot_g.v[i] + rest.v[i]));
        g.v[i] = steep * g.v[i];
      }
      g.store(delta_below + j);
      dot_g.store(dot_delta_below + j);
      bias_sums.push(dot_g.sum());
      if (wants_delta) delta_sums.push(g.sum());
    }
  }
  weight_sums.finish();
  bias_sums.finish();
  delta_sums.finish();
}

template <class V, int NV, class A>
void hvp(const Net& net, const LayerWeights* w, const LayerWeights* v, const Points& points, const Scratch& s,
         const LayerSums* sums) {
  constexpr int T = V::lanes * NV;
  const uint32_t last = net.num_layers - 1;
  for (uint32_t first = 0; first < points.count; first += T) {
    const Points part = part_of(net, points, first, T);
    take_columns(part.coords, part.count, net.num_inputs, T, s.h[0]);
    float *dot_h = s.dot_h[0], *dot_next = s.dot_h[1], *swap;
    dot_forward_hidden<V, NV, A, true>(net.layers[0], w[0], v[0], s.h[0], nullptr, s.h[1], s.state[1], s.dot_z[1],
                                       dot_h);
    for (uint32_t l = 1; l < last; ++l) {
      dot_forward_hidden<V, NV, A, false>(net.layers[l], w[l], v[l], s.h[l], dot_h, s.h[l + 1], s.state[l + 1],
                                          s.dot_z[l + 1], dot_next);
      swap = dot_h, dot_h = dot_next, dot_next = swap;
    }
    float *delta = s.delta[0], *below = s.delta[1], *dot_delta = s.dot_delta[0], *dot_below = s.dot_delta[1];
    for (uint32_t at = 0; at < net.num_outputs; ++at) {
      Tile<V, NV> z, dz;
      dot_row_product<V, NV, A, false>(net.layers[last], w[last], v[last], s.h[last], dot_h, at, z, dz);
      const size_t to = size_t(net.layers[last].row_order[at]) * T;
      z.store(s.h[last + 1] + to);
      dz.store(dot_delta + to);
    }
    residual(net, part, T, s.h[last + 1], s.targets, delta);
    for (uint32_t c = 0; c < net.num_outputs; ++c)
      for (int p = 0; p < T; ++p)
        dot_delta[size_t(c) * T + p] *= uint32_t(p) < part.count ? part.residual_scale : 0.0f;
    if constexpr (kWeighted) {
      weigh(net, part, T, s.h[last + 1], s.targets, delta);
      weigh(net, part, T, s.h[last + 1], s.targets, dot_delta);
    }
    output_bias_sums<V, NV>(net.num_outputs, dot_delta, s.partials, sums[last].bias);
    if (net.has_constants) output_bias_sums<V, NV>(net.num_outputs, delta, s.partials, sums[last].delta);
    for (uint32_t l = last; l > 0; --l) {
      dot_backward<V, NV, A, false>(net.layers[l], w[l], v[l], delta, dot_delta, s.h[l], s.state[l], s.dot_z[l], below,
                                    dot_below, s.partials, sums[l], &sums[l - 1], net.has_constants);
      swap = delta, delta = below, below = swap;
      swap = dot_delta, dot_delta = dot_below, dot_below = swap;
    }
    dot_backward<V, NV, A, true>(net.layers[0], w[0], v[0], delta, dot_delta, s.h[0], nullptr, nullptr, nullptr,
                                 nullptr, s.partials, sums[0], nullptr, false);
  }
}

template <class V, class A>
void value_and_slope(const float* z, float* value, float* slope, size_t count) {
  alignas(64) float in[V::lanes] = {0}, out[2][V::lanes];
  for (size_t first = 0; first < count; first += V::lanes) {
    const size_t n = count - first < size_t(V::lanes) ? count - first : size_t(V::lanes);
    for (size_t i = 0; i < n; ++i) in[i] = z[first + i];
    const V x = V::load(in);
    const typename A::template At<V, 1> at(&x);
    V h, state;
    at.value(&h);
    h.store(out[0]);
    at.state(&state);
    A::slope(h, state).store(out[1]);
    for (size_t i = 0; i < n; ++i) value[first + i] = out[0][i], slope[first + i] = out[1][i];
  }
}

template <class V, int NV, int NVHvp, class A>
const Kernels* table_of(const char* name) {
  static const Kernels kernels = {name, V::lanes * NV, V::lanes * NVHvp, V::rows_per_block,
                                  kWeighted ? nullptr : predict<V, NV, A>,
                                  loss_and_grad<V, NV, A>, kWeighted ? nullptr : vjp<V, NV, A>,
                                  hvp<V, NVHvp, A>, value_and_slope<V, A>};
  return &kernels;
}

// The first of the list is instantiated last (`auto` asks for the rest at once): GCC shares out registers by that order,
// and the sine's code is to stay the one that was measured.
template <class V, int NV, int NVHvp, class A, class... Rest>
auto table(const char* name, uint32_t activation, Activations<A, Rest...>) {
  if constexpr (sizeof...(Rest) > 0)
    if (activation > 0) return table<V, NV, NVHvp>(name, activation - 1, Activations<Rest...>());
  return table_of<V, NV, NVHvp, A>(name);
}
