// lists.inl.h -- passes over one list of scores. A comparison with NaN is false, which is how NaN is skipped.

template <typename T>
Extent extent(const T* values, std::size_t n) {
  constexpr T kInfinity = static_cast<T>(__builtin_inf());
  T low[kSumLanes], high[kSumLanes];
  std::size_t count = 0;
  for (std::size_t j = 0; j < kSumLanes; ++j) {
    low[j] = kInfinity;
    high[j] = -kInfinity;
  }
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
    unsigned present = 0;
    for (std::size_t j = 0; j < kSumLanes; ++j) {
      const T v = values[i + j];
      low[j] = v < low[j] ? v : low[j];
      high[j] = v > high[j] ? v : high[j];
      present += v == v;
    }
    count += present;
  }
  for (std::size_t j = 0; i < n; ++i, ++j) {
    const T v = values[i];
    low[j] = v < low[j] ? v : low[j];
    high[j] = v > high[j] ? v : high[j];
    count += v == v;
  }
  for (std::size_t j = 1; j < kSumLanes; ++j) {
    low[0] = low[j] < low[0] ? low[j] : low[0];
    high[0] = high[j] > high[0] ? high[j] : high[0];
  }
  return {static_cast<double>(low[0]), static_cast<double>(high[0]), count};
}

// Halves every term where max - min overflows float64, which float32 lists cannot do.
template <typename T>
void minmax(const T* values, std::size_t n, double min, double max, T* out) {
  const double unit = is_finite(max - min) ? 1.0 : 0.5;
  const double low = min * unit;
  const double range = max * unit - low;
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>((static_cast<double>(values[i]) * unit - low) / range) + T{0};
}

// Folds 16 lanes as the tree 8, 4, 2, 1.
inline double fold(double (&lanes)[kSumLanes]) {
  for (std::size_t half = kSumLanes / 2; half >= 1; half /= 2)
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  return lanes[0];
}

template <typename T>
Moments sum(const T* values, std::size_t n) {
  double lanes[kSumLanes] = {};
  std::size_t count = 0;
  const auto add = [&lanes](std::size_t j, T v) { lanes[j] += v == v ? static_cast<double>(v) : 0.0; };
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
    unsigned present = 0;
    for (std::size_t j = 0; j < kSumLanes; ++j) {
      add(j, values[i + j]);
      present += values[i + j] == values[i + j];
    }
    count += present;
  }
  for (std::size_t j = 0; i < n; ++i, ++j) {
    add(j, values[i]);
    count += values[i] == values[i];
  }
  return {fold(lanes), count};
}

template <typename T>
double squared_deviations(const T* values, std::size_t n, double mean) {
  double lanes[kSumLanes] = {};
  const auto add = [&lanes, mean](std::size_t j, T v) {
    const double deviation = static_cast<double>(v) - mean;
    lanes[j] += v == v ? deviation * deviation : 0.0;
  };
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes)
    for (std::size_t j = 0; j < kSumLanes; ++j) add(j, values[i + j]);
  for (std::size_t j = 0; i < n; ++i, ++j) add(j, values[i]);
  return fold(lanes);
}

template <typename T>
void zscore(const T* values, std::size_t n, double mean, double std, T* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>((static_cast<double>(values[i]) - mean) / std) + T{0};
}

template <typename T>
void constant(const T* values, std::size_t n, double value, T* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = values[i] == values[i] ? static_cast<T>(value) + T{0} : values[i];
}
