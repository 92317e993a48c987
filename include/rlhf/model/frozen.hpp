/// A model that never changes: what a policy is held to. Models Reference.
#pragma once

#include <string>
#include <utility>

#include "rlhf/core/concepts.hpp"
#include "rlhf/io/named_tensors.hpp"

namespace rlhf {

/// Owns a model and offers its evaluate() without gradient, and no parameters to train.
///
///   Frozen reference{policy.clone()};
template <Policy M>
class Frozen {
 public:
  explicit Frozen(M model) : model_(std::move(model)) {}

  TokenOutputs evaluate(const Completions& completions, const EvaluateOptions& options = {}) const {
    NoGrad no_grad;
    return model_.evaluate(completions, options);
  }
  int64_t vocab_size() const requires requires(const M& m) { m.vocab_size(); }
  { return model_.vocab_size(); }
  const M& model() const { return model_; }
  /// Of the parameters: a run is held to the reference that it began with.
  const std::string& fingerprint() const {
    if (fingerprint_.empty()) fingerprint_ = io::fingerprint(named_parameters_of(model_));
    return fingerprint_;
  }

 private:
  mutable M model_;  // a model's evaluate() need not be const; it changes nothing all the same
  mutable std::string fingerprint_;  // made when first asked for
};

}  // namespace rlhf
