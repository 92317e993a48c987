// Drawing tokens, softmax and attention to cached tokens against plain loops in float64, for every
// instruction set that this processor has.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "../../../src/kernels/kernels.hpp"

namespace rlhf::kernels {
namespace {

using Floats = std::vector<float>;

class Rows : public testing::TestWithParam<const Kernels*> {
 protected:
  Floats normal(int64_t count, float size = 1.0F) {
    std::normal_distribution<float> distribution(0.0F, size);
    Floats drawn(static_cast<size_t>(count));
    for (float& x : drawn) x = distribution(engine_);
    return drawn;
  }
  int64_t below(int64_t limit) {
    return std::uniform_int_distribution<int64_t>(0, limit - 1)(engine_);
  }
  std::mt19937 engine_{7};
};

std::vector<double> probabilities(const Floats& logits, double sharpness) {
  double most = -INFINITY, total = 0;
  for (float x : logits) most = std::max(most, static_cast<double>(x));
  std::vector<double> p;
  for (float x : logits)
    total += p.emplace_back(std::exp((static_cast<double>(x) - most) * sharpness));
  for (double& x : p) x /= total;
  return p;
}

TEST_P(Rows, DrawTheTokenAtWhichTheRunningSumPasses) {
  for (int round = 0; round < 400; ++round) {
    const Floats logits = normal(1 + below(round % 4 == 0 ? 1500 : 40), 3.0F);
    const double sharpness = round % 2 == 0 ? 1.0 : 0.7;
    const double uniform = std::uniform_real_distribution<double>()(engine_);
    const auto width = std::ssize(logits);
    Floats scratch(2 * logits.size() + 1);
    const Drawn drawn = GetParam()->draw(logits.data(), width, static_cast<float>(sharpness),
                                         uniform, scratch.data());
    const std::vector<double> p = probabilities(logits, sharpness);
    double before = 0;
    for (int64_t j = 0; j < drawn.token; ++j) before += p[static_cast<size_t>(j)];
    const double own = p[static_cast<size_t>(drawn.token)];
    // float32 exponentials leave the sums uncertain by some 1e-6 of the total.
    EXPECT_GT(uniform, before - 2e-6);
    EXPECT_LT(uniform, before + own + 2e-6);
    EXPECT_NEAR(static_cast<double>(drawn.log_prob), std::log(own), 4e-6);
  }
}

TEST_P(Rows, NeverDrawWhatCannotBe) {
  for (const double uniform : {0.0, 0.5, 1.0 - 1e-16}) {
    Floats logits(200, -INFINITY);
    logits[70] = 1.0F;
    logits[71] = 1.0F;
    Floats scratch(401);
    const Drawn drawn = GetParam()->draw(logits.data(), 200, 1.0F, uniform, scratch.data());
    EXPECT_EQ(drawn.token, uniform < 0.5 ? 70 : 71);
    EXPECT_NEAR(drawn.log_prob, -std::log(2.0F), 1e-6F);
  }
}

TEST_P(Rows, AreNoNumbersWhereALogitIsNone) {
  for (const size_t place : {0UL, 3UL, 36UL}) {
    Floats logits(37, 1.0F), scratch(75);
    logits[place] = std::nanf("");
    EXPECT_TRUE(
        std::isnan(GetParam()->draw(logits.data(), 37, 1.0F, 0.5, scratch.data()).log_prob));
    EXPECT_TRUE(std::isnan(GetParam()->most_likely(logits.data(), 37, scratch.data()).log_prob));
  }
}

TEST_P(Rows, OfEqualTokensTakeTheFirstAsTheMostLikely) {
  for (int64_t width : {1, 5, 16, 33, 130}) {
    Floats logits(static_cast<size_t>(width), 0.0F), scratch(static_cast<size_t>(width));
    const int64_t place = below(width);
    for (int64_t j = place; j < width; j += 3) logits[static_cast<size_t>(j)] = 2.0F;
    const Drawn drawn = GetParam()->most_likely(logits.data(), width, scratch.data());
    EXPECT_EQ(drawn.token, place);
    const double own = probabilities(logits, 1.0)[static_cast<size_t>(place)];
    EXPECT_NEAR(static_cast<double>(drawn.log_prob), std::log(own), 2e-6);
  }
}

TEST_P(Rows, GiveLogProbabilitiesAndEntropiesOfSoftmax) {
  for (int round = 0; round < 40; ++round) {
    const Floats logits = normal(1 + below(90), 2.0F);
    const std::vector<double> p = probabilities(logits, 0.5);
    const int64_t target = below(std::ssize(logits));
    Floats exponentials = logits;
    float log_prob = 0, sum = 0, entropy = 0;
    GetParam()->softmax(exponentials.data(), 1, std::ssize(logits), 0.5F, &target, &log_prob, &sum,
                        &entropy);
    double expected = 0;
    for (double x : p) expected -= x * std::log(x);
    EXPECT_NEAR(static_cast<double>(log_prob), std::log(p[static_cast<size_t>(target)]), 3e-6);
    EXPECT_NEAR(static_cast<double>(entropy), expected, 3e-6);
    for (size_t j = 0; j < p.size(); ++j) {
      EXPECT_NEAR(static_cast<double>(exponentials[j] / sum), p[j], 3e-7);
    }
  }
}

TEST_P(Rows, AttendToAllThatCameBeforeAndToNothingElse) {
  for (int round = 0; round < 60; ++round) {
    const int64_t heads = 1 + below(4), size = 2 * (1 + below(30)), length = 1 + below(150);
    SCOPED_TRACE(testing::Message() << heads << " heads of " << size << ", length " << length);
    const int64_t blocks = length / key_block + 2;
    const Floats queries = normal(heads * size);
    // What lies behind the length may be anything.
    Floats keys(static_cast<size_t>(blocks * key_block * size), std::nanf(""));
    Floats values(static_cast<size_t>((length + 16) * size), std::nanf(""));
    const Floats key_rows = normal(length * size), value_rows = normal(length * size);
    for (int64_t j = 0; j < length; ++j) {
      for (int64_t d = 0; d < size; ++d) {
        keys[static_cast<size_t>((j / key_block * size + d) * key_block + j % key_block)] =
            key_rows[static_cast<size_t>(j * size + d)];
        values[static_cast<size_t>(j * size + d)] = value_rows[static_cast<size_t>(j * size + d)];
      }
    }
    Floats out(static_cast<size_t>(heads * size)), scratch(static_cast<size_t>(length + 15));
    GetParam()->attend(queries.data(), heads, size, keys.data(), values.data(), length, out.data(),
                       scratch.data());
    for (int64_t head = 0; head < heads; ++head) {
      Floats scores;
      for (int64_t j = 0; j < length; ++j) {
        double score = 0;
        for (int64_t d = 0; d < size; ++d) {
          score += static_cast<double>(queries[static_cast<size_t>(head * size + d)]) *
                   static_cast<double>(key_rows[static_cast<size_t>(j * size + d)]);
        }
        scores.push_back(static_cast<float>(score));
      }
      const std::vector<double> p = probabilities(scores, 1 / std::sqrt(static_cast<double>(size)));
      for (int64_t d = 0; d < size; ++d) {
        double expected = 0;
        for (int64_t j = 0; j < length; ++j) {
          expected += p[static_cast<size_t>(j)] *
                      static_cast<double>(value_rows[static_cast<size_t>(j * size + d)]);
        }
        EXPECT_NEAR(static_cast<double>(out[static_cast<size_t>(head * size + d)]), expected, 5e-6);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Rows, testing::ValuesIn(all_kernels()),
                         [](const auto& set) { return "Set" + std::to_string(set.index); });

}  // namespace
}  // namespace rlhf::kernels
