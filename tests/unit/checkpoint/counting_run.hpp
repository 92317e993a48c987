/// A run over a part of which every kind of value shows what became of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "rlhf/checkpoint/run.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::test {

/// A part with one of each kind of value, and a weight.
struct Counter {
  double rate = 0.5;
  int64_t memory = 1;
  int64_t count = 0;
  uint64_t large = ~uint64_t{0};
  double infinite = std::numeric_limits<double>::infinity();
  bool odd = false;
  std::string word = "none";
  std::vector<double> seen = {};
  Tensor weight = torch::zeros({2});

  void archive(Archive& archive) {
    archive.option("rate", rate);
    archive.option("memory", memory, OnResume::may_change);
    archive.value("count", count);
    archive.value("large", large);
    archive.value("infinite", infinite);
    archive.value("odd", odd);
    archive.value("word", word);
    archive.value("seen", seen);
    archive.tensors("", {{"weight", weight}});
  }
  void step() {
    ++count;
    odd = !odd;
    word += "+";
    seen.push_back(0.1 * static_cast<double>(count));
    weight.add_(1.0);
  }
};

class CountingRun : public testing::Test {
 protected:
  RunOptions options(int64_t save_every = 1) {
    return {.save_every = save_every,
            .say = [this](std::string_view text) { said_.append(text).append("\n"); }};
  }
  std::filesystem::path path() const { return folder_ / "run"; }
  /// Steps a counter from where the folder's run stands.
  Counter count_to(int64_t steps, RunOptions with, Counter counter = {}) {
    rlhf::Run run{path(), {{"counter", counter}}, std::move(with)};
    run.until(steps, [&](int64_t) { counter.step(); });
    return counter;
  }
  Counter count_to(int64_t steps) { return count_to(steps, options()); }
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  TemporaryFolder folder_;
  std::string said_;
};

}  // namespace rlhf::test
