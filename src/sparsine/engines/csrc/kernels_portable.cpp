// For every processor: vectors of four floats as GCC and Clang write them (SSE2 on x86-64, NEON on ARM).
#include "kernel_api.hpp"

namespace sparsine {
namespace {

typedef float Floats __attribute__((vector_size(16)));
typedef int32_t Ints __attribute__((vector_size(16)));

struct V {
  Floats x;
  static constexpr int lanes = 4;
  static constexpr int rows_per_block = 2;
  static constexpr bool half = false;
  static constexpr float underflow = -127;  // two to its power is no longer normal
#ifdef __FP_FAST_FMAF
  static constexpr bool has_fma = true;
#else
  static constexpr bool has_fma = false;
#endif
  static inline V load(const float* p) { return {*reinterpret_cast<const Floats*>(p)}; }
  static inline V set(float f) { return {Floats{f, f, f, f}}; }
  static inline V zero() { return set(0); }
  inline void store(float* p) const { *reinterpret_cast<Floats*>(p) = x; }
};
inline V operator+(V a, V b) { return {a.x + b.x}; }
inline V operator-(V a, V b) { return {a.x - b.x}; }
inline V operator*(V a, V b) { return {a.x * b.x}; }
inline V operator^(V a, V b) { return {(Floats)((Ints)a.x ^ (Ints)b.x)}; }
inline V fma(V a, V b, V c) {
#ifdef __FP_FAST_FMAF
  V r;
  for (int i = 0; i < 4; ++i) r.x[i] = __builtin_fmaf(a.x[i], b.x[i], c.x[i]);
  return r;
#else
  return {a.x * b.x + c.x};
#endif
}

// Adding 1.5 * 2^23 rounds to whole numbers and leaves their parity in the lowest bit. From 2^22 on a float has no
// fraction worth keeping: there n is a itself.
constexpr float kRound = 12582912.0f;
inline V round(V a) {
  const Floats limit = {4194304.0f, 4194304.0f, 4194304.0f, 4194304.0f};
  const Ints large = (Ints)(a.x >= limit) | (Ints)(a.x <= -limit);
  const Floats n = (a.x + kRound) - kRound;
  return {(Floats)((large & (Ints)a.x) | (~large & (Ints)n))};
}
inline V odd_sign(V n) { return {(Floats)((Ints)(n.x + kRound) << 31)}; }
inline V maximum(V a, V b) {
  const Ints first = (Ints)(a.x > b.x);
  return {(Floats)((first & (Ints)a.x) | (~first & (Ints)b.x))};
}
// The lower bits of n + kRound are those of n; the others are shifted out.
inline V power_of_two(V n) { return {(Floats)(((Ints)(n.x + kRound) + 127) << 23)}; }

// Half a's, half b's, each added to its other half
inline V halves(V a, V b) { return {Floats{a.x[0] + a.x[2], a.x[1] + a.x[3], b.x[0] + b.x[2], b.x[1] + b.x[3]}}; }

// Adds to out[i] the sum of the i-th vector of four that were joined two by two.
inline void add_sums_of_halves(V, const float* p, float* out) {
  for (int i = 0; i < 4; ++i) out[i] += p[2 * i] + p[2 * i + 1];
}

#include "kernels.inl"

}  // namespace

const Kernels* SPARSINE_TABLE(portable)(uint32_t activation) { return table<V, 4, 4>("portable", activation, Compiled()); }

}  // namespace sparsine
