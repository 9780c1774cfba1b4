// Which instruction sets the SIMD kernels are compiled for, and how their files add to a table.
// Comes before Highway's headers in those files.
#pragma once

// Processors with AVX-512 and its byte products.
#define HWY_WANT_AVX3_DL
// Vectors whose length is known only at run time: the kernels hold them in arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

namespace sb3lm::fast {

struct Kernels;
using FillIn = void (*)(Kernels& kernels);

/// What a file fills in for each instruction set, null where it is not compiled for one. Highway's
/// names: AVX3 is AVX-512, AVX3_DL what came with Ice Lake and Zen 4.
struct SimdVersions {
  FillIn avx3_dl, avx3, avx2, sse4, ssse3;
  FillIn baseline;  // what every processor of the architecture has: NEON on ARM
};
SimdVersions simd_products();
SimdVersions simd_vectors();

}  // namespace sb3lm::fast

#define SB3LM_SIMD_VERSIONS(function)                                                        \
  {                                                                                          \
    HWY_CHOOSE_AVX3_DL(function), HWY_CHOOSE_AVX3(function), HWY_CHOOSE_AVX2(function),      \
        HWY_CHOOSE_SSE4(function), HWY_CHOOSE_SSSE3(function), HWY_STATIC_DISPATCH(function) \
  }
