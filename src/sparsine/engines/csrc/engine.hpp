// The answers for a batch of signals that share a pattern.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "plan.hpp"

namespace sparsine {

struct Workspace;

// Rows of `theta` (and `v`): one for each signal, or a single one for all (stride 0). Coordinates and weights likewise.
struct Batch {
  const float* theta;
  size_t theta_stride;
  const float* v;
  size_t v_stride;
  const float* coords;
  size_t coords_stride;
  const float* values;
  const float* weights;  // of points; null where all count alike
  size_t weights_stride;
  size_t num_signals, num_points;
  bool cotangents;     // values are the gradient at the outputs
  float* coords_grad;  // of each signal, or null
};

class Engine {
 public:
  Engine(std::vector<uint32_t> sizes, const uint8_t* keep, const FieldConstants& field, const Kernels& kernels,
         const Kernels& weighted, const HalfKernels* half);
  ~Engine();

  void predict(const Batch& batch, float* predictions, int num_threads);
  void predict_half(const Batch& batch, float* predictions, int num_threads);
  void loss_and_grad(const Batch& batch, double* loss, float* grad, int num_threads);
  void vjp(const Batch& batch, float* theta_grad, int num_threads);
  void hvp(const Batch& batch, float* product, int num_threads);

  const Plan plan;
  const Kernels &kernels, &weighted;  // weighted: where a batch has weights
  const HalfKernels* const half;      // null where this processor or build cannot

 private:
  template <class Work>
  void each_segment(size_t num_signals, size_t num_segments, int num_threads, const Work& work);
  void sums_of_points(const Batch& batch, double* loss, float* out, int num_threads, bool second_order);
  std::unique_ptr<Workspace> borrow();
  void give_back(std::unique_ptr<Workspace> workspace);

  std::mutex workspaces_lock_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
};

}  // namespace sparsine
