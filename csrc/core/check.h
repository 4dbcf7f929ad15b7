// check.h -- two kinds of failure: FASTCAL_CHECK for what a caller got wrong, FASTCAL_ASSERT for what we did.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

// The last resort behind fastcal/_validate: always on, becomes a ValueError in Python.
#define FASTCAL_CHECK(condition, message)                   \
  do {                                                      \
    if (!(condition)) throw std::invalid_argument(message); \
  } while (false)

// Our own errors: on in debug and sanitizer builds (FASTCAL_ASSERTS), free otherwise.
#if defined(FASTCAL_ASSERTS)
#define FASTCAL_ASSERT(condition)                                                            \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
#else
#define FASTCAL_ASSERT(condition) static_cast<void>(0)
#endif
