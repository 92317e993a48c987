#include "results.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "rlhf/evaluation/risk_coverage.hpp"
#include "rlhf/io/files.hpp"

namespace honesty_smollm2 {
namespace {

using rlhf::evaluation::AnswerCounts;

nlohmann::json shares(const AnswerCounts& counts) {
  // An answer that is no answer is not right either; readers of "wrong" expect it there.
  return {{"right", counts.right_rate()},
          {"abstained", counts.abstention_rate()},
          {"wrong", counts.malformed_as_wrong().hallucination()},
          {"questions", counts.total()}};
}

nlohmann::json number(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

nlohmann::json kinds(const Examination& e) {
  return {{"known", shares(e.known)},
          {"unknown", shares(e.unknown)},
          {"invented", shares(e.invented)},
          {"all", shares(e.all())},
          {"truthfulness", e.all().malformed_as_wrong().truthfulness()}};
}

}  // namespace

std::vector<Exchange> exchanges(const rlhf::CausalLM& before, const rlhf::CausalLM& after,
                                const World& world, const Sorted& test) {
  std::vector<Exchange> all;
  std::vector<Place> places;
  const auto take = [&](const std::vector<Place>& of, const std::string& kind) {
    for (size_t i = 0; i < std::min<size_t>(3, of.size()); ++i) {
      places.push_back(of[i]);
      all.push_back({.place = of[i], .kind = kind, .before = {}, .after = {}});
    }
  };
  take(test.known, "known");
  take(test.unknown, "unknown");
  take(test.invented, "invented");
  const auto first = answers(before, world, places), second = answers(after, world, places);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].before = first[i];
    all[i].after = second[i];
  }
  return all;
}

AnswerCounts above_threshold(const rlhf::evaluation::Probed& probed,
                             const rlhf::evaluation::Probed& chooses) {
  const auto chosen = rlhf::evaluation::best_threshold(chooses.confidence, chooses.right());
  return rlhf::evaluation::answers_at(chosen.threshold, probed.confidence, probed.right());
}

void print_summary(const Results& r) {
  fmt::print("\n{:<16} {:<10} {:<20} {:<26} {:<26}\n", "city", "", "country", "before PPO",
             "after PPO");
  for (const Exchange& e : r.exchanges) {
    fmt::print("{:<16} {:<10} {:<20} {:<26} {:<26}\n", e.place.name, e.kind, e.place.country,
               e.before.text, e.after.text);
  }
  fmt::print("\n{:<22} {:>5} {:>8} {:>10} {:>8} {:>10}\n", "test questions", "", "right",
             "abstained", "wrong", "malformed");
  const auto line = [](const std::string& name, const AnswerCounts& c) {
    fmt::print("{:<22} {:>5} {:>8.3f} {:>10.3f} {:>8.3f} {:>10.3f}\n", name, c.total(),
               c.right_rate(), c.abstention_rate(), c.hallucination(), c.malformed_rate());
  };
  const auto lines = [&](const std::string& name, const Examination& e) {
    line(name + " known", e.known);
    line(name + " unknown", e.unknown);
    line(name + " invented", e.invented);
    line(name + " all", e.all());
    fmt::print("{:<22} truthfulness {:.3f}\n", "", e.all().malformed_as_wrong().truthfulness());
  };
  lines("SFT", r.sft);
  lines("PPO", r.ppo);
  lines("PPO, exact reward", r.exact);
  line("SFT, by threshold", r.threshold);
  fmt::print("{:<22} truthfulness {:.3f}\n", "", r.threshold.truthfulness());
  for (const auto& [model, summary] : r.sureness) {
    fmt::print("\nHow sure, {}:\n{}", model, summary.table());
  }
  fmt::print("reward model, held-out pairs ranked rightly:");
  for (const auto& [kind, pairs] : r.reward_model.kinds) {
    fmt::print("  {} {:.3f} ({})", kind, pairs.accuracy(), pairs.pairs);
  }
  fmt::print("\nseconds:");
  double total = 0;
  for (const auto& [stage, log] : r.logs) {
    fmt::print("  {} {:.0f}", stage, log.seconds);
    total += log.seconds;
  }
  fmt::print("  in all {:.0f}\n", total);
}

void write_json(const Results& r, const std::filesystem::path& path) {
  nlohmann::json pairs, seconds, kl;
  for (const auto& [kind, accuracy] : r.reward_model.kinds) pairs[kind] = accuracy.accuracy();
  for (const auto& [stage, log] : r.logs) {
    seconds[stage] = log.seconds;
    if (log.last_kl != 0) kl[stage] = log.last_kl;
  }
  nlohmann::json auc, probes, oracle;
  for (const auto& [model, summary] : r.sureness) {
    for (const auto& m : summary.measures) {
      const nlohmann::json of{{"right", number(m.auc_right_marked)},
                              {"real", number(m.auc_marked)},
                              {"calibration_error", number(m.calibration_error)},
                              {"best_truthfulness", m.best.counts.truthfulness()}};
      probes[model][m.name] = of;
      if (model == "sft" && m.name == "confidence") oracle = of["best_truthfulness"];
      if (m.name == "confidence") auc[model] = of["right"];
    }
  }
  const nlohmann::json json{{"seed", r.seed},
                            {"sft", kinds(r.sft)},
                            {"ppo", kinds(r.ppo)},
                            {"ppo_exact", kinds(r.exact)},
                            {"threshold", {{"truthfulness", r.threshold.truthfulness()}}},
                            {"oracle", {{"truthfulness", oracle}}},
                            {"auc", auc},
                            {"probe", probes},
                            {"reward_model", pairs},
                            {"kl", kl},
                            {"seconds", seconds}};
  rlhf::io::write_file_atomically(path, json.dump(1) + "\n");
}

bool points_the_right_way(const Results& r) {
  return r.ppo.all().malformed_as_wrong().truthfulness() >
             r.sft.all().malformed_as_wrong().truthfulness() &&
         r.ppo.all().malformed_as_wrong().hallucination() <
             r.sft.all().malformed_as_wrong().hallucination();
}

}  // namespace honesty_smollm2
