// sketch_scan.inl.h -- bounds of B blocks x Q queries; a surviving lane is the rare branch.

template <int B, int Q>
[[gnu::always_inline]] inline void add_group(I32x16 (&acc)[B][Q], const SketchQuery* queries, std::size_t group, const U8x64 (&codes)[B]) {
#pragma GCC unroll 8
  for (int q = 0; q < Q; ++q) {
    std::int32_t four_bytes;
    __builtin_memcpy(&four_bytes, queries[q].codes + group * kSketchGroup, sizeof(four_bytes));
    const I32x16 broadcast = broadcast_bytes(four_bytes);
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) acc[b][q] = dot_bytes(acc[b][q], codes[b], broadcast);
  }
}

// One query and one block, read from beginning to end: side by side, the blocks of a stream confuse the hardware prefetcher
// (half-byte codes of 500 k x 384, one thread of a Zen 4 server, 2026-11: 4 blocks at once 14 GB/s, one after the other 32). One
// accumulator alone would wait for itself, so four take turns.
template <int Bits>
inline I32x16 dot_block(const SketchQuery& query, const std::uint8_t* block, std::size_t groups) {
  constexpr std::size_t kTurns = 4, kParts = Bits == 4 ? 2 : 1;
  I32x16 turns[kTurns];
  for (I32x16& turn : turns) turn = zero_i32x16();
  const auto add_line = [&](std::size_t line, std::size_t turn) {
    const U8x64 codes = load_codes(block + line * 64);
    for (std::size_t part = 0; part < kParts; ++part) {
      std::int32_t four_bytes;
      __builtin_memcpy(&four_bytes, query.codes + (line * kParts + part) * kSketchGroup, sizeof(four_bytes));
      const U8x64 taken = Bits == 7 ? codes : (part == 0 ? low_nibbles(codes) : high_nibbles(codes));
      turns[(turn * kParts + part) % kTurns] = dot_bytes(turns[(turn * kParts + part) % kTurns], taken, broadcast_bytes(four_bytes));
    }
  };
  const std::size_t lines = groups / kParts;
  std::size_t line = 0;
  for (; line + kTurns <= lines; line += kTurns) {
#pragma GCC unroll 4
    for (std::size_t turn = 0; turn < kTurns; ++turn) add_line(line + turn, turn);
  }
  for (; line < lines; ++line) add_line(line, 0);
  return add(add(turns[0], turns[1]), add(turns[2], turns[3]));
}

// Integer dot products of Q queries with B blocks of one-byte or half-byte codes. The accumulators are copied out once, at
// the end: an array that others index would be kept in memory all along.
template <int Bits, int B, int Q>
inline void dot_blocks(const SketchQuery* queries, const std::uint8_t* const* blocks, std::size_t groups, I32x16 (&dots)[B][Q]) {
  if constexpr (B * Q == 1) {
    dots[0][0] = dot_block<Bits>(queries[0], blocks[0], groups);
    return;
  }
  I32x16 acc[B][Q];
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b)
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) acc[b][q] = zero_i32x16();
  constexpr std::size_t kStep = Bits == 4 ? 2 : 1;
  for (std::size_t g = 0; g < groups; g += kStep) {
    U8x64 line[B], part[B];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) line[b] = load_codes(blocks[b] + g / kStep * 64);
    if constexpr (Bits == 4) {
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) part[b] = low_nibbles(line[b]);
      add_group(acc, queries, g, part);
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) part[b] = high_nibbles(line[b]);
      add_group(acc, queries, g + 1, part);
    } else {
      add_group(acc, queries, g, line);
    }
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b)
#pragma GCC unroll 8
    for (int q = 0; q < Q; ++q) dots[b][q] = acc[b][q];
}

// <p,y> of 16 rows as far as the codes know it. Half-byte codes are centred at 7.5: 2 dot - 15 sum is the doubled centred product.
template <int Bits>
inline F32x16 estimate_of(I32x16 dots, const SketchQuery& query, const float* facts) {
  const int shift = Bits == 4 ? 1 : 0;
  const std::int32_t offset = (Bits == 4 ? 15 : kCodeZero7) * query.code_sum;
  const float unit = Bits == 4 ? 0.5f * query.step : query.step;
  const F32x16 along = mul(load_f32x16(facts), broadcast_f32x16(query.along));
  const F32x16 product = mul(mul(centred(dots, shift, offset), load_f32x16(facts + kSketchRows)), broadcast_f32x16(unit));
  return add(along, product);
}

// How far <p,y> may lie from its estimate.
inline F32x16 width_of(const SketchQuery& query, const float* facts) {
  return add(mul(load_f32x16(facts + 2 * kSketchRows), broadcast_f32x16(query.spread)), broadcast_f32x16(query.slack));
}

// Upper bound of <p,y>.
template <int Bits>
inline F32x16 bound_of(I32x16 dots, const SketchQuery& query, const float* facts) {
  return add(estimate_of<Bits>(dots, query, facts), width_of(query, facts));
}

// Euclidean: |q' - x'|^2 = 2 |q'| |x'| <p,y> - |q'|^2 - |x'|^2 with the sign turned; for an upper bound (Side = 1) the squares
// are taken 2^-18 smaller and an absolute term covers underflow, so that rounding only ever makes the row look better; for a
// lower bound (Side = -1) everything the other way round.
template <Metric M, int Side = 1>
inline F32x16 goodness_of(F32x16 bound, const SketchQuery& query, const float* facts) {
  if constexpr (M == Metric::cosine) return bound;
  const F32x16 norms = load_f32x16(facts + 3 * kSketchRows);
  if constexpr (M == Metric::dot) return mul(bound, norms);
  constexpr float kSquares = -(1.0f - Side * kSketchRounding);
  const F32x16 squares = add(mul(norms, norms), broadcast_f32x16(query.norm * query.norm));
  const F32x16 cross = mul(mul(bound, norms), broadcast_f32x16(2.0f * query.norm));
  return add(add(cross, mul(squares, broadcast_f32x16(kSquares))), broadcast_f32x16(Side * 0x1p-120f));
}

inline void append_survivors(std::uint32_t mask, F32x16 goodness, std::uint32_t first_row, Survivor* survivors, std::uint32_t& count) {
  float values[kSketchRows];
  store_f32x16(values, goodness);
  for (; mask != 0; mask &= mask - 1) {
    const int lane = __builtin_ctz(mask);
    survivors[count++] = {first_row + static_cast<std::uint32_t>(lane), values[lane]};
  }
}

template <int Bits, Metric M, int B, int Q>
inline void scan_tile(const SketchQuery* queries, const std::uint8_t* records, std::size_t block, const SketchLayout& layout,
                      const float* limits, Survivor* survivors, std::size_t stride, std::uint32_t* counts) {
  const std::size_t record = Bits == 4 ? layout.record4() : layout.record7();
  const std::size_t code_bytes = Bits == 4 ? layout.code_bytes4() : layout.code_bytes7();
  const std::uint8_t* blocks[B];
  for (int b = 0; b < B; ++b) blocks[b] = records + (block + static_cast<std::size_t>(b)) * record;
  I32x16 dots[B][Q];
  dot_blocks<Bits, B, Q>(queries, blocks, layout.groups(), dots);
  for (std::size_t b = 0; b < B; ++b) {
    const auto* facts = reinterpret_cast<const float*>(blocks[b] + code_bytes);
    for (std::size_t q = 0; q < Q; ++q) {
      const F32x16 goodness = goodness_of<M>(bound_of<Bits>(dots[b][q], queries[q], facts), queries[q], facts);
      const std::uint32_t mask = not_at_most(goodness, limits[q]);
      if (__builtin_expect(mask != 0, 0))
        append_survivors(mask, goodness, static_cast<std::uint32_t>((block + b) * kSketchRows), survivors + q * stride, counts[q]);
    }
  }
}

template <int Bits, Metric M, int B>
inline void scan_blocks(const SketchQuery* queries, std::size_t n_queries, const std::uint8_t* records, std::size_t block,
                        const SketchLayout& layout, const float* limits, Survivor* survivors, std::size_t stride, std::uint32_t* counts) {
  std::size_t q = 0;
  for (; q + kSketchQueries <= n_queries; q += kSketchQueries)
    scan_tile<Bits, M, B, kSketchQueries>(queries + q, records, block, layout, limits + q, survivors + q * stride, stride, counts + q);
  for (; q < n_queries; ++q)
    scan_tile<Bits, M, B, 1>(queries + q, records, block, layout, limits + q, survivors + q * stride, stride, counts + q);
}

template <int Bits, Metric M>
void scan_sketch(const SketchQuery* queries, std::size_t n_queries, const std::uint8_t* records, std::size_t n_blocks,
                 const SketchLayout& layout, const float* limits, Survivor* survivors, std::size_t stride, std::uint32_t* counts) {
  std::size_t block = 0;
  for (; n_queries >= kSketchQueries && block + kSketchBlocks <= n_blocks; block += kSketchBlocks)
    scan_blocks<Bits, M, kSketchBlocks>(queries, n_queries, records, block, layout, limits, survivors, stride, counts);
  for (; block < n_blocks; ++block) scan_blocks<Bits, M, 1>(queries, n_queries, records, block, layout, limits, survivors, stride, counts);
}
