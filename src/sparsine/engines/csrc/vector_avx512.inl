// Vectors of sixteen floats, as kernels.inl wants them. Included inside an anonymous namespace.
struct V {
  __m512 x;
  static constexpr int lanes = 16;
  static constexpr int rows_per_block = 4;
  static constexpr bool half = false;
  static constexpr float underflow = -127;  // two to its power is no longer normal
  static constexpr bool has_fma = true;
  static inline V load(const float* p) { return {_mm512_load_ps(p)}; }
  static inline V set(float f) { return {_mm512_set1_ps(f)}; }
  static inline V zero() { return {_mm512_setzero_ps()}; }
  inline void store(float* p) const { _mm512_store_ps(p, x); }
};
inline V operator+(V a, V b) { return {_mm512_add_ps(a.x, b.x)}; }
inline V operator-(V a, V b) { return {_mm512_sub_ps(a.x, b.x)}; }
inline V operator*(V a, V b) { return {_mm512_mul_ps(a.x, b.x)}; }
inline V operator^(V a, V b) { return {_mm512_xor_ps(a.x, b.x)}; }
inline V fma(V a, V b, V c) { return {_mm512_fmadd_ps(a.x, b.x, c.x)}; }
inline V round(V a) { return {_mm512_roundscale_ps(a.x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline V maximum(V a, V b) { return {_mm512_max_ps(a.x, b.x)}; }
inline V power_of_two(V n) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n.x), _mm512_set1_epi32(127)), 23))};
}
inline V odd_sign(V n) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtps_epi32(n.x), 31))}; }

// Each of these halves the number of vectors: of every group of lanes, half is a's and half b's, each added to its
// other half.
inline V halves(V a, V b) {
  return {_mm512_add_ps(_mm512_mask_blend_ps(0xFF00, a.x, b.x), _mm512_shuffle_f32x4(a.x, b.x, 0x4E))};
}
inline __m512 fours(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xF0F0, a, b),
                       _mm512_permutexvar_ps(_mm512_setr_epi32(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11),
                                             _mm512_mask_blend_ps(0x0F0F, a, b)));
}
inline __m512 twos(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xCCCC, a, b), _mm512_shuffle_ps(a, b, 0x4E));
}
inline __m512 ones(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xAAAA, a, b),
                       _mm512_permute_ps(_mm512_mask_blend_ps(0x5555, a, b), 0xB1));
}

// Adds to out[i] the sum of the i-th vector of sixteen that were joined two by two. They come out in the order of
// their reversed bits.
inline void add_sums_of_halves(V, const float* p, float* out) {
  __m512 x[4];
  for (int i = 0; i < 4; ++i) x[i] = fours(_mm512_load_ps(p + i * 32), _mm512_load_ps(p + i * 32 + 16));
  const __m512 sums = ones(twos(x[0], x[1]), twos(x[2], x[3]));
  const __m512i reversed = _mm512_setr_epi32(0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
  _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(out), _mm512_permutexvar_ps(reversed, sums)));
}
