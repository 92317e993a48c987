/// Whether answers to one question, drawn several times, say the same.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace rlhf::evaluation {

struct Consistency {
  double agreement = 0.0;  ///< share of all samples that equal the answer
  double entropy = 0.0;    ///< nats, of the clusters of equal samples: 0 to log of their number
};

/// Equal strings say the same; a caller brings meanings to one form first. nullopt is no answer (an
/// abstention): it equals nothing, not another one either, so that a question which is declined
/// every time has no agreement and the highest entropy.
///
///   agreement = |{i: sample_i = answer}| / n        entropy = -sum over clusters c of p_c log p_c,
///                                                   p_c = |c| / n
///
/// @param samples  at least one
/// @param answer   what agreement is with, the greedy answer for instance; it need not be among the
///                 samples
/// Source: agreement after Wang et al. 2022, arXiv 2203.11171, whose answer is the most frequent
/// one; entropy: Farquhar et al. 2024, doi 10.1038/s41586-024-07421-0, its discrete form, where a
/// cluster's share stands for its probability. Of few samples it comes out low.
Consistency consistency(std::span<const std::optional<std::string>> samples,
                        const std::optional<std::string>& answer);

}  // namespace rlhf::evaluation
