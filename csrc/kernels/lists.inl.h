// lists.inl.h -- passes over one list of scores. A comparison with NaN is false, which is how NaN is skipped.

// One register of T in GNU vector notation, whose operators work lane by lane: GCC leaves loops over 16 scalars scalar or not by
// whim (1.5 ns an element against 0.1).
template <typename T>
struct Register {
  static constexpr std::size_t kBytes = F32::kLanes * sizeof(float);
  static constexpr std::size_t kLanes = kBytes / sizeof(T);
  typedef T Vector __attribute__((vector_size(kBytes)));
  typedef T Unaligned __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
  static Vector load(const T* p) { return *reinterpret_cast<const Unaligned*>(p); }
};

template <typename T>
Extent extent(const T* values, std::size_t n) {
  using Lanes = Register<T>;
  using Vector = typename Lanes::Vector;
  constexpr std::size_t kChains = 4, kStep = kChains * Lanes::kLanes;
  constexpr T kInfinity = static_cast<T>(__builtin_inf());
  Vector low[kChains], high[kChains];
  decltype(low[0] == low[0]) present[kChains];
  for (std::size_t c = 0; c < kChains; ++c) {
    low[c] = Vector{} + kInfinity;
    high[c] = Vector{} - kInfinity;
    present[c] = low[c] != low[c];
  }
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kChains; ++c) {
      const Vector v = Lanes::load(values + i + c * Lanes::kLanes);
      low[c] = v < low[c] ? v : low[c];
      high[c] = v > high[c] ? v : high[c];
      present[c] += v == v;
    }
  }
  Extent all{static_cast<double>(kInfinity), -static_cast<double>(kInfinity), 0};
  const auto join = [&all](double least, double most) {
    all.min = least < all.min ? least : all.min;
    all.max = most > all.max ? most : all.max;
  };
  for (std::size_t c = 0; c < kChains; ++c) {
    for (std::size_t j = 0; j < Lanes::kLanes; ++j) {
      join(static_cast<double>(low[c][j]), static_cast<double>(high[c][j]));
      all.count += static_cast<std::size_t>(-present[c][j]);  // a lane that holds is -1
    }
  }
  for (; i < n; ++i) {
    join(static_cast<double>(values[i]), static_cast<double>(values[i]));
    all.count += values[i] == values[i];
  }
  return all;
}

// Folds 16 lanes as the tree 8, 4, 2, 1.
inline double fold(double (&lanes)[kSumLanes]) {
  for (std::size_t half = kSumLanes / 2; half >= 1; half /= 2)
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  return lanes[0];
}

inline F64 widen(const float* p) {
  return widen_f32(p);
}
inline F64 widen(const double* p) {
  return load_f64(p);
}

template <typename T>
Moments moments(const T* values, std::size_t n, double shift) {
  constexpr std::size_t kParts = kSumLanes / F64::kLanes;
  using Vector = decltype(F64::v);
  const Vector zero = zero_f64().v;
  F64 sums[kParts], squares[kParts];
  decltype(zero == zero) present[kParts];
  for (std::size_t p = 0; p < kParts; ++p) {
    sums[p] = squares[p] = zero_f64();
    present[p] = zero != zero;
  }
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
#pragma GCC unroll 8
    for (std::size_t p = 0; p < kParts; ++p) {
      const Vector v = widen(values + i + p * F64::kLanes).v;
      const Vector deviation = v == v ? v - shift : zero;
      sums[p].v += deviation;
      squares[p].v += deviation * deviation;
      present[p] += v == v;
    }
  }
  double sum[kSumLanes], square[kSumLanes];
  std::size_t count = 0;
  for (std::size_t j = 0; j < kSumLanes; ++j) {
    const std::size_t p = j / F64::kLanes, lane = j % F64::kLanes;
    sum[j] = sums[p].v[lane];
    square[j] = squares[p].v[lane];
    count += static_cast<std::size_t>(-present[p][lane]);
  }
  for (std::size_t j = 0; i < n; ++i, ++j) {
    if (values[i] != values[i]) continue;
    const double deviation = static_cast<double>(values[i]) - shift;
    sum[j] += deviation;
    square[j] += deviation * deviation;
    ++count;
  }
  return {fold(sum), fold(square), count};
}

// A division per float64, a multiplication per float32: the reciprocal is off by half an ulp of float64.
template <typename T>
void affine(const T* values, std::size_t n, const Line& line, T* out) {
  const double centre = line.centre;
  if constexpr (sizeof(T) == sizeof(float)) {
    const double slope = 1.0 / line.scale;
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>((static_cast<double>(values[i]) - centre) * slope) + T{0};
  } else {
    const double unit = line.unit, scale = line.scale;
    for (std::size_t i = 0; i < n; ++i) out[i] = (values[i] * unit - centre) / scale + T{0};
  }
}

template <typename T>
void constant(const T* values, std::size_t n, double value, T* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = values[i] == values[i] ? static_cast<T>(value) + T{0} : values[i];
}
