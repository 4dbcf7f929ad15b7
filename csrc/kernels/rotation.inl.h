// rotation.inl.h -- an orthogonal map R that spreads every coordinate over many; rows and queries are quantised behind it.
//
// A row's codes have one step, so a few large coordinates (outlier dimensions, an axis-aligned spectrum) would leave the others
// coarse. R flips signs, mixes 8 vectors of 16 coordinates that lie far apart by a Hadamard transform, turns vector v by v lanes and
// mixes 8 neighbours. With half-byte codes, 384 synthetic dimensions whose deviations fall as 1 / i^.35 go from |r| = .21 to .106,
// 768 dimensions with two outliers from .41 to .12, MiniLM embeddings from .104 to .102; a full Hadamard transform does no better.
//
// Rounding: a coordinate passes at most 10 operations of float32 (3 butterflies and a scaling by an inexact 1/sqrt(8), twice), each
// of which loses at most 2^-24 of the length of its output: far less than kRotationRounding of |x| in all.
//
// `Ops` are the operations on a vector of kSumLanes numbers: Number, Vector, load, store, add, sub, scale, flip (by signs).

template <typename Ops, int R>
[[gnu::always_inline]] inline void hadamard(typename Ops::Vector (&v)[R]) {
#pragma GCC unroll 3
  for (int half = 1; half < R; half *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      if ((i & half) != 0) continue;
      const typename Ops::Vector a = v[i], b = v[i + half];
      v[i] = Ops::add(a, b);
      v[i + half] = Ops::sub(a, b);
    }
  }
  const auto unit = static_cast<typename Ops::Number>(1.0 / __builtin_sqrt(static_cast<double>(R)));
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) v[i] = Ops::scale(v[i], unit);
}

// `turned` is scratch for 2 * dim numbers: every vector twice, so that a turned one is a load. The second mixing begins `rest`
// coordinates in, so that it reaches those behind the last whole vector.
template <typename Ops, int R>
inline void rotate_by(typename Ops::Number* x, const float* signs, std::size_t n, std::size_t rest, typename Ops::Number* turned) {
  const std::size_t groups = n / R, whole = groups * R;
  typename Ops::Vector v[R];
  const auto store_twice = [turned](std::size_t at, typename Ops::Vector vector) {
    Ops::store(turned + at * 2 * kSumLanes, vector);
    Ops::store(turned + at * 2 * kSumLanes + kSumLanes, vector);
  };
  for (std::size_t at = whole; at < n; ++at) store_twice(at, Ops::load(x + at * kSumLanes));
  for (std::size_t g = 0; g < groups; ++g) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R; ++i) v[i] = Ops::flip(Ops::load(x + (g + i * groups) * kSumLanes), signs + (g + i * groups) * kSumLanes);
    hadamard<Ops, R>(v);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R; ++i) store_twice(g + i * groups, v[i]);
  }
  const auto load_turned = [turned](std::size_t at) { return Ops::load(turned + at * 2 * kSumLanes + at % kSumLanes); };
  for (std::size_t at = 0; at < (rest == 0 ? n - whole : n); ++at) Ops::store(x + at * kSumLanes, load_turned(at));
  typename Ops::Number* y = x + rest;
  for (std::size_t first = n - whole; first < n; first += R) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R; ++i) v[i] = rest == 0 ? load_turned(first + i) : Ops::load(y + (first + i) * kSumLanes);
    hadamard<Ops, R>(v);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R; ++i) Ops::store(y + (first + i) * kSumLanes, v[i]);
  }
}

// x = R x; `signs` are +1 and -1, one a coordinate. Fewer than 32 coordinates stay as they are.
template <typename Ops>
inline void rotate(typename Ops::Number* x, const float* signs, std::size_t dim, typename Ops::Number* turned) {
  const std::size_t n = dim / kSumLanes, rest = dim % kSumLanes;
  if (n >= 8)
    rotate_by<Ops, 8>(x, signs, n, rest, turned);
  else if (n >= 4)
    rotate_by<Ops, 4>(x, signs, n, rest, turned);
  else if (n >= 2)
    rotate_by<Ops, 2>(x, signs, n, rest, turned);
}
