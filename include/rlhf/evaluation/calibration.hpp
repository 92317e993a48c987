/// Whether a confidence of 0.7 is right seven times in ten, and whether it orders right before
/// wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "rlhf/core/tensor.hpp"

namespace rlhf::evaluation {

struct CalibrationBin {
  int64_t count = 0;
  double confidence = 0.0;  ///< mean in the bin; 0 where it is empty
  double accuracy = 0.0;    ///< share that is right; 0 where it is empty
};

struct Calibration {
  double error = 0.0;                ///< ECE: mean of |accuracy - confidence| weighted by count
  std::vector<CalibrationBin> bins;  ///< bin m of M holds confidences in (m / M, (m + 1) / M], the
                                     ///< first also 0
};

/// Expected calibration error with bins of equal width.
/// @param confidence  floating [n], each in [0, 1]
/// @param right       bool [n]
/// @throws Error      on another shape, a number outside [0, 1], or no bins
/// Source: Guo et al. 2017, arXiv 1706.04599, eq. 3.
Calibration calibration(const Tensor& confidence, const Tensor& right, int64_t bin_count = 10);

/// Area under the ROC curve: the chance that a random positive scores above a random negative, ties
/// one half. Exact, O(n log n), by ranks (Mann and Whitney 1947).
/// @param scores    floating [n], infinities allowed
/// @param positive  bool [n]
/// @throws Error    on another shape, NaN, or where all are of one class
double auc(const Tensor& scores, const Tensor& positive);

}  // namespace rlhf::evaluation
