// sketch_bands.inl.h -- which band a row's score lies in, as far as an upper and a lower bound can tell.

// `possible` edges may be reached, `unsure` ones are not reached for certain: together n where the two bounds agree, else more.
inline void band_block(F32x16 lower, F32x16 upper, const SketchEdges& edges, std::uint32_t first_row, std::uint8_t* bands,
                       Straddler* straddlers, std::uint32_t& count) {
  I32x16 possible = zero_i32x16(), unsure = zero_i32x16();
  for (std::size_t i = 0; i < edges.n; ++i) {
    possible = count_not_at_most(possible, upper, broadcast_f32x16(edges.limits[i]));
    unsure = count_not_at_most(unsure, broadcast_f32x16(edges.floors[i]), lower);
  }
  std::int32_t reached[kSketchRows], left[kSketchRows];
  store_i32x16(reached, possible);
  store_i32x16(left, unsure);
  bool undecided = false;
  for (std::size_t lane = 0; lane < kSketchRows; ++lane) {
    const bool decided = reached[lane] + left[lane] == static_cast<std::int32_t>(edges.n);
    bands[lane] = decided ? static_cast<std::uint8_t>(reached[lane]) : kStraddles;
    undecided |= !decided;
  }
  if (!undecided) return;
  float low[kSketchRows], high[kSketchRows];
  store_f32x16(low, lower);
  store_f32x16(high, upper);
  for (std::uint32_t lane = 0; lane < kSketchRows; ++lane)
    if (bands[lane] == kStraddles) straddlers[count++] = {first_row + lane, low[lane], high[lane]};
}

template <Metric M, int B, int Q>
inline void band_tile(const SketchQuery* queries, const SketchEdges* edges, const std::uint8_t* records, std::size_t block,
                      const SketchLayout& layout, std::uint8_t* bands, Straddler* straddlers, std::size_t stride, std::uint32_t* counts) {
  const std::uint8_t* blocks[B];
  for (int b = 0; b < B; ++b) blocks[b] = records + (block + static_cast<std::size_t>(b)) * layout.record7();
  I32x16 dots[B][Q];
  dot_blocks<7, B, Q>(queries, blocks, layout.groups(), dots);
  for (std::size_t b = 0; b < B; ++b) {
    const auto* facts = reinterpret_cast<const float*>(blocks[b] + layout.code_bytes7());
    const std::size_t first = (block + b) * kSketchRows;
    for (std::size_t q = 0; q < Q; ++q) {
      const F32x16 estimate = estimate_of<7>(dots[b][q], queries[q], facts), width = width_of(queries[q], facts);
      const F32x16 upper = goodness_of<M>(add(estimate, width), queries[q], facts);
      const F32x16 lower = goodness_of<M, -1>(add(estimate, mul(width, broadcast_f32x16(-1.0f))), queries[q], facts);
      band_block(lower, upper, edges[q], static_cast<std::uint32_t>(first), bands + q * stride + first, straddlers + q * stride, counts[q]);
    }
  }
}

template <Metric M, int B>
inline void band_blocks(const SketchQuery* queries, const SketchEdges* edges, std::size_t n_queries, const std::uint8_t* records,
                        std::size_t block, const SketchLayout& layout, std::uint8_t* bands, Straddler* straddlers, std::size_t stride,
                        std::uint32_t* counts) {
  std::size_t q = 0;
  for (; q + kSketchQueries <= n_queries; q += kSketchQueries)
    band_tile<M, B, kSketchQueries>(queries + q, edges + q, records, block, layout, bands + q * stride, straddlers + q * stride, stride,
                                    counts + q);
  for (; q < n_queries; ++q)
    band_tile<M, B, 1>(queries + q, edges + q, records, block, layout, bands + q * stride, straddlers + q * stride, stride, counts + q);
}

template <Metric M>
void band_sketch(const SketchQuery* queries, const SketchEdges* edges, std::size_t n_queries, const std::uint8_t* records,
                 std::size_t n_blocks, const SketchLayout& layout, std::uint8_t* bands, Straddler* straddlers, std::size_t stride,
                 std::uint32_t* counts) {
  std::size_t block = 0;
  for (; block + kSketchBlocks <= n_blocks; block += kSketchBlocks)
    band_blocks<M, kSketchBlocks>(queries, edges, n_queries, records, block, layout, bands, straddlers, stride, counts);
  for (; block < n_blocks; ++block) band_blocks<M, 1>(queries, edges, n_queries, records, block, layout, bands, straddlers, stride, counts);
}
