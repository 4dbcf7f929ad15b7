// fields.h -- what stands in a text file: numbers in decimal notation and UTF-8.
#pragma once

#include <cstdint>
#include <string_view>

namespace fastcal {

// [+-] digits [. digits] [e [+-] digits], or [+-] inf or infinity in any case. The nearest float64 is rounded once more, to
// float32. False if it is anything else, or a number that does not fit float32.
bool read_float32(std::string_view field, float& out);

// [+-] digits, within int32.
bool read_int32(std::string_view field, std::int32_t& out);

bool is_utf8(std::string_view text);

}  // namespace fastcal
