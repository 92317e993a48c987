/// Drawing the next token of every sequence from its logits.
#pragma once

#include <cstdint>
#include <vector>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf {

/// How responses are sampled.
struct SamplingOptions {
  double temperature = 1.0;              ///< divides the logits; 0: greedy (log-probs then at 1)
  int64_t top_k = 0;                     ///< draw among the k most likely; 0: all
  double top_p = 1.0;                    ///< draw among the fewest that hold this much probability
  int64_t max_response_tokens = 128;     ///< a response this long ends with Finish::length
  std::vector<int64_t> end_tokens = {};  ///< a response ends with any of them; it is kept
  int64_t samples_per_prompt = 1;        ///< all of a prompt's samples share its prefill

  /// @throws Error naming the field
  void validate() const;
  void archive(Archive& archive) const;
};

namespace rollout {

struct Draw {
  Tensor tokens;     ///< int64 [A], on the CPU
  Tensor log_probs;  ///< float32 [A], on the CPU, under the untruncated distribution
};

/// One token a row. A row's token depends on its logits and its number alone.
/// @param logits    [A, V]
/// @param uniforms  one number in [0, 1) a row
/// @throws Error    a row whose logits hold NaN, by its index
Draw draw(const Tensor& logits, const std::vector<double>& uniforms,
          const SamplingOptions& options);

}  // namespace rollout
}  // namespace rlhf
