#include "kernel_api.hpp"

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>

namespace sparsine {
namespace {

#include "vector_avx512.inl"
#include "kernels.inl"

}  // namespace

const Kernels* SPARSINE_TABLE(avx512)(uint32_t activation) { return table<V, 4, 2>("avx512", activation, Compiled()); }

}  // namespace sparsine

#else
const sparsine::Kernels* sparsine::SPARSINE_TABLE(avx512)(uint32_t) { return nullptr; }
#endif
