/// What a model answers to the same few prompts before and after training.
#pragma once

#include "common/model_folder.hpp"
#include "rlhf/report/html.hpp"
#include "rlhf/rollout/sampling.hpp"

namespace instructgpt {

class Samples {
 public:
  static constexpr int64_t most = 6;  ///< prompts

  /// The first prompts of `completions`; responses are as long as the context has room.
  Samples(const ModelFolder& folder, const rlhf::Completions& completions, int64_t context_length,
          rlhf::SamplingOptions sampling);

  /// Samples, with the same random numbers at each stage.
  void add(const std::string& stage, const rlhf::CausalLM& model);
  const rlhf::report::Exchanges& exchanges() const { return exchanges_; }

 private:
  const ModelFolder& folder_;
  rlhf::Completions prompts_;
  rlhf::SamplingOptions sampling_;
  rlhf::report::Exchanges exchanges_;
};

}  // namespace instructgpt
