// Finds out what this processor can run. Highway's own library would do the same, but also measures
// the clock when a program starts, which takes longer than everything else until the first token.
#include <algorithm>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "runtime_ref/fast_kernels.h"
#include "runtime_ref/simd.h"

namespace sb3lm::fast {
namespace {

#if defined(__x86_64__) || defined(__i386__)

// Two bits that the compilers' own test has no name for.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
bool has_vaes() {
  constexpr unsigned kVaes = 1u << 9;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & kVaes) != 0;
}

bool has_ssse3() {
  return __builtin_cpu_supports("ssse3");
}
bool has_sse4() {
  return has_ssse3() && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
         __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
}
bool has_avx2() {
  return has_sse4() && has_f16c() && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}
bool has_avx3() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
bool has_avx3_dl() {
  return has_avx3() && has_vaes() && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
         __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vpopcntdq") &&
         __builtin_cpu_supports("vpclmulqdq");
}

#else

bool has_ssse3() {
  return false;
}
constexpr auto has_sse4 = has_ssse3, has_avx2 = has_ssse3, has_avx3 = has_ssse3,
               has_avx3_dl = has_ssse3;

#endif

bool has_baseline() {
  return true;
}

struct Row {
  bool (*runs)();
  FillIn SimdVersions::*version;
};
// Best first.
constexpr Row kRows[] = {
    {has_avx3_dl, &SimdVersions::avx3_dl}, {has_avx3, &SimdVersions::avx3},
    {has_avx2, &SimdVersions::avx2},       {has_sse4, &SimdVersions::sse4},
    {has_ssse3, &SimdVersions::ssse3},     {has_baseline, &SimdVersions::baseline},
};

std::vector<Kernels> every_table() {
  const SimdVersions products = simd_products(), vectors = simd_vectors();
  std::vector<Kernels> tables;
  for (const Row& row : kRows) {
    if (products.*row.version == nullptr || !row.runs()) continue;
    tables.push_back(scalar_kernels());
    (products.*row.version)(tables.back());
    (vectors.*row.version)(tables.back());
  }
  return tables;
}

const std::vector<Kernels>& tables() {
  static const std::vector<Kernels> kTables = every_table();
  return kTables;
}

}  // namespace

const Kernels& best_kernels() {
  return tables().front();
}

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> all;
  for (const Kernels& table : tables()) {
    if (table.multiply != scalar_kernels().multiply) all.push_back(&table);
  }
  all.push_back(&scalar_kernels());
  return all;
}

}  // namespace sb3lm::fast
