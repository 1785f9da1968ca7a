// As kernels_avx512.cpp, for points that count unequally (kernel_api.hpp)
#define SPARSINE_WEIGHTED
#include "kernels_avx512.cpp"
