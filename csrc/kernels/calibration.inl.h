// calibration.inl.h -- scores to probabilities. exp is ours so that it has the same bits on every machine.

// Degree-13 Taylor polynomial of exp on |r| <= ln(2)/2: the first dropped term is below 0.02 ulp.
inline constexpr double kInverseFactorial[14] = {
    1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
    1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
inline constexpr double kLn2High = 0x1.62e42fee00000p-1;
inline constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
inline constexpr double kLog2E = 0x1.71547652b82fep+0;
// Adding 1.5 * 2^52 rounds to the nearest integer, ties to even, and leaves it in the low mantissa bits.
inline constexpr double kRoundingShift = 0x1.8p52;

// exp(-x), 0 <= x <= 708: the result is a normal number, so 2^n is an addition to the exponent bits.
inline double exp_of_minus(double x) {
  const double shifted = -x * kLog2E + kRoundingShift;
  const double n = shifted - kRoundingShift;
  const double r = (-x - n * kLn2High) - n * kLn2Low;
  double p = kInverseFactorial[13];
#pragma GCC unroll 13
  for (int i = 12; i >= 0; --i) p = p * r + kInverseFactorial[i];
  const std::uint64_t exponent = __builtin_bit_cast(std::uint64_t, shifted) << 52;
  return __builtin_bit_cast(double, __builtin_bit_cast(std::uint64_t, p) + exponent);
}

inline void platt_predict(const double* scores, std::size_t n, double a, double b, double* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const double t = a * scores[i] + b;
    const double magnitude = __builtin_fabs(t);
    const double e = exp_of_minus(magnitude < 708.0 ? magnitude : 708.0);
    const double p = (t > 0.0 ? e : 1.0) / (1.0 + e);
    out[i] = t == t ? p : t;
  }
}

// 2^f for 0 <= f <= 1: 1 + f Q(f), relative error of the real polynomial < 2.3e-9. Every coefficient is positive, so each step rises
// with f whatever it rounds, and so does the result; at f = 1 it is exactly 2.
inline constexpr float kPowerOfTwo[6] = {0x1.62e42ap-1f, 0x1.ebfd74p-3f, 0x1.c686b4p-5f, 0x1.3d217cp-7f, 0x1.462150p-10f, 0x1.c765a6p-13f};

inline float power_of_two(float f) {
  float q = kPowerOfTwo[5];
#pragma GCC unroll 5
  for (int i = 4; i >= 0; --i) q = q * f + kPowerOfTwo[i];
  return f * q + 1.0f;
}

// Where u = t log2(e) lies outside, the float32 result is 1 or 0. Volatile, because GCC would split its loops at constants.
inline const volatile double kLeastPower = -32.0, kGreatestPower = 160.0;

// u = n + f, n the integer below. Only u and its reduction need float64; e' = 2^(u - 64), c = 2^-64 and p = c / (c + e') are float32, and
// neither e' nor the sum can overflow or be denormal. NaN passes through f.
inline void platt_predict(const float* scores, std::size_t n, double a, double b, float* out) {
  constexpr std::size_t kBlock = 256;
  const double least = kLeastPower, greatest = kGreatestPower;
  float fraction[kBlock];
  std::uint32_t power[kBlock];
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    const std::size_t size = n - begin < kBlock ? n - begin : kBlock;
    for (std::size_t i = 0; i < size; ++i) {
      double u = (a * static_cast<double>(scores[begin + i]) + b) * kLog2E - 0.5;
      u = least > u ? least : u;
      u = greatest < u ? greatest : u;
      const double shifted = u + kRoundingShift;
      fraction[i] = static_cast<float>(u - (shifted - kRoundingShift));
      power[i] = static_cast<std::uint32_t>(__builtin_bit_cast(std::uint64_t, shifted));
    }
    for (std::size_t i = 0; i < size; ++i) {
      const float scale = __builtin_bit_cast(float, (power[i] + (127 - 64)) << 23);
      const float e = power_of_two(fraction[i] + 0.5f) * scale;
      out[begin + i] = 0x1p-64f / (0x1p-64f + e);
    }
  }
}

// Index of the last knot <= v; x[0] <= v < x[knots - 1].
inline std::size_t knot_below(const double* x, std::size_t knots, double v) {
  std::size_t low = 0;
  for (std::size_t length = knots; length > 1;) {
    const std::size_t half = length / 2;
    low = x[low + half] <= v ? low + half : low;
    length -= half;
  }
  return low;
}

// Knots rise in x and do not fall in y.
inline double value_between(const double* x, const double* y, std::size_t knots, double v) {
  if (v != v) return v;
  if (v <= x[0]) return y[0];
  if (v >= x[knots - 1]) return y[knots - 1];
  const std::size_t i = knot_below(x, knots, v);
  const double value = y[i] + (y[i + 1] - y[i]) * ((v - x[i]) / (x[i + 1] - x[i]));
  return value < y[i] ? y[i] : (value > y[i + 1] ? y[i + 1] : value);
}

template <typename T>
void isotonic_predict(const T* scores, std::size_t n, const double* x, const double* y, std::size_t knots, T* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(value_between(x, y, knots, static_cast<double>(scores[i])));
}
