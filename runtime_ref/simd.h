// Which instruction sets the SIMD kernels are compiled for, and how their files add to a table.
// Comes before Highway's headers in those files.
#pragma once

// Processors with AVX-512 and its byte products.
#define HWY_WANT_AVX3_DL
// Vectors whose length is known only at run time: the kernels hold them in arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

namespace sb3lm::fast {

struct Kernels;
/// Each fills in its functions for the instruction set that Highway has chosen.
void set_simd_products(Kernels& kernels);
void set_simd_vectors(Kernels& kernels);

}  // namespace sb3lm::fast
