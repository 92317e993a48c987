// Folders between this library and the Python libraries that the world uses. Skipped where
// RLHF_PYTHON (python3 unless set) lacks safetensors, torch or transformers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "rlhf/io/hugging_face_folder.hpp"
#include "support/python.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::ask_python;

const fs::path script = fs::path(RLHF_GOLDEN_DIR) / "../peer/io/hugging_face.py";

class PythonHuggingFace : public test::BesidePython {
 protected:
  PythonHuggingFace() : BesidePython(script) {}

  test::TemporaryFolder folder_;
};

std::vector<float> numbers_of(const HuggingFaceFolder& folder, const FolderTensor& tensor) {
  std::vector<float> numbers(static_cast<size_t>(tensor.count()));
  folder.read(tensor.name, numbers);
  return numbers;
}

/// As hugging_face.py describes tensors.
json described(const HuggingFaceFolder& folder) {
  json tensors = json::object();
  for (const FolderTensor& tensor : folder.tensors()) {
    std::vector<int32_t> bits;
    for (const float number : numbers_of(folder, tensor)) {
      bits.push_back(std::bit_cast<int32_t>(number));
    }
    const char* dtype = tensor.dtype == Dtype::f32   ? "float32"
                        : tensor.dtype == Dtype::f16 ? "float16"
                                                     : "bfloat16";
    tensors[tensor.name] = {{"dtype", dtype}, {"shape", tensor.shape}, {"bits", bits}};
  }
  return tensors;
}

TEST_F(PythonHuggingFace, SafetensorsReadsEveryFileThatWeWrite) {
  const std::vector<float> floats = {1.5F, -0.0F, INFINITY, 0x1p-149F, 3.0F, 4.0F};
  const std::vector<uint16_t> halves = {0x3C00, 0x8001, 0xFC00};
  const auto view = [](const auto& values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof values[0]);
  };
  const fs::path path = folder_ / "ours";
  write_hugging_face_folder(path,
                            {.tensors = {{"half", Dtype::f16, {3}, view(halves)},
                                         {"float", Dtype::f32, {2, 3}, view(floats)},
                                         {"brain \u00fc \"", Dtype::bf16, {1, 3}, view(halves)},
                                         {"empty", Dtype::f32, {0, 4}, {}}}},
                            30);
  const json files = ask_python(script, {"files", path.string()});
  ASSERT_EQ(files.size(), 2U);
  json tensors = json::object();
  for (const json& file : files) {
    EXPECT_EQ(file["metadata"], json({{"format", "pt"}}));
    tensors.update(file["tensors"]);
  }
  EXPECT_EQ(tensors, described(HuggingFaceFolder(path)));
}

TEST_F(PythonHuggingFace, FoldersOfTransformersAreReadExactlyAndLoadedAgainWhenWrittenByUs) {
  const json made = ask_python(script, {"make", (folder_ / "theirs").string()});
  const HuggingFaceFolder theirs(folder_ / "theirs");
  EXPECT_EQ(made.size(), 21U);
  EXPECT_EQ(described(theirs), made);

  FolderContent content{.config = theirs.config()};
  std::vector<std::vector<float>> kept;
  for (const FolderTensor& tensor : theirs.tensors()) {
    const std::vector<float>& numbers = kept.emplace_back(numbers_of(theirs, tensor));
    content.tensors.push_back(
        {tensor.name,
         Dtype::f32,
         tensor.shape,
         {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 4}});
  }
  write_hugging_face_folder(folder_ / "ours", content, 3000);
  const json loaded = ask_python(script, {"model", (folder_ / "ours").string()});
  EXPECT_EQ(loaded["class"], "LlamaForCausalLM");
  EXPECT_EQ(loaded["missing"], json::array());
  EXPECT_EQ(loaded["unexpected"], json::array());
  EXPECT_EQ(loaded["tensors"], made);
}

}  // namespace
}  // namespace rlhf::io
