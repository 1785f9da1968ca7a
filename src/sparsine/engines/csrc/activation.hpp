// What the compiled engine knows of an activation outside the kernels: its name, the unit in which kernels count
// pre-activations, and itself in float64, for neurons that are computed once for a signal.
//
// Another one is a line in activation.cpp and a struct in activations.inl; what both must be is said there.
#pragma once

#include <string>
#include <vector>

#include "kernel_api.hpp"

namespace sparsine {

struct Activation {
  const char* name;
  ActivationKind kind;
  double unit;    // kernels are given z / unit, where z is the scaled pre-activation
  bool in_turns;  // the first layer is packed in whole turns and a rest
  double (*value)(double z);
  double (*slope)(double z);
  double (*curvature)(double z, double value);
};

// Those that are compiled in. `activation_called` throws std::invalid_argument for any other.
const std::vector<Activation>& activations();
const Activation& activation_called(const std::string& name);

}  // namespace sparsine
