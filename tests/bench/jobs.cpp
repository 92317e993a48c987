#include "jobs.hpp"

#include <algorithm>

#include "rlhf/core/error.hpp"

namespace bench {
namespace {

template <Ends ends>
std::vector<Row> draw_prompts(const Shape& shape, int64_t count) {
  rlhf::Generator generator(1);
  return prompt_rows(shape, count, prompt_tokens, ends, generator);
}

template <int64_t group>
std::vector<Row> draw_ragged(const Shape& shape, int64_t count) {
  rlhf::Generator generator(1);
  return ragged_rows(shape, count, group, generator);
}

}  // namespace

Work& Work::operator+=(const Work& more) {
  units += more.units;
  operations += more.operations;
  for (const auto& [name, phase] : more.phases) {
    phases[name].seconds += phase.seconds;
    phases[name].operations += phase.operations;
  }
  return *this;
}

std::unique_ptr<Job> JobKind::start(const Setting& setting) const {
  rlhf::require(setting.precision != rlhf::Precision::int8 || make == make_generation,
                std::string("dtype of ") + name, "float32 or bfloat16, as int8 has no gradients",
                "int8");
  return make(setting);
}

const std::vector<JobKind>& job_kinds() {
  static const std::vector<JobKind> kinds{
      {"generate", "generation", "tokens", batch_rows, draw_prompts<Ends::full>, make_generation},
      {"sft", "sft", "tokens", batch_rows, draw_ragged<1>, make_sft},
      {"reward", "reward", "pairs", batch_rows, draw_ragged<2>, make_reward},
      {"ranking6", "reward", "rankings", batch_rankings, draw_ragged<ranked_responses>,
       make_reward},
      {"ppo", "ppo", "episodes", batch_rows, draw_prompts<Ends::full>, make_ppo},
      {"ppo_ragged", "ppo", "episodes", batch_rows, draw_prompts<Ends::ragged>, make_ragged_ppo}};
  return kinds;
}

const JobKind& job_kind(std::string_view name) {
  const auto& kinds = job_kinds();
  const auto found = std::ranges::find_if(kinds, [&](const auto& k) { return k.name == name; });
  rlhf::require(found != kinds.end(), "job", "generate, sft, reward, ranking6, ppo or ppo_ragged",
                name);
  return *found;
}

}  // namespace bench
