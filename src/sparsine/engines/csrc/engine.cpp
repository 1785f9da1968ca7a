#include "engine.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "pool.hpp"
#include "workspace.hpp"

namespace sparsine {
namespace {

// Points whose sums are added up by one thread. Fixed, so that the order of all additions, and with it every bit of
// the result, is the same for any number of threads and any batch.
constexpr size_t kSegment = 512;

size_t num_segments_of(size_t num_points) { return (num_points + kSegment - 1) / kSegment; }

Points points_of(const Plan& plan, const Batch& batch, size_t signal, size_t segment) {
  const size_t first = segment * kSegment, outputs = plan.net.num_outputs;
  Points points{};
  points.count = uint32_t(std::min(kSegment, batch.num_points - first));
  points.coords = batch.coords + signal * batch.coords_stride + first * plan.net.num_inputs;
  if (batch.values) points.values = batch.values + (signal * batch.num_points + first) * outputs;
  if (batch.weights) points.weights = batch.weights + signal * batch.weights_stride + first;
  if (batch.coords_grad)
    points.coords_grad = batch.coords_grad + (signal * batch.num_points + first) * plan.net.num_inputs;
  points.residual_scale = float(2.0 / (double(batch.num_points) * double(outputs)));
  return points;
}

}  // namespace

Engine::Engine(std::vector<uint32_t> sizes, const uint8_t* keep, const FieldConstants& field, const Kernels& kernels_,
               const Kernels& weighted_, const HalfKernels* half_)
    : plan(std::move(sizes), keep, field, uint32_t(kernels_.rows_per_block)),
      kernels(kernels_),
      weighted(weighted_),
      half(half_) {}

Engine::~Engine() = default;

std::unique_ptr<Workspace> Engine::borrow() {
  {
    std::lock_guard<std::mutex> lock(workspaces_lock_);
    if (!workspaces_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(workspaces_.back());
      workspaces_.pop_back();
      workspace->packed_signal = size_t(-1);
      if (workspace->half) workspace->half->packed_signal = size_t(-1);
      return workspace;
    }
  }
  return std::make_unique<Workspace>(plan, std::max(kernels.tile, kernels.tile_hvp));
}

void Engine::give_back(std::unique_ptr<Workspace> workspace) {
  std::lock_guard<std::mutex> lock(workspaces_lock_);
  workspaces_.push_back(std::move(workspace));
}

// Segments are taken in order, so a thread that waits for its turn waits for one that is at work.
template <class Work>
void Engine::each_segment(size_t num_signals, size_t num_segments, int num_threads, const Work& work) {
  std::atomic<size_t> next{0};
  const size_t count = num_signals * num_segments;
  const int threads = int(std::min<size_t>(size_t(std::max(num_threads, 1)), count));
  // made here, where running out of memory can be said
  std::vector<std::unique_ptr<Workspace>> ready;
  for (int i = 0; i < threads; ++i) ready.push_back(borrow());
  std::mutex ready_lock;
  run_on_threads(threads, [&] {
    std::unique_ptr<Workspace> mine;
    {
      std::lock_guard<std::mutex> lock(ready_lock);
      if (ready.empty()) return;
      mine = std::move(ready.back());
      ready.pop_back();
    }
    for (size_t item; (item = next.fetch_add(1)) < count;) work(*mine, item / num_segments, item % num_segments);
    std::lock_guard<std::mutex> lock(ready_lock);
    ready.push_back(std::move(mine));
  });
  for (auto& workspace : ready) give_back(std::move(workspace));
}

void Engine::predict(const Batch& batch, float* predictions, int num_threads) {
  const size_t num_segments = num_segments_of(batch.num_points), outputs = plan.net.num_outputs;
  each_segment(batch.num_signals, num_segments, num_threads, [&](Workspace& mine, size_t signal, size_t segment) {
    mine.pack(plan, signal, batch.theta + signal * batch.theta_stride, nullptr);
    Points points = points_of(plan, batch, signal, segment);
    points.predictions = predictions + (signal * batch.num_points + segment * kSegment) * outputs;
    kernels.predict(plan.net, mine.weights.layers.data(), points, mine.scratch);
  });
}

void Engine::predict_half(const Batch& batch, float* predictions, int num_threads) {
  const size_t num_segments = num_segments_of(batch.num_points), outputs = plan.net.num_outputs;
  each_segment(batch.num_signals, num_segments, num_threads, [&](Workspace& mine, size_t signal, size_t segment) {
    const float* theta = batch.theta + signal * batch.theta_stride;
    mine.pack(plan, signal, theta, nullptr);
    if (!mine.half) mine.half = std::make_unique<HalfWeights>(plan);
    mine.half->pack(plan, signal, theta, half->narrow);
    Points points = points_of(plan, batch, signal, segment);
    points.predictions = predictions + (signal * batch.num_points + segment * kSegment) * outputs;
    half->predict(plan.net, mine.weights.layers.data(), mine.half->layers.data(), points, mine.scratch);
  });
}

void Engine::loss_and_grad(const Batch& batch, double* loss, float* grad, int num_threads) {
  sums_of_points(batch, loss, grad, num_threads, false);
}

void Engine::vjp(const Batch& batch, float* theta_grad, int num_threads) {
  sums_of_points(batch, nullptr, theta_grad, num_threads, false);
}

void Engine::hvp(const Batch& batch, float* product, int num_threads) {
  sums_of_points(batch, nullptr, product, num_threads, true);
}

// Each segment's sums are added to the signal's row of `out` when its turn comes; there they stand in the order of
// the kernels until the last segment has come and moves them to their places.
void Engine::sums_of_points(const Batch& batch, double* loss, float* out, int num_threads, bool second_order) {
  const size_t num_segments = num_segments_of(batch.num_points), params = plan.num_params;
  const bool with_delta = second_order && plan.net.has_constants;
  const size_t delta_size = with_delta ? num_bias_sums(plan) : 0;
  std::vector<float> delta_sums(delta_size * batch.num_signals, 0.0f);
  std::vector<std::atomic<size_t>> turn(batch.num_signals);
  for (auto& t : turn) t.store(0);
  std::fill_n(out, batch.num_signals * params, 0.0f);
  if (loss) std::fill_n(loss, batch.num_signals, 0.0);

  each_segment(batch.num_signals, num_segments, num_threads, [&](Workspace& mine, size_t signal, size_t segment) {
    const float* theta = batch.theta + signal * batch.theta_stride;
    const float* v = second_order ? batch.v + signal * batch.v_stride : nullptr;
    mine.pack(plan, signal, theta, v);
    mine.clear_sums();
    const Points points = points_of(plan, batch, signal, segment);
    const LayerWeights* weights = mine.weights.layers.data();
    const Kernels& chosen = batch.weights ? weighted : kernels;
    double squares = 0;
    if (second_order)
      chosen.hvp(plan.net, weights, mine.directions.layers.data(), points, mine.scratch, mine.sums.data());
    else if (batch.cotangents)
      kernels.vjp(plan.net, weights, points, mine.scratch, mine.sums.data());
    else
      squares = chosen.loss_and_grad(plan.net, weights, points, mine.scratch, mine.sums.data());

    while (turn[signal].load(std::memory_order_acquire) != segment) std::this_thread::yield();
    float* row = out + signal * params;
    float* delta_row = with_delta ? delta_sums.data() + signal * delta_size : nullptr;
    mine.add_sums_to(plan, row, delta_row);
    if (loss) loss[signal] += squares / (double(batch.num_points) * plan.net.num_outputs);
    if (segment + 1 == num_segments) {
      if (second_order)
        mine.unpack_product(plan, theta, v, delta_row, row);
      else
        mine.unpack_gradient(plan, theta, row);
    }
    turn[signal].store(segment + 1, std::memory_order_release);
  });
}

}  // namespace sparsine
