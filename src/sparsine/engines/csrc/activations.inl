// Activations for the kernels, in terms of a vector type V. Included by kernels.inl.
//
// A struct of four: `turns` says whether the first layer takes whole turns out of its pre-activations (see first_phase).
// `At` is made of a run of pre-activations, which stay where they are, and gives for each its value and one more number,
// the state: from these two `slope` and `curvature` follow, by few instructions, whenever the backward pass asks.
// Pre-activations are counted in the activation's unit (activation.cpp), slope and curvature are derivatives by them.

// sin(pi r) = r P(r^2) and pi cos(pi r) = Q(r^2) on |r| <= 1/2, minimax (docs/engines.md says how, and the errors).
constexpr float kSine[] = {3.14159274f, -5.16770697f, 2.55003166f, -0.598046422f, 0.0772222504f};
constexpr float kSlope[] = {3.1415925f, -15.503109f, 12.749877f, -4.18422508f, 0.690197825f};

// Sine of half turns. The state is the slope.
struct Sine {
  static constexpr bool turns = true;

  // Each step is taken over a whole run of vectors: it waits for the one before it.
  template <class V, int NV>
  struct At {
    V r[NV], sign[NV], square[NV];

    // z half turns are r in [-1/2, 1/2] and the sign that the whole half turns leave
    explicit inline At(const V* z) {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) sign[i] = round(z[i]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) r[i] = z[i] - sign[i];
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) sign[i] = odd_sign(sign[i]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) square[i] = r[i] * r[i];
    }
    inline void polynomial(const float (&c)[5], V* y) const {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = fma(V::set(c[4]), square[i], V::set(c[3]));
      SPARSINE_UNROLL for (int k = 2; k >= 0; --k) {
        SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = fma(y[i], square[i], V::set(c[k]));
      }
    }
    inline void value(V* y) const {
      polynomial(kSine, y);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = (r[i] ^ sign[i]) * y[i];
    }
    inline void state(V* y) const {
      polynomial(kSlope, y);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = y[i] ^ sign[i];
    }
  };

  template <class V>
  static inline V slope(V, V state) {
    return state;
  }
  // the slope pi cos(pi z) falls by pi^2 sin(pi z)
  template <class V>
  static inline V curvature(V value, V) {
    return V::set(float(-kPi * kPi)) * value;
  }
};

// 2^r = P(r) on |r| <= 1/2, minimax among those with P(0) = 1.
constexpr float kPower[] = {1.0f, 0.693147004f, 0.240222469f, 0.0555071086f, 0.00967129041f, 0.00132695148f};
constexpr float kLog2 = 0.693147181f;

// 2^(-z^2). The state is z.
struct Gauss {
  static constexpr bool turns = false;
  static constexpr float smallest = -127;  // 2^-126 is the smallest normal number; below it is 0

  template <class V, int NV>
  struct At {
    const V* z;

    explicit inline At(const V* z_) : z(z_) {}
    inline void value(V* y) const {
      V r[NV], whole[NV];
      // of two numbers of which one is NaN, `maximum` is the second
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) r[i] = maximum(V::set(smallest), V::zero() - z[i] * z[i]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) whole[i] = round(r[i]);
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) r[i] = r[i] - whole[i];
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = fma(V::set(kPower[5]), r[i], V::set(kPower[4]));
      SPARSINE_UNROLL for (int k = 3; k >= 0; --k) {
        SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = fma(y[i], r[i], V::set(kPower[k]));
      }
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = y[i] * power_of_two(whole[i]);
    }
    inline void state(V* y) const {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = z[i];
    }
  };

  // z value first: far out the value is 0, and z alone might overflow
  template <class V>
  static inline V slope(V value, V z) {
    return z * value * V::set(-2 * kLog2);
  }
  template <class V>
  static inline V curvature(V value, V z) {
    return fma(z * value * z, V::set(4 * kLog2 * kLog2), V::set(-2 * kLog2) * value);
  }
};
