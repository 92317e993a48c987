/// The records that PPO passes from stage to stage.
#pragma once

#include <cstdint>
#include <vector>

#include "rlhf/core/completions.hpp"

namespace rlhf {

/// Why a response ended: at an end token, or at the length limit.
enum class Finish : uint8_t { eos, length };

/// What sampling gives back.
struct Rollout {
  Completions completions;
  Tensor log_probs;            ///< float32 [B, T], each sampled token under the untruncated
                               ///< distribution at the sampling temperature
  std::vector<Finish> finish;  ///< [B]
};

/// A rollout after the four models have met.
struct Scored {
  Rollout rollout;
  Tensor mask;           ///< bool [B, T], real and counted response tokens
  Tensor scores;         ///< float32 [B], what the reward gave
  Tensor log_probs;      ///< float32 [B, T], the policy's own, by the arithmetic of training
  Tensor ref_log_probs;  ///< float32 [B, T], the reference's
  Tensor values;         ///< float32 [B, T], the critic's, of the state before each token
  Tensor entropy;        ///< float32 [B, T], the policy's
};

/// What an update learns from.
struct Experience {
  Scored scored;
  Tensor kl;          ///< float32 [B, T], the estimator that is charged to the reward
  Tensor rewards;     ///< float32 [B, T], score at the last counted token minus coefficient * kl
  Tensor advantages;  ///< float32 [B, T], whitened if the options say so
  Tensor returns;     ///< float32 [B, T], taken before whitening
};

}  // namespace rlhf
