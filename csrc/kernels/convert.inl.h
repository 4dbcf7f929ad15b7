// convert.inl.h -- exact widening of 16-bit rows, and the one rounding from float64.

void widen_f16(const std::uint16_t* bits, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) widen_f16_block(bits + i, out + i);
  if (i == n) return;
  std::uint16_t tail[8] = {};
  float widened[8];
  __builtin_memcpy(tail, bits + i, (n - i) * sizeof(std::uint16_t));
  widen_f16_block(tail, widened);
  __builtin_memcpy(out + i, widened, (n - i) * sizeof(float));
}

void widen_bf16(const std::uint16_t* bits, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = __builtin_bit_cast(float, static_cast<std::uint32_t>(bits[i]) << 16);
}

bool round_to_float32(const double* values, std::size_t n, float* out) {
  int bad = 0;
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(values[i]);
    bad |= !is_finite(out[i]);
  }
  return !bad;
}
