// As kernels_avx2.cpp, for points that count unequally (kernel_api.hpp)
#define SPARSINE_WEIGHTED
#include "kernels_avx2.cpp"
