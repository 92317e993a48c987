#include "rlhf/io/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "rlhf/io/files.hpp"

namespace rlhf::io {
namespace {

// Written by tests/golden/io/gguf_files.py.
const std::filesystem::path golden =
    std::filesystem::path(RLHF_GOLDEN_DIR) / "data/every_type.gguf";

std::vector<float> numbers_of(const GgufFile& file, const std::string& name) {
  std::vector<float> numbers(static_cast<size_t>(file.tensor(name).count()));
  file.read(name, numbers);
  return numbers;
}

class GoldenGguf : public testing::TestWithParam<const char*> {};

TEST_P(GoldenGguf, NumbersAreThoseOfTheReferenceBitForBit) {
  const GgufFile file(golden);
  const std::string name = GetParam();
  const std::vector<float> actual = numbers_of(file, name);
  const std::vector<float> expected = numbers_of(file, name + ".expected");
  EXPECT_EQ(file.tensor(name).shape, file.tensor(name + ".expected").shape);
  ASSERT_EQ(actual.size(), expected.size());
  size_t finite = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(actual[i])) << "number " << i;
    } else {
      EXPECT_EQ(std::bit_cast<uint32_t>(actual[i]), std::bit_cast<uint32_t>(expected[i]))
          << "number " << i << ": " << actual[i] << " for " << expected[i];
    }
    finite += std::isfinite(expected[i]);
  }
  EXPECT_GT(finite, actual.size() / 2);
}

INSTANTIATE_TEST_SUITE_P(Types, GoldenGguf,
                         testing::Values("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0",
                                         "q5_1", "q4_k", "q6_k"),
                         [](const auto& type) { return std::string(type.param); });

TEST(GoldenGgufMetadata, EveryTypeIsReadAsPythonWroteIt) {
  const GgufFile file(golden);
  const GgufMetadata& metadata = file.metadata();
  EXPECT_EQ(metadata.text("general.architecture"), "llama");
  EXPECT_EQ(metadata.integer("u8"), 255);
  EXPECT_EQ(metadata.integer("i8"), -128);
  EXPECT_EQ(metadata.integer("u16"), 65535);
  EXPECT_EQ(metadata.integer("i16"), -32768);
  EXPECT_EQ(metadata.integer("u32"), 4294967295);
  EXPECT_EQ(metadata.integer("i32"), -2147483648);
  EXPECT_EQ(metadata.integer("u64"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(metadata.integer("i64"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(metadata.number("f32"), static_cast<double>(0.1F));
  EXPECT_EQ(metadata.number("f64"), 0.1);
  EXPECT_TRUE(metadata.boolean("yes"));
  EXPECT_FALSE(metadata.boolean("no"));
  EXPECT_EQ(metadata.text("text"), "gr\u00fc\u00df \"dich\"\n");
  EXPECT_EQ(metadata.texts("texts"), (std::vector<std::string>{"", "a", "\u0120t"}));
  EXPECT_EQ(metadata.integers("integers"), (std::vector<int64_t>{-1, 0, 1}));
  EXPECT_EQ(metadata.numbers("floats"), (std::vector<double>{0.5, -0.25}));
  EXPECT_EQ(metadata.value("bools"), nlohmann::json({true, false}));
  EXPECT_EQ(metadata.keys().size(), 18U);
}

}  // namespace
}  // namespace rlhf::io
