#include "results.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "rlhf/io/files.hpp"

namespace honesty {
namespace {

using rlhf::evaluation::AnswerCounts;

nlohmann::json shares(const AnswerCounts& counts) {
  // An answer that is no answer is not right either; readers of "wrong" expect it there.
  return {{"right", counts.right_rate()},
          {"abstained", counts.abstention_rate()},
          {"wrong", counts.malformed_as_wrong().hallucination()}};
}

nlohmann::json both(const Examination& examination) {
  return {{"known", shares(examination.known)}, {"unknown", shares(examination.unknown)}};
}

std::vector<Exchange> five_exchanges(const World& world, const rlhf::CausalLM& sft,
                                     const rlhf::CausalLM& ppo) {
  const Facts& test = world.splits().test;
  std::vector<Fact> facts(test.known.begin(), test.known.begin() + 2);
  facts.insert(facts.end(), test.unknown.begin(), test.unknown.begin() + 3);
  const auto before = show(sft, world, facts), after = show(ppo, world, facts);
  std::vector<Exchange> exchanges;
  for (size_t i = 0; i < facts.size(); ++i) {
    exchanges.push_back({.fact = facts[i], .known = i < 2, .before = before[i], .after = after[i]});
  }
  return exchanges;
}

}  // namespace

Results assess(const World& world, const rlhf::CausalLM& pretrained, const rlhf::CausalLM& sft,
               const rlhf::RewardModel& reward, const rlhf::CausalLM& ppo,
               const Settings& settings) {
  const Facts& test = world.splits().test;
  Results r;
  r.seed = settings.seed;
  r.sft = examine(sft, world, test);
  r.ppo = examine(ppo, world, test);
  r.pretrained_guesses = guess(pretrained, world, test);
  r.sft_guesses = guess(sft, world, test);
  r.ppo_guesses = guess(ppo, world, test);
  const Guesses validation = guess(sft, world, world.splits().validation);
  const auto chosen = rlhf::evaluation::best_threshold(validation.confidence, validation.right);
  r.threshold =
      rlhf::evaluation::answers_at(chosen.threshold, r.sft_guesses.confidence, r.sft_guesses.right);
  r.oracle = rlhf::evaluation::best_threshold(r.sft_guesses.confidence, r.sft_guesses.right).counts;
  rlhf::Generator generator(settings.seed);
  std::vector<Fact> held_out = test.known;
  held_out.insert(held_out.end(), test.unknown.begin(), test.unknown.end());
  r.reward_model = judge_reward(reward, sft, world, held_out, settings.reward, generator);
  r.exchanges = five_exchanges(world, sft, ppo);
  return r;
}

void print_summary(const Results& r) {
  std::printf("\n%-28s %-34s %s\n", "question", "before PPO", "after PPO");
  for (const Exchange& e : r.exchanges) {
    std::printf("%-28s %-34s %s   (%s, %s)\n", ("Where is " + e.fact.city + "?").c_str(),
                e.before.text.c_str(), e.after.text.c_str(), e.fact.country.c_str(),
                e.known ? "known" : "unknown");
  }
  std::printf("\n%-16s %8s %10s %8s %10s\n", "test questions", "right", "abstained", "wrong",
              "malformed");
  const auto line = [](const char* name, const AnswerCounts& c) {
    std::printf("%-16s %8.3f %10.3f %8.3f %10.3f\n", name, c.right_rate(), c.abstention_rate(),
                c.hallucination(), c.malformed_rate());
  };
  line("SFT known", r.sft.known);
  line("SFT unknown", r.sft.unknown);
  line("PPO known", r.ppo.known);
  line("PPO unknown", r.ppo.unknown);
  std::printf(
      "\ntruthfulness (right less wrong and malformed): SFT %.3f, PPO %.3f; best threshold on "
      "SFT's confidence: "
      "chosen on "
      "validation %.3f, on test itself %.3f\n",
      r.sft.truthfulness(), r.ppo.truthfulness(), r.threshold.truthfulness(),
      r.oracle.truthfulness());
  std::printf("AUC of confidence, known against unknown: pretrained %.3f, SFT %.3f, PPO %.3f\n",
              r.pretrained_guesses.auc(), r.sft_guesses.auc(), r.ppo_guesses.auc());
  std::printf("reward model, held-out pairs ranked rightly:");
  for (const auto& [kind, pairs] : r.reward_model.kinds) {
    std::printf("  %s %.4f (%lld)", kind.c_str(), pairs.accuracy(),
                static_cast<long long>(pairs.pairs));
  }
  double total = 0;
  std::printf("\nseconds:");
  for (const auto& [stage, log] : r.logs) {
    std::printf("  %s %.1f", stage.c_str(), log.seconds);
    total += log.seconds;
  }
  std::printf("  in all %.1f\n", total);
}

void write_json(const Results& r, const std::filesystem::path& path) {
  nlohmann::json pairs, seconds;
  for (const auto& [kind, accuracy] : r.reward_model.kinds) pairs[kind] = accuracy.accuracy();
  for (const auto& [stage, log] : r.logs) seconds[stage] = log.seconds;
  const nlohmann::json json{{"seed", r.seed},
                            {"threshold", {{"truthfulness", r.threshold.truthfulness()}}},
                            {"sft", both(r.sft)},
                            {"ppo", both(r.ppo)},
                            {"oracle", {{"truthfulness", r.oracle.truthfulness()}}},
                            {"auc",
                             {{"pretrained", r.pretrained_guesses.auc()},
                              {"sft", r.sft_guesses.auc()},
                              {"ppo", r.ppo_guesses.auc()}}},
                            {"reward_model", pairs},
                            {"seconds", seconds}};
  rlhf::io::write_file_atomically(path, json.dump(1) + "\n");
}

}  // namespace honesty
