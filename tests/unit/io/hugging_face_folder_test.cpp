#include "rlhf/io/hugging_face_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

using namespace test;
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

template <class T>
std::string_view bytes_of_all(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class HuggingFace : public testing::Test {
 protected:
  /// Three tensors of 8, 12 and 4 bytes.
  FolderContent content() const {
    return {.config = {{"model_type", "llama"}},
            .tensors = {{"b", Dtype::f32, {2}, bytes_of_all(two_)},
                        {"a", Dtype::f32, {1, 3}, bytes_of_all(three_)},
                        {"c", Dtype::f32, {}, bytes_of_all(one_)}}};
  }
  std::vector<std::string> files_in(const fs::path& path) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
    return names;
  }
  std::vector<float> numbers_of(const HuggingFaceFolder& folder, std::string_view name) const {
    std::vector<float> numbers(static_cast<size_t>(folder.tensor(name).count()));
    folder.read(name, numbers);
    return numbers;
  }
  void expect_content(const HuggingFaceFolder& folder) const {
    EXPECT_EQ(folder.config(), content().config);
    ASSERT_EQ(folder.tensors().size(), 3U);
    EXPECT_EQ(folder.tensors()[0].name, "a");
    EXPECT_EQ(folder.tensor("a").shape, (std::vector<int64_t>{1, 3}));
    EXPECT_EQ(folder.tensor("b").shape, (std::vector<int64_t>{2}));
    EXPECT_TRUE(folder.tensor("c").shape.empty());
    EXPECT_THAT(numbers_of(folder, "a"), ElementsAre(1.0F, 2.0F, 3.0F));
    EXPECT_THAT(numbers_of(folder, "b"), ElementsAre(-1.0F, 0.5F));
    EXPECT_THAT(numbers_of(folder, "c"), ElementsAre(7.0F));
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_ / "model";
  std::vector<float> one_ = {7}, two_ = {-1, 0.5}, three_ = {1, 2, 3};
};

TEST_F(HuggingFace, GivesBackWhatWasWritten) {
  write_hugging_face_folder(path_, content());
  EXPECT_THAT(files_in(path_), UnorderedElementsAre("config.json", "model.safetensors"));
  expect_content(HuggingFaceFolder(path_));
  EXPECT_EQ(read_safetensors_header(path_ / "model.safetensors").metadata,
            (std::map<std::string, std::string>{{"format", "pt"}}));
}

TEST_F(HuggingFace, SplitsWeightsThatAreTooLargeForOneFile) {
  write_hugging_face_folder(path_, content(), 16);
  EXPECT_THAT(files_in(path_), UnorderedElementsAre("config.json", "model.safetensors.index.json",
                                                    "model-00001-of-00002.safetensors",
                                                    "model-00002-of-00002.safetensors"));
  EXPECT_EQ(read_json(path_ / "model.safetensors.index.json"), nlohmann::json::parse(R"({
    "metadata": {"total_size": 24},
    "weight_map": {"a": "model-00002-of-00002.safetensors",
                   "b": "model-00001-of-00002.safetensors",
                   "c": "model-00002-of-00002.safetensors"}})"));
  expect_content(HuggingFaceFolder(path_));
}

TEST_F(HuggingFace, GivesATensorLargerThanTheLimitAFileOfItsOwn) {
  write_hugging_face_folder(path_, content(), 1);
  EXPECT_EQ(files_in(path_).size(), 5U);
  expect_content(HuggingFaceFolder(path_));
}

TEST_F(HuggingFace, ALimitThatIsJustReachedSplitsNothing) {
  write_hugging_face_folder(path_, content(), 24);
  EXPECT_EQ(files_in(path_).size(), 2U);
  fs::remove_all(path_);
  write_hugging_face_folder(path_, content(), 23);
  EXPECT_EQ(files_in(path_).size(), 4U);
}

TEST_F(HuggingFace, MayHoldNoTensor) {
  write_hugging_face_folder(path_, {});
  EXPECT_TRUE(HuggingFaceFolder(path_).tensors().empty());
}

TEST_F(HuggingFace, ReadsHalvesAsFloat32) {
  const std::vector<uint16_t> half = {0x3C00, 0xC000, 0x7C00, 0x0001};   // 1, -2, infinity, 2^-24
  const std::vector<uint16_t> brain = {0x3F80, 0xC000, 0x7F80, 0x0001};  // the like, 2^-133
  write_hugging_face_folder(path_, {.tensors = {{"half", Dtype::f16, {4}, bytes_of_all(half)},
                                                {"brain", Dtype::bf16, {4}, bytes_of_all(brain)}}});
  const HuggingFaceFolder folder(path_);
  EXPECT_THAT(numbers_of(folder, "half"), ElementsAre(1.0F, -2.0F, INFINITY, 0x1p-24F));
  EXPECT_THAT(numbers_of(folder, "brain"), ElementsAre(1.0F, -2.0F, INFINITY, 0x1p-133F));
}

TEST_F(HuggingFace, NamesTheTensorThatCannotBeReadSo) {
  const std::vector<int64_t> ids = {1, 2};
  write_hugging_face_folder(path_, {.tensors = {{"ids", Dtype::i64, {2}, bytes_of_all(ids)}}});
  const HuggingFaceFolder folder(path_);
  std::vector<float> numbers(2);
  const std::string place = (path_ / "model.safetensors").string();
  EXPECT_EQ(message_of([&] { folder.read("ids", numbers); }),
            place + ": tensor \"ids\": dtype: expected F32, F16 or BF16, got I64");
  EXPECT_EQ(message_of([&] { folder.read("w", numbers); }),
            path_.string() + ": expected a tensor \"w\", got none");
  EXPECT_EQ(message_of([&] { folder.tensor("w"); }),
            path_.string() + ": expected a tensor \"w\", got none");
}

TEST_F(HuggingFace, NamesTheTensorThatIsAskedForInAnotherSize) {
  write_hugging_face_folder(path_, content());
  std::vector<float> numbers(2);
  EXPECT_EQ(message_of([&] { HuggingFaceFolder(path_).read("a", numbers); }),
            (path_ / "model.safetensors").string() +
                ": tensor \"a\": numbers to fill: expected 3, got 2");
}

TEST_F(HuggingFace, FollowsALinkInsideTheFolder) {
  write_hugging_face_folder(path_, content());
  fs::rename(path_ / "model.safetensors", path_ / "blob");
  fs::create_symlink("blob", path_ / "model.safetensors");
  expect_content(HuggingFaceFolder(path_));
}

TEST_F(HuggingFace, FollowsALinkOutOfTheFolderOnlyWhereAllowed) {
  write_hugging_face_folder(path_, content());
  fs::rename(path_ / "model.safetensors", folder_ / "blob");
  fs::create_symlink("../blob", path_ / "model.safetensors");
  EXPECT_EQ(message_of([&] { HuggingFaceFolder{path_}; }),
            (path_ / "model.safetensors").string() +
                ": expected a file of the folder (Links::anywhere allows others), got a link to " +
                fs::canonical(folder_ / "blob").string());
  expect_content(HuggingFaceFolder(path_, Links::anywhere));
}

TEST_F(HuggingFace, AFolderMayItselfBeReachedByALink) {
  write_hugging_face_folder(path_, content());
  fs::create_directory_symlink(path_, folder_ / "link");
  expect_content(HuggingFaceFolder(folder_ / "link"));
}

TEST_F(HuggingFace, ReplacesAModelByAnother) {
  write_hugging_face_folder(path_, content(), 1);
  FolderContent other = content();
  other.files = {{"tokenizer.json", "{}"}};
  write_hugging_face_folder(path_, other);
  EXPECT_THAT(files_in(path_),
              UnorderedElementsAre("config.json", "model.safetensors", "tokenizer.json"));
  write_hugging_face_folder(path_, other, 1);  // tokenizer.json is written anew
  EXPECT_EQ(files_in(path_).size(), 6U);
  expect_content(HuggingFaceFolder(path_));
}

TEST_F(HuggingFace, NeverReplacesAFolderThatHoldsAnythingElse) {
  write_hugging_face_folder(path_, content());
  write_file_atomically(path_ / "README.md", "mine");
  EXPECT_EQ(message_of([&] { write_hugging_face_folder(path_, content()); }),
            path_.string() +
                ": expected no folder, or one that holds only what will be written anew, got "
                "README.md");
  EXPECT_EQ(read_file(path_ / "README.md"), "mine");
  fs::create_directory(folder_ / "other");
  EXPECT_EQ(message_of([&] { write_hugging_face_folder(folder_ / "other", content()); }),
            (folder_ / "other").string() +
                ": expected a folder with config.json, or nothing yet, got something else");
}

TEST_F(HuggingFace, WritesNothingWhereATensorIsWrong) {
  const auto message = [&](const TensorBytes& tensor, int64_t limit) {
    FolderContent wrong = content();
    wrong.tensors.push_back(tensor);
    const std::string text = message_of([&] { write_hugging_face_folder(path_, wrong, limit); });
    EXPECT_EQ(folder_.entry_count(), 0);
    return text.substr(text.find("tensor \""));
  };
  EXPECT_EQ(message({"a", Dtype::f32, {1}, bytes_of_all(one_)}, 1000),
            "tensor \"a\": expected a name of its own, got the name of an earlier tensor");
  EXPECT_EQ(message({"a", Dtype::f32, {1}, bytes_of_all(one_)}, 1),
            "tensor \"a\": expected a name of its own, got the name of an earlier tensor");
  EXPECT_EQ(message({"d", Dtype::f32, {2}, bytes_of_all(one_)}, 1000),
            "tensor \"d\": bytes: expected 8, got 4");
  EXPECT_EQ(message({"d", Dtype::f32, {-1}, bytes_of_all(one_)}, 1000),
            "tensor \"d\": shape: expected sizes >= 0 and fewer than 2^63 bytes, got [-1]");
}

TEST_F(HuggingFace, RefusesFilesThatAreNotItsOwnToWrite) {
  const auto message = [&](const std::string& name) {
    FolderContent wrong = content();
    wrong.files = {{name, "x"}};
    return message_of([&] { write_hugging_face_folder(path_, wrong); });
  };
  EXPECT_EQ(message("../x"),
            "FolderContent::files: \"../x\": expected a plain file name, got \"../x\"");
  EXPECT_EQ(message("config.json"),
            "FolderContent::files: \"config.json\": expected another file than those of the config "
            "and the weights, got config.json");
  FolderContent wrong = content();
  wrong.config = nlohmann::json::array();
  EXPECT_EQ(message_of([&] { write_hugging_face_folder(path_, wrong); }),
            "FolderContent::config: expected an object, got array");
  EXPECT_EQ(message_of([&] { write_hugging_face_folder(path_, content(), 0); }),
            "max_shard_bytes: expected >= 1, got 0");
  EXPECT_EQ(folder_.entry_count(), 0);
}

}  // namespace
}  // namespace rlhf::io
