// bound_keys.inl.h -- float32 bounds of float64 scores: a row is read once, at the speed of memory, and its dot product with the
// query and its squared norm (or the squared distance) are summed together.
//
// u = 2^-24. A float32 sum of n terms here passes every term through at most n/16 + 11 roundings (two of the difference, one of
// the product, n/16 + 1 of its partial sum, 7 of the fold), so with e = (n/16 + 16) u
//
//   |d - <q,x>| <= e' |q||x|,   |N - <x,x>| <= e' <x,x>,   |s - |q-x|^2| <= e' |q-x|^2 + n 2^-149,   e' = e - 4u
//
// where 4u pay for second-order terms (n <= 65,536), for the rounding of the float64 scores and, inside the norms allowed below,
// for what products lose to underflow: n 2^-149 <= 2^-133 < u |q||x| if |q| and |x| are at least 1e-15. Then
//
//   cosine      |d / (|q| sqrt N) - score| <= 1.5 e
//   dot         |d - score| <= e (1 + e) |q| sqrt N
//   euclidean   s / (1 + e) - 2^-130 <= score^2 <= s (1 + 2e) + 2^-130
//
// Half-widths of 2e leave at least 8u of the scale |q||x| for the float64 steps below and the last rounding to float32; a bound
// that is a float32 holds for the score rounded to float32 as well.

// 8 or 16 accumulators: kBoundChains x lanes partial sums of each of kBoundRows rows. Rows side by side share the loads of the
// query; the next ones are asked for meanwhile (768 dimensions, one thread, Zen 4 server, 2026-11: 42 ns a row in second-level
// cache and 55 in third-level, against 53 and 57 one row at a time).
inline constexpr int kBoundRows = F32::kLanes / 4, kBoundChains = static_cast<int>(kSumLanes) / F32::kLanes;
inline constexpr float kSmallestSquare = 1e-30f, kLargestSquare = 1e36f;
inline constexpr double kSquareUnderflow = 0x1p-130;

template <int R>
struct BoundTile {
  F32 products[R][kBoundChains], squares[R][kBoundChains];

  void clear() {
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < kBoundChains; ++c) products[r][c] = squares[r][c] = zero_f32();
  }

  // Adds kSumLanes coordinates.
  template <Metric M>
  [[gnu::always_inline]] void step(const float* query, const float* const* rows, std::size_t offset) {
#pragma GCC unroll 4
    for (int c = 0; c < kBoundChains; ++c) {
      const F32 q = load_f32(query + c * F32::kLanes);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const F32 x = in_register(load_f32(rows[r] + offset + c * F32::kLanes));
        if constexpr (M == Metric::euclidean) {
          squares[r][c] = FastSquaredDifferenceTerm::add(squares[r][c], q, x);
        } else {
          products[r][c] = mul_add(products[r][c], q, x);
          squares[r][c] = mul_add(squares[r][c], x, x);
        }
      }
    }
  }
};

inline float fold_chains(const F32 (&chains)[kBoundChains]) {
  F32 sum = chains[0];
  for (int c = 1; c < kBoundChains; ++c) sum = add(sum, chains[c]);
  return sum_lanes(sum);
}

// Sums of R rows with a query that is padded with zeros; `next` are rows to ask for.
template <Metric M, int R>
inline void bound_tile(const float* query, const float* const* rows, const float* const* next, std::size_t dim, float* products,
                       float* squares) {
  BoundTile<R> tile;
  tile.clear();
  std::size_t i = 0;
  for (; i + kSumLanes <= dim; i += kSumLanes) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) __builtin_prefetch(next[r] + i);
    tile.template step<M>(query + i, rows, i);
  }
  if (i < dim) {
    float tails[R][kSumLanes];
    copy_tails<R>(rows, i, dim, tails);
    const float* tail_rows[R];
    for (int r = 0; r < R; ++r) tail_rows[r] = tails[r];
    tile.template step<M>(query + i, tail_rows, 0);
  }
  for (int r = 0; r < R; ++r) {
    products[r] = M == Metric::euclidean ? 0.0f : fold_chains(tile.products[r]);
    squares[r] = fold_chains(tile.squares[r]);
  }
}

// A square that is NaN, infinite or out of range gives no bounds.
template <Metric M>
inline void bounds_of(float product, float square, double query_norm, double twice_e, float& lower, float& upper) {
  double low, high;
  bool usable;
  if constexpr (M == Metric::euclidean) {
    usable = square <= kLargestFiniteF32;
    const double least = square * (1.0 - twice_e) - kSquareUnderflow;
    low = -__builtin_sqrt(square * (1.0 + twice_e) + kSquareUnderflow);
    high = -__builtin_sqrt(least > 0.0 ? least : 0.0);
  } else {
    usable = square >= kSmallestSquare && square <= kLargestSquare;
    const double scale = query_norm * __builtin_sqrt(static_cast<double>(square));
    const double middle = M == Metric::cosine ? product / scale : static_cast<double>(product);
    const double half = M == Metric::cosine ? twice_e : twice_e * scale;
    low = middle - half;
    high = middle + half;
  }
  lower = usable ? static_cast<float>(low) : -__builtin_inff();
  upper = usable ? static_cast<float>(high) : __builtin_inff();
}

template <Metric M>
void bound_keys(const QueryBlock& query, const RowBlock& block, float* lower, float* upper) {
  const double norm = query.norms[0], e = static_cast<double>(query.dim / 16 + 16) * 0x1p-24;
  const bool usable = M == Metric::euclidean || (norm * norm >= kSmallestSquare && norm * norm <= kLargestSquare);
  float products[kMaxRowBlock], squares[kMaxRowBlock];
  std::size_t i = 0;
  for (; i + kBoundRows <= block.n; i += kBoundRows) {
    const float* const* rows = block.rows + i;
    const bool last = i + 2 * kBoundRows > block.n;
    bound_tile<M, kBoundRows>(query.f32, rows, last ? rows : rows + kBoundRows, query.dim, products + i, squares + i);
  }
  for (; i < block.n; ++i) bound_tile<M, 1>(query.f32, block.rows + i, block.rows + i, query.dim, products + i, squares + i);
  for (i = 0; i < block.n; ++i) bounds_of<M>(products[i], usable ? squares[i] : __builtin_nanf(""), norm, 2.0 * e, lower[i], upper[i]);
}
