// SPDX-License-Identifier: Apache-2.0
#include "measure/fma.hpp"

#include <immintrin.h>

namespace inferometer::measure {
namespace {

// Enough independent accumulators for two pipelines of latency 4 or 5, few enough for 16 registers.
constexpr int kAccumulators = 12;
// x <- x * kScale + kShift stays near 1: no denormals, no infinities, at full speed.
constexpr float kScale = 0.999F, kShift = 0.001F;

// Functions by a macro and not by a template: an intrinsic is only inlined into a function that is
// itself compiled for its instruction set. The empty asm makes the compiler believe that the result
// matters. `step` reads x, a and b.
#define INFEROMETER_FMA_LOOP(name, instructions, Vector, start, Factor, a_value, b_value, step) \
  __attribute__((target(instructions))) void name(std::int64_t steps) {                         \
    Vector all[kAccumulators];                                                                  \
    for (auto& x : all) x = start;                                                              \
    const Factor a = a_value, b = b_value;                                                      \
    for (std::int64_t i = 0; i < steps; ++i)                                                    \
      _Pragma("GCC unroll 12") for (auto& x : all) x = step;                                    \
    for (const auto& x : all) __asm__ volatile("" : : "x"(x));                                  \
  }

INFEROMETER_FMA_LOOP(f32_sse, "sse2", __m128, _mm_set1_ps(1), __m128, _mm_set1_ps(kScale),
                     _mm_set1_ps(kShift), _mm_add_ps(_mm_mul_ps(x, a), b))
INFEROMETER_FMA_LOOP(f32_avx2, "avx2,fma", __m256, _mm256_set1_ps(1), __m256,
                     _mm256_set1_ps(kScale), _mm256_set1_ps(kShift), _mm256_fmadd_ps(x, a, b))
INFEROMETER_FMA_LOOP(f32_avx512, "avx512f", __m512, _mm512_set1_ps(1), __m512,
                     _mm512_set1_ps(kScale), _mm512_set1_ps(kShift), _mm512_fmadd_ps(x, a, b))
INFEROMETER_FMA_LOOP(f64_sse, "sse2", __m128d, _mm_set1_pd(1), __m128d, _mm_set1_pd(kScale),
                     _mm_set1_pd(kShift), _mm_add_pd(_mm_mul_pd(x, a), b))
INFEROMETER_FMA_LOOP(f64_avx2, "avx2,fma", __m256d, _mm256_set1_pd(1), __m256d,
                     _mm256_set1_pd(kScale), _mm256_set1_pd(kShift), _mm256_fmadd_pd(x, a, b))
INFEROMETER_FMA_LOOP(f64_avx512, "avx512f", __m512d, _mm512_set1_pd(1), __m512d,
                     _mm512_set1_pd(kScale), _mm512_set1_pd(kShift), _mm512_fmadd_pd(x, a, b))
INFEROMETER_FMA_LOOP(bf16_avx512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps(), __m512bh,
                     _mm512_cvtne2ps_pbh(_mm512_set1_ps(1), _mm512_set1_ps(1)), a,
                     _mm512_dpbf16_ps(x, a, b))
INFEROMETER_FMA_LOOP(i8_avx512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), __m512i,
                     _mm512_set1_epi8(1), a, _mm512_dpbusd_epi32(x, a, b))
INFEROMETER_FMA_LOOP(i8_avx2, "avx2,avxvnni", __m256i, _mm256_setzero_si256(), __m256i,
                     _mm256_set1_epi8(1), a, _mm256_dpbusd_avx_epi32(x, a, b))

#undef INFEROMETER_FMA_LOOP

bool any_cpu() {
  return true;
}
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}
bool has_bf16() {
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
}
bool has_vnni() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
bool has_avx_vnni() {
  return has_avx2() && __builtin_cpu_supports("avxvnni");
}

constexpr std::int64_t operations(std::int64_t multiply_adds) {
  return 2 * kAccumulators * multiply_adds;
}

constexpr FmaLoop kLoops[] = {
    {DType::F32, "avx512", has_avx512, f32_avx512, operations(16)},
    {DType::F32, "avx2", has_avx2, f32_avx2, operations(8)},
    {DType::F32, "sse", any_cpu, f32_sse, operations(4)},
    {DType::F64, "avx512", has_avx512, f64_avx512, operations(8)},
    {DType::F64, "avx2", has_avx2, f64_avx2, operations(4)},
    {DType::F64, "sse", any_cpu, f64_sse, operations(2)},
    {DType::BF16, "avx512_bf16", has_bf16, bf16_avx512, operations(32)},
    {DType::I8, "avx512_vnni", has_vnni, i8_avx512, operations(64)},
    {DType::I8, "avx_vnni", has_avx_vnni, i8_avx2, operations(32)},
};

}  // namespace

std::span<const FmaLoop> fma_loops() {
  return kLoops;
}

const FmaLoop* best_loop(DType dtype) {
  for (const auto& loop : kLoops)
    if (loop.dtype == dtype && loop.can_run()) return &loop;
  return nullptr;
}

}  // namespace inferometer::measure
