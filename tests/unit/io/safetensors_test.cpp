#include "rlhf/io/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/hugging_face_folder.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A file with this header and so many bytes of data.
std::string file_bytes(const std::string& header, size_t data_bytes) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(data_bytes, '\0');
}

std::vector<std::string> names_of(const Safetensors& file) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) names.push_back(name);
  return names;
}

class SafetensorsFile : public testing::Test {
 protected:
  fs::path path() const { return folder_ / "model.safetensors"; }
  void expect_read_error(std::string_view bytes, const std::string& message) const {
    folder_.put("model.safetensors", bytes);
    EXPECT_THAT(error_of([&] { read_safetensors(path()); }),
                AllOf(HasSubstr(path().string()), HasSubstr(message)));
  }
  test::TemporaryFolder folder_;
};

TEST_F(SafetensorsFile, GivesBackWhatWasWritten) {
  const std::vector<NamedTensor> tensors = {{"b", torch::randn({3, 4})},
                                            {"a", torch::randn({2})},
                                            {"scalar", torch::tensor(2.5F)},
                                            {"none", torch::zeros({4, 0})}};
  write_safetensors(path(), tensors, {{"key \"1\"", "value\n"}, {"", ""}});
  const Safetensors file = read_safetensors(path());
  EXPECT_THAT(names_of(file), ElementsAre("b", "a", "scalar", "none"));
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_TRUE(torch::equal(file.tensors[i].second, tensors[i].second)) << tensors[i].first;
  }
  EXPECT_EQ(file.metadata,
            (std::map<std::string, std::string>{{"key \"1\"", "value\n"}, {"", ""}}));
}

TEST_F(SafetensorsFile, MayHoldNothing) {
  write_safetensors(path(), {});
  EXPECT_EQ(read_file(path()), file_bytes("{}      ", 0));
  EXPECT_TRUE(read_safetensors(path()).tensors.empty());
}

TEST_F(SafetensorsFile, KeepsEveryTensorAlignedToItsElement) {
  write_safetensors(path(), {{"flags", torch::ones({3}, torch::kBool)},
                             {"weights", torch::ones({2})},
                             {"more flags", torch::ones({1}, torch::kBool)},
                             {"sums", torch::ones({1}, torch::kDouble)}});
  const SafetensorsHeader header = read_safetensors_header(path());
  EXPECT_EQ(header.data_begin % 8, 0);
  for (const SafetensorsEntry& entry : header.entries) {
    EXPECT_EQ(entry.begin % bytes_of(entry.dtype), 0) << entry.name;
  }
  EXPECT_THAT(names_of(read_safetensors(path())),
              ElementsAre("sums", "weights", "flags", "more flags"));
}

TEST_F(SafetensorsFile, WritesViewsByTheirValues) {
  const Tensor base = torch::arange(6).view({2, 3});
  write_safetensors(path(), {{"transposed", base.t()},
                             {"expanded", torch::ones({1}).expand({4})},
                             {"trained", torch::ones({2}).requires_grad_()}});
  const Safetensors file = read_safetensors(path());
  EXPECT_TRUE(torch::equal(file.tensors[0].second, base.t()));
  EXPECT_TRUE(torch::equal(file.tensors[1].second, torch::ones({4})));
  EXPECT_FALSE(file.tensors[2].second.requires_grad());
}

TEST_F(SafetensorsFile, TensorsGoIntoAHuggingFaceFolder) {
  const Tensor matrix = torch::randn({3, 2}), half = torch::randn({4}).to(torch::kBFloat16);
  const StorableTensors tensors({{"matrix", matrix.t()}, {"half", half}}, "model");
  write_hugging_face_folder(folder_ / "model", {.tensors = tensors.bytes()});
  const HuggingFaceFolder folder(folder_ / "model");
  const Tensor read = torch::empty({2, 3}), widened = torch::empty({4});
  folder.read("matrix", {read.mutable_data_ptr<float>(), 6});
  folder.read("half", {widened.mutable_data_ptr<float>(), 4});
  EXPECT_TRUE(torch::equal(read, matrix.t()));
  EXPECT_TRUE(torch::equal(widened, half.to(torch::kFloat)));
}

TEST_F(SafetensorsFile, TakesTensorsThatStandInAnotherOrderThanTheirData) {
  folder_.put("model.safetensors",
              file_bytes(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},)"
                         R"("b":{"shape":[2],"data_offsets":[0,2],"dtype":"U8"}})",
                         3));
  EXPECT_THAT(names_of(read_safetensors(path())), ElementsAre("b", "a"));
}

TEST_F(SafetensorsFile, NamesAMissingFile) {
  EXPECT_THAT(error_of([&] { read_safetensors(path()); }),
              HasSubstr(path().string() + ": cannot open: No such file"));
}

TEST_F(SafetensorsFile, RefusesAFolder) {
  EXPECT_THAT(error_of([&] { read_safetensors(folder_.path()); }),
              HasSubstr("expected a regular file"));
}

TEST_F(SafetensorsFile, RefusesHostileHeaders) {
  expect_read_error("1234567", "bytes: expected >= 8, got 7");
  expect_read_error(std::string(8, '\xFF'),
                    "header length: expected <= 0, got 18446744073709551615");
  expect_read_error(file_bytes("{}", 0).substr(0, 9), "header length: expected <= 1, got 2");
  expect_read_error(file_bytes("", 0), "header: expected JSON that starts with {");
  expect_read_error(file_bytes(" {}", 0), "header: expected JSON that starts with {");
  expect_read_error(file_bytes("{\"a\":", 0), "invalid JSON");
  expect_read_error(file_bytes("{}{}", 0), "invalid JSON");
  expect_read_error(file_bytes("{\"a\xFF\":{}}", 0), "invalid JSON");
  expect_read_error(file_bytes("{}", 1), "bytes of data: expected 0, got 1");
  expect_read_error(file_bytes(R"({"a":1,"a":2})", 0), "stands twice");
  expect_read_error(file_bytes(R"({"a":1})", 0), "tensor \"a\": expected an object, got number");
  expect_read_error(file_bytes(R"({"__metadata__":[]})", 0), "__metadata__: expected an object");
  expect_read_error(file_bytes(R"({"__metadata__":{"k":1}})", 0), "\"k\": expected a string");
}

TEST_F(SafetensorsFile, RefusesAHeaderLongerThanAnyModelNeeds) {
  folder_.put("model.safetensors", std::string("\0\0\0\x02\0\0\0\0", 8) + "{}");
  fs::resize_file(path(), uintmax_t{1} << 40);  // sparse
  EXPECT_THAT(error_of([&] { read_safetensors(path()); }),
              HasSubstr("header length: expected <= 16777216, got 33554432"));
}

TEST_F(SafetensorsFile, RefusesHostileEntries) {
  const auto expect_error = [&](const std::string& fields, const std::string& message,
                                size_t data_bytes = 8) {
    expect_read_error(file_bytes("{\"w\":{" + fields + "}}", data_bytes), message);
  };
  const std::string type = R"("dtype":"F32",)", shape = R"("shape":[2],)";
  expect_error(shape + R"("data_offsets":[0,8])", "tensor \"w\": expected a field dtype, got none");
  expect_error(type + R"("data_offsets":[0,8])", "expected a field shape, got none");
  expect_error(type + R"("shape":[2])", "expected a field data_offsets, got none");
  expect_error(type + shape + R"("data_offsets":[0,8],"x":0)", "field: expected dtype, shape or");
  expect_error(R"("dtype":"F99",)" + shape + R"("data_offsets":[0,8])",
               "dtype: expected one of F64");
  expect_error(R"("dtype":4,)" + shape + R"("data_offsets":[0,8])", "dtype: expected a string");
  expect_error(type + R"("shape":2,"data_offsets":[0,8])", "shape: expected a list");
  expect_error(type + R"("shape":[-2],"data_offsets":[0,8])", "shape: expected integers >= 0");
  expect_error(type + R"("shape":[2.0],"data_offsets":[0,8])", "shape: expected integers >= 0");
  expect_error(type + R"("shape":[9223372036854775808],"data_offsets":[0,8])",
               "and < 2^63, got 9223372036854775808");
  expect_error(type + R"("shape":[99999999999999999999],"data_offsets":[0,8])",
               "shape: expected integers >= 0");
  expect_error(type + R"("shape":[4294967296,4294967296],"data_offsets":[0,8])",
               "fewer than 2^63 bytes");
  expect_error(type + R"("shape":[0,4294967296,4294967296],"data_offsets":[0,0])",
               "fewer than 2^63 bytes");
  expect_error(type + shape + R"("data_offsets":[0])",
               "data_offsets: expected [begin, end], got [0]");
  expect_error(type + shape + R"("data_offsets":[0,8,9])", "data_offsets: expected [begin, end]");
  expect_error(type + shape + R"("data_offsets":[8,0])",
               "data_offsets: expected begin <= end, got [8,0]");
  expect_error(type + shape + R"("data_offsets":[0,7])",
               "expected 8 for its shape and dtype, got 7");
  expect_error(type + shape + R"("data_offsets":[0,8])", "inside the 7 bytes of data", 7);
  expect_error(type + shape + R"("data_offsets":[4,12])",
               "begin 0, where the tensor before it ends, got 4", 12);
  expect_error(type + shape + R"("data_offsets":[0,8])", "bytes of data: expected 8, got 9", 9);
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  expect_error(type + "\"shape\":[" + ones + R"(],"data_offsets":[0,4])",
               "dimensions: expected <= 64, got 65", 4);
}

TEST_F(SafetensorsFile, RefusesTensorsThatOverlapOrLeaveAGap) {
  const auto two = [&](const std::string& second) {
    return file_bytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                      R"("b":{"dtype":"U8","shape":[4],"data_offsets":)" +
                          second + "}}",
                      9);
  };
  expect_read_error(two("[3,7]"), "tensor \"b\": data_offsets: expected begin 4");
  expect_read_error(two("[5,9]"), "tensor \"b\": data_offsets: expected begin 4");
}

TEST_F(SafetensorsFile, AllocatesNothingForATensorTheFileDoesNotHold) {
  expect_read_error(file_bytes(R"({"w":{"dtype":"U8","shape":[4611686018427387904],)"
                               R"("data_offsets":[0,4611686018427387904]}})",
                               8),
                    "inside the 8 bytes of data in the file, got [0, 4611686018427387904]");
}

TEST_F(SafetensorsFile, RefusesBytesThatAreNoBool) {
  std::string bytes = file_bytes(R"({"w":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 2);
  bytes.back() = 2;
  expect_read_error(bytes, "tensor \"w\": expected bytes 0 and 1");
}

TEST_F(SafetensorsFile, RefusesToWriteWhatTheFormatLacks) {
  const auto expect_error = [&](const std::vector<NamedTensor>& tensors,
                                const std::string& message) {
    EXPECT_THAT(error_of([&] { write_safetensors(path(), tensors); }),
                AllOf(HasSubstr(path().string()), HasSubstr(message)));
    EXPECT_FALSE(fs::exists(path()));
  };
  const Tensor one = torch::ones({1});
  expect_error({{"w", one}, {"w", one}}, "tensor \"w\": expected a name of its own");
  expect_error({{"__metadata__", one}}, "tensor \"__metadata__\": expected another name");
  expect_error({{"w\xFF", one}}, "expected valid UTF-8");
  expect_error({{"w", Tensor()}}, "tensor \"w\": expected a tensor, got none");
  expect_error({{"w", torch::ones({1}, torch::kComplexFloat)}},
               "tensor \"w\": dtype: expected one of F64");
  expect_error({{"w", one.to_sparse()}}, "tensor \"w\": layout: expected dense");
  EXPECT_THAT(error_of([&] {
                write_safetensors(path(), {}, {{"key", "\xFF"}});
              }),
              HasSubstr("metadata \"key\": expected valid UTF-8"));
}

}  // namespace
}  // namespace rlhf::io
