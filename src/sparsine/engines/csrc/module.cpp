// Python's way in. Everything that could be wrong with an argument is refused here, before a kernel runs.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <optional>
#include <stdexcept>

#include "engine.hpp"

namespace nb = nanobind;

namespace sparsine {
namespace {

using Bytes = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Line = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using LineOut = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using LossOut = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Table = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using TableOut = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Stack = nb::ndarray<const float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using StackOut = nb::ndarray<float, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

bool runs_here(const std::string& name) {
#if defined(__x86_64__) || defined(_M_X64)
  if (name == "avx512") return kernels_avx512(0) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  if (name == "avx2") return kernels_avx2(0) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return name == "portable";
}

// Whether drawing in half precision runs here beside an instruction set
bool draws_half(const std::string& name) {
#ifdef SPARSINE_HALF
  return name == "avx512" && runs_here(name) && half_avx512(0) && __builtin_cpu_supports("avx512fp16") &&
         __builtin_cpu_supports("avx512bw");
#else
  (void)name;
  return false;
#endif
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const char* name : {"avx512", "avx2", "portable"})
    if (runs_here(name)) names.push_back(name);
  return names;
}

const Kernels& kernels_called(const std::string& name, const Activation& activation, bool weighted = false) {
  const uint32_t a = activation.number;
  if (!runs_here(name)) throw std::invalid_argument("this processor or build has no instruction set '" + name + "'");
  if (weighted) return *(name == "avx512" ? weighted_avx512(a) : name == "avx2" ? weighted_avx2(a) : weighted_portable(a));
  return *(name == "avx512" ? kernels_avx512(a) : name == "avx2" ? kernels_avx2(a) : kernels_portable(a));
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Activation& activation : activations()) names.push_back(activation.name);
  return names;
}

std::vector<std::string> constants_of(const std::string& activation) { return activation_called(activation).constants; }

void require(bool fine, const char* what) {
  if (!fine) throw std::invalid_argument(what);
}

// NumPy makes arrays that begin in the middle of a number; reading them in place is undefined.
template <class... Arrays>
void require_aligned(const Arrays&... arrays) {
  require(((reinterpret_cast<uintptr_t>(arrays.data()) % alignof(typename Arrays::Scalar) == 0) && ...),
          "arrays begin at a multiple of the size of their numbers (copy this one first)");
}

// Sizes and counts are kept in 32 bits. omega_0 is what pre-activations are multiplied by, whatever the activation.
Engine* make_engine(const std::vector<uint32_t>& sizes, const Bytes& keep, double omega_0, double output_offset,
                    const std::string& instructions, const std::string& activation, std::optional<double> omega_first) {
  require(sizes.size() >= 3, "a field has at least an input, a hidden layer and an output");
  uint64_t weights = 0, neurons = 0;
  for (size_t l = 0; l < sizes.size(); ++l) {
    require(sizes[l] >= 1 && sizes[l] <= (1u << 24), "every layer has from 1 to 2^24 neurons");
    neurons += sizes[l];
    if (l > 0) weights += uint64_t(sizes[l]) * sizes[l - 1];
    require(weights + neurons < (uint64_t(1) << 31), "a field has fewer than 2^31 weights and neurons");
  }
  require(keep.shape(0) == weights, "keep has one byte for each weight of the dense field");
  const FieldConstants field{activation_called(activation), omega_first.value_or(omega_0), omega_0, output_offset};
  require(std::isfinite(omega_0) && std::isfinite(output_offset), "omega_0 and output_offset are finite");
  require(std::isfinite(field.scale_first), "omega_first is finite");
  return new Engine(sizes, keep.data(), field, kernels_called(instructions, field.activation),
                    kernels_called(instructions, field.activation, true),
                    draws_half(instructions) ? half_avx512(field.activation.number) : nullptr);
}

Batch batch_of(const Engine& engine, const Table& theta, const Stack& coords, size_t num_signals) {
  require(theta.shape(1) == engine.plan.num_params, "theta has one column for each parameter");
  require(theta.shape(0) == num_signals || theta.shape(0) == 1, "theta has a row for each signal, or one for all");
  require(coords.shape(0) == num_signals || coords.shape(0) == 1, "coords are of each signal, or of all");
  require(coords.shape(1) >= 1, "there is at least one point");
  require(coords.shape(2) == engine.plan.net.num_inputs, "coords have one column for each input");
  Batch batch{};
  batch.theta = theta.data();
  batch.theta_stride = theta.shape(0) == 1 ? 0 : theta.shape(1);
  batch.coords = coords.data();
  batch.coords_stride = coords.shape(0) == 1 ? 0 : coords.shape(1) * coords.shape(2);
  batch.num_signals = num_signals;
  batch.num_points = coords.shape(1);
  return batch;
}

template <class Values>
void require_values(const Engine& engine, const Batch& batch, const Values& values) {
  require(values.shape(0) == batch.num_signals && values.shape(1) == batch.num_points &&
              values.shape(2) == engine.plan.net.num_outputs,
          "values are (signals, points, channels)");
}

// One row for each signal, or one for all
void take_weights(const std::optional<Table>& weights, Batch& batch) {
  if (!weights) return;
  require_aligned(*weights);
  require(weights->shape(0) == batch.num_signals || weights->shape(0) == 1, "weights are of each signal, or of all");
  require(weights->shape(1) == batch.num_points, "there is a weight for each point");
  batch.weights = weights->data();
  batch.weights_stride = weights->shape(0) == 1 ? 0 : weights->shape(1);
}

void predict(Engine& engine, const Table& theta, const Stack& coords, const StackOut& out, int num_threads, bool half) {
  require_aligned(theta, coords, out);
  require(!half || engine.half, "this processor or build does not draw in half precision");
  const Batch batch = batch_of(engine, theta, coords, out.shape(0));
  require_values(engine, batch, out);
  nb::gil_scoped_release release;
  if (half)
    engine.predict_half(batch, out.data(), num_threads);
  else
    engine.predict(batch, out.data(), num_threads);
}

void loss_and_grad(Engine& engine, const Table& theta, const Stack& coords, const Stack& values, const LossOut& loss,
                   const TableOut& grad, int num_threads, const std::optional<Table>& weights) {
  require_aligned(theta, coords, values, loss, grad);
  Batch batch = batch_of(engine, theta, coords, values.shape(0));
  require_values(engine, batch, values);
  require(loss.shape(0) == batch.num_signals, "loss has an entry for each signal");
  require(grad.shape(0) == batch.num_signals && grad.shape(1) == engine.plan.num_params, "grad is (signals, params)");
  batch.values = values.data();
  take_weights(weights, batch);
  nb::gil_scoped_release release;
  engine.loss_and_grad(batch, loss.data(), grad.data(), num_threads);
}

// coords_grad is of each signal, also where the coordinates are of all
void vjp(Engine& engine, const Table& theta, const Stack& coords, const Stack& cotangents, const TableOut& theta_grad,
         const std::optional<StackOut>& coords_grad, int num_threads) {
  require_aligned(theta, coords, cotangents, theta_grad);
  Batch batch = batch_of(engine, theta, coords, cotangents.shape(0));
  require_values(engine, batch, cotangents);
  require(theta_grad.shape(0) == batch.num_signals && theta_grad.shape(1) == engine.plan.num_params,
          "theta_grad is (signals, params)");
  batch.values = cotangents.data();
  batch.cotangents = true;
  if (coords_grad) {
    require_aligned(*coords_grad);
    require(coords_grad->shape(0) == batch.num_signals && coords_grad->shape(1) == batch.num_points &&
                coords_grad->shape(2) == engine.plan.net.num_inputs,
            "coords_grad is (signals, points, dims)");
    batch.coords_grad = coords_grad->data();
  }
  nb::gil_scoped_release release;
  engine.vjp(batch, theta_grad.data(), num_threads);
}

void hvp(Engine& engine, const Table& theta, const Table& v, const Stack& coords, const Stack& values,
         const TableOut& out, int num_threads, const std::optional<Table>& weights) {
  require_aligned(theta, v, coords, values, out);
  Batch batch = batch_of(engine, theta, coords, values.shape(0));
  require_values(engine, batch, values);
  require(v.shape(0) == batch.num_signals || v.shape(0) == 1, "v has a row for each signal, or one for all");
  require(v.shape(1) == engine.plan.num_params, "v has one column for each parameter");
  require(out.shape(0) == batch.num_signals && out.shape(1) == engine.plan.num_params, "out is (signals, params)");
  batch.v = v.data();
  batch.v_stride = v.shape(0) == 1 ? 0 : v.shape(1);
  batch.values = values.data();
  take_weights(weights, batch);
  nb::gil_scoped_release release;
  engine.hvp(batch, out.data(), num_threads);
}

void value_and_slope(const std::string& activation, const std::string& instructions, const Line& z,
                     const LineOut& value, const LineOut& slope) {
  require_aligned(z, value, slope);
  require(value.shape(0) == z.shape(0) && slope.shape(0) == z.shape(0), "lengths are the same");
  const Kernels& kernels = kernels_called(instructions, activation_called(activation));
  kernels.value_and_slope(z.data(), value.data(), slope.data(), z.shape(0));
}

void sine_and_slope(const std::string& instructions, const Line& half_turns, const LineOut& sine,
                    const LineOut& slope) {
  value_and_slope("sine", instructions, half_turns, sine, slope);
}

void bind_engine(nb::module_& m) {
  using nb::arg;
  nb::class_<Engine>(m, "Engine")
      .def(nb::new_(&make_engine), arg("sizes"), arg("keep").noconvert(), arg("omega_0"), arg("output_offset"),
           arg("instructions"), arg("activation") = "sine", arg("omega_first") = nb::none())
      .def("predict", &predict, arg("theta").noconvert(), arg("coords").noconvert(), arg("out").noconvert(),
           arg("num_threads"), arg("half") = false)
      .def("loss_and_grad", &loss_and_grad, arg("theta").noconvert(), arg("coords").noconvert(),
           arg("values").noconvert(), arg("loss").noconvert(), arg("grad").noconvert(), arg("num_threads"),
           arg("weights").noconvert() = nb::none())
      .def("vjp", &vjp, arg("theta").noconvert(), arg("coords").noconvert(), arg("cotangents").noconvert(),
           arg("theta_grad").noconvert(), arg("coords_grad").noconvert().none(), arg("num_threads"))
      .def("hvp", &hvp, arg("theta").noconvert(), arg("v").noconvert(), arg("coords").noconvert(),
           arg("values").noconvert(), arg("out").noconvert(), arg("num_threads"),
           arg("weights").noconvert() = nb::none())
      .def_prop_ro("draws_half", [](const Engine& e) { return e.half != nullptr; }, "Whether it draws in half precision.")
      .def_prop_ro("instructions", [](const Engine& e) { return std::string(e.kernels.name); })
      .def_prop_ro("alive", [](const Engine& e) { return e.plan.alive_count; },
                   "Neurons computed for every point, level by level, coordinates and outputs included.");
}

}  // namespace
}  // namespace sparsine

NB_MODULE(_native, m) {
  using namespace sparsine;
  using nb::arg;
  // An engine that is alive when a program ends is no fault of anybody's.
  nb::set_leak_warnings(false);
  m.doc() = "The compiled part of the sparse engine. Use sparsine.engines.sparse.";
  m.def("instruction_sets", &instruction_sets, "What this processor and this build can run, fastest first.");
  m.def("draws_half", &draws_half, arg("instructions"), "Whether it draws in half precision beside these instructions.");
  m.def("activations", &activation_names, "Activations that were compiled in.");
  m.def("constants", &constants_of, arg("activation"), "Names of an activation's constants, as its class has them.");
  m.def("sine_and_slope", &sine_and_slope, arg("instructions"), arg("half_turns").noconvert(),
        arg("sine").noconvert(), arg("slope").noconvert(), "sin(pi z) and pi cos(pi z), as the kernels compute them.");
  m.def("value_and_slope", &value_and_slope, arg("activation"), arg("instructions"), arg("z").noconvert(),
        arg("value").noconvert(), arg("slope").noconvert(),
        "Any activation as the kernels compute it, in its unit.");
  // The type lives as long as anything holds it: Python may have dropped the module and import it again.
  if (nb::handle known = nb::type<Engine>())
    m.attr("Engine") = known;
  else
    bind_engine(m);
}
