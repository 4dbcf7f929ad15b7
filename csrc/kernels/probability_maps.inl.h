// probability_maps.inl.h -- two logarithms and a logistic (beta calibration), and step curves.

// ln(x) of a positive normal number, the ln of docs/numerics.md.
inline double log_of(double x) {
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52) - 1, kOne = std::uint64_t{1023} << 52;
  // An exponent written into the mantissa of 2^52 is a double that is 2^52 too large: no integer conversion, so that it vectorises.
  constexpr std::uint64_t kTwo52 = std::uint64_t{1075} << 52;
  constexpr double kBias = 0x1p52 + 1023.0, kSqrt2 = 0x1.6a09e667f3bcdp+0;
  const std::uint64_t bits = __builtin_bit_cast(std::uint64_t, x);
  const double mantissa = __builtin_bit_cast(double, (bits & kMantissa) | kOne);
  const double exponent = __builtin_bit_cast(double, (bits >> 52) | kTwo52) - kBias;
  const bool above = mantissa > kSqrt2;
  const double m = above ? mantissa * 0.5 : mantissa, e = above ? exponent + 1.0 : exponent;
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 1.0 / 21.0;
#pragma GCC unroll 10
  for (int odd = 19; odd >= 1; odd -= 2) p = p * z + 1.0 / odd;
  return e * kLn2High + (e * kLn2Low + 2.0 * s * p);
}

inline double within(double low, double high, double x) {
  return x > low ? (x < high ? x : high) : low;
}

template <typename T>
void beta_predict(const T* scores, std::size_t n, const BetaMap& map, T* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const double s = static_cast<double>(scores[i]);
    const double u = within(kLeastChance, 1.0 - kLeastChance, map.offset + map.slope * s);
    const double v = within(kLeastChance, 1.0 - kLeastChance, (1.0 - map.offset) - map.slope * s);
    const double t = (map.a * log_of(u) - map.b * log_of(v)) + map.c;
    const double magnitude = __builtin_fabs(t);
    const double e = exp_of_minus(magnitude < 708.0 ? magnitude : 708.0);
    const double p = (t < 0.0 ? e : 1.0) / (1.0 + e);
    out[i] = static_cast<T>(s == s ? p : s);
  }
}

// Knots rise strictly; values[2 i] lies below knot i and above the one before it, values[2 i + 1] is at knot i.
inline double step_value(const double* knots, std::size_t count, const double* values, double v) {
  if (v != v) return v;
  if (count == 0) return values[0];
  const double* base = knots;
  for (std::size_t length = count; length > 1;) {
    const std::size_t half = length / 2;
    base = base[half - 1] < v ? base + half : base;
    length -= half;
  }
  const std::size_t at = 2 * static_cast<std::size_t>(base - knots);
  return values[at + (*base <= v) + (*base < v)];
}

template <typename T>
void step_predict(const T* scores, std::size_t n, const double* knots, std::size_t count, const double* values, T* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(step_value(knots, count, values, static_cast<double>(scores[i])));
}

template <typename T>
void look_up(const T* scores, std::size_t n, const KnotTable<T>& table, const T* values, T below, T* out) {
  std::int32_t at[kKnotBlock];
  const T first = table.x[0];
  for (std::size_t begin = 0; begin < n; begin += kKnotBlock) {
    const std::size_t size = n - begin < kKnotBlock ? n - begin : kKnotBlock;
    positions(scores + begin, size, table, at);
    for (std::size_t i = 0; i < size; ++i) {
      const T v = scores[begin + i], value = values[at[i]];
      out[begin + i] = v >= first ? value : (v < first ? below : v);
    }
  }
}
