/// Random numbers: one seeded generator, and streams that depend on nothing but their coordinates.
#pragma once

#include <cstdint>

#include "rlhf/core/archive.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf {

/// Uniform numbers that are a pure function of (seed, step, id, sample): what a sequence draws does
/// not depend on which other sequences are in its batch.
class RandomStream {
 public:
  RandomStream(uint64_t key, uint64_t id, uint64_t sample);
  /// The next number in [0, 1), 53 random bits.
  double uniform();

 private:
  uint64_t key_, id_, sample_, drawn_ = 0;
};

/// The whole state of a Generator; three numbers, so that a checkpoint can hold it.
struct GeneratorState {
  uint64_t seed = 0;   ///< as given
  uint64_t step = 0;   ///< how often advance() was called
  uint64_t drawn = 0;  ///< numbers drawn from the generator itself
  bool operator==(const GeneratorState&) const = default;
};

/// A counter-based generator (Philox 4x32-10, Salmon et al. 2011). Passed by reference; nothing in
/// the library reads a global one.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_{.seed = seed} {}
  explicit Generator(const GeneratorState& state) : state_(state) {}

  /// 64 random bits.
  uint64_t bits();
  /// In [0, 1), 53 random bits.
  double uniform();
  /// In [0, bound), without bias. @throws Error if bound < 1
  int64_t below(int64_t bound);
  /// A random order of 0 .. count-1: int64 [count] on the CPU.
  Tensor permutation(int64_t count);
  /// Fills a floating tensor with N(mean, std^2), in place.
  void fill_normal(Tensor& tensor, double mean, double std);

  /// Another generator whose numbers share nothing with this one's.
  Generator fork();

  /// The stream of a sequence at the current step.
  RandomStream stream(int64_t id, int64_t sample = 0) const;
  /// Next step: all streams change.
  void advance() { ++state_.step; }

  const GeneratorState& state() const { return state_; }
  /// The seed must be that of the checkpoint.
  void archive(Archive& archive);

 private:
  GeneratorState state_;
};

}  // namespace rlhf
