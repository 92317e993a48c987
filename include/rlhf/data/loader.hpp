/// Batches of a data set in a new order each epoch; stops and resumes at any batch.
///
///     Loader loader{demonstrations, LoaderOptions{.batch_size = 32, .seed = 1}};
///     while (loader.epoch() < 3) {
///       for (auto& batch : loader) trainer.step(batch);   // the rest of one epoch
///     }
///     auto batch = loader.next();                          // or endlessly
///     Loader again{demonstrations, options, loader.state()};  // goes on with the next batch
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <iterator>
#include <string>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/completions.hpp"

namespace rlhf {

/// In what order an epoch goes through the rows.
enum class Shuffle : uint8_t { each_epoch, never };

/// What becomes of an epoch's last batch where the rows do not fill it.
enum class LastBatch : uint8_t { keep, drop };

struct LoaderOptions {
  int64_t batch_size = 0;    ///< rows a batch (of Rankings: groups); this or token_budget is set
  int64_t token_budget = 0;  ///< tokens a batch at most; a longer row is a batch of its own
  uint64_t seed = 0;
  Shuffle shuffle = Shuffle::each_epoch;
  LastBatch last_batch = LastBatch::keep;  ///< drop goes with batch_size only
  void validate() const;
  void archive(Archive& archive) const;
};

/// Where a Loader stands, between two batches.
struct LoaderState {
  uint64_t seed = 0;     ///< the order of an epoch depends on this and its number, nothing else
  int64_t epoch = 0;     ///< of the next batch
  int64_t position = 0;  ///< rows of that epoch already given; below the number of rows
  bool operator==(const LoaderState&) const = default;
};

template <class Rows>
concept LoadableRows = std::same_as<Rows, Completions> || std::same_as<Rows, Rankings>;

/// Gives `Rows`, Completions or Rankings, in batches. Rows keep their ids; without ids, their place
/// in the data set becomes one.
template <LoadableRows Rows>
class Loader {
 public:
  /// @throws Error on options that cannot work, "empty data", and where batch_size exceeds the
  ///         number of rows and the last batch is dropped
  Loader(Rows rows, LoaderOptions options);
  /// Goes on where `state` was taken. The same rows and options give the same batches.
  /// @throws Error as above, and on a state of another seed or of more rows
  Loader(Rows rows, LoaderOptions options, const LoaderState& state);

  /// The next batch, of the next epoch where this one is over: never ends.
  Rows next();

  /// Of the next batch.
  int64_t epoch() const { return state_.epoch; }
  const LoaderState& state() const { return state_; }
  /// Options, the next batch, and a fingerprint of the data, which must be that of the checkpoint.
  void archive(Archive& archive);
  /// Batches left in this epoch, >= 1.
  int64_t batches_left() const { return static_cast<int64_t>(batches_.size()); }
  /// Rows (groups) of the data set.
  int64_t size() const { return rows_.size(); }

  /// Walks over the rest of one epoch. Within the loop's body state() is that after its batch, so
  /// that a checkpoint saved there resumes with the batch that follows.
  class Iterator;
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  void plan();
  void next_epoch();

  Rows rows_;
  LoaderOptions options_;
  LoaderState state_;
  std::string fingerprint_;     ///< made when first asked for
  std::deque<Tensor> batches_;  ///< the rest of the epoch: row indices, int64 [k] each
  Rows current_;                ///< what the iterator points at
};

template <LoadableRows Rows>
class Loader<Rows>::Iterator {
 public:
  using value_type = Rows;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(Loader& loader) : loader_(&loader), epoch_(loader.epoch()) { fetch(); }
  Rows& operator*() const { return loader_->current_; }
  Rows* operator->() const { return &loader_->current_; }
  Iterator& operator++() {
    if (loader_->epoch() == epoch_) {
      fetch();
    } else {
      over_ = true;
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return over_; }

 private:
  void fetch() { loader_->current_ = loader_->next(); }

  Loader* loader_;
  int64_t epoch_;
  bool over_ = false;
};

template <LoadableRows Rows>
typename Loader<Rows>::Iterator Loader<Rows>::begin() {
  return Iterator(*this);
}

extern template class Loader<Completions>;
extern template class Loader<Rankings>;

}  // namespace rlhf
