#include "rlhf/io/hugging_face_folder.hpp"

#include <gtest/gtest.h>

#include "rlhf/io/json.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;

// Written by tests/golden/io/hugging_face_folder.py: three files and an index.
const fs::path golden = fs::path(RLHF_GOLDEN_DIR) / "data/tiny_llama";

void expect_golden(const HuggingFaceFolder& folder, const nlohmann::json& expected) {
  ASSERT_EQ(folder.tensors().size(), expected.size());
  for (const FolderTensor& tensor : folder.tensors()) {
    std::vector<float> numbers(static_cast<size_t>(tensor.count()));
    folder.read(tensor.name, numbers);
    ASSERT_TRUE(expected.contains(tensor.name)) << tensor.name;
    const nlohmann::json& e = expected[tensor.name];
    EXPECT_EQ(name_of(tensor.dtype), e["dtype"]) << tensor.name;
    EXPECT_EQ(nlohmann::json(tensor.shape), e["shape"]) << tensor.name;
    EXPECT_EQ(numbers, e["numbers"].get<std::vector<float>>()) << tensor.name;
  }
}

TEST(GoldenHuggingFaceFolder, IsReadAsTransformersWroteIt) {
  const HuggingFaceFolder folder(golden);
  EXPECT_EQ(folder.config()["model_type"], "llama");
  EXPECT_EQ(folder.config()["num_hidden_layers"], 2);
  expect_golden(folder, read_json(fs::path(RLHF_GOLDEN_DIR) / "data/tiny_llama.json"));
}

TEST(GoldenHuggingFaceFolder, WrittenAnewInOtherFilesIsTheSame) {
  const test::TemporaryFolder temporary;
  std::vector<MappedFile> kept;
  FolderContent content{.config = HuggingFaceFolder(golden).config()};
  for (const fs::directory_entry& entry : fs::directory_iterator(golden)) {
    if (entry.path().extension() != ".safetensors") continue;
    const MappedFile& file = kept.emplace_back(entry.path());
    const SafetensorsHeader header = read_safetensors_header(file);
    for (const SafetensorsEntry& e : header.entries) {
      content.tensors.push_back({e.name, e.dtype, e.shape, header.bytes_of(e, file)});
    }
  }
  const nlohmann::json expected = read_json(fs::path(RLHF_GOLDEN_DIR) / "data/tiny_llama.json");
  for (const int64_t limit : {100, 400, 5000}) {
    write_hugging_face_folder(temporary / "again", content, limit);
    expect_golden(HuggingFaceFolder(temporary / "again"), expected);
  }
}

}  // namespace
}  // namespace rlhf::io
