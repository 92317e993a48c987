#include "rlhf/checkpoint/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "rlhf/core/error.hpp"
#include "rlhf/core/version.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CheckpointFolder : public testing::Test {
 protected:
  fs::path path() const { return folder_ / "best"; }
  void expect_load_error(const std::string& message) const {
    EXPECT_THAT(error_of([&] { load(path()); }),
                AllOf(HasSubstr(path().string()), HasSubstr(message)));
  }
  void rewrite(const std::string& file, std::string_view bytes) const {
    folder_.put("best/" + file, bytes);
  }
  json manifest() const { return io::read_json(path() / "checkpoint.json"); }
  test::TemporaryFolder folder_;
};

Checkpoint example() {
  Checkpoint checkpoint{.tensors = {{"policy.weight", torch::arange(6.0).view({2, 3})},
                                    {"policy.bias", torch::ones({3})},
                                    {"optimizer.step", torch::tensor(4.0F)}}};
  checkpoint.state = {{"step", 4},
                      {"best", 0.1 + 0.2},
                      {"generator", to_json({.seed = ~uint64_t{0}, .step = 4, .drawn = 9})},
                      {"notes", {"a", nullptr, true, -1}}};
  return checkpoint;
}

TEST_F(CheckpointFolder, GivesBackWhatWasSaved) {
  const Checkpoint saved = example();
  save(path(), saved);
  const Checkpoint loaded = load(path());
  ASSERT_EQ(loaded.tensors.size(), saved.tensors.size());
  for (size_t i = 0; i < saved.tensors.size(); ++i) {
    EXPECT_EQ(loaded.tensors[i].first, saved.tensors[i].first);
    EXPECT_TRUE(torch::equal(loaded.tensors[i].second, saved.tensors[i].second));
  }
  EXPECT_EQ(loaded.state, saved.state);
  EXPECT_EQ(generator_state_from(loaded.state["generator"]),
            (GeneratorState{.seed = ~uint64_t{0}, .step = 4, .drawn = 9}));
}

TEST_F(CheckpointFolder, SaysWhichLibraryWroteIt) {
  save(path(), example());
  EXPECT_EQ(manifest()["library"], version());
}

TEST_F(CheckpointFolder, MayBeEmpty) {
  save(path(), {});
  EXPECT_TRUE(load(path()).tensors.empty());
  EXPECT_EQ(load(path()).state, json::object());
}

TEST_F(CheckpointFolder, ReplacesAnOlderCheckpointAndLeavesNothingBeside) {
  save(path(), example());
  save(path(), {.state = {{"step", 5}}});
  EXPECT_EQ(load(path()).state["step"], 5);
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(CheckpointFolder, IsMadeWithItsParents) {
  save(folder_ / "runs/1/best/", example());
  EXPECT_EQ(load(folder_ / "runs/1/best").state["step"], 4);
}

TEST_F(CheckpointFolder, SurvivesWhatACrashLeftBeside) {
  fs::create_directory(folder_ / "best.tmp");
  folder_.put("best.tmp/tensors.safetensors", "torn");
  save(path(), example());
  EXPECT_EQ(load(path()).tensors.size(), 3U);
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(CheckpointFolder, NeverTakesThePlaceOfAnythingElse) {
  fs::create_directory(path());
  folder_.put("best/thesis.txt", "years of work");
  EXPECT_THAT(error_of([&] { save(path(), example()); }),
              HasSubstr("expected a folder with checkpoint.json, or nothing yet"));
  EXPECT_EQ(io::read_file(path() / "thesis.txt"), "years of work");
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(CheckpointFolder, KeepsTheOldOneWhenTheNewCannotBeWritten) {
  save(path(), example());
  EXPECT_THAT(error_of([&] {
                save(path(), {.tensors = {{"w", Tensor()}}});
              }),
              HasSubstr("tensor \"w\": expected a tensor"));
  EXPECT_EQ(load(path()).state["step"], 4);
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(CheckpointFolder, RefusesStateThatJsonCannotHold) {
  const auto expect_error = [&](const json& state, const std::string& message) {
    EXPECT_THAT(error_of([&] { save(path(), {.state = state}); }), HasSubstr(message));
    EXPECT_FALSE(fs::exists(path()));
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_error({{"a", {1.0, {{"b", nan}}}}}, "Checkpoint::state/a/1/b: expected a finite number");
  expect_error({{"a", "\xFF"}}, "Checkpoint::state/a: expected valid UTF-8");
  expect_error({{"\xFF", 1}}, "Checkpoint::state: key: expected valid UTF-8");
  expect_error({{"a", json::binary({1})}}, "Checkpoint::state/a: expected a JSON value");
  expect_error(json::array(), "Checkpoint::state: expected an object, got array");
  json deep = 1;
  for (int64_t i = 0; i < io::max_json_depth; ++i) deep = json::array({deep});
  expect_error({{"a", deep}}, "at most 100 levels");
}

TEST_F(CheckpointFolder, HoldsStateAsDeepAsItCanBeRead) {
  json deep = 1;
  for (int64_t i = 0; i < io::max_json_depth - 1; ++i) deep = json::array({deep});
  save(path(), {.state = {{"a", deep}}});
  EXPECT_EQ(load(path()).state["a"], deep);
}

TEST_F(CheckpointFolder, SaysWhatIsMissing) {
  expect_load_error("expected a checkpoint folder, got none");
  folder_.put("best", "");
  expect_load_error("expected a checkpoint folder, got another kind of file");
  fs::remove(path());
  for (const char* file : {"checkpoint.json", "state.json", "tensors.safetensors"}) {
    save(path(), example());
    fs::remove(path() / file);
    expect_load_error(file);
    fs::remove_all(path());
  }
}

TEST_F(CheckpointFolder, RefusesATruncatedOrOversizedFile) {
  for (const std::string file : {"state.json", "tensors.safetensors"}) {
    save(path(), example());
    const uintmax_t size = fs::file_size(path() / file);
    for (const uintmax_t other : {size - 1, size + 1, uintmax_t{0}}) {
      fs::resize_file(path() / file, other);
      expect_load_error(file + ": bytes: expected " + std::to_string(size) + ", got " +
                        std::to_string(other));
    }
  }
}

TEST_F(CheckpointFolder, RefusesDamagedFilesOfTheRightSize) {
  save(path(), example());
  for (const std::string file : {"state.json", "tensors.safetensors"}) {
    const std::string good = io::read_file(path() / file);
    for (size_t place = 0; place < good.size(); ++place) {
      std::string bytes = good;
      bytes[place] = static_cast<char>(bytes[place] ^ 1);
      rewrite(file, bytes);
      expect_load_error(file + ": checksum: expected ");
    }
    rewrite(file, good);
  }
  EXPECT_NO_THROW(load(path()));
}

TEST_F(CheckpointFolder, RefusesAnotherFormatOrVersion) {
  save(path(), example());
  const json good = manifest();
  const auto expect_error = [&](const json& bad, const std::string& message) {
    rewrite("checkpoint.json", bad.dump());
    expect_load_error(message);
  };
  const auto with = [&](const std::string& pointer, const json& value) {
    json changed = good;
    changed[json::json_pointer(pointer)] = value;
    return changed;
  };
  expect_error(json::array(), "format: expected rlhf-checkpoint");
  expect_error(with("/format", "other"), "format: expected rlhf-checkpoint");
  expect_error(with("/version", 1), "version: expected 2, got 1");
  expect_error(with("/version", "2"), "version: expected 2, got \"2\"");
  expect_error(with("/files", json::array({1})),
               "/files/state.json/bytes: expected a number of bytes");
  expect_error(with("/files/state.json/bytes", -1), "expected a number of bytes, got -1");
  expect_error(with("/files/state.json/crc32c", "0"), "expected a checksum, got \"0\"");
  expect_error({{"format", "rlhf-checkpoint"}}, "version: expected 2, got null");
}

TEST(Restore, CopiesIntoTheParametersOfOnePrefix) {
  const Tensor weight = torch::zeros({2, 3}).requires_grad_();
  const Tensor bias = torch::zeros({3});
  const void* storage = weight.data_ptr();
  restore({{"weight", weight}, {"bias", bias}}, example().tensors, "policy.");
  EXPECT_TRUE(torch::equal(weight, torch::arange(6.0).view({2, 3})));
  EXPECT_TRUE(torch::equal(bias, torch::ones({3})));
  EXPECT_EQ(weight.data_ptr(), storage);
  EXPECT_TRUE(weight.is_leaf());
}

TEST(Restore, ListsAllThatDoesNotFitAndChangesNothing) {
  const Tensor bias = torch::zeros({3});
  const std::vector<NamedTensor> stored = {{"bias", torch::ones({3})},
                                           {"shape", torch::ones({2, 3})},
                                           {"type", torch::ones({2}, torch::kDouble)},
                                           {"extra", torch::ones({1})}};
  EXPECT_THAT(error_of([&] {
                restore({{"bias", bias},
                         {"shape", torch::zeros({3, 2})},
                         {"type", torch::zeros({2})},
                         {"absent", torch::zeros({1})}},
                        stored);
              }),
              AllOf(HasSubstr("\"shape\": expected Float [3, 2], got Float [2, 3]"),
                    HasSubstr("\"type\": expected Float [2], got Double [2]"),
                    HasSubstr("\"absent\" is missing"), HasSubstr("\"extra\" is unexpected"),
                    Not(HasSubstr("bias"))));
  EXPECT_TRUE(torch::equal(bias, torch::zeros({3})));
}

TEST(Restore, KeepsItsMessageShort) {
  std::vector<NamedTensor> stored;
  for (int i = 0; i < 1000; ++i)
    stored.emplace_back(std::string(static_cast<size_t>(i + 1), 'w'), torch::ones({1}));
  EXPECT_THAT(error_of([&] { restore({}, stored); }), HasSubstr("; and 995 more"));
}

TEST(Parts, ComeBackUnderTheNamesTheyWereAddedBy) {
  Checkpoint checkpoint;
  add(checkpoint, "policy.", {{"w", torch::ones({1})}});
  add(checkpoint, "critic.", {{"w", torch::zeros({1})}});
  const std::vector<NamedTensor> critic = part(checkpoint.tensors, "critic.");
  ASSERT_EQ(critic.size(), 1U);
  EXPECT_EQ(critic[0].first, "w");
  EXPECT_EQ(critic[0].second.item<float>(), 0.0F);
}

TEST(GeneratorStateFrom, RefusesWhatIsNoState) {
  for (const json& bad : {json(), json::object(), json{{"seed", 1}, {"step", 1}, {"drawn", -1}}}) {
    EXPECT_THAT(error_of([&] { generator_state_from(bad); }), HasSubstr("generator state: "));
  }
}

}  // namespace
}  // namespace rlhf::checkpoint
