#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "support/error_of.hpp"
#include "support/small_runs.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using test::end_state;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

RunOptions quiet(int64_t save_every = 2) {
  return {.save_every = save_every, .say = [](std::string_view) {}};
}

class Resume : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  Resume() { at::set_num_threads(std::get<1>(GetParam())); }
  ~Resume() override { at::set_num_threads(1); }
  const test::SmallRun& run() const { return test::small_runs().at(std::get<0>(GetParam())); }
  test::TemporaryFolder folder_;
};

TEST_P(Resume, EqualsAnUninterruptedRunAtEveryStepBoundary) {
  constexpr int64_t steps = 6;
  run()(folder_ / "whole", steps, quiet());
  const std::string whole = end_state(folder_ / "whole");
  for (int64_t first = 0; first <= steps; ++first) {
    const fs::path parts = folder_ / std::to_string(first);
    run()(parts, first, quiet());
    run()(parts, steps, quiet());
    EXPECT_EQ(end_state(parts), whole) << "interrupted after step " << first;
  }
}

TEST_P(Resume, MayHappenAfterEveryStep) {
  constexpr int64_t steps = 6;
  run()(folder_ / "whole", steps, quiet());
  for (int64_t step = 1; step <= steps; ++step) run()(folder_ / "parts", step, quiet(0));
  EXPECT_EQ(end_state(folder_ / "parts"), end_state(folder_ / "whole"));
}

TEST_P(Resume, GoesBackToTheCheckpointBeforeADamagedOne) {
  run()(folder_ / "whole", 5, quiet(1));
  run()(folder_ / "parts", 4, quiet(1));
  const fs::path tensors = folder_ / "parts/step-00000004/tensors.safetensors";
  std::string bytes = io::read_file(tensors);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  std::ofstream(tensors, std::ios::binary) << bytes;
  std::string said;
  RunOptions options = quiet(1);
  options.say = [&](std::string_view text) { said.append(text).append("\n"); };
  run()(folder_ / "parts", 5, options);
  EXPECT_EQ(end_state(folder_ / "parts"), end_state(folder_ / "whole"));
  EXPECT_THAT(said, AllOf(HasSubstr("step-00000004: a checkpoint that cannot be used"),
                          HasSubstr("the file is damaged"), HasSubstr("goes on after step 3")));
  EXPECT_TRUE(fs::exists(folder_ / "parts/step-00000004.damaged"));
}

INSTANTIATE_TEST_SUITE_P(Trainers, Resume,
                         testing::Combine(testing::Values("sft", "reward", "ppo", "actor_critic"),
                                          testing::Values(1, 2)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_with_threads_" +
                                  std::to_string(std::get<1>(info.param));
                         });

/// A PPO run that a second process may begin otherwise.
struct PpoStart {
  uint64_t seed = 5;
  uint64_t reference = 1;
  Completions prompts = test::few_prompts();
  PpoOptions options = {.sampling = {.max_response_tokens = 3}, .epochs = 1, .minibatches = 1};
};

std::string error_of_start(const fs::path& folder, PpoStart start) {
  return error_of([&] {
    Generator generator(start.seed);
    CausalLM policy = test::tiny_model();
    const Frozen<CausalLM> reference{test::tiny_model(start.reference)};
    ValueModel critic{policy, generator};
    auto reward = test::share_of_eights;
    Loader loader{start.prompts, {.batch_size = 3}};
    PpoTrainer trainer{policy, critic, reward, reference, generator, start.options};
    Run run{folder, {{"trainer", trainer}, {"prompts", loader}}, quiet()};
    run.until(1, [&](int64_t) { trainer.step(loader.next()); });
  });
}

TEST(ResumeOf, AnotherRunIsRefusedNamingTheDifference) {
  const test::TemporaryFolder folder;
  const auto error_with = [&](auto&& change) {
    PpoStart start;
    change(start);
    return error_of_start(folder.path(), start);
  };
  const auto nothing = HasSubstr("nothing was thrown");
  EXPECT_THAT(error_with([](PpoStart&) {}), nothing);
  EXPECT_THAT(error_with([](PpoStart&) {}), nothing);
  EXPECT_THAT(error_with([](PpoStart& s) { s.options.micro_batch_tokens = 8; }), nothing);
  EXPECT_THAT(error_with([](PpoStart& s) { s.reference = 2; }),
              HasSubstr("trainer/reference: \"crc32c:"));
  EXPECT_THAT(error_with([](PpoStart& s) { s.seed = 6; }),
              HasSubstr("trainer/generator/seed: 5 in the checkpoint, 6 now"));
  EXPECT_THAT(error_with([](PpoStart& s) { s.prompts.tokens = s.prompts.tokens.flip(0); }),
              HasSubstr("prompts/data: \"crc32c:"));
  EXPECT_THAT(
      error_with([](PpoStart& s) {
        s.options.epochs = 2;
        s.options.value_clip = std::numeric_limits<double>::infinity();
        s.options.sampling.end_tokens = {0, 3};
        s.options.policy_optimizer.learning_rate = 1e-3;
      }),
      AllOf(HasSubstr("trainer/options/epochs: 1 in the checkpoint, 2 now"),
            HasSubstr("trainer/options/value_clip: 0.2 in the checkpoint, \"Infinity\" now"),
            HasSubstr("trainer/options/sampling/end_tokens: [] in the checkpoint, [0,3] now"),
            HasSubstr("trainer/policy_learner/optimizer/learning_rate: 1e-05 in the "
                      "checkpoint, 0.001 now")));
}

}  // namespace
}  // namespace rlhf
