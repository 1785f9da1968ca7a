#include "activation.hpp"

#include <cmath>
#include <stdexcept>

namespace sparsine {
namespace {

const double kGaussUnit = std::sqrt(2 * std::log(2.0));  // exp(-z^2 / 2) = 2^(-(z / unit)^2)

}  // namespace

const std::vector<Activation>& activations() {
  static const std::vector<Activation> all = {
      {"sine", ActivationKind::sine, kPi, true,
       [](double z) { return std::sin(z); }, [](double z) { return std::cos(z); },
       [](double, double value) { return -value; }},
      {"gauss", ActivationKind::gauss, kGaussUnit, false,
       [](double z) { return std::exp(-z * z / 2); }, [](double z) { return -z * std::exp(-z * z / 2); },
       [](double z, double value) { return (z * z - 1) * value; }},
  };
  return all;
}

const Activation& activation_called(const std::string& name) {
  for (const Activation& activation : activations())
    if (activation.name == name) return activation;
  throw std::invalid_argument("this build has no activation '" + name + "'");
}

}  // namespace sparsine
