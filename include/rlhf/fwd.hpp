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
class Archive;
class Error;
class Generator;
class RandomStream;

// model, reward
struct TransformerConfig;
class CausalLM;
class Transformer;
class RewardModel;
class ScalarModel;
class ValueModel;
class ActorCritic;

// checkpoint
struct Checkpoint;
struct RunOptions;
class Run;

// trainer
struct SftOptions;
struct RewardOptions;
struct PpoOptions;
struct SftStats;
struct RewardStats;
struct PpoStats;
template <class P>
class SftTrainer;
template <class M>
class RewardTrainer;
template <class P, class C, class R, class F>
class PpoTrainer;

}  // namespace rlhf
