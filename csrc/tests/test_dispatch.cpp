// test_dispatch.cpp -- names, FASTCAL_ISA and its errors.
#include <stdexcept>
#include <string>

#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

bool refuses(const char* forced) {
  try {
    dispatch::choose(forced);
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

}  // namespace

int main() {
  const auto tables = supported_tables();
  CHECK(!tables.empty());
  CHECK(&dispatch::choose(nullptr) == tables.back());
  CHECK(&dispatch::choose("") == tables.back());
  for (const KernelTable* table : tables) CHECK(&dispatch::choose(table->name) == table);
  CHECK(refuses("avx3") && refuses("BASE") && refuses("base "));
  for (const KernelTable* table : dispatch::compiled())
    if (!dispatch::supported(*table)) CHECK(refuses(table->name));
  return finish();
}
