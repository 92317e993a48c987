// Files read as hostile: every single byte of a small right file cut off or changed. What many
// changes at once do is for tests/fuzz.
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/io/gguf.hpp"
#include "rlhf/io/gguf_tokenizer.hpp"
#include "support/gguf_bytes.hpp"

namespace rlhf::io {
namespace {

using test::GgufBytes;

std::string whole_file() {
  return GgufBytes(3, 4)
      .text("tokenizer.ggml.model", "gpt2")
      .texts("tokenizer.ggml.tokens", {"a", "b"})
      .integers("tokenizer.ggml.token_type", {1, 3})
      .integer("tokenizer.ggml.eos_token_id", 1)
      .tensor("F32", {3, 2}, 0, 0)
      .tensor("Q4_1", {32, 2}, 3, 32)
      .tensor("Q6_K", {256}, 14, 96)
      .data(96 + 210);
}

/// Reads all that the bytes say; anything but an Error that names the file fails the test.
bool loads(const std::string& bytes) {
  try {
    const GgufFile file(MappedFile("damaged", bytes));
    for (const GgufTensor& tensor : file.tensors()) {
      std::vector<float> numbers(static_cast<size_t>(tensor.count()));
      file.read(tensor.name, numbers);
    }
    read_gguf_tokenizer(file.metadata());
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with("damaged: ")) << error.what();
  } catch (const std::exception& other) {
    ADD_FAILURE() << "not an rlhf::Error: " << other.what();
  }
  return false;
}

TEST(DamagedGguf, EveryTruncationIsRefused) {
  const std::string whole = whole_file();
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(loads(whole.substr(0, length))) << length << " of " << whole.size() << " bytes";
  }
  EXPECT_TRUE(loads(whole));
}

TEST(DamagedGguf, EveryValueOfEveryByteLoadsOrIsRefused) {
  const std::string whole = whole_file();
  const size_t header = whole.size() - (96 + 210);
  int loaded = 0, refused = 0;
  for (size_t place = 0; place < header; ++place) {
    for (int value = 0; value < 256; value += 3) {
      std::string bytes = whole;
      bytes[place] = static_cast<char>(value);
      ++(loads(bytes) ? loaded : refused);
    }
  }
  EXPECT_GT(loaded, 0) << "a letter of a name may change";
  EXPECT_GT(refused, loaded) << "most changes break the header";
}

TEST(DamagedGguf, BytesBehindTheDataAreRefusedBeyondThePadding) {
  const std::string whole = whole_file();
  EXPECT_TRUE(loads(whole + std::string(14, '\0'))) << "306 bytes of data, padded to 320";
  EXPECT_FALSE(loads(whole + std::string(15, '\0')));
}

}  // namespace
}  // namespace rlhf::io
