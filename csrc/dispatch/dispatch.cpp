// dispatch.cpp -- the whole policy: a list of tables, weakest first, each with the CPU feature it needs.
#include "dispatch/dispatch.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "dispatch/cpu_features.h"

namespace fastcal {

#if defined(__x86_64__)
namespace base {
extern const KernelTable table;
}
namespace avx2 {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}
namespace avx512_vnni {
extern const KernelTable table;
}
#else
namespace neon {
extern const KernelTable table;
}
namespace neon_dot {
extern const KernelTable table;
}
#endif

namespace dispatch {
namespace {

struct Unit {
  const KernelTable* table;
  bool CpuFeatures::* needs;
};

#if defined(__x86_64__)
constexpr std::array kUnits{
    Unit{&base::table, &CpuFeatures::x86_64_v2},
    Unit{&avx2::table, &CpuFeatures::x86_64_v3},
    Unit{&avx512::table, &CpuFeatures::x86_64_v4},
    Unit{&avx512_vnni::table, &CpuFeatures::avx512_vnni},
};
#else
constexpr std::array kUnits{
    Unit{&neon::table, &CpuFeatures::neon},
    Unit{&neon_dot::table, &CpuFeatures::neon_dot},
};
#endif

const CpuFeatures& features() {
  static const CpuFeatures detected = detect_cpu_features();
  return detected;
}

std::string names() {
  std::string joined;
  for (const Unit& unit : kUnits) joined += (joined.empty() ? "'" : ", '") + std::string(unit.table->name) + "'";
  return joined;
}

}  // namespace

std::span<const KernelTable* const> compiled() {
  static const auto tables = [] {
    std::array<const KernelTable*, kUnits.size()> list{};
    for (std::size_t i = 0; i < kUnits.size(); ++i) list[i] = kUnits[i].table;
    return list;
  }();
  return tables;
}

bool supported(const KernelTable& table) {
  for (const Unit& unit : kUnits)
    if (unit.table == &table) return features().*unit.needs;
  return false;
}

const KernelTable& by_name(std::string_view isa) {
  for (const KernelTable* table : compiled()) {
    if (isa != table->name) continue;
    if (!supported(*table)) throw std::invalid_argument("this CPU cannot run the instruction set '" + std::string(isa) + "'");
    return *table;
  }
  throw std::invalid_argument("'" + std::string(isa) + "' is not an instruction set of this build; expected one of " + names());
}

const KernelTable& choose(const char* forced) {
  if (forced != nullptr && *forced != '\0') {
    try {
      return by_name(forced);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("FASTCAL_ISA: " + std::string(error.what()));
    }
  }
  const KernelTable* best = nullptr;
  for (const KernelTable* table : compiled())
    if (supported(*table)) best = table;
  if (best == nullptr) throw std::invalid_argument("this CPU is older than x86-64-v2 (SSE4.2, POPCNT); use FASTCAL_BACKEND=numba");
  return *best;
}

const KernelTable& active() {
  static const KernelTable& table = choose(std::getenv("FASTCAL_ISA"));
  return table;
}

}  // namespace dispatch
}  // namespace fastcal
