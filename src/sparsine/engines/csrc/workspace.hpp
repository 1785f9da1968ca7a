// What one thread needs: the buffers of a tile, a signal's numbers in the order of the kernels, sums over points.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "half.hpp"
#include "plan.hpp"

namespace sparsine {

// One block of floats on cache-line boundaries, cut into parts.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  ~Arena() { std::free(data_); }

  static size_t padded(size_t n) { return (n + kMaxLanes - 1) / kMaxLanes * kMaxLanes; }
  void allocate(size_t num_floats) {
    data_ = static_cast<float*>(std::aligned_alloc(64, padded(num_floats) * sizeof(float)));
    if (!data_) throw std::bad_alloc();
    size_ = padded(num_floats);
  }
  float* take(size_t n) {
    float* part = data_ + used_;
    used_ += padded(n);
    return part;
  }
  float* data() { return data_; }
  size_t size() const { return size_; }

 private:
  float* data_ = nullptr;
  size_t size_ = 0, used_ = 0;
};

// theta of one signal in the order of the kernels
struct Packed {
  std::vector<LayerWeights> layers;
  Arena numbers;

  explicit Packed(const Plan& plan);
  LayerWeights& operator[](size_t l) { return layers[l]; }
};

// The constant neurons of one signal, in float64, by neuron number. dot_* is the derivative along v.
struct Constants {
  std::vector<double> pre, value, dot_pre, dot_value;  // pre-activation without its scale; what the activation makes of it
  std::vector<double> delta, dot_delta;

  explicit Constants(size_t num_neurons)
      : pre(num_neurons), value(num_neurons), dot_pre(num_neurons), dot_value(num_neurons), delta(num_neurons),
        dot_delta(num_neurons) {}
};

struct Workspace {
  Workspace(const Plan& plan, int tile);

  // theta (and v, where there is one) of a signal; the segments of one that follow each other find it done
  void pack(const Plan& plan, size_t signal, const float* theta, const float* v);
  // Sums of a whole signal, still in the order of the kernels, to their places in the gradient (or product)
  void unpack_gradient(const Plan& plan, const float* theta, float* out);
  void unpack_product(const Plan& plan, const float* theta, const float* v, const float* delta_sums, float* out);
  void clear_sums();
  // Adds the sums of a segment: weights and biases to `total`, sums of delta (if any) to `delta_total`
  void add_sums_to(const Plan& plan, float* total, float* delta_total) const;

  Packed weights, directions;
  Constants constants;
  Arena tiles, sums_arena;
  std::vector<float*> h, state, dot_z;
  std::vector<LayerSums> sums;
  std::vector<float> total;  // a signal's sums while they move to their places
  Scratch scratch{};
  size_t packed_signal = size_t(-1);
  std::unique_ptr<HalfWeights> half;  // once it is asked for
};

// Numbers in a signal's sums in the order of the kernels: not more than parameters
size_t num_sums(const Plan& plan);
size_t num_bias_sums(const Plan& plan);

}  // namespace sparsine
