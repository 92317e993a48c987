/// Answering only where confident: how much is answered, how much of that is wrong, and where the
/// best threshold lies.
#pragma once

#include <vector>

#include "rlhf/core/tensor.hpp"
#include "rlhf/evaluation/answer_counts.hpp"

namespace rlhf::evaluation {

/// Answering where confidence >= threshold.
struct RiskCoveragePoint {
  double threshold = 0.0;
  double coverage = 0.0;      ///< answered / all
  double risk = 0.0;          ///< wrong / answered; 0 where nothing is answered
  double truthfulness = 0.0;  ///< (right - wrong) / all
};

struct RiskCoverage {
  std::vector<RiskCoveragePoint>
      points;         ///< by falling threshold: infinity (nothing answered), then
                      ///< each distinct confidence; the last answers everything
  double area = 0.0;  ///< AURC: mean risk over the examples, each at the coverage
                      ///< where it is answered; lower is better
};

/// @param confidence  floating [n], any scale, below infinity: equal ones are answered together
/// @param right       bool [n]
/// @throws Error      on another shape or NaN
/// Source: Geifman and El-Yaniv 2017, arXiv 1705.08500; area: Geifman et al. 2019, arXiv
/// 1805.08206.
RiskCoverage risk_coverage(const Tensor& confidence, const Tensor& right);

struct Threshold {
  double threshold = 0.0;
  AnswerCounts counts;  ///< what it gives on the data it was chosen on
};

/// The threshold with the highest truthfulness, among equals the one that answers least. It lies
/// half way to the next lower confidence, so that it suits other data too; infinity answers
/// nothing, minus infinity everything. Chosen on the data it is judged on, it is the oracle.
Threshold best_threshold(const Tensor& confidence, const Tensor& right);

/// What a threshold chosen elsewhere gives: below it every question is abstained from.
AnswerCounts answers_at(double threshold, const Tensor& confidence, const Tensor& right);

}  // namespace rlhf::evaluation
