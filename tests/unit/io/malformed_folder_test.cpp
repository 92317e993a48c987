// Wrong Hugging Face folders, each with its whole message. In a message, <folder> stands for the
// folder's path.
#include <gtest/gtest.h>

#include <functional>

#include "rlhf/io/hugging_face_folder.hpp"
#include "support/error_of.hpp"
#include "support/malformed.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

using namespace test;
namespace fs = std::filesystem;

constexpr const char* index_file = "model.safetensors.index.json";
constexpr const char* first_file = "model-00001-of-00002.safetensors";
constexpr const char* second_file = "model-00002-of-00002.safetensors";

/// A file with tensors of these names, four bytes each.
std::string shard(std::initializer_list<const char*> names) {
  std::string header;
  size_t offset = 0;
  for (const char* name : names) {
    header += (header.empty() ? "{\"" : ",\"") + std::string(name) +
              R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" + std::to_string(offset) + "," +
              std::to_string(offset + 4) + "]}";
    offset += 4;
  }
  return safetensors_bytes(header.empty() ? "{}" : header + "}", offset);
}

/// A right folder of two files: "a" and "b" in the first, "c" in the second.
void make_sharded(const TemporaryFolder& folder) {
  folder.put("config.json", R"({"model_type": "llama"})");
  folder.put(index_file, R"({"metadata": {"total_size": 12}, "weight_map": {)"
                         R"("a": "model-00001-of-00002.safetensors",)"
                         R"("b": "model-00001-of-00002.safetensors",)"
                         R"("c": "model-00002-of-00002.safetensors"}})");
  folder.put(first_file, shard({"a", "b"}));
  folder.put(second_file, shard({"c"}));
}

struct BadFolder {
  std::string name;
  std::function<void(const TemporaryFolder&)> spoil;
  std::string message;
};
void PrintTo(const BadFolder& row, std::ostream* out) {
  *out << row.name;
}

class MalformedFolder : public testing::TestWithParam<BadFolder> {};

TEST_P(MalformedFolder, IsRefusedWithItsMessage) {
  const TemporaryFolder folder;
  make_sharded(folder);
  ASSERT_NO_THROW(HuggingFaceFolder{folder.path()});
  GetParam().spoil(folder);
  std::string message = message_of([&] { HuggingFaceFolder{folder.path()}; });
  const std::string path = folder.path().string();
  for (size_t at = message.find(path); at != message.npos; at = message.find(path)) {
    message.replace(at, path.size(), "<folder>");
  }
  EXPECT_EQ(message, GetParam().message);
}

using Folder = TemporaryFolder;

/// Replaces the file by one of these bytes.
auto put(const char* name, const std::string& bytes) {
  return [=](const Folder& folder) { folder.put(name, bytes); };
}
auto remove(const char* name) {
  return [=](const Folder& folder) { fs::remove(folder / name); };
}
auto link(const char* name, const char* target) {
  return [=](const Folder& folder) {
    fs::remove(folder / name);
    fs::create_symlink(target, folder / name);
  };
}
auto put_index(const std::string& weight_map) {
  return put(index_file, "{\"weight_map\": " + weight_map + "}");
}

INSTANTIATE_TEST_SUITE_P(
    Files, MalformedFolder,
    testing::Values(
        BadFolder{"NotThere", [](const Folder& f) { fs::remove_all(f.path()); },
                  "<folder>: expected a model folder, got none"},
        BadFolder{"WithoutConfig", remove("config.json"),
                  "<folder>/config.json: cannot open: No such file or directory"},
        BadFolder{"ConfigThatIsAFolder",
                  [](const Folder& f) {
                    fs::remove(f / "config.json");
                    fs::create_directory(f / "config.json");
                  },
                  "<folder>/config.json: expected a regular file, got a folder"},
        BadFolder{"ConfigTooLarge", put("config.json", std::string((1 << 20) + 1, ' ')),
                  "<folder>/config.json: size in bytes: expected <= 1048576, got 1048577"},
        BadFolder{"ConfigThatIsNoJson", put("config.json", "{\n\"a\": tru}"),
                  "<folder>/config.json:2: invalid JSON: syntax error while parsing value - "
                  "invalid literal; last read: '\"a\": tru}'"},
        BadFolder{"ConfigThatIsAList", put("config.json", "[]"),
                  "<folder>/config.json: expected an object, got array"},
        BadFolder{"ConfigWithAFieldTwice", put("config.json", R"({"a": 1, "a": 2})"),
                  "<folder>/config.json:1: key \"a\" stands twice"},
        BadFolder{"ConfigThatLeavesTheFolder", link("config.json", "/etc/passwd"),
                  "<folder>/config.json: expected a file of the folder (Links::anywhere allows "
                  "others), got a link to /etc/passwd"},
        BadFolder{"WithoutWeights",
                  [](const Folder& f) {
                    for (const char* name : {index_file, first_file, second_file}) {
                      fs::remove(f / name);
                    }
                  },
                  "<folder>: expected model.safetensors or model.safetensors.index.json, got "
                  "neither"},
        BadFolder{"ShardMissing", remove(second_file),
                  "<folder>/model-00002-of-00002.safetensors: cannot open: No such file or "
                  "directory"},
        BadFolder{"ShardThatIsAFolder",
                  [](const Folder& f) {
                    fs::remove(f / second_file);
                    fs::create_directory(f / second_file);
                  },
                  "<folder>/model-00002-of-00002.safetensors: expected a regular file, got a "
                  "folder"},
        BadFolder{"ShardThatLeavesTheFolder", link(second_file, "/etc/passwd"),
                  "<folder>/model-00002-of-00002.safetensors: expected a file of the folder "
                  "(Links::anywhere allows others), got a link to /etc/passwd"},
        BadFolder{"ShardThatIsALinkToItself", link(second_file, second_file),
                  "<folder>/model-00002-of-00002.safetensors: cannot follow the link: Too many "
                  "levels of symbolic links"},
        BadFolder{"IndexThatIsALinkToNothing", link(index_file, "absent"),
                  "<folder>/model.safetensors.index.json: cannot follow the link: No such file or "
                  "directory"},
        BadFolder{"ShardThatTheIndexDoesNotName",
                  put("model-00003-of-00003.safetensors", shard({"d"})),
                  "<folder>/model-00003-of-00003.safetensors: expected a file that "
                  "model.safetensors.index.json names, got one that it does not"},
        BadFolder{"SingleFileBesideTheShards", put("model.safetensors", shard({"a"})),
                  "<folder>/model.safetensors: expected a file that model.safetensors.index.json "
                  "names, got one that it does not"},
        BadFolder{"ShardCutOff",
                  put(second_file,
                      safetensors_entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])", 3)),
                  "<folder>/model-00002-of-00002.safetensors: tensor \"w\": data_offsets: expected "
                  "inside the 3 bytes of data in the file, got [0, 4]"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Index, MalformedFolder,
    testing::Values(
        BadFolder{"IndexTooLarge",
                  [](const Folder& f) { fs::resize_file(f / index_file, uintmax_t{1} << 40); },
                  "<folder>/model.safetensors.index.json: size in bytes: expected <= 16777216, got "
                  "1099511627776"},
        BadFolder{"IndexThatIsAList", put(index_file, "[]"),
                  "<folder>/model.safetensors.index.json: expected an object, got array"},
        BadFolder{"WithoutWeightMap", put(index_file, "{}"),
                  "<folder>/model.safetensors.index.json: expected a field weight_map, got none"},
        BadFolder{"WeightMapThatIsAList", put_index("[]"),
                  "<folder>/model.safetensors.index.json: weight_map: expected an object, got "
                  "array"},
        BadFolder{"WeightMapOfNothing", put_index("{}"),
                  "<folder>/model.safetensors.index.json: weight_map: expected at least one "
                  "tensor, got none"},
        BadFolder{"NameTwiceInTheWeightMap",
                  put_index(R"({"a": "x.safetensors", "a": "y.safetensors"})"),
                  "<folder>/model.safetensors.index.json:1: key \"a\" stands twice"},
        BadFolder{"FileThatIsANumber", put_index(R"({"a": 1})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got 1"},
        BadFolder{"FileAbove", put_index(R"({"a": "../model.safetensors"})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got \"../model.safetensors\""},
        BadFolder{"FileOfAnAbsolutePath", put_index(R"({"a": "/etc/model.safetensors"})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got \"/etc/model.safetensors\""},
        BadFolder{"FileInAFolder", put_index(R"({"a": "x/model.safetensors"})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got \"x/model.safetensors\""},
        BadFolder{"FileWithANul", put_index(R"({"a": "x\u0000.safetensors"})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got \"x\\u0000.safetensors\""},
        BadFolder{"IndexThatNamesItself", put_index(R"({"a": "model.safetensors.index.json"})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got \"model.safetensors.index.json\""},
        BadFolder{"FileOfAnotherFormat", put_index(R"({"a": "pytorch_model.bin"})"),
                  "<folder>/model.safetensors.index.json: weight_map: \"a\": expected the name of "
                  "a .safetensors file in the same folder, got \"pytorch_model.bin\""},
        BadFolder{"TensorThatNoFileHas", put(second_file, shard({})),
                  "<folder>/model.safetensors.index.json: weight_map: \"c\": expected a tensor in "
                  "model-00002-of-00002.safetensors, got none of this name there"},
        BadFolder{"TensorThatTheIndexDoesNotName", put(second_file, shard({"c", "d"})),
                  "<folder>/model-00002-of-00002.safetensors: tensor \"d\": expected a tensor that "
                  "model.safetensors.index.json names, got one that it does not"},
        BadFolder{"TensorInTwoFiles", put(second_file, shard({"b", "c"})),
                  "<folder>/model-00002-of-00002.safetensors: tensor \"b\": expected a tensor that "
                  "model.safetensors.index.json has in this file, got one that it has in "
                  "model-00001-of-00002.safetensors"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace rlhf::io
