#include "rlhf/data/loader.hpp"

#include <fmt/format.h>

#include <utility>

#include "rlhf/core/error.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/data/batches.hpp"
#include "rlhf/io/named_tensors.hpp"

namespace rlhf {
namespace {

Tensor token_counts(const Completions& rows) {
  return rows.lengths();
}
Tensor token_counts(const Rankings& rows) {
  return data::token_counts(rows);
}

void number(Completions& rows) {
  if (!rows.ids) rows.ids = torch::arange(rows.size());
}

void number(Rankings& rows) {
  if (!rows.completions.ids) {
    rows.completions.ids = torch::arange(rows.size()).repeat_interleave(rows.group_sizes);
  }
}

std::vector<NamedTensor> tensors_of(const Completions& rows) {
  std::vector<NamedTensor> tensors = {{"tokens", rows.tokens},
                                      {"prompt_lengths", rows.prompt_lengths},
                                      {"response_lengths", rows.response_lengths}};
  if (rows.counted) tensors.emplace_back("counted", *rows.counted);
  if (rows.ids) tensors.emplace_back("ids", *rows.ids);
  return tensors;
}

std::vector<NamedTensor> tensors_of(const Rankings& rows) {
  std::vector<NamedTensor> tensors = tensors_of(rows.completions);
  tensors.emplace_back("group_sizes", rows.group_sizes);
  if (rows.ranks) tensors.emplace_back("ranks", *rows.ranks);
  return tensors;
}

void require_within(const LoaderState& state, int64_t rows) {
  require(state.epoch >= 0, "LoaderState::epoch", ">= 0", state.epoch);
  require(state.position >= 0 && state.position < rows, "LoaderState::position",
          fmt::format(">= 0 and < {} (rows)", rows), state.position);
}

/// The epoch's order: a permutation from a generator that the epoch-th number of the seed seeds.
Tensor order_of(int64_t count, const LoaderState& state, Shuffle shuffle) {
  if (shuffle == Shuffle::never) return torch::arange(count);
  Generator seeds(GeneratorState{.seed = state.seed, .drawn = static_cast<uint64_t>(state.epoch)});
  return seeds.fork().permutation(count);
}

std::deque<Tensor> split(const Tensor& order, const Tensor& token_counts,
                         const LoaderOptions& options) {
  std::deque<Tensor> batches;
  if (options.token_budget > 0) {
    for (const Tensor& places :
         data::token_budget_batches(token_counts.index_select(0, order), options.token_budget)) {
      batches.push_back(order.index_select(0, places));
    }
    return batches;
  }
  for (const Tensor& rows : order.split(options.batch_size)) {
    if (rows.size(0) == options.batch_size || options.last_batch == LastBatch::keep)
      batches.push_back(rows);
  }
  return batches;
}

}  // namespace

void LoaderOptions::validate() const {
  require(batch_size >= 0, "LoaderOptions::batch_size", ">= 0", batch_size);
  require(token_budget >= 0, "LoaderOptions::token_budget", ">= 0", token_budget);
  require_known(shuffle, Shuffle::never, "LoaderOptions::shuffle", "each_epoch or never");
  require_known(last_batch, LastBatch::drop, "LoaderOptions::last_batch", "keep or drop");
  require((batch_size > 0) != (token_budget > 0), "LoaderOptions",
          "either batch_size or token_budget above 0", batch_size > 0 ? "both" : "neither");
  require(last_batch == LastBatch::keep || batch_size > 0, "LoaderOptions::last_batch",
          "keep, as a batch by token budget has no size to fall short of", "drop");
}

void LoaderOptions::archive(Archive& archive) const {
  archive.option("batch_size", batch_size);
  archive.option("token_budget", token_budget);
  archive.option("seed", seed);
  archive.option("shuffle", shuffle);
  archive.option("last_batch", last_batch);
}

template <class Rows>
requires std::same_as<Rows, Completions> || std::same_as<Rows, Rankings> Loader<Rows>::Loader(
    Rows rows, LoaderOptions options)
    : Loader(std::move(rows), options, LoaderState{.seed = options.seed}) {}

template <class Rows>
requires std::same_as<Rows, Completions> || std::same_as<Rows, Rankings> Loader<Rows>::Loader(
    Rows rows, LoaderOptions options, const LoaderState& state)
    : rows_(std::move(rows)), options_(options), state_(state) {
  options_.validate();
  if (rows_.size() == 0) fail("empty data: no rows to load");
  rows_.validate();
  require(state_.seed == options_.seed, "LoaderState::seed",
          fmt::format("{} (LoaderOptions::seed)", options_.seed), fmt::format("{}", state_.seed));
  require_within(state_, rows_.size());
  require(options_.last_batch == LastBatch::keep || options_.batch_size <= rows_.size(),
          "LoaderOptions::batch_size with the last batch dropped",
          fmt::format("<= {} (rows)", rows_.size()), options_.batch_size);
  number(rows_);
  plan();
}

/// Splits what is left of the epoch.
template <LoadableRows Rows>
void Loader<Rows>::plan() {
  const Tensor order = order_of(size(), state_, options_.shuffle);
  const Tensor left = order.narrow(0, state_.position, size() - state_.position);
  batches_ = split(left, token_counts(rows_), options_);
  // A state may leave fewer rows than fill a batch where the last one is dropped.
  if (batches_.empty()) next_epoch();
}

template <LoadableRows Rows>
void Loader<Rows>::next_epoch() {
  ++state_.epoch;
  state_.position = 0;
  plan();
}

template <LoadableRows Rows>
Rows Loader<Rows>::next() {
  const Tensor chosen = batches_.front();
  batches_.pop_front();
  state_.position += chosen.size(0);
  if (batches_.empty()) next_epoch();
  return select(rows_, chosen);
}

template <LoadableRows Rows>
void Loader<Rows>::archive(Archive& archive) {
  if (fingerprint_.empty()) fingerprint_ = io::fingerprint(tensors_of(rows_));
  options_.archive(archive);
  archive.option("rows", size());
  archive.option("data", fingerprint_);
  archive.value("epoch", state_.epoch);
  archive.value("position", state_.position);
  if (!archive.loading()) return;
  require_within(state_, size());
  plan();
}

template class Loader<Completions>;
template class Loader<Rankings>;

}  // namespace rlhf
