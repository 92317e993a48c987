#include "rlhf/evaluation/probe_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "inputs.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/evaluation/calibration.hpp"

namespace rlhf::evaluation {
namespace {

/// `flags` where `rows` says; nothing where these are all of one class.
std::optional<double> auc_among(const Tensor& rows, const Tensor& values, const Tensor& flags) {
  const Tensor chosen = flags.masked_select(rows);
  const auto positives = chosen.sum().item<int64_t>();
  if (positives == 0 || positives == chosen.numel()) return std::nullopt;
  return auc(values.masked_select(rows), chosen);
}

/// Over all questions: those without an answer stay abstentions, whatever the threshold.
Threshold best_among(const Tensor& answered, const Tensor& values, const Tensor& right) {
  Threshold best{.threshold = std::numeric_limits<double>::infinity(), .counts = {}};
  if (answered.any().item<bool>()) {
    best = best_threshold(values.masked_select(answered), right.masked_select(answered));
  }
  best.counts.abstained += answered.logical_not().sum().item<int64_t>();
  return best;
}

MeasureSummary summary_of(const Measure& measure, const Probed& probed,
                          const ProbeSummaryOptions& options) {
  const std::string what = fmt::format("measure \"{}\"", measure.name);
  require_known(measure.scale, MeasureScale::score, what + ": scale", "probability or score");
  const auto numbers = numbers_of(measure.values, what);
  require(std::ssize(numbers) == probed.size(), what, fmt::format("[{}]", probed.size()),
          measure.values.sizes());
  const Tensor values = torch::tensor(numbers, torch::kFloat64);
  const Tensor right = probed.right(), answered = probed.answered();
  MeasureSummary summary{.name = measure.name,
                         .auc_right = auc_among(answered, values, right),
                         .auc_right_marked = {},
                         .auc_marked = {},
                         .calibration_error = {},
                         .best = best_among(answered, values, right)};
  if (options.marked) {
    const Tensor marked = options.marked->to(torch::kCPU);
    summary.auc_right_marked = auc_among(answered.logical_and(marked), values, right);
    summary.auc_marked = auc(values, marked);
  }
  if (measure.scale == MeasureScale::probability && answered.any().item<bool>()) {
    summary.calibration_error = calibration(values.masked_select(answered),
                                            right.masked_select(answered), options.bin_count)
                                    .error;
  }
  return summary;
}

std::string line_of(std::string_view of, const AnswerCounts& counts) {
  return fmt::format(
      "{} {}: {} right, {} wrong, {} malformed, {} abstain; truthfulness {:.3f}, abstention rate "
      "{:.3f}\n",
      counts.total(), of, counts.right, counts.wrong, counts.malformed, counts.abstained,
      counts.malformed_as_wrong().truthfulness(), counts.abstention_rate());
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

}  // namespace

std::vector<Measure> measures_of(const Probed& probed) {
  std::vector<Measure> measures{{"confidence", probed.confidence, MeasureScale::probability}};
  if (!probed.agreement.defined()) return measures;
  measures.push_back({"agreement", probed.agreement, MeasureScale::probability});
  measures.push_back({"semantic agreement", probed.semantic_agreement, MeasureScale::probability});
  measures.push_back({"-semantic entropy", -probed.semantic_entropy, MeasureScale::score});
  return measures;
}

ProbeSummary summarise(const Probed& probed, const ProbeSummaryOptions& options) {
  require(probed.size() >= 1, "Probed", "at least one question", probed.size());
  if (options.marked) {
    require_dtype(*options.marked, torch::kBool, "ProbeSummaryOptions::marked");
    require_shape(*options.marked, {probed.size()}, "ProbeSummaryOptions::marked");
    const auto count = options.marked->sum().item<int64_t>();
    require(count > 0 && count < probed.size(), "ProbeSummaryOptions::marked", "both classes",
            fmt::format("{} marked of {}", count, probed.size()));
    require(!options.mark.empty(), "ProbeSummaryOptions::mark", "a name", "none");
  }
  ProbeSummary summary{.greedy = count(probed.grades),
                       .sampled = probed.sampled,
                       .measures = {},
                       .mark = options.marked ? options.mark : ""};
  std::vector<Measure> measures = measures_of(probed);
  measures.insert(measures.end(), options.further.begin(), options.further.end());
  for (const Measure& measure : measures) {
    summary.measures.push_back(summary_of(measure, probed, options));
  }
  return summary;
}

std::string ProbeSummary::table() const {
  std::string text = line_of("questions", greedy);
  if (sampled.total() > 0) text += line_of("samples", sampled);

  std::vector<std::vector<std::string>> lines{{"", "AUC right"}};
  if (!mark.empty()) lines[0].insert(lines[0].end(), {"right, " + mark, "AUC " + mark});
  lines[0].insert(lines[0].end(), {"ECE", "best truthfulness", "answered"});
  for (const MeasureSummary& its : measures) {
    std::vector<std::string>& line = lines.emplace_back();
    line = {its.name, number(its.auc_right)};
    if (!mark.empty()) {
      line.insert(line.end(), {number(its.auc_right_marked), number(its.auc_marked)});
    }
    line.insert(line.end(),
                {number(its.calibration_error), number(its.best.counts.truthfulness()),
                 fmt::format("{:.0f}%", 100.0 * (1.0 - its.best.counts.abstention_rate()))});
  }
  std::vector<size_t> widths(lines[0].size(), 0);
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) {
    text += fmt::format("{:<{}}", line[0], widths[0]);
    for (size_t i = 1; i < line.size(); ++i) text += fmt::format("  {:>{}}", line[i], widths[i]);
    text += "\n";
  }
  return text;
}

}  // namespace rlhf::evaluation
