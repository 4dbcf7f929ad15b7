// rows.h -- rows that make bounds fail if anything can, and sketches of them.
#pragma once

#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/sketch.h"
#include "testing.h"

namespace fastcal::testing {

// Rows of every awkward kind, so that residuals are zero, huge, or have no float32 norm; the rest share a direction.
inline std::vector<float> adversarial_rows(std::mt19937& random, std::size_t n, std::size_t dim) {
  std::vector<float> rows = random_vectors(random, n * dim);
  for (std::size_t r = 0; r < n; ++r) {
    float* row = &rows[r * dim];
    const float scale = std::pow(10.0f, static_cast<float>(random() % 13) - 6.0f);
    for (std::size_t i = 0; i < dim; ++i) {
      switch (r % 12) {
        case 0:
          row[i] = 0.0f;
          break;  // zero
        case 1:
          row[i] = i == r % dim ? 3.0f : 0.0f;
          break;  // one-hot
        case 2:
          row[i] = 0.25f;
          break;  // constant
        case 3:
          row[i] = row[i] < 0 ? -1.0f : 1.0f;
          break;  // signs
        case 4:
          row[i] *= 1e-41f;
          break;  // denormal
        case 5:
          row[i] *= 1e37f;
          break;  // norm near the top of float32
        case 6:
          row[i] = i == 0 ? 1e6f : row[i];
          break;  // one huge coordinate
        case 7:
          row[i] *= scale;
          break;  // 12 orders of magnitude
        case 8:
          row[i] = rows[(r - 1) * dim + i];
          break;  // duplicate
        case 9:
          row[i] = std::nextafter(rows[(r - 2) * dim + i], std::numeric_limits<float>::infinity());
          break;  // one ulp off
        default:
          row[i] = 5.0f + 0.1f * row[i];
          break;  // anisotropic
      }
    }
  }
  return rows;
}

inline Corpus view(const std::vector<float>& rows, std::size_t dim) {
  return {reinterpret_cast<const std::byte*>(rows.data()), static_cast<std::ptrdiff_t>(dim * sizeof(float)), rows.size() / dim, dim,
          Element::float32};
}

inline Sketch sketched(const KernelTable& table, const Corpus& corpus, Metric metric, const CallContext& context) {
  Sketch sketch(corpus.dim, corpus.n_rows, metric);
  std::vector<double> norms(corpus.n_rows);
  std::atomic<std::size_t> done{0};
  CHECK(sketch.build(table, corpus, norms.data(), done, context) == -1);
  CHECK(done.load() == corpus.n_rows);
  return sketch;
}

}  // namespace fastcal::testing
