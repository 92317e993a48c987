// Wrong GGUF files, each with its whole message.
#include <gtest/gtest.h>

#include "rlhf/io/gguf.hpp"
#include "rlhf/io/gguf_tokenizer.hpp"
#include "support/error_of.hpp"
#include "support/gguf_bytes.hpp"
#include "support/malformed.hpp"

namespace rlhf::io {
namespace {

using namespace test;

class MalformedGguf : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedGguf, IsRefusedWithItsMessage) {
  const auto open = [] { GgufFile(MappedFile("m.gguf", GetParam().bytes)); };
  EXPECT_EQ(message_of(open), "m.gguf: " + GetParam().message);
}

std::string nested_lists(int depth) {
  GgufBytes file(0, 1);
  file.key("deep", gguf_list);
  for (int i = 0; i < depth; ++i) file.number<uint32_t>(gguf_list).number<uint64_t>(1);
  return file.number<uint32_t>(gguf_uint8).number<uint64_t>(0);
}

/// One float32 tensor of 8 numbers, and what stands after its type and name.
std::string one_tensor(std::initializer_list<uint64_t> sizes, uint32_t type, uint64_t offset,
                       size_t data_bytes) {
  return GgufBytes(1, 0).tensor("w", sizes, type, offset).data(data_bytes);
}

std::string two_tensors(uint64_t second_offset, size_t data_bytes) {
  return GgufBytes(2, 0)
      .tensor("a", {10}, 0, 0)
      .tensor("b", {8}, 0, second_offset)
      .data(data_bytes);
}

constexpr uint64_t huge = uint64_t{1} << 60;

INSTANTIATE_TEST_SUITE_P(
    Headers, MalformedGguf,
    testing::Values(
        Malformed{"Empty", "",
                  "magic: expected 4 bytes from offset 0 on, got the file's end "
                  "after 0"},
        Malformed{"AnotherFormat", "GGML\3\0\0\0", "magic: expected GGUF, got another file's"},
        Malformed{"CutInTheVersion", "GGUF\3",
                  "version: expected 4 bytes from offset 4 on, got the file's end after 1"},
        Malformed{"VersionOne", GgufBytes(0, 0, 1), "version: expected 2 or 3, got 1"},
        Malformed{"VersionFour", GgufBytes(0, 0, 4), "version: expected 2 or 3, got 4"},
        Malformed{"BigEndian", GgufBytes(0, 0, 0x03000000),
                  "byte order: expected little-endian, got big-endian"},
        Malformed{"CutInTheCounts", GgufBytes(0, 0).bytes().substr(0, 20),
                  "number of metadata: expected 8 bytes from offset 16 on, got the file's end "
                  "after 4"},
        Malformed{"TensorsBeyondCounting", GgufBytes(huge, 0),
                  "number of tensors: expected <= 131072, got 1152921504606846976"},
        Malformed{"MetadataBeyondCounting", GgufBytes(0, ~uint64_t{0}),
                  "number of metadata: expected <= 65536, got 18446744073709551615"},
        Malformed{"FewerTensorsThanCounted", GgufBytes(2, 0).tensor("a", {8}, 0, 0),
                  "name of tensor 1: expected 8 bytes from offset 57 on, got the file's end "
                  "after 0"}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Metadata, MalformedGguf,
    testing::Values(
        Malformed{"KeyOf2To60Bytes", GgufBytes(0, 1).number(huge).raw("key"),
                  "key 0 of the metadata: expected 1152921504606846976 bytes from offset 32 on, "
                  "got the file's end after 3"},
        Malformed{"KeyLongerThanAllowed", GgufBytes(0, 1).string(std::string(65536, 'k')),
                  "key 0 of the metadata: expected at most 65535 bytes, got 65536"},
        Malformed{"KeyThatIsNoUtf8", GgufBytes(0, 1).text("k\xFF", ""),
                  "key 0 of the metadata: expected valid UTF-8, got byte 0xff at offset 1"},
        Malformed{"KeyTwice", GgufBytes(0, 2).integer("k", 1).text("k", "v"),
                  "metadata \"k\": expected a key of its own, got an earlier key"},
        Malformed{"TypeThatIsNone", GgufBytes(0, 1).key("k", 13),
                  "metadata \"k\": type: expected 0 to 12, got 13"},
        Malformed{"ValueCutOff", GgufBytes(0, 1).key("k", gguf_uint64).number<uint32_t>(1),
                  "metadata \"k\": expected 8 bytes from offset 37 on, got the file's end "
                  "after 4"},
        Malformed{"StringOf2To64Bytes", GgufBytes(0, 1).key("k", gguf_string).number(~uint64_t{0}),
                  "metadata \"k\": expected 18446744073709551615 bytes from offset 45 on, got the "
                  "file's end after 0"},
        Malformed{"ListOf2To60Items",
                  GgufBytes(0, 1).key("k", gguf_list).number<uint32_t>(gguf_uint8).number(huge),
                  "metadata \"k\": length of the list: expected <= 16777216, got "
                  "1152921504606846976"},
        Malformed{"ListCutOff",
                  GgufBytes(0, 1)
                      .key("k", gguf_list)
                      .number<uint32_t>(gguf_int32)
                      .number<uint64_t>(16777216),
                  "metadata \"k\": expected 67108864 bytes from offset 49 on, got the file's end "
                  "after 0"},
        Malformed{"ListOfNoType",
                  GgufBytes(0, 1).key("k", gguf_list).number<uint32_t>(99).number<uint64_t>(0),
                  "metadata \"k\": type: expected 0 to 12, got 99"},
        Malformed{"NestedDeeperThanAllowed", nested_lists(8),
                  "metadata \"deep\": expected at most 8 lists in each other, got more"},
        Malformed{"AlignmentThatIsNoPower", GgufBytes(0, 1).integer("general.alignment", 24),
                  "metadata \"general.alignment\": expected a power of two <= 2^30, got 24"},
        Malformed{"AlignmentOfZero", GgufBytes(0, 1).integer("general.alignment", 0),
                  "metadata \"general.alignment\": expected a power of two <= 2^30, got 0"},
        Malformed{"AlignmentAsText", GgufBytes(0, 1).text("general.alignment", "32"),
                  "metadata \"general.alignment\": expected an integer, got string"},
        Malformed{"OnePartOfThree", GgufBytes(0, 1).integer("split.count", 3),
                  "metadata \"split.count\": expected a file of one part (llama.cpp's gguf-split "
                  "--merge joins them), got 3"}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Tensors, MalformedGguf,
    testing::Values(
        Malformed{"NameThatIsNoUtf8", GgufBytes(1, 0).tensor("\xC0w", {8}, 0, 0),
                  "name of tensor 0: expected valid UTF-8, got byte 0xc0 at offset 0"},
        Malformed{"NameTwice",
                  GgufBytes(2, 0).tensor("w", {8}, 0, 0).tensor("w", {8}, 0, 32).data(64),
                  "tensor \"w\": expected a name of its own, got the name of an earlier tensor"},
        Malformed{"NameThatWritesToTheTerminal",
                  GgufBytes(1, 0).tensor({"a\0\x1b[2J\n", 7}, {8}, 0, 4).data(64),
                  "tensor \"a\\u0000\\u001b[2J\\n\": offset: expected a multiple of 32, got 4"},
        Malformed{
            "NameThatIsLong", GgufBytes(1, 0).tensor(std::string(1000, 'n'), {8}, 0, 4).data(64),
            "tensor \"" + std::string(99, 'n') + "...: offset: expected a multiple of 32, got 4"},
        Malformed{"FiveDimensions", one_tensor({1, 1, 1, 1, 1}, 0, 0, 32),
                  "tensor \"w\": dimensions: expected <= 4, got 5"},
        Malformed{"FourThousandMillionDimensions", GgufBytes(1, 0).string("w").number(~uint32_t{0}),
                  "tensor \"w\": dimensions: expected <= 4, got 4294967295"},
        Malformed{"SizeOfZero", one_tensor({8, 0}, 0, 0, 0),
                  "tensor \"w\": size: expected 1 to 2^63 - 1, got 0"},
        Malformed{"SizeOf2To63", one_tensor({uint64_t{1} << 63}, 0, 0, 0),
                  "tensor \"w\": size: expected 1 to 2^63 - 1, got 9223372036854775808"},
        Malformed{"ProductOfSizesOverflows", one_tensor({1u << 31, 1u << 31, 1u << 31}, 0, 0, 0),
                  "tensor \"w\": shape: expected fewer than 2^60 numbers, got [2147483648, "
                  "2147483648, 2147483648]"},
        Malformed{"TypeThatWasTakenBack", one_tensor({32}, 4, 0, 32),
                  "tensor \"w\": type: expected one that GGUF has, got 4"},
        Malformed{"RowThatIsNoWholeBlocks", one_tensor({48, 2}, 3, 0, 64),
                  "tensor \"w\": row: expected a multiple of 32, the block of Q4_1, got 48"},
        Malformed{"OffsetOf2To63", one_tensor({8}, 0, uint64_t{1} << 63, 32),
                  "tensor \"w\": offset: expected < 2^63, got 9223372036854775808"},
        Malformed{"Misaligned", one_tensor({8}, 0, 4, 64),
                  "tensor \"w\": offset: expected a multiple of 32, got 4"},
        Malformed{"GapBeforeTheFirst", one_tensor({8}, 0, 32, 64),
                  "tensor \"w\": offset: expected 0, where the tensor before it ends, got 32"},
        Malformed{"Overlapping", two_tensors(32, 96),
                  "tensor \"b\": offset: expected 64, where the tensor before it ends, got 32"},
        Malformed{"GapBetweenTwo", two_tensors(96, 128),
                  "tensor \"b\": offset: expected 64, where the tensor before it ends, got 96"},
        Malformed{"Truncated", two_tensors(64, 95),
                  "tensor \"b\": expected inside the 95 bytes of data in the file, got 32 from 64 "
                  "on"},
        Malformed{"TruncatedBeforeItsOffset", two_tensors(64, 40),
                  "tensor \"b\": expected inside the 40 bytes of data in the file, got 32 from 64 "
                  "on"},
        Malformed{"LargerThanAnyFile", one_tensor({uint64_t{1} << 50, 256}, 0, 0, 32),
                  "tensor \"w\": expected inside the 32 bytes of data in the file, got "
                  "1152921504606846976 from 0 on"},
        Malformed{"BytesBehindTheData", two_tensors(64, 97), "bytes of data: expected 96, got 97"}),
    name_of_row);

class MalformedGgufTokenizer : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedGgufTokenizer, IsRefusedWithItsMessage) {
  const GgufFile file(MappedFile("m.gguf", GetParam().bytes));
  EXPECT_EQ(message_of([&] { read_gguf_tokenizer(file.metadata()); }),
            "m.gguf: metadata \"tokenizer." + GetParam().message);
}

/// A tokenizer of three tokens with more metadata to come.
GgufBytes with_tokenizer(uint64_t more) {
  return GgufBytes(0, 2 + more)
      .text("tokenizer.ggml.model", "gpt2")
      .texts("tokenizer.ggml.tokens", {"a", "b", "ab"});
}

INSTANTIATE_TEST_SUITE_P(
    Keys, MalformedGgufTokenizer,
    testing::Values(
        Malformed{"None", GgufBytes(0, 0), "ggml.model\": expected a string, got none"},
        Malformed{"WithoutTokens", GgufBytes(0, 1).text("tokenizer.ggml.model", "gpt2"),
                  "ggml.tokens\": expected a list of strings, got none"},
        Malformed{"TokensOfAnotherType",
                  GgufBytes(0, 2)
                      .text("tokenizer.ggml.model", "gpt2")
                      .integers("tokenizer.ggml.tokens", {1}),
                  "ggml.tokens\": expected a list of strings, got a list of int32"},
        Malformed{
            "NoToken",
            GgufBytes(0, 2).text("tokenizer.ggml.model", "gpt2").texts("tokenizer.ggml.tokens", {}),
            "ggml.tokens\": expected at least one token, got 0"},
        Malformed{"TokenThatIsNoUtf8",
                  GgufBytes(0, 2)
                      .text("tokenizer.ggml.model", "gpt2")
                      .texts("tokenizer.ggml.tokens", {"a", "\xFF"}),
                  "ggml.tokens\": item 1: expected valid UTF-8, got byte 0xff at offset 0"},
        Malformed{"FewerKindsThanTokens",
                  with_tokenizer(1).integers("tokenizer.ggml.token_type", {1, 1}),
                  "ggml.token_type\": expected 3 kinds, one for each of the tokens, got 2"},
        Malformed{"KindThatIsNone",
                  with_tokenizer(1).integers("tokenizer.ggml.token_type", {1, 7, 1}),
                  "ggml.token_type\": item 1: expected 1 to 6, got 7"},
        Malformed{"MergesAsOneString", with_tokenizer(1).text("tokenizer.ggml.merges", "a b"),
                  "ggml.merges\": expected a list of strings, got string"},
        Malformed{"EndOutsideTheVocabulary",
                  with_tokenizer(1).integer("tokenizer.ggml.eos_token_id", 3),
                  "ggml.eos_token_id\": expected an id of the 3 tokens, got 3"},
        Malformed{
            "FlagThatIsNoBool",
            with_tokenizer(1).key("tokenizer.ggml.add_bos_token", gguf_bool).number<uint8_t>(2),
            "ggml.add_bos_token\": expected a bool of 0 or 1, got 2"},
        Malformed{"TemplateOfAnotherType", with_tokenizer(1).integer("tokenizer.chat_template", 1),
                  "chat_template\": expected a string, got uint32"}),
    name_of_row);

}  // namespace
}  // namespace rlhf::io
