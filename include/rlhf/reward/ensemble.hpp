/// Several rewards as one that is harder to fool than each.
#pragma once

#include <vector>

#include "rlhf/core/concepts.hpp"

namespace rlhf::reward {

/// How the members' scores become one (Coste et al. 2023, arXiv 2310.02743).
enum class Pool : uint8_t {
  mean,            ///< their mean
  min,             ///< the worst
  mean_minus_std,  ///< the mean less EnsembleOptions::std_weight standard deviations
};

struct EnsembleOptions {
  Pool pool = Pool::mean;
  double std_weight = 1.0;  ///< of Pool::mean_minus_std; the std is the population's
  void validate() const;
};

/// Models Reward.
///
///     reward::Ensemble judges{{std::ref(first), std::ref(second)}, {.pool = reward::Pool::min}};
class Ensemble {
 public:
  /// @throws Error without a member, or on options that cannot work
  explicit Ensemble(std::vector<AnyReward> members, EnsembleOptions options = {});

  /// float32 [B]. @throws Error naming the member whose scores are not finite or not [B]
  Tensor operator()(const Rollout& rollout) const;
  void archive(Archive& archive) const;

 private:
  std::vector<AnyReward> members_;
  EnsembleOptions options_;
};

}  // namespace rlhf::reward
