// fast_tile.inl.h -- R rows x Q queries in float32, in whatever order is fastest (scores(precision="fast") only).

struct FastDotTerm {
  static F32 add(F32 acc, F32 q, F32 x) { return mul_add(acc, q, x); }
};
struct FastSquaredDifferenceTerm {
  static F32 add(F32 acc, F32 q, F32 x) {
    const F32 difference = sub(q, x);
    return mul_add(acc, difference, difference);
  }
};

template <class Term, int R, int Q>
[[gnu::always_inline]] inline void fast_step(F32 (&acc)[R][Q], const float* const* rows, std::size_t offset, const float* queries,
                                             std::size_t stride) {
  F32 x[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) x[r] = load_f32(rows[r] + offset);
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
    const F32 y = load_f32(queries + static_cast<std::size_t>(q) * stride);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) acc[r][q] = Term::add(acc[r][q], y, x[r]);
  }
}

template <class Term, int R, int Q>
inline void fast_tile(const float* const* rows, const float* queries, std::size_t stride, std::size_t dim, float* sums,
                      std::size_t sums_stride) {
  F32 acc[R][Q];
  for (int r = 0; r < R; ++r)
    for (int q = 0; q < Q; ++q) acc[r][q] = zero_f32();
  const std::size_t whole = dim - dim % kSumLanes;
  for (std::size_t i = 0; i < whole; i += F32::kLanes) fast_step<Term, R, Q>(acc, rows, i, queries + i, stride);
  if (whole < dim) {
    float tails[R][kSumLanes];
    copy_tails<R>(rows, whole, dim, tails);
    const float* tail_rows[R];
    for (int r = 0; r < R; ++r) tail_rows[r] = tails[r];
    for (std::size_t i = 0; i < kSumLanes; i += F32::kLanes) fast_step<Term, R, Q>(acc, tail_rows, i, queries + whole + i, stride);
  }
  for (int r = 0; r < R; ++r)
    for (int q = 0; q < Q; ++q) sums[static_cast<std::size_t>(q) * sums_stride + static_cast<std::size_t>(r)] = sum_lanes(acc[r][q]);
}

template <class Term, int R, int Q>
inline void fast_strip(const RowBlock& block, const float* queries, std::size_t stride, std::size_t dim, float* sums) {
  std::size_t r = 0;
  for (; r + R <= block.n; r += R) fast_tile<Term, R, Q>(block.rows + r, queries, stride, dim, sums + r, kMaxRowBlock);
  for (; r < block.n; ++r) fast_tile<Term, 1, Q>(block.rows + r, queries, stride, dim, sums + r, kMaxRowBlock);
}
