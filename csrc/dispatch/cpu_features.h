// cpu_features.h -- what this CPU and this operating system can run, feature by feature.
#pragma once

namespace fastcal {

// One flag per group of features a kernel unit is compiled with (docs: csrc/cmake/isa.cmake). A group is true only
// if every instruction set in it is present and, for wider registers, the operating system saves them (XCR0).
struct CpuFeatures {
  bool x86_64_v2 = false;
  bool x86_64_v3 = false;
  bool x86_64_v4 = false;
  bool avx512_vnni = false;
  bool neon = false;
  bool neon_dot = false;
};

CpuFeatures detect_cpu_features();

}  // namespace fastcal
