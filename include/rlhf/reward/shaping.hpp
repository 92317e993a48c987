/// Rewards made of rewards: each function takes one and gives another, to be read inside out.
///
///     auto shaped = reward::clip(reward::missing_eos(std::move(base), -1.0), -5.0, 5.0);
///
/// A base is owned (moved or copied in); std::ref(base) borrows it. Every result models Reward.
/// A base score that is not finite is an Error that names the sequence: it is never clipped away.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "rlhf/core/concepts.hpp"

namespace rlhf::reward {

/// `scores` as float32 [B].
/// @throws Error naming `whose` scores unless they are floating, [B] and finite
Tensor checked_scores(const Tensor& scores, const Rollout& rollout, std::string_view whose);

/// A base reward and what is done to its scores: Tensor(const Tensor& scores, const Rollout&).
template <Reward Base, class Function>
class Shaped {
 public:
  Shaped(Base base, Function function) : base_(std::move(base)), function_(std::move(function)) {}

  Tensor operator()(const Rollout& rollout) {
    return function_(checked_scores(base_(rollout), rollout, "scores of a shaped reward's base"),
                     rollout);
  }
  void archive(Archive& archive) {
    part(archive, "base", base_);
    part(archive, "shaping", function_);
  }

 private:
  template <class T>
  static void part(Archive& archive, std::string_view name, T& shaped) {
    if constexpr (requires { shaped.archive(archive); }) archive.part(name, shaped);
  }

  Base base_;
  Function function_;
};

/// Any shaping of your own.
///
///     auto cubed = reward::shape(base, [](const Tensor& s, const Rollout&) { return s.pow(3); });
template <Reward Base, class Function>
Shaped<Base, Function> shape(Base base, Function function) {
  return {std::move(base), std::move(function)};
}

struct LengthPenalty {
  double per_token = 0.0;   ///< taken off for each counted response token
  int64_t free_tokens = 0;  ///< beyond the first so many
  void validate() const;
};

/// What a reward's scores are like.
struct ScoreMoments {
  double mean = 0.0;
  double std = 1.0;  ///< of the population: divided by n
  /// @throws Error unless the mean is finite and the std finite and above 0
  void validate() const;
};

namespace detail {
struct Clip {
  double low, high;
  Clip(double low, double high);
  Tensor operator()(const Tensor& scores, const Rollout&) const;
};
struct Affine {
  double factor, shift;
  Affine(double factor, double shift);
  Tensor operator()(const Tensor& scores, const Rollout&) const;
};
struct Normalise {
  ScoreMoments moments;
  Tensor operator()(const Tensor& scores, const Rollout&) const;
  /// A run keeps the moments it was begun with, as its policy no longer gives the same ones.
  void archive(Archive& archive);
};
struct MissingEos {
  enum class Action : uint8_t { replace, subtract } action;
  double amount;
  MissingEos(Action action, double amount);
  Tensor operator()(const Tensor& scores, const Rollout& rollout) const;
};
struct Shorten {
  LengthPenalty penalty;
  explicit Shorten(LengthPenalty penalty);
  Tensor operator()(const Tensor& scores, const Rollout& rollout) const;
};
}  // namespace detail

/// Scores held within [low, high]. @throws Error unless low < high
template <Reward Base>
auto clip(Base base, double low, double high) {
  return shape(std::move(base), detail::Clip(low, high));
}

/// factor * score.
template <Reward Base>
auto scale(Base base, double factor) {
  return shape(std::move(base), detail::Affine(factor, 0.0));
}

/// score + amount.
template <Reward Base>
auto shift(Base base, double amount) {
  return shape(std::move(base), detail::Affine(1.0, amount));
}

/// A response that did not end by itself (Finish::length) gets `value` for its score.
/// Source: Ziegler et al. 2019, arXiv 1909.08593; -1 in Huang et al. 2024, arXiv 2403.17031.
template <Reward Base>
auto missing_eos(Base base, double value) {
  return shape(std::move(base), detail::MissingEos(detail::MissingEos::Action::replace, value));
}

/// A response that did not end by itself gets its score less `penalty`.
template <Reward Base>
auto missing_eos_penalty(Base base, double penalty) {
  return shape(std::move(base), detail::MissingEos(detail::MissingEos::Action::subtract, penalty));
}

/// score - per_token * max(0, counted response tokens - free_tokens).
template <Reward Base>
auto length_penalty(Base base, LengthPenalty penalty) {
  return shape(std::move(base), detail::Shorten(penalty));
}

/// Of a sample of scores, float [n]. @throws Error for fewer than 2, one not finite, or all alike
ScoreMoments moments_of(const Tensor& scores);

/// (score - mean) / std: mean 0 and std 1 on what the moments were measured on, often the first
/// policy's samples (Ziegler et al. 2019).
template <Reward Base>
auto normalise(Base base, const ScoreMoments& moments) {
  moments.validate();
  return shape(std::move(base), detail::Normalise{moments});
}

/// The same, measured on this sample.
template <Reward Base>
auto normalise(Base base, const Rollout& sample) {
  const ScoreMoments moments =
      moments_of(checked_scores(base(sample), sample, "scores of the sample"));
  return normalise(std::move(base), moments);
}

}  // namespace rlhf::reward
