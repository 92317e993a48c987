/// An optimizer and its schedule: the part of learning that every trainer does alike.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "rlhf/core/error.hpp"
#include "rlhf/core/tensor.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "rlhf/optimizer/schedule.hpp"

namespace rlhf::trainer {

class Learner {
 public:
  struct Update {
    double gradient_norm = 0;  ///< before clipping
    double learning_rate = 0;
  };

  /// @throws Error from the options' validate(), or where no parameter learns
  Learner(std::vector<NamedTensor> parameters, const AdamWOptions& optimizer,
          const Schedule& schedule)
      : optimizer_((require_trainable(parameters), std::move(parameters)), optimizer),
        schedule_(schedule),
        learning_rate_(optimizer.learning_rate) {
    schedule_.validate();
  }

  /// Forgets the gradients that a step which failed midway left behind.
  void begin() { optimizer_.zero_grad(); }

  /// Moves the weights along the gradients that were gathered, and clears these.
  /// @throws NonFinite naming a parameter whose gradient is bad; the weights are then as before
  Update update() {
    const double factor = schedule_.factor(updates_);
    const double norm = optimizer_.step(factor);
    ++updates_;
    return {.gradient_norm = norm, .learning_rate = factor * learning_rate_};
  }

  /// @throws NonFinite as update(), which need not be called then
  void require_finite_gradients() const { optimizer_.gradient_norm(); }

  int64_t updates() const { return updates_; }
  void archive(Archive& archive) {
    archive.part("optimizer", optimizer_);
    archive.value("updates", updates_);
  }
  AdamW& optimizer() { return optimizer_; }

 private:
  static void require_trainable(const std::vector<NamedTensor>& parameters) {
    const bool any = std::ranges::any_of(
        parameters, [](const NamedTensor& p) { return p.second.requires_grad(); });
    require(any, "parameters of the model to train",
            "at least one that learns (requires_grad); a view() has none",
            "none of " + std::to_string(parameters.size()));
  }

  AdamW optimizer_;
  Schedule schedule_;
  double learning_rate_;
  int64_t updates_ = 0;
};

}  // namespace rlhf::trainer
