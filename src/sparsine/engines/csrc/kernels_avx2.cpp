#include "kernel_api.hpp"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

namespace sparsine {
namespace {

struct V {
  __m256 x;
  static constexpr int lanes = 8;
  static constexpr int rows_per_block = 2;
  static constexpr bool half = false;
  static constexpr float underflow = -127;  // two to its power is no longer normal
  static constexpr bool has_fma = true;
  static inline V load(const float* p) { return {_mm256_load_ps(p)}; }
  static inline V set(float f) { return {_mm256_set1_ps(f)}; }
  static inline V zero() { return {_mm256_setzero_ps()}; }
  inline void store(float* p) const { _mm256_store_ps(p, x); }
};
inline V operator+(V a, V b) { return {_mm256_add_ps(a.x, b.x)}; }
inline V operator-(V a, V b) { return {_mm256_sub_ps(a.x, b.x)}; }
inline V operator*(V a, V b) { return {_mm256_mul_ps(a.x, b.x)}; }
inline V operator^(V a, V b) { return {_mm256_xor_ps(a.x, b.x)}; }
inline V fma(V a, V b, V c) { return {_mm256_fmadd_ps(a.x, b.x, c.x)}; }
inline V round(V a) { return {_mm256_round_ps(a.x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline V maximum(V a, V b) { return {_mm256_max_ps(a.x, b.x)}; }
inline V power_of_two(V n) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n.x), _mm256_set1_epi32(127)), 23))};
}
inline V odd_sign(V n) { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtps_epi32(n.x), 31))}; }

// Of every group of lanes, half is a's and half b's, each added to its other half.
inline V halves(V a, V b) {
  return {_mm256_add_ps(_mm256_blend_ps(a.x, b.x, 0xF0), _mm256_permute2f128_ps(a.x, b.x, 0x21))};
}

// Adds to out[i] the sum of the i-th vector of eight that were joined two by two.
inline void add_sums_of_halves(V, const float* p, float* out) {
  const __m256 a = _mm256_hadd_ps(_mm256_load_ps(p), _mm256_load_ps(p + 8));
  const __m256 b = _mm256_hadd_ps(_mm256_load_ps(p + 16), _mm256_load_ps(p + 24));
  const __m256 sums = _mm256_hadd_ps(a, b);  // even vectors, then odd ones
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_ps(out, _mm256_add_ps(_mm256_loadu_ps(out), _mm256_permutevar8x32_ps(sums, order)));
}

#include "kernels.inl"

}  // namespace

const Kernels* SPARSINE_TABLE(avx2)(uint32_t activation) { return table<V, 4, 2>("avx2", activation, Compiled()); }

}  // namespace sparsine

#else
const sparsine::Kernels* sparsine::SPARSINE_TABLE(avx2)(uint32_t) { return nullptr; }
#endif
