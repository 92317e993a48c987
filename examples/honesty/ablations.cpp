#include "ablations.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "rlhf/io/files.hpp"

namespace honesty {
namespace {

nlohmann::json row(const std::string& name, const Examination& e, const StageLog& log) {
  std::printf("%-44s %6.3f %6.3f %6.3f %6.3f %6.3f %8.2f %8.1f\n", name.c_str(),
              e.known.right_rate(), e.unknown.right_rate(), e.unknown.hallucination(),
              e.all().malformed_rate(), e.truthfulness(),
              log.metrics.contains("score_mean") ? log.metrics.last("score_mean") : 0.0,
              log.metrics.contains("kl_k3") ? log.metrics.last("kl_k3") : 0.0);
  std::fflush(stdout);
  return {{"name", name},
          {"known_right", e.known.right_rate()},
          {"unknown_right", e.unknown.right_rate()},
          {"unknown_wrong", e.unknown.hallucination()},
          {"malformed", e.all().malformed_rate()},
          {"truthfulness", e.truthfulness()},
          {"last_score", log.metrics.contains("score_mean") ? log.metrics.last("score_mean") : 0.0},
          {"last_kl", log.metrics.contains("kl_k3") ? log.metrics.last("kl_k3") : 0.0}};
}

}  // namespace

void run_ablations(const World& world, const rlhf::CausalLM& pretrained, const rlhf::CausalLM& sft,
                   const rlhf::RewardModel& reward, const Settings& settings,
                   rlhf::Generator& generator, const std::filesystem::path& path) {
  std::printf("\n%-44s %6s %6s %6s %6s %6s %8s %8s\n", "ablation (test questions)", "known",
              "unkn.", "unkn.", "mal-", "truth-", "last", "last");
  std::printf("%-44s %6s %6s %6s %6s %6s %8s %8s\n", "", "right", "right", "wrong", "formed", "ful",
              "score", "KL");
  nlohmann::json rows;
  const Facts& test = world.splits().test;
  const auto run = [&](const std::string& name, const rlhf::CausalLM& start,
                       const ReinforcementSettings& changed) {
    StageLog log;
    const rlhf::CausalLM policy = reinforce(start, reward, world, changed, generator, log);
    rows.push_back(row(name, examine(policy, world, test), log));
  };
  rows.push_back(row("SFT, no PPO", examine(sft, world, test), {}));

  // The last weights, not the best: drift is the point.
  ReinforcementSettings no_kl = settings.reinforcement;
  no_kl.ppo.kl.coefficient = 0;
  no_kl.ppo.ptx_coefficient = 0;
  no_kl.evaluate_every = 0;
  run("no KL, no pretraining mix", sft, no_kl);

  ReinforcementSettings exact = settings.reinforcement;
  exact.reward = RewardSource::exact;
  run("exact ternary reward instead of the model", sft, exact);

  ReinforcementSettings unpunished = exact;
  unpunished.exact_scores.wrong = unpunished.exact_scores.abstains;
  unpunished.evaluate_every = 0;
  run("wrong punished no more than abstaining", sft, unpunished);

  SftSettings unplanted = settings.sft;
  unplanted.abstention_rate = 0;
  StageLog log;
  const rlhf::CausalLM never_abstains = fine_tune(pretrained, world, unplanted, generator, log);
  rows.push_back(row("SFT without planted abstention", examine(never_abstains, world, test), {}));
  run("  then PPO", never_abstains, settings.reinforcement);
  rlhf::io::write_file_atomically(path, rows.dump(1) + "\n");
}

bool points_the_right_way(const Results& results) {
  return results.ppo.unknown.malformed_as_wrong().hallucination() <
             results.sft.unknown.malformed_as_wrong().hallucination() &&
         results.ppo.truthfulness() > results.sft.truthfulness();
}

}  // namespace honesty
