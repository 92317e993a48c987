/// The library's main types, named only: for headers that pass them along. No LibTorch is read.
#pragma once

namespace at {
class Tensor;
}

namespace rlhf {

// core
struct Completions;
struct Rankings;
struct Rollout;
struct Scored;
struct Experience;
struct EvaluateOptions;
struct TokenOutputs;
struct Metric;
struct GeneratorState;
struct SingleProcess;
class AnyReward;
class Error;
class Generator;
class RandomStream;

// model, reward
struct TransformerConfig;
class CausalLM;
class Transformer;
class RewardModel;

}  // namespace rlhf
