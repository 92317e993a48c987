#include "rlhf/io/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/io/gguf_tokenizer.hpp"
#include "support/error_of.hpp"
#include "support/gguf_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

GgufFile open(const std::string& bytes) {
  return GgufFile(MappedFile("m.gguf", bytes));
}

/// "w" [2, 3] of 0.5, -1, 2, 3, 4, 5 and "v" of type 24, I8.
GgufBytes two_tensors(size_t alignment) {
  GgufBytes file(2, 1);
  file.integer("general.alignment", static_cast<uint32_t>(alignment))
      .tensor("v", {4}, 24, (24 + alignment - 1) / alignment * alignment)
      .tensor("w", {3, 2}, 0, 0)
      .data(0, alignment);
  for (const float value : {0.5F, -1.0F, 2.0F, 3.0F, 4.0F, 5.0F}) file.number(value);
  return file.data(4, alignment);
}

std::vector<float> numbers_of(const GgufFile& file, std::string_view name) {
  std::vector<float> numbers(static_cast<size_t>(file.tensor(name).count()));
  file.read(name, numbers);
  return numbers;
}

TEST(Gguf, ReadsAFileByItsPath) {
  const TemporaryFolder folder;
  const GgufFile file(folder.put("m.gguf", two_tensors(32).bytes()));
  EXPECT_THAT(numbers_of(file, "w"), ElementsAre(0.5F, -1.0F, 2.0F, 3.0F, 4.0F, 5.0F));
  EXPECT_EQ(file.path(), folder / "m.gguf");
}

TEST(Gguf, NamesAFileThatIsMissing) {
  EXPECT_EQ(message_of([] { GgufFile("absent.gguf"); }),
            "absent.gguf: cannot open: No such file or directory");
}

TEST(Gguf, GivesShapesRowMajorInTheFilesOrder) {
  const GgufFile file = open(two_tensors(32));
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].name, "v");
  EXPECT_EQ(file.tensors()[0].type, "I8");
  EXPECT_EQ(file.tensor("w").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file.tensor("w").count(), 6);
  EXPECT_EQ(file.tensor("w").bytes, 24);
  EXPECT_TRUE(file.contains("v"));
  EXPECT_FALSE(file.contains("x"));
}

TEST(Gguf, FollowsTheAlignmentThatTheFileStates) {
  for (const size_t alignment : {8U, 64U, 4096U}) {
    EXPECT_THAT(numbers_of(open(two_tensors(alignment)), "w"),
                ElementsAre(0.5F, -1.0F, 2.0F, 3.0F, 4.0F, 5.0F));
  }
}

TEST(Gguf, ReadsVersionTwo) {
  std::string bytes = two_tensors(32);
  bytes[4] = 2;
  EXPECT_THAT(numbers_of(open(bytes), "w"), ElementsAre(0.5F, -1.0F, 2.0F, 3.0F, 4.0F, 5.0F));
}

TEST(Gguf, MayHoldMetadataAlone) {
  EXPECT_EQ(open(GgufBytes(0, 1).text("k", "v")).metadata().text("k"), "v");
  EXPECT_TRUE(open(GgufBytes(0, 0)).tensors().empty());
}

TEST(Gguf, MayEndWithoutTheLastPadding) {
  EXPECT_NO_THROW(open(GgufBytes(1, 0).tensor("w", {3}, 0, 0).data(12)));
  EXPECT_NO_THROW(open(GgufBytes(1, 0).tensor("w", {3}, 0, 0).data(32)));
}

TEST(Gguf, ATensorWithoutSizesIsOneNumber) {
  const GgufFile file = open(GgufBytes(1, 0).tensor("w", {}, 0, 0).data(0).number(1.5F));
  EXPECT_TRUE(file.tensor("w").shape.empty());
  EXPECT_THAT(numbers_of(file, "w"), ElementsAre(1.5F));
}

TEST(Gguf, NamesTensorAndTypeThatItCannotRead) {
  const GgufFile file = open(two_tensors(32));
  const std::string message =
      "m.gguf: tensor \"v\": type: expected one of F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, "
      "Q6_K, BF16, got I8";
  EXPECT_EQ(message_of([&] { file.require_readable(); }), message);
  EXPECT_EQ(message_of([&] { numbers_of(file, "v"); }), message);
}

TEST(Gguf, NamesATensorThatIsMissingOrAskedForInAnotherSize) {
  const GgufFile file = open(two_tensors(32));
  std::vector<float> numbers(5);
  EXPECT_EQ(message_of([&] { file.read("x", numbers); }),
            "m.gguf: expected a tensor \"x\", got none");
  EXPECT_EQ(message_of([&] { file.read("w", numbers); }),
            "m.gguf: tensor \"w\": numbers to fill: expected 6, got 5");
}

TEST(Gguf, NoticesThatAFileWasCutSinceItWasOpened) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.put("m.gguf", two_tensors(4096).bytes());
  const GgufFile file(path);
  std::filesystem::resize_file(path, 4000);
  EXPECT_EQ(message_of([&] { numbers_of(file, "w"); }),
            path.string() + ": size in bytes since it was opened: expected 8196, got 4000");
}

// The conversion itself, against the definition: (-1)^s 2^(e - 15) (1 + f / 1024), subnormals
// 2^-14 f / 1024.
TEST(Gguf, EveryFloat16IsReadExactly) {
  GgufBytes bytes(1, 0);
  bytes.tensor("w", {65536}, 1, 0).data(0);
  for (uint32_t bits = 0; bits < 65536; ++bits) bytes.number(static_cast<uint16_t>(bits));
  const std::vector<float> numbers = numbers_of(open(bytes), "w");
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31),
              fraction = static_cast<int>(bits & 1023);
    const double sign = bits < 32768 ? 1 : -1;
    if (exponent == 31) {
      EXPECT_TRUE(fraction != 0 ? std::isnan(numbers[bits])
                                : std::isinf(numbers[bits]) && sign * numbers[bits] > 0);
      continue;
    }
    const double size =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    EXPECT_EQ(numbers[bits], sign * size);
    EXPECT_EQ(std::signbit(numbers[bits]), sign < 0);
  }
}

TEST(GgufMetadata, NamesKeyAndTypeThatDoNotFit) {
  const GgufFile file = open(GgufBytes(0, 4)
                                 .integer("count", 1)
                                 .text("name", "x")
                                 .texts("names", {"x"})
                                 .key("large", gguf_uint64)
                                 .number(uint64_t{1} << 63));
  const GgufMetadata& metadata = file.metadata();
  const auto message = [](const auto& action) { return message_of(action); };
  EXPECT_EQ(message([&] { metadata.integer("absent"); }),
            "m.gguf: metadata \"absent\": expected an integer, got none");
  EXPECT_EQ(message([&] { metadata.integer("name"); }),
            "m.gguf: metadata \"name\": expected an integer, got string");
  EXPECT_EQ(message([&] { metadata.integer("large"); }),
            "m.gguf: metadata \"large\": expected an integer < 2^63, got 9223372036854775808");
  EXPECT_EQ(message([&] { metadata.number("count"); }),
            "m.gguf: metadata \"count\": expected a float, got uint32");
  EXPECT_EQ(message([&] { metadata.text("names"); }),
            "m.gguf: metadata \"names\": expected a string, got a list of string");
  EXPECT_EQ(message([&] { metadata.boolean("count"); }),
            "m.gguf: metadata \"count\": expected a bool, got uint32");
  EXPECT_EQ(message([&] { metadata.integers("names"); }),
            "m.gguf: metadata \"names\": expected a list of integers, got a list of string");
  EXPECT_EQ(message([&] { metadata.numbers("count"); }),
            "m.gguf: metadata \"count\": expected a list of floats, got uint32");
}

TEST(GgufMetadata, GivesListsInLists) {
  GgufBytes bytes(0, 1);
  bytes.key("k", gguf_list).number<uint32_t>(gguf_list).number<uint64_t>(3);
  bytes.number<uint32_t>(gguf_uint8).number<uint64_t>(2).number<uint8_t>(1).number<uint8_t>(2);
  bytes.number<uint32_t>(gguf_string).number<uint64_t>(1).string("x");
  bytes.number<uint32_t>(gguf_float64).number<uint64_t>(0);
  EXPECT_EQ(open(bytes).metadata().value("k"), nlohmann::json::parse(R"([[1, 2], ["x"], []])"));
}

TEST(GgufTokenizer, GivesWhatTheFileSays) {
  const GgufFile file = open(GgufBytes(0, 11)
                                 .text("tokenizer.ggml.model", "gpt2")
                                 .text("tokenizer.ggml.pre", "smollm")
                                 .texts("tokenizer.ggml.tokens", {"<end>", "a", "\u0120b"})
                                 .texts("tokenizer.ggml.merges", {"\u0120 b"})
                                 .integers("tokenizer.ggml.token_type", {3, 1, 4})
                                 .integer("tokenizer.ggml.bos_token_id", 1)
                                 .integer("tokenizer.ggml.eos_token_id", 0)
                                 .integer("tokenizer.ggml.eot_token_id", 2)
                                 .key("tokenizer.ggml.add_bos_token", gguf_bool)
                                 .number<uint8_t>(1)
                                 .key("tokenizer.ggml.add_eos_token", gguf_bool)
                                 .number<uint8_t>(0)
                                 .text("tokenizer.chat_template", "{{ x }}"));
  const GgufTokenizer tokenizer = read_gguf_tokenizer(file.metadata());
  EXPECT_EQ(tokenizer.model, "gpt2");
  EXPECT_EQ(tokenizer.pre, "smollm");
  EXPECT_THAT(tokenizer.tokens, ElementsAre("<end>", "a", "\u0120b"));
  EXPECT_THAT(tokenizer.merges, ElementsAre("\u0120 b"));
  EXPECT_THAT(tokenizer.kinds, ElementsAre(GgufTokenKind::control, GgufTokenKind::normal,
                                           GgufTokenKind::user_defined));
  EXPECT_EQ(tokenizer.bos, 1);
  EXPECT_EQ(tokenizer.eos, 0);
  EXPECT_THAT(tokenizer.further_ends, ElementsAre(2));
  EXPECT_FALSE(tokenizer.unknown.has_value());
  EXPECT_FALSE(tokenizer.padding.has_value());
  EXPECT_EQ(tokenizer.add_bos, true);
  EXPECT_EQ(tokenizer.add_eos, false);
  EXPECT_EQ(tokenizer.chat_template, "{{ x }}");
}

TEST(GgufTokenizer, TakesTokensToBeNormalWhereTheFileDoesNotSay) {
  const GgufFile file = open(GgufBytes(0, 2)
                                 .text("tokenizer.ggml.model", "gpt2")
                                 .texts("tokenizer.ggml.tokens", {"a", "b"}));
  const GgufTokenizer tokenizer = read_gguf_tokenizer(file.metadata());
  EXPECT_THAT(tokenizer.kinds, ElementsAre(GgufTokenKind::normal, GgufTokenKind::normal));
  EXPECT_FALSE(tokenizer.add_bos.has_value());
  EXPECT_FALSE(tokenizer.chat_template.has_value());
}

}  // namespace
}  // namespace rlhf::io
