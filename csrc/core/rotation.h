// rotation.h -- the rotation in front of quantisation (kernels/rotation.inl.h), in float64, for queries.
#pragma once

#include <cstddef>
#include <vector>

namespace fastcal {

// +1 and -1, functions of the position alone: every row and query of a dimension is rotated alike.
std::vector<float> rotation_signs(std::size_t dim);

// x = R x, to float64 rounding.
void rotate(std::vector<double>& x, const std::vector<float>& signs);

}  // namespace fastcal
