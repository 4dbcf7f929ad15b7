// guard.h -- memory that came from a file, checked chunk by chunk against a table of digests when it is first touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>

#include "kernels/kernel_table.h"

namespace fastcal {

// Thrown where a chunk is not what it was: bytes [begin, end) of the file `name`.
struct DamagedBytes : std::exception {
  DamagedBytes(std::string file, std::size_t from, std::size_t to) : name(std::move(file)), begin(from), end(to) {}
  const char* what() const noexcept override { return "damaged bytes"; }

  std::string name;
  std::size_t begin, end;
};

// Borrows the memory and the table. Any number of threads may ask at once: a chunk that two of them touch first is digested
// twice, with the same answer.
class Guard {
 public:
  // `table[i]` is the digest of chunk i of `data`, which starts at byte `origin` of the file `name`.
  Guard(const KernelTable& kernels, std::span<const std::byte> data, std::size_t chunk, std::span<const std::uint64_t> table,
        std::string name, std::size_t origin);

  // Every chunk that [begin, begin + bytes) touches is intact, or DamagedBytes is thrown; memory that starts elsewhere is
  // none of its business. bytes >= 1.
  void require(const void* begin, std::size_t bytes) const;

 private:
  void check(std::size_t chunk) const;

  const KernelTable& kernels_;
  std::span<const std::byte> data_;
  std::size_t chunk_;
  std::span<const std::uint64_t> table_;
  std::string name_;
  std::size_t origin_;
  std::unique_ptr<std::atomic<bool>[]> intact_;
};

}  // namespace fastcal
