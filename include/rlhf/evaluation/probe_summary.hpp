/// Whether a model's sureness tells what it knows from what it does not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rlhf/evaluation/answer_counts.hpp"
#include "rlhf/evaluation/probe.hpp"
#include "rlhf/evaluation/risk_coverage.hpp"

namespace rlhf::evaluation {

enum class MeasureScale : uint8_t { probability, score };

/// One number a question, higher where the model is surer.
struct Measure {
  std::string name;
  Tensor values;  ///< floating [n], below infinity; in [0, 1] where it is a probability
  MeasureScale scale = MeasureScale::score;
};

/// confidence, agreement, semantic agreement: probabilities; minus the semantic entropy: a score.
/// Without samples, confidence alone.
std::vector<Measure> measures_of(const Probed& probed);

struct ProbeSummaryOptions {
  std::optional<Tensor> marked = {};  ///< bool [n]: questions of one of two classes, such as those
                                      ///< about what exists; absent: no classes
  std::string mark = "marked";        ///< the class's name in the table
  std::vector<Measure> further = {};  ///< measures of the caller's own, of the greedy answers: what
                                      ///< the model says of them itself (P(True): Kadavath et al.
                                      ///< 2022, arXiv 2207.05221), say
  int64_t bin_count = 10;             ///< of the calibration
};

/// Of one measure. What tells right from wrong counts the questions that the model answers; what
/// cannot be told, as where all answers are wrong, is absent. A malformed answer is a wrong one.
struct MeasureSummary {
  std::string name;
  std::optional<double> auc_right;         ///< chance that it puts a right answer above a wrong one
  std::optional<double> auc_right_marked;  ///< the same among the marked
  std::optional<double> auc_marked;  ///< chance that it puts a marked question above one that is
                                     ///< not, abstentions included
  std::optional<double> calibration_error;  ///< ECE, of a probability
  Threshold best;  ///< what abstaining below the best threshold gives over all questions; chosen on
                   ///< these, so what training can hope for at most by this measure
};

struct ProbeSummary {
  AnswerCounts greedy, sampled;
  std::vector<MeasureSummary> measures;  ///< those of measures_of(), then the further ones
  std::string mark;                      ///< empty where nothing is marked

  /// A few lines to print: the counts, then a line a measure. The best truthfulness is that of
  /// abstaining below the best threshold, to hold against the greedy answers' in the first line;
  /// "answered" is the share of questions that are then answered.
  std::string table() const;
};

/// @throws Error for a measure or marks of another shape or type, a NaN, a "probability" outside
///         [0, 1], and where all questions are of one class
ProbeSummary summarise(const Probed& probed, const ProbeSummaryOptions& options = {});

}  // namespace rlhf::evaluation
