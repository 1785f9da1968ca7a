#include "activation.hpp"

#include <iterator>
#include <stdexcept>

namespace sparsine {
namespace {

#include "activations.inl"

template <class... A>
std::vector<Activation> table(Activations<A...>) {
  uint32_t number = 0;
  return {Activation{A::name, {std::begin(A::constants), std::end(A::constants)}, number++, A::unit, A::turns,
                     A::Exact::value, A::Exact::slope, A::Exact::curvature}...};
}

}  // namespace

const std::vector<Activation>& activations() {
  static const std::vector<Activation> all = table(Compiled());
  return all;
}

const Activation& activation_called(const std::string& name) {
  for (const Activation& activation : activations())
    if (activation.name == name) return activation;
  throw std::invalid_argument("this build has no activation '" + name + "'");
}

}  // namespace sparsine
