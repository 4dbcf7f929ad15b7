// guard.cpp -- the state of a chunk is one flag, set once its digest was right.
#include "core/guard.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace fastcal {

Guard::Guard(const KernelTable& kernels, std::span<const std::byte> data, std::size_t chunk, std::span<const std::uint64_t> table,
             std::string name, std::size_t origin)
    : kernels_(kernels),
      data_(data),
      chunk_(chunk),
      table_(table),
      name_(std::move(name)),
      origin_(origin),
      intact_(std::make_unique<std::atomic<bool>[]>(table.size())) {
  FASTCAL_ASSERT(table.size() == (data.size() + chunk - 1) / chunk);
}

void Guard::require(const void* begin, std::size_t bytes) const {
  const std::uintptr_t from = reinterpret_cast<std::uintptr_t>(begin), base = reinterpret_cast<std::uintptr_t>(data_.data());
  if (from < base || from >= base + data_.size()) return;
  const std::size_t last = (from - base + bytes - 1) / chunk_;
  FASTCAL_ASSERT(bytes >= 1 && last < table_.size());
  for (std::size_t chunk = (from - base) / chunk_; chunk <= last; ++chunk)
    if (!intact_[chunk].load(std::memory_order_relaxed)) check(chunk);
}

void Guard::check(std::size_t chunk) const {
  const std::size_t begin = chunk * chunk_, end = std::min(data_.size(), begin + chunk_);
  if (kernels_.digest(data_.data() + begin, end - begin) != table_[chunk]) throw DamagedBytes(name_, origin_ + begin, origin_ + end);
  intact_[chunk].store(true, std::memory_order_relaxed);
}

}  // namespace fastcal
