// exact_tile.inl.h -- R rows x Q queries in float64, 16 lanes each, the lane order of docs/numerics.md.

inline constexpr int kParts = static_cast<int>(kSumLanes) / F64::kLanes;

struct DotTerm {
  static F64 add(F64 acc, F64 q, F64 x) { return mul_add_exact(acc, q, x); }
};
struct SquaredDifferenceTerm {
  static F64 add(F64 acc, F64 q, F64 x) {
    const F64 difference = sub(q, x);
    return mul_then_add(acc, difference, difference);
  }
};

template <int R, int Q>
struct ExactTile {
  F64 acc[R][Q][kParts];

  void clear() {
    for (int r = 0; r < R; ++r)
      for (int q = 0; q < Q; ++q)
        for (int p = 0; p < kParts; ++p) acc[r][q][p] = zero_f64();
  }

  // Adds 16 coordinates: those of row r at rows[r] + offset, those of query q at queries + q * stride.
  template <class Term>
  [[gnu::always_inline]] void step(const float* const* rows, std::size_t offset, const double* queries, std::size_t stride) {
#pragma GCC unroll 8
    for (int p = 0; p < kParts; ++p) {
      F64 x[R];
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) x[r] = widen_f32(rows[r] + offset + p * F64::kLanes);
#pragma GCC unroll 4
      for (int q = 0; q < Q; ++q) {
        const F64 y = load_f64(queries + static_cast<std::size_t>(q) * stride + p * F64::kLanes);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) acc[r][q][p] = Term::add(acc[r][q][p], y, x[r]);
      }
    }
  }
};

// Copies the last dim % 16 coordinates of each row behind zeros' backs: padding terms add +0.0 to their lanes.
template <int R>
inline void copy_tails(const float* const* rows, std::size_t begin, std::size_t dim, float (&tails)[R][kSumLanes]) {
  __builtin_memset(tails, 0, sizeof(tails));
  for (int r = 0; r < R; ++r) __builtin_memcpy(tails[r], rows[r] + begin, (dim - begin) * sizeof(float));
}

// sums[q * sums_stride + r] = lane sum of the terms of row r and query q.
template <class Term, int R, int Q>
inline void exact_tile(const float* const* rows, const double* queries, std::size_t stride, std::size_t dim, double* sums,
                       std::size_t sums_stride) {
  ExactTile<R, Q> tile;
  tile.clear();
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) tile.template step<Term>(rows, i, queries + i, stride);
  if (i < dim) {
    float tails[R][kSumLanes];
    copy_tails<R>(rows, i, dim, tails);
    const float* tail_rows[R];
    for (int r = 0; r < R; ++r) tail_rows[r] = tails[r];
    tile.template step<Term>(tail_rows, 0, queries + i, stride);
  }
  for (int r = 0; r < R; ++r)
    for (int q = 0; q < Q; ++q) sums[static_cast<std::size_t>(q) * sums_stride + static_cast<std::size_t>(r)] = fold_lanes(tile.acc[r][q]);
}

// All rows of a block against Q queries.
template <class Term, int R, int Q>
inline void exact_strip(const RowBlock& block, const double* queries, std::size_t stride, std::size_t dim, double* sums) {
  std::size_t r = 0;
  for (; r + R <= block.n; r += R) exact_tile<Term, R, Q>(block.rows + r, queries, stride, dim, sums + r, kMaxRowBlock);
  for (; r < block.n; ++r) exact_tile<Term, 1, Q>(block.rows + r, queries, stride, dim, sums + r, kMaxRowBlock);
}

inline double squared_norm(const float* row, std::size_t dim) {
  F64 acc[kParts];
  for (int p = 0; p < kParts; ++p) acc[p] = zero_f64();
  const auto step = [&acc](const float* values) {
    for (int p = 0; p < kParts; ++p) {
      const F64 x = widen_f32(values + p * F64::kLanes);
      acc[p] = mul_add_exact(acc[p], x, x);
    }
  };
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) step(row + i);
  if (i < dim) {
    float tails[1][kSumLanes];
    copy_tails<1>(&row, i, dim, tails);
    step(tails[0]);
  }
  return fold_lanes(acc);
}

void squared_norms(const float* const* rows, std::size_t n, std::size_t dim, double* sums) {
  for (std::size_t i = 0; i < n; ++i) sums[i] = squared_norm(rows[i], dim);
}

struct DotAndSquare {
  double dot, square;
};

// Both lane sums of a row in one pass, for a single query.
inline DotAndSquare dot_and_square(const double* query, const float* row, std::size_t dim) {
  F64 dots[kParts], squares[kParts];
  for (int p = 0; p < kParts; ++p) dots[p] = squares[p] = zero_f64();
  const auto step = [&](const double* y, const float* values) {
    for (int p = 0; p < kParts; ++p) {
      const F64 x = widen_f32(values + p * F64::kLanes);
      dots[p] = mul_add_exact(dots[p], load_f64(y + p * F64::kLanes), x);
      squares[p] = mul_add_exact(squares[p], x, x);
    }
  };
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) step(query + i, row + i);
  if (i < dim) {
    float tails[1][kSumLanes];
    copy_tails<1>(&row, i, dim, tails);
    step(query + i, tails[0]);
  }
  return {fold_lanes(dots), fold_lanes(squares)};
}
