// What the engine knows of an activation outside the kernels, each from its struct in activations.inl.
#pragma once

#include <string>
#include <vector>

#include "kernel_api.hpp"

namespace sparsine {

struct Activation {
  std::string name;
  std::vector<std::string> constants;  // of the class in Python
  uint32_t number;                     // its place in the list, by which kernels are asked for
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
