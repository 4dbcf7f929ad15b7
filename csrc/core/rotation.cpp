// rotation.cpp -- the vector operations that the rotation needs, on plain arrays.
#include "core/rotation.h"

#include <algorithm>
#include <array>
#include <functional>

#include "core/splitmix64.h"
#include "kernels/kernel_table.h"

namespace fastcal {
namespace {

#include "kernels/rotation.inl.h"

struct F64Ops {
  using Number = double;
  using Vector = std::array<double, kSumLanes>;
  static Vector load(const double* p) {
    Vector v;
    std::copy_n(p, kSumLanes, v.begin());
    return v;
  }
  static void store(double* p, const Vector& v) { std::copy_n(v.begin(), kSumLanes, p); }
  static Vector add(Vector a, const Vector& b) { return combined(a, b, std::plus<>()); }
  static Vector sub(Vector a, const Vector& b) { return combined(a, b, std::minus<>()); }
  static Vector scale(Vector v, double factor) {
    for (double& x : v) x *= factor;
    return v;
  }
  static Vector flip(Vector v, const float* signs) {
    for (std::size_t i = 0; i < kSumLanes; ++i) v[i] *= static_cast<double>(signs[i]);
    return v;
  }

 private:
  template <typename Combine>
  static Vector combined(Vector a, const Vector& b, const Combine& combine) {
    for (std::size_t i = 0; i < kSumLanes; ++i) a[i] = combine(a[i], b[i]);
    return a;
  }
};

}  // namespace

std::vector<float> rotation_signs(std::size_t dim) {
  std::vector<float> signs(dim);
  for (std::size_t i = 0; i < dim; ++i) signs[i] = splitmix64(0, i) >> 63 != 0 ? -1.0f : 1.0f;
  return signs;
}

void rotate(std::vector<double>& x, const std::vector<float>& signs) {
  std::vector<double> turned(2 * x.size());
  rotate<F64Ops>(x.data(), signs.data(), x.size(), turned.data());
}

}  // namespace fastcal
