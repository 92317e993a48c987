// LibTorch's threads beside the kernels' own: whoever wakes them in a step has them wait, busily
// unless OMP_WAIT_POLICY says otherwise, where a thread of the kernels should work.
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>

#include "rlhf/model/frozen.hpp"
#include "rlhf/reward/reward_model.hpp"
#include "rlhf/trainer/ppo.hpp"
#include "rlhf/trainer/reward.hpp"
#include "rlhf/trainer/sft.hpp"

namespace {

std::atomic<int> regions{0};

}  // namespace

/// Stands before libgomp's own, which every parallel region of LibTorch and of MKL goes through.
extern "C" void GOMP_parallel(void (*work)(void*), void* data, unsigned threads, unsigned flags) {
  using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);
  static const auto next = reinterpret_cast<Parallel>(dlsym(RTLD_NEXT, "GOMP_parallel"));
  if (threads != 1 && at::get_num_threads() > 1) ++regions;
  next(work, data, threads, flags);
}

namespace rlhf {
namespace {

class OpenMp : public testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(2);
    if (regions_of([] { torch::exp(torch::ones({100'000})); }) == 0) {
      GTEST_SKIP() << "regions of this OpenMP cannot be counted";
    }
  }
  void TearDown() override { at::set_num_threads(before_); }

  template <class Work>
  static int regions_of(Work&& work) {
    const int before = regions;
    work();
    return regions - before;
  }

  int before_ = at::get_num_threads();
  Generator generator_{1};
  CausalLM model_{{.vocab_size = 300,
                   .dim = 64,
                   .hidden_dim = 100,
                   .layers = 2,
                   .heads = 4,
                   .context_length = 64},
                  generator_};
  /// 24 x 44 tokens.
  Completions rows_ =
      completions_from(std::vector<std::vector<int64_t>>(24, {1, 2, 3, 4}),
                       std::vector<std::vector<int64_t>>(24, std::vector<int64_t>(40, 5)));
};

TEST_F(OpenMp, SleepsWhileDemonstrationsAreLearnt) {
  SftTrainer trainer{model_, SftOptions{}};
  trainer.step(rows_);  // makes the moments
  EXPECT_EQ(regions_of([&] { trainer.step(rows_); }), 0);
}

TEST_F(OpenMp, SleepsWhileRankingsAreLearnt) {
  RewardModel reward(model_, generator_);
  RewardTrainer trainer{reward, RewardOptions{}};
  const Rankings rankings{.completions = rows_, .group_sizes = int64_tensor({16, 8})};
  trainer.step(rankings);
  EXPECT_EQ(regions_of([&] { trainer.step(rankings); }), 0);
}

TEST_F(OpenMp, SleepsInAStepOfPpo) {
  ValueModel critic{model_, generator_};
  Frozen<CausalLM> reference{model_.clone()};
  const auto reward = [](const Rollout& rollout) {
    return rollout.completions.response_lengths.to(torch::kFloat);
  };
  PpoTrainer trainer{
      model_,
      critic,
      reward,
      reference,
      generator_,
      PpoOptions{.sampling = {.max_response_tokens = 40, .end_tokens = {0}}, .minibatches = 2}};
  const Completions prompts = completions_from(std::vector<std::vector<int64_t>>(24, {1, 2, 3}));
  trainer.step(prompts);
  EXPECT_EQ(regions_of([&] { trainer.step(prompts); }), 0);
}

}  // namespace
}  // namespace rlhf
