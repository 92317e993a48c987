#include "rlhf/io/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "rlhf/io/files.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

// Written by tests/golden/safetensors_file.py.
const std::filesystem::path golden =
    std::filesystem::path(RLHF_GOLDEN_DIR) / "data/every_type.safetensors";

class GoldenSafetensors : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

Tensor tensor_called(const Safetensors& file, const std::string& name) {
  for (const auto& [key, tensor] : file.tensors) {
    if (key == name) return tensor;
  }
  ADD_FAILURE() << "no tensor " << name;
  return torch::empty(0);
}

TEST_F(GoldenSafetensors, EveryTypeIsReadAsPythonWroteIt) {
  const Safetensors file = read_safetensors(golden);
  const auto expect = [&](const std::string& name, const Tensor& expected) {
    const Tensor actual = tensor_called(file, name);
    EXPECT_EQ(actual.scalar_type(), expected.scalar_type()) << name;
    EXPECT_TRUE(actual.sizes() == expected.sizes()) << name;
    EXPECT_TRUE(torch::equal(actual.nan_to_num(7.0), expected.nan_to_num(7.0))) << name;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect("f64", torch::tensor({1.0 / 3, infinity}, torch::kDouble));
  expect("f32", torch::tensor({1.5, -2.25, 0.1, nan, 0.0, -0.0}, torch::kFloat).view({2, 3}));
  expect("f16", torch::tensor({0.5, 65504.0}, torch::kHalf));
  expect("bf16", torch::tensor({1.0, -3.140625, 0x1p100}, torch::kBFloat16));
  expect("i64",
         int64_tensor({std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}));
  expect("i32", torch::tensor(7, torch::kInt));
  expect("i16", torch::tensor({-300}, torch::kShort).view({1, 1, 1}));
  expect("i8", torch::tensor({-1, 2, -3}, torch::kChar));
  expect("u8", torch::tensor({255}, torch::kByte));
  expect("bool", torch::tensor({1, 0, 1}, torch::kBool));
  expect("empty", torch::zeros({0, 3}));
  expect("name \"with\" \u00fc\n", torch::tensor({1.0F}));
  EXPECT_EQ(file.tensors.size(), 12U);
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST_F(GoldenSafetensors, WritingGivesPythonsBytes) {
  const Safetensors file = read_safetensors(golden);
  write_safetensors(folder_ / "again", file.tensors, file.metadata);
  EXPECT_EQ(read_file(folder_ / "again"), read_file(golden));
}

}  // namespace
}  // namespace rlhf::io
