/// Parts of a batch that go through a model one after the other. They change memory, not results:
/// every loss is divided by a count of the whole batch.
#pragma once

#include <vector>

#include "rlhf/core/completions.hpp"
#include "rlhf/core/rollout.hpp"

namespace rlhf::trainer {

/// The denominator of a batch: its counted response tokens.
/// @throws Error naming a sequence that has none
double counted_tokens(const Completions& batch);

/// With their row for an id, unless they have ids: a message about a part then names the row of the
/// whole.
Completions numbered(Completions completions);

/// At most `tokens` tokens each, in order; 0: the batch itself.
std::vector<Completions> micro_batches(const Completions& batch, int64_t tokens);

/// Whole groups, at most `tokens` tokens each (a larger group stands alone); 0: all in one.
std::vector<Rankings> micro_batches(const Rankings& rankings, int64_t tokens);

/// The chosen rows (int64 [k] on the CPU) of every record, cut to their longest response.
Experience select(const Experience& experience, const Tensor& rows);

/// At most `tokens` tokens each, in order; 0: the experience itself.
std::vector<Experience> micro_batches(const Experience& experience, int64_t tokens);

}  // namespace rlhf::trainer
