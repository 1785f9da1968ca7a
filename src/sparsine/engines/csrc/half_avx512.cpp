// Drawing in half precision: the values of neurons, the weights between them and their sums are float16, twice as many in
// a vector (AVX512-FP16). The phase of the first layer, biases and outputs keep float32. Tiles and order are those of
// kernels.inl.
#include "kernel_api.hpp"

#if defined(__AVX512FP16__) && defined(__AVX512BW__)
#include <immintrin.h>

namespace sparsine {
namespace {

#include "vector_avx512.inl"
#include "kernels.inl"

// Thirty-two of them, as activations.inl wants them
struct H {
  __m512h x;
  static constexpr int lanes = 32;
  static constexpr bool half = true;
  static constexpr float underflow = -15;
  static inline H load(const uint16_t* p) { return {_mm512_load_ph(p)}; }
  static inline H set(float f) { return {_mm512_set1_ph(_Float16(f))}; }
  static inline H zero() { return {_mm512_setzero_ph()}; }
  inline void store(uint16_t* p) const { _mm512_store_ph(p, x); }
};
inline H operator+(H a, H b) { return {_mm512_add_ph(a.x, b.x)}; }
inline H operator-(H a, H b) { return {_mm512_sub_ph(a.x, b.x)}; }
inline H operator*(H a, H b) { return {_mm512_mul_ph(a.x, b.x)}; }
inline H operator^(H a, H b) { return {(__m512h)((__m512i)a.x ^ (__m512i)b.x)}; }
inline H fma(H a, H b, H c) { return {_mm512_fmadd_ph(a.x, b.x, c.x)}; }
inline H round(H a) { return {_mm512_roundscale_ph(a.x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline H maximum(H a, H b) { return {_mm512_max_ph(a.x, b.x)}; }
inline H power_of_two(H n) {
  return {(__m512h)_mm512_slli_epi16(_mm512_add_epi16(_mm512_cvtph_epi16(n.x), _mm512_set1_epi16(15)), 10)};
}
inline H odd_sign(H n) { return {(__m512h)_mm512_slli_epi16(_mm512_cvtph_epi16(n.x), 15)}; }

inline H narrowed(V lower, V upper) {
  const __m512i low = _mm512_castsi256_si512((__m256i)_mm512_cvtxps_ph(lower.x));
  return {(__m512h)_mm512_inserti64x4(low, (__m256i)_mm512_cvtxps_ph(upper.x), 1)};
}
inline V lower_half(H a) { return {_mm512_cvtxph_ps((__m256h)_mm512_castsi512_si256((__m512i)a.x))}; }
inline V upper_half(H a) { return {_mm512_cvtxph_ps((__m256h)_mm512_extracti64x4_epi64((__m512i)a.x, 1))}; }

constexpr int kTile = 64, kVectors = kTile / H::lanes;

// Sums of a row in four parts: each waits for itself, and the smaller a sum is the less is rounded away
struct Parts {
  H v[4][kVectors];
};

inline void add_product(H (&sum)[kVectors], uint32_t weight, const uint16_t* in) {
  const H w{(__m512h)_mm512_set1_epi32(int(weight))};
  SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i) sum[i] = fma(w, H::load(in + i * H::lanes), sum[i]);
}

inline Parts row_product(const Layer& layer, const HalfLayer& half, const uint16_t* in, uint32_t at) {
  Parts sums;
  SPARSINE_UNROLL for (auto& part : sums.v)
    SPARSINE_UNROLL for (H& sum : part) sum = H::zero();
  const uint32_t end = layer.row_start[at + 1], *inputs = layer.row_input, *weights = half.by_row;
  uint32_t k = layer.row_start[at];
  for (; k + 3 < end; k += 4)
    SPARSINE_UNROLL for (uint32_t j = 0; j < 4; ++j)
      add_product(sums.v[j], weights[k + j], in + size_t(inputs[k + j]) * kTile);
  SPARSINE_UNROLL for (uint32_t j = 0; j < 3; ++j)
    if (k + j < end) add_product(sums.v[j], weights[k + j], in + size_t(inputs[k + j]) * kTile);
  return sums;
}

template <class A>
inline void activate(const H (&z)[kVectors], uint16_t* to) {
  const typename A::template At<H, kVectors> activation(z);
  H y[kVectors];
  activation.value(y);
  SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i) y[i].store(to + i * H::lanes);
}

// Nearly full layers, as block_product of kernels.inl
inline void block_product(const Layer& layer, const HalfLayer& half, const uint16_t* in, uint32_t block,
                          H (&z)[V::rows_per_block][kVectors]) {
  constexpr uint32_t R = V::rows_per_block;
  SPARSINE_UNROLL for (auto& row : z)
    SPARSINE_UNROLL for (H& sum : row) sum = H::zero();
  for (uint32_t k = layer.block_start[block]; k < layer.block_start[block + 1]; ++k) {
    const uint16_t* h = in + size_t(layer.block_input[k]) * kTile;
    H x[kVectors];
    SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i) x[i] = in_register(H::load(h + i * H::lanes));
    SPARSINE_UNROLL for (uint32_t r = 0; r < R; ++r) {
      const H w{(__m512h)_mm512_set1_epi32(int(half.blocks[size_t(k) * R + r]))};
      SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i) z[r][i] = fma(w, x[i], z[r][i]);
    }
  }
}

template <class A>
void first_layer(const Layer& layer, const LayerWeights& w, const float* in, uint16_t* out) {
  for (uint32_t at = 0; at < layer.num_out; ++at) {
    const Tile<V, 2 * kVectors> wide = pre_activation<V, 2 * kVectors, A, true>(layer, w, in, at);
    H z[kVectors];
    SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i) z[i] = narrowed(wide.v[2 * i], wide.v[2 * i + 1]);
    activate<A>(z, out + size_t(layer.row_order[at]) * kTile);
  }
}

template <class A>
void hidden_layer(const Layer& layer, const LayerWeights& w, const HalfLayer& half, const uint16_t* in, uint16_t* out) {
  constexpr uint32_t R = V::rows_per_block;
  for (uint32_t block = 0; block < layer.num_blocks; ++block) {
    H z[R][kVectors];
    block_product(layer, half, in, block, z);
    SPARSINE_UNROLL for (uint32_t r = 0; r < R; ++r) {
      const H bias = H::set(w.bias[block * R + r]);
      SPARSINE_UNROLL for (H& sum : z[r]) sum = sum + bias;
      activate<A>(z[r], out + size_t(layer.row_order[block * R + r]) * kTile);
    }
  }
  for (uint32_t at = layer.num_blocks * R; at < layer.num_out; ++at) {
    const H bias = H::set(w.bias[at]);
    const Parts sums = row_product(layer, half, in, at);
    H z[kVectors];
    SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i)
      z[i] = (sums.v[0][i] + sums.v[1][i]) + (sums.v[2][i] + sums.v[3][i]) + bias;
    activate<A>(z, out + size_t(layer.row_order[at]) * kTile);
  }
}

void output_layer(const Layer& layer, const LayerWeights& w, const HalfLayer& half, const uint16_t* in, float* out) {
  for (uint32_t at = 0; at < layer.num_out; ++at) {
    const Parts sums = row_product(layer, half, in, at);
    const V bias = V::set(w.bias[at]);
    float* to = out + size_t(layer.row_order[at]) * kTile;
    SPARSINE_UNROLL for (int i = 0; i < kVectors; ++i) {
      V lower = bias, upper = bias;
      SPARSINE_UNROLL for (const auto& part : sums.v) lower = lower + lower_half(part[i]), upper = upper + upper_half(part[i]);
      lower.store(to + i * H::lanes);
      upper.store(to + i * H::lanes + V::lanes);
    }
  }
}

template <class A>
void predict_half(const Net& net, const LayerWeights* w, const HalfLayer* half, const Points& points, const Scratch& s) {
  const uint32_t last = net.num_layers - 1;
  for (uint32_t first = 0; first < points.count; first += kTile) {
    const Points part = part_of(net, points, first, kTile);
    take_columns(part.coords, part.count, net.num_inputs, kTile, s.h[0]);
    // the buffers of the backward pass: as many neurons, of twice as many bytes
    uint16_t *in = reinterpret_cast<uint16_t*>(s.delta[0]), *out = reinterpret_cast<uint16_t*>(s.delta[1]), *swap;
    first_layer<A>(net.layers[0], w[0], s.h[0], in);
    for (uint32_t l = 1; l < last; ++l) {
      hidden_layer<A>(net.layers[l], w[l], half[l], in, out);
      swap = in, in = out, out = swap;
    }
    output_layer(net.layers[last], w[last], half[last], in, s.h[last + 1]);
    put_columns(s.h[last + 1], part.count, net.num_outputs, kTile, part.predictions);
  }
}

uint32_t narrow(float weight) {
  const _Float16 half = _Float16(weight);
  uint16_t bits;
  __builtin_memcpy(&bits, &half, sizeof bits);
  return bits | uint32_t(bits) << 16;
}

template <class A, class... Rest>
const HalfKernels* half_table(uint32_t activation, Activations<A, Rest...>) {
  if constexpr (sizeof...(Rest) > 0)
    if (activation > 0) return half_table(activation - 1, Activations<Rest...>());
  static const HalfKernels kernels = {predict_half<A>, narrow};
  return &kernels;
}

}  // namespace

const HalfKernels* half_avx512(uint32_t activation) { return half_table(activation, Compiled()); }

}  // namespace sparsine

#else
const sparsine::HalfKernels* sparsine::half_avx512(uint32_t) { return nullptr; }
#endif
