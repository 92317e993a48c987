// Wrong safetensors files, each with its whole message.
#include <gtest/gtest.h>

#include "rlhf/io/safetensors_layout.hpp"
#include "support/error_of.hpp"
#include "support/malformed.hpp"
#include "support/safetensors_bytes.hpp"

namespace rlhf::io {
namespace {

using namespace test;

class MalformedSafetensors : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedSafetensors, IsRefusedWithItsMessage) {
  const auto open = [] { read_safetensors_header(MappedFile("m.safetensors", GetParam().bytes)); };
  EXPECT_EQ(message_of(open), "m.safetensors" + GetParam().message);
}

std::string header_length(uint64_t length, std::string_view rest) {
  std::string bytes;
  for (size_t i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes.append(rest);
}

std::string nested(size_t depth) {
  return safetensors_bytes("{\"w\":" + std::string(depth, '[') + std::string(depth, ']') + "}", 0);
}

INSTANTIATE_TEST_SUITE_P(
    Headers, MalformedSafetensors,
    testing::Values(
        Malformed{"Empty", "", ": bytes: expected >= 8, got 0"},
        Malformed{"CutInTheLength", "1234567", ": bytes: expected >= 8, got 7"},
        Malformed{"HeaderOf2To60Bytes", header_length(uint64_t{1} << 60, "{}"),
                  ": header length: expected <= 2, got 1152921504606846976"},
        Malformed{"HeaderOf2To64Bytes", header_length(~uint64_t{0}, "{}"),
                  ": header length: expected <= 2, got 18446744073709551615"},
        Malformed{"HeaderOneByteTooLong", header_length(3, "{}"),
                  ": header length: expected <= 2, got 3"},
        Malformed{"NoHeader", header_length(0, ""),
                  ": header: expected JSON that starts with {, got nothing"},
        Malformed{"SpaceBeforeTheHeader", safetensors_bytes(" {}", 0),
                  ": header: expected JSON that starts with {, got another character"},
        Malformed{"HeaderCutOff", safetensors_bytes("{\"w\":", 0),
                  ":1: invalid JSON: syntax error while parsing value - unexpected end of input; "
                  "expected '[', '{', or a literal"},
        Malformed{"NameTwice", safetensors_bytes(R"({"w":{},"w":{}})", 0),
                  ":1: key \"w\" stands twice"},
        Malformed{"FieldTwice", safetensors_entry(R"("dtype":"F32","dtype":"F32")", 0),
                  ":1: key \"dtype\" stands twice"},
        Malformed{"NestedDeeperThanAllowed", nested(100), ":1: JSON nested deeper than 100 levels"},
        Malformed{"MetadataThatIsNoObject", safetensors_bytes(R"({"__metadata__":[]})", 0),
                  ": __metadata__: expected an object, got array"},
        Malformed{"MetadataThatIsNoString", safetensors_bytes(R"({"__metadata__":{"k":1}})", 0),
                  ": __metadata__: \"k\": expected a string, got number"},
        Malformed{"TensorThatIsNoObject", safetensors_bytes(R"({"w":1})", 0),
                  ": tensor \"w\": expected an object, got number"}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Entries, MalformedSafetensors,
    testing::Values(
        Malformed{"NoDtype", safetensors_entry(R"("shape":[2],"data_offsets":[0,8])", 8),
                  ": tensor \"w\": expected a field dtype, got none"},
        Malformed{"NoShape", safetensors_entry(R"("dtype":"F32","data_offsets":[0,8])", 8),
                  ": tensor \"w\": expected a field shape, got none"},
        Malformed{"NoOffsets", safetensors_entry(R"("dtype":"F32","shape":[2])", 8),
                  ": tensor \"w\": expected a field data_offsets, got none"},
        Malformed{"FieldThatIsUnknown", safetensors_entry(R"("strides":[1])", 8),
                  ": tensor \"w\": field: expected dtype, shape or data_offsets, got \"strides\""},
        Malformed{"DtypeThatIsUnknown",
                  safetensors_entry(R"("dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2])", 2),
                  ": tensor \"w\": dtype: expected one of F64, F32, F16, BF16, I64, I32, I16, I8, "
                  "U8, BOOL, got \"F8_E4M3\""},
        Malformed{"DtypeThatIsNoString",
                  safetensors_entry(R"("dtype":4,"shape":[2],"data_offsets":[0,8])", 8),
                  ": tensor \"w\": dtype: expected a string, got number"},
        Malformed{"ShapeThatIsNoList",
                  safetensors_entry(R"("dtype":"F32","shape":2,"data_offsets":[0,8])", 8),
                  ": tensor \"w\": shape: expected a list, got number"},
        Malformed{"SizeBelowZero",
                  safetensors_entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])", 8),
                  ": tensor \"w\": shape: expected integers >= 0 and < 2^63, got -2"},
        Malformed{"SizeWithAFraction",
                  safetensors_entry(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])", 8),
                  ": tensor \"w\": shape: expected integers >= 0 and < 2^63, got 2.0"},
        Malformed{"SizesWhoseProductOverflows",
                  safetensors_entry(
                      R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0),
                  ": tensor \"w\": shape: expected fewer than 2^63 bytes, got [4294967296, "
                  "4294967296]"},
        Malformed{"OneOffset",
                  safetensors_entry(R"("dtype":"F32","shape":[2],"data_offsets":[8])", 8),
                  ": tensor \"w\": data_offsets: expected [begin, end], got [8]"},
        Malformed{"OffsetsBackwards",
                  safetensors_entry(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])", 8),
                  ": tensor \"w\": data_offsets: expected begin <= end, got [8,0]"},
        Malformed{"OffsetsThatAreNotThoseOfTheShape",
                  safetensors_entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 8),
                  ": tensor \"w\": bytes of the data_offsets: expected 8 for its shape and dtype, "
                  "got 4"},
        Malformed{"DataCutOff",
                  safetensors_entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 7),
                  ": tensor \"w\": data_offsets: expected inside the 7 bytes of data in the file, "
                  "got [0, 8]"},
        Malformed{"LargerThanAnyFile",
                  safetensors_entry(R"("dtype":"U8","shape":[1152921504606846976],)"
                                    R"("data_offsets":[0,1152921504606846976])",
                                    8),
                  ": tensor \"w\": data_offsets: expected inside the 8 bytes of data in the file, "
                  "got [0, 1152921504606846976]"},
        Malformed{"GapBeforeTheFirst",
                  safetensors_entry(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])", 12),
                  ": tensor \"w\": data_offsets: expected begin 0, where the tensor before it "
                  "ends, got 4"},
        Malformed{"Overlapping",
                  safetensors_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                    R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                                    7),
                  ": tensor \"b\": data_offsets: expected begin 4, where the tensor before it "
                  "ends, got 3"},
        Malformed{"BytesBehindTheData",
                  safetensors_entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 9),
                  ": bytes of data: expected 8, got 9"}),
    name_of_row);

}  // namespace
}  // namespace rlhf::io
