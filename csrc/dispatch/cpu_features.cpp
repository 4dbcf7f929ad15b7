// cpu_features.cpp -- CPUID and XCR0 on x86-64, HWCAP on aarch64.
#include "dispatch/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace fastcal {

#if defined(__x86_64__)
namespace {

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers r;
  if (__get_cpuid_max(leaf & 0x80000000u, nullptr) < leaf) return r;
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
  return r;
}

bool has_bits(std::uint32_t word, std::uint32_t bits) {
  return (word & bits) == bits;
}
constexpr std::uint32_t bit(int i) {
  return 1u << i;
}

std::uint64_t enabled_state(const Registers& leaf1) {
  if (!has_bits(leaf1.ecx, bit(27))) return 0;  // OSXSAVE: xgetbv may be used
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

}  // namespace

CpuFeatures detect_cpu_features() {
  const Registers leaf1 = cpuid(1), leaf7 = cpuid(7), extended = cpuid(0x80000001u);
  const std::uint64_t state = enabled_state(leaf1);
  constexpr std::uint64_t kAvxState = 0x6, kAvx512State = 0xe6;
  CpuFeatures f;
  // SSE3 SSSE3 CMPXCHG16B SSE4.1 SSE4.2 POPCNT, LAHF
  f.x86_64_v2 = has_bits(leaf1.ecx, bit(0) | bit(9) | bit(13) | bit(19) | bit(20) | bit(23)) && has_bits(extended.ecx, bit(0));
  // FMA MOVBE AVX F16C, BMI1 AVX2 BMI2, LZCNT
  f.x86_64_v3 = f.x86_64_v2 && (state & kAvxState) == kAvxState && has_bits(leaf1.ecx, bit(12) | bit(22) | bit(28) | bit(29)) &&
                has_bits(leaf7.ebx, bit(3) | bit(5) | bit(8)) && has_bits(extended.ecx, bit(5));
  // AVX512 F DQ CD BW VL
  f.x86_64_v4 =
      f.x86_64_v3 && (state & kAvx512State) == kAvx512State && has_bits(leaf7.ebx, bit(16) | bit(17) | bit(28) | bit(30) | bit(31));
  f.avx512_vnni = f.x86_64_v4 && has_bits(leaf7.ecx, bit(11));
  return f;
}

#elif defined(__aarch64__)

CpuFeatures detect_cpu_features() {
  CpuFeatures f;
  f.neon = true;
#if defined(__linux__)
  f.neon_dot = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__APPLE__)
  f.neon_dot = true;
#endif
  return f;
}

#else
#error "fastcal has kernels for x86-64 and aarch64; install without the extension: pip install . -C wheel.cmake=false"
#endif

}  // namespace fastcal
