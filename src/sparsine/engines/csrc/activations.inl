// Everything the compiled engine knows of activations: another one is a struct here, and its name in the list at the end.
// Included inside an anonymous namespace, by kernels.inl for each vector type V and by activation.cpp. No part of the
// standard library may be included for it (kernel_api.hpp says why); __builtin_sin is the library's sine all the same.
//
// `name` is that of the class in fields/activations/NAME.py and of its file, `constants` are the class's, in its order.
// They enter by its `scale` alone: the first layer's, and one for all others. What is below is a function of z, the scaled
// pre-activation, whose value, slope and curvature `Exact` has in float64, for neurons that are computed once for a signal.
//
// Kernels are given z / unit, and their slope and curvature are derivatives by that. `turns` says whether the first layer
// takes whole turns out of it (see first_phase). `At` is made of a run of pre-activations, which stay where they are, and
// gives for each its value and one more number, the state: from these two `slope` and `curvature` follow, by few
// instructions, whenever the backward pass asks.

// sin(pi r) = r P(r^2) and pi cos(pi r) = Q(r^2) on |r| <= 1/2, minimax (docs/engines.md says how, and the errors).
constexpr float kSine[] = {3.14159274f, -5.16770697f, 2.55003166f, -0.598046422f, 0.0772222504f};
constexpr float kSlope[] = {3.1415925f, -15.503109f, 12.749877f, -4.18422508f, 0.690197825f};

// In half precision the same sine of fewer terms, all of them float16; within 7e-05.
constexpr float kRoughSine[] = {3.140625f, -5.13671875f, 2.298828125f};

// Sine of half turns. The state is the slope.
struct Sine {
  static constexpr const char* name = "sine";
  static constexpr const char* constants[] = {"omega_0", "omega_first"};
  static constexpr double unit = kPi;
  static constexpr bool turns = true;

  struct Exact {
    static double value(double z) { return __builtin_sin(z); }
    static double slope(double z) { return __builtin_cos(z); }
    static double curvature(double, double value) { return -value; }
  };

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
    template <int terms>
    inline void polynomial(const float (&c)[terms], V* y) const {
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = fma(V::set(c[terms - 1]), square[i], V::set(c[terms - 2]));
      SPARSINE_UNROLL for (int k = terms - 3; k >= 0; --k) {
        SPARSINE_UNROLL for (int i = 0; i < NV; ++i) y[i] = fma(y[i], square[i], V::set(c[k]));
      }
    }
    inline void value(V* y) const {
      if constexpr (V::half)
        polynomial(kRoughSine, y);
      else
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

// exp(-z^2 / 2) = 2^(-(z / unit)^2). The state is z / unit.
struct Gauss {
  static constexpr const char* name = "gauss";
  static constexpr const char* constants[] = {"sigma"};
  static constexpr double unit = 1.1774100225154747;  // sqrt(2 ln 2)
  static constexpr bool turns = false;

  struct Exact {
    static double value(double z) { return __builtin_exp(-z * z / 2); }
    static double slope(double z) { return -z * __builtin_exp(-z * z / 2); }
    static double curvature(double z, double value) { return (z * z - 1) * value; }
  };

  template <class V, int NV>
  struct At {
    const V* z;

    explicit inline At(const V* z_) : z(z_) {}
    inline void value(V* y) const {
      V r[NV], whole[NV];
      // of two numbers of which one is NaN, `maximum` is the second
      SPARSINE_UNROLL for (int i = 0; i < NV; ++i) r[i] = maximum(V::set(V::underflow), V::zero() - z[i] * z[i]);
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

// Those that are compiled in; everything else goes by their places in this list.
using Compiled = Activations<Sine, Gauss>;
