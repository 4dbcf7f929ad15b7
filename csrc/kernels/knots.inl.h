// knots.inl.h -- where scores lie among rising knots, for curves of many scores. Passes over a block in L1: GCC vectorises what it can of
// each, and a search without branches keeps several scores in flight.

inline constexpr std::size_t kKnotBlock = 256;
// Volatile, because GCC would split the loop at a constant.
inline const volatile double kFirstBucket = 0.0;

template <typename T>
void first_guesses(const T* scores, std::size_t n, const KnotTable<T>& table, std::int32_t* out) {
  const double origin = table.origin, scale = table.scale, first = kFirstBucket, last = table.last_bucket;
  for (std::size_t i = 0; i < n; ++i) {
    double bucket = (static_cast<double>(scores[i]) - origin) * scale;
    bucket = bucket > first ? bucket : first;  // NaN becomes the first
    bucket = bucket < last ? bucket : last;
    out[i] = static_cast<std::int32_t>(bucket);
  }
  for (std::size_t i = 0; i < n; ++i) out[i] = table.first[out[i]];
}

template <typename T>
void search_steps(const T* scores, std::size_t n, const KnotTable<T>& table, std::int32_t* out) {
  const T* const x = table.x;
  for (std::int32_t step = table.step; step != 0; step >>= 1)
    for (std::size_t i = 0; i < n; ++i) out[i] += step & -static_cast<std::int32_t>(x[out[i] + step] <= scores[i]);
}

#if defined(FASTCAL_SIMD_AVX512)
// 16 lookups at once (8 of float64), which GCC does not choose by itself: 11 ms instead of 30 for 10 M float32.
template <typename T>
void search_steps_at_once(const T* scores, std::size_t n, const KnotTable<T>& table, std::int32_t* out) {
  using Many = Lookup<T>;
  std::size_t i = 0;
  for (; i + Many::kLanes <= n; i += Many::kLanes) {
    auto at = Many::load(out + i);
    const auto score = Many::load(scores + i);
    for (std::int32_t step = table.step; step != 0; step >>= 1)
      at = Many::add_where_at_most(at, step, Many::gather(table.x + step, at), score);
    Many::store(out + i, at);
  }
  search_steps<T>(scores + i, n - i, table, out + i);
}
inline void search_steps(const float* scores, std::size_t n, const KnotTable<float>& table, std::int32_t* out) {
  search_steps_at_once(scores, n, table, out);
}
inline void search_steps(const double* scores, std::size_t n, const KnotTable<double>& table, std::int32_t* out) {
  search_steps_at_once(scores, n, table, out);
}
#endif

template <typename T>
void positions(const T* scores, std::size_t n, const KnotTable<T>& table, std::int32_t* out) {
  for (std::size_t begin = 0; begin < n; begin += kKnotBlock) {
    const std::size_t size = n - begin < kKnotBlock ? n - begin : kKnotBlock;
    first_guesses(scores + begin, size, table, out + begin);
    search_steps(scores + begin, size, table, out + begin);
  }
}

// The value of value_between (calibration.inl.h): its lower clamp is never needed, because rise and the quotient are not negative.
template <typename T>
void interpolate(const T* scores, std::size_t n, const KnotTable<T>& table, const Segment* segments, double low, double high, T* out) {
  std::int32_t at[kKnotBlock];
  for (std::size_t begin = 0; begin < n; begin += kKnotBlock) {
    const std::size_t size = n - begin < kKnotBlock ? n - begin : kKnotBlock;
    positions(scores + begin, size, table, at);
    for (std::size_t i = 0; i < size; ++i) {
      double v = static_cast<double>(scores[begin + i]);
      v = low > v ? low : v;  // NaN stays
      v = high < v ? high : v;
      const Segment& segment = segments[at[i]];
      const double value = segment.y + segment.rise * ((v - segment.x) / segment.width), limit = segments[at[i] + 1].y;
      out[begin + i] = static_cast<T>(value > limit ? limit : value);
    }
  }
}
