// As kernels_portable.cpp, for points that count unequally (kernel_api.hpp)
#define SPARSINE_WEIGHTED
#include "kernels_portable.cpp"
