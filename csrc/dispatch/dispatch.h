// dispatch.h -- which kernel table runs. Chosen once, at run time; the core is handed the result.
#pragma once

#include <span>
#include <string_view>

#include "kernels/kernel_table.h"

namespace fastcal::dispatch {

// Tables compiled into this library, weakest first, and the prefix rule of each.
std::span<const KernelTable* const> compiled();

bool supported(const KernelTable& table);

// The table called `isa`; throws std::invalid_argument for a name that was not compiled or that this CPU cannot run.
const KernelTable& by_name(std::string_view isa);

// FASTCAL_ISA if it is set, else the strongest supported table. `forced` may be null (not set).
const KernelTable& choose(const char* forced);

// choose(getenv("FASTCAL_ISA")), decided on first use.
const KernelTable& active();

}  // namespace fastcal::dispatch
