#include "results.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "rlhf/io/files.hpp"
#include "rlhf/reward/abstention.hpp"

namespace scale {
namespace {

double rate(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string megabytes(std::optional<double> mb) {
  return mb ? std::to_string(static_cast<int64_t>(*mb + 0.5)) : "-";
}

nlohmann::json json_of(const StageCost& cost) {
  nlohmann::json json{{"stage", cost.stage},
                      {"unit", cost.unit},
                      {"examples", cost.examples},
                      {"tokens", cost.tokens},
                      {"seconds", cost.seconds},
                      {"examples_per_second", rate(cost.examples, cost.seconds)},
                      {"tokens_per_second", rate(cost.tokens, cost.seconds)},
                      {"mb_at_start", cost.mb_at_start},
                      {"mb_highest", cost.mb_highest},
                      {"mb_at_end", cost.mb_at_end}};
  if (cost.mb_after_minute) json["mb_after_minute"] = *cost.mb_after_minute;
  return json;
}

nlohmann::json json_of(const Exam& exam) {
  return {{"when", exam.when},
          {"episodes", exam.episodes},
          {"seconds", exam.seconds},
          {"mb", exam.mb},
          {"right", exam.counts.right_rate()},
          {"abstains", exam.counts.abstention_rate()},
          {"wrong", exam.counts.hallucination()},
          {"malformed", exam.counts.malformed_rate()},
          {"quality", exam.quality()}};
}

}  // namespace

double Exam::quality() const {
  const rlhf::AbstentionScores scores;
  return scores.right * counts.right_rate() + scores.abstains * counts.abstention_rate() +
         scores.wrong * counts.hallucination() + scores.malformed * counts.malformed_rate();
}

void print_table(const Results& results) {
  std::printf("\n%-18s %9s %11s %8s %9s %9s | %5s %7s %7s %5s MB\n", "stage", "examples", "tokens",
              "seconds", "exam./s", "tokens/s", "start", "minute", "highest", "end");
  for (const StageCost& cost : results.costs) {
    std::printf(
        "%-18s %9lld %11lld %8.1f %9.0f %9.0f | %5.0f %7s %7.0f %5.0f\n", cost.stage.c_str(),
        static_cast<long long>(cost.examples), static_cast<long long>(cost.tokens), cost.seconds,
        rate(cost.examples, cost.seconds), rate(cost.tokens, cost.seconds), cost.mb_at_start,
        megabytes(cost.mb_after_minute).c_str(), cost.mb_highest, cost.mb_at_end);
  }
  std::printf("\n%-12s %9s %8s %5s %7s %9s %7s %10s %8s   (held-out questions)\n", "answers of",
              "episodes", "seconds", "MB", "right", "abstains", "wrong", "malformed", "quality");
  for (const Exam& exam : results.exams) {
    std::printf("%-12s %9lld %8.1f %5.0f %7.3f %9.3f %7.3f %10.3f %8.3f\n", exam.when.c_str(),
                static_cast<long long>(exam.episodes), exam.seconds, exam.mb,
                exam.counts.right_rate(), exam.counts.abstention_rate(),
                exam.counts.hallucination(), exam.counts.malformed_rate(), exam.quality());
  }
  std::printf("\nreward model, held-out pairs ranked rightly: %.4f of %lld\n",
              results.reward_model.accuracy(), static_cast<long long>(results.reward_model.pairs));
  std::printf("in all %.1f minutes on %d threads\n", results.seconds / 60, results.threads);
}

void write_json(const Results& results, const std::filesystem::path& path) {
  nlohmann::json stages = nlohmann::json::array(), exams = nlohmann::json::array();
  for (const StageCost& cost : results.costs) stages.push_back(json_of(cost));
  for (const Exam& exam : results.exams) exams.push_back(json_of(exam));
  const nlohmann::json json{{"seed", results.seed},
                            {"threads", results.threads},
                            {"seconds", results.seconds},
                            {"stages", stages},
                            {"exams", exams},
                            {"reward_model_accuracy", results.reward_model.accuracy()}};
  rlhf::io::write_file_atomically(path, json.dump(1) + "\n");
}

}  // namespace scale
