// score_rows.inl.h -- from sums to float32 scores: the only place where a metric becomes a formula.

inline constexpr double kLargestFinite = 0x1.fffffffffffffp+1023;
inline constexpr float kLargestFiniteF32 = 0x1.fffffep+127f;
inline bool is_finite(double v) {
  return __builtin_fabs(v) <= kLargestFinite;
}
inline bool is_finite(float v) {
  return __builtin_fabsf(v) <= kLargestFiniteF32;
}

template <Metric M>
struct Terms {
  using Exact = DotTerm;
  using Fast = FastDotTerm;
};
template <>
struct Terms<Metric::euclidean> {
  using Exact = SquaredDifferenceTerm;
  using Fast = FastSquaredDifferenceTerm;
};

// A zero norm means a zero vector, whose dot product is 0 already: dividing by 1 gives the promised 0.0.
template <Metric M>
inline float finish(double sum, double query_norm, double row_norm) {
  double value = sum;
  if constexpr (M == Metric::cosine) {
    const double product = query_norm * row_norm;
    value = sum / (product == 0.0 ? 1.0 : product);
  } else if constexpr (M == Metric::euclidean) {
    value = __builtin_sqrt(sum);
  }
  return static_cast<float>(value) + 0.0f;
}

inline std::size_t first_non_finite(const double* sums, std::size_t n) {
  int bad = 0;
  for (std::size_t i = 0; i < n; ++i) bad |= !is_finite(sums[i]);
  if (!bad) return n;
  std::size_t i = 0;
  while (is_finite(sums[i])) ++i;
  return i;
}

template <Metric M>
inline std::size_t finish_exact(const double* sums, std::size_t n, double query_norm, const double* row_norms, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = finish<M>(sums[i], query_norm, M == Metric::cosine ? row_norms[i] : 0.0);
  return first_non_finite(sums, n);
}

template <Metric M, int R, int Q>
inline std::size_t exact_queries(const QueryBlock& queries, std::size_t first, const RowBlock& block, float* out, std::size_t out_stride) {
  double sums[Q * kMaxRowBlock];
  exact_strip<typename Terms<M>::Exact, R, Q>(block, queries.f64 + first * queries.stride, queries.stride, queries.dim, sums);
  std::size_t bad = block.n;
  for (std::size_t q = 0; q < Q; ++q) {
    const double query_norm = M == Metric::cosine ? queries.norms[first + q] : 0.0;
    const std::size_t found = finish_exact<M>(sums + q * kMaxRowBlock, block.n, query_norm, block.norms, out + (first + q) * out_stride);
    bad = found < bad ? found : bad;
  }
  return bad;
}

inline std::size_t cosines_without_norms(const QueryBlock& query, const RowBlock& block, float* out) {
  double dots[kMaxRowBlock], norms[kMaxRowBlock];
  for (std::size_t i = 0; i < block.n; ++i) {
    const DotAndSquare sums = dot_and_square(query.f64, block.rows[i], query.dim);
    dots[i] = sums.dot;
    norms[i] = __builtin_sqrt(sums.square);
  }
  return finish_exact<Metric::cosine>(dots, block.n, query.norms[0], norms, out);
}

// The first queries read each row to its end before the next one, as the hardware prefetcher likes it (4 rows side by
// side took 51 ms, one after the other 33 ms, best of 5: dot, 300 k x 384, 3 queries, one thread of a busy Zen 4 server,
// 2026-11); the block is in cache after that, and the others use the full register tile.
template <Metric M>
std::size_t exact_scores(const QueryBlock& queries, const RowBlock& block, float* out, std::size_t out_stride) {
  if (M == Metric::cosine && block.norms == nullptr) return cosines_without_norms(queries, block, out);
  std::size_t bad = block.n;
  const auto note = [&bad](std::size_t found) { bad = found < bad ? found : bad; };
  std::size_t q = 0;
  if (queries.n >= kExactQueries) {
    note(exact_queries<M, 1, kExactQueries>(queries, 0, block, out, out_stride));
    q = kExactQueries;
  }
  for (; q + kExactQueries <= queries.n; q += kExactQueries)
    note(exact_queries<M, kExactRows, kExactQueries>(queries, q, block, out, out_stride));
  for (; q < queries.n; ++q) note(exact_queries<M, 1, 1>(queries, q, block, out, out_stride));
  return bad;
}

// Where float32 sums over- or underflow, one pair is scored again in float64: products below dim * 2^-120 may have
// lost terms to underflow, and a non-finite sum may be an overflow or a bad row.
template <Metric M>
inline bool needs_exact(float sum, double norm_product, double tiny) {
  if (!is_finite(sum)) return true;
  if constexpr (M == Metric::cosine) return norm_product < tiny;
  if constexpr (M == Metric::euclidean) return static_cast<double>(sum) < tiny;
  return false;
}

template <Metric M>
inline std::size_t finish_fast(const QueryBlock& queries, std::size_t query, const RowBlock& block, const float* sums, float* out) {
  const double tiny = static_cast<double>(queries.dim) * 0x1p-120;
  const double query_norm = M == Metric::cosine ? queries.norms[query] : 0.0;
  std::size_t bad = block.n;
  for (std::size_t i = 0; i < block.n; ++i) {
    const double row_norm = M == Metric::cosine ? block.norms[i] : 0.0;
    double sum = static_cast<double>(sums[i]);
    if (needs_exact<M>(sums[i], query_norm * row_norm, tiny)) {
      exact_tile<typename Terms<M>::Exact, 1, 1>(block.rows + i, queries.f64 + query * queries.stride, queries.stride, queries.dim, &sum,
                                                 1);
      if (!is_finite(sum) && i < bad) bad = i;
    }
    out[i] = finish<M>(sum, query_norm, row_norm);
  }
  return bad;
}

template <Metric M, int R, int Q>
inline std::size_t fast_queries(const QueryBlock& queries, std::size_t first, const RowBlock& block, float* out, std::size_t out_stride) {
  float sums[Q * kMaxRowBlock];
  fast_strip<typename Terms<M>::Fast, R, Q>(block, queries.f32 + first * queries.stride, queries.stride, queries.dim, sums);
  std::size_t bad = block.n;
  for (std::size_t q = 0; q < Q; ++q) {
    const std::size_t found = finish_fast<M>(queries, first + q, block, sums + q * kMaxRowBlock, out + (first + q) * out_stride);
    bad = found < bad ? found : bad;
  }
  return bad;
}

template <Metric M>
std::size_t fast_scores(const QueryBlock& queries, const RowBlock& block, float* out, std::size_t out_stride) {
  std::size_t bad = block.n;
  const auto note = [&bad](std::size_t found) { bad = found < bad ? found : bad; };
  std::size_t q = 0;
  for (; q + kFastQueries <= queries.n; q += kFastQueries)
    note(fast_queries<M, kFastRows, kFastQueries>(queries, q, block, out, out_stride));
  for (; q < queries.n; ++q) note(fast_queries<M, 1, 1>(queries, q, block, out, out_stride));
  return bad;
}
