// What models that score side by side share: memory, packed weights, and the states of frozen
// layers.
#include <gtest/gtest.h>

#include "../../src/model/frozen_states.hpp"
#include "../../src/model/packed_weights.hpp"
#include "../../src/model/pool.hpp"
#include "threads/in_threads.hpp"

namespace rlhf {

// Which instructions pack is no matter of threads.
namespace kernels {
extern const Kernels plain_kernels;
const Kernels& kernels() {
  return plain_kernels;
}
}  // namespace kernels

namespace {

TEST(Threads, HaveTheirOwnBlocksOfThePool) {
  test::in_threads(4, [](int rank) {
    for (int64_t i = 0; i < 100; ++i) {
      const Tensor block = model::pooled({64, 300 + i % 3});
      float* const first = block.data_ptr<float>();
      std::fill_n(first, block.numel(), static_cast<float>(rank));
      EXPECT_EQ(std::count(first, first + block.numel(), static_cast<float>(rank)), block.numel());
      if (i % 40 == rank) model::release_pooled();
    }
  });
}

TEST(Threads, ShareThePackedCopyOfAWeight) {
  model::PackedWeights packed;
  const Tensor weight = torch::rand({32, 16}), x = torch::rand({3, 16});
  const Tensor expected = torch::matmul(x, weight.t());
  const kernels::Number number = kernels::Number::float32;
  test::in_threads(4, [&](int) {
    for (int i = 0; i < 20; ++i) {
      const auto shared = packed.forward(number, weight);
      std::vector<float> y(3 * 32);
      shared->product(x.const_data_ptr<float>(), 3, y.data());
      EXPECT_NEAR(y[40], expected.const_data_ptr<float>()[40], 1e-5);
      const Tensor own = torch::rand({16, 16});
      EXPECT_EQ(packed.backward(number, own)->outputs, 16);
      EXPECT_EQ(packed.forward(number, weight), shared);
    }
  });
}

TEST(Threads, ShareTheStatesOfFrozenLayers) {
  // So few bytes that sequences are forgotten all the time.
  model::FrozenStates frozen(1, 5 * 3 * 4 * 4);
  const auto compute = [](const Tensor& tokens, const std::vector<int64_t>&) {
    return tokens.to(torch::kFloat32).unsqueeze(1).expand({-1, 4}).contiguous();
  };
  test::in_threads(4, [&](int rank) {
    for (int64_t i = 0; i < 100; ++i) {
      const int64_t token = (i * (rank + 1)) % 9;
      const Tensor tokens = int64_tensor({token, 1, 2, 7, token});
      const Tensor states = frozen.of(tokens, {3, 2}, 'f', /*version=*/0, compute);
      EXPECT_TRUE(torch::equal(states, compute(tokens, {})));
    }
  });
}

}  // namespace
}  // namespace rlhf
