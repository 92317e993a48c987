#include "rlhf/core/random.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/PhiloxRNGEngine.h>

#include <limits>
#include <numeric>

#include "rlhf/core/error.hpp"

namespace rlhf {
namespace {

// Philox numbered by its full coordinates: 64-bit key, 64-bit subsequence, 64-bit offset.
uint64_t philox_bits(uint64_t key, uint64_t subsequence, uint64_t offset) {
  at::Philox4_32 engine(key, subsequence, offset);
  const uint64_t high = engine();
  return (high << 32) | engine();
}

double to_uniform(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

}  // namespace

RandomStream::RandomStream(uint64_t key, uint64_t id, uint64_t sample)
    : key_(key), id_(id), sample_(sample) {}

double RandomStream::uniform() {
  return to_uniform(philox_bits(key_, id_, (sample_ << 32) + drawn_++));
}

uint64_t Generator::bits() {
  constexpr uint64_t own_subsequence = std::numeric_limits<uint64_t>::max();
  return philox_bits(state_.seed, own_subsequence, state_.drawn++);
}

double Generator::uniform() {
  return to_uniform(bits());
}

int64_t Generator::below(int64_t bound) {
  require(bound >= 1, "bound of Generator::below", ">= 1", bound);
  const uint64_t range = static_cast<uint64_t>(bound);
  const uint64_t limit = std::numeric_limits<uint64_t>::max() / range * range;
  uint64_t drawn = bits();
  while (drawn >= limit) drawn = bits();
  return static_cast<int64_t>(drawn % range);
}

Tensor Generator::permutation(int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = count - 1; i > 0; --i) {
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(below(i + 1))]);
  }
  return int64_tensor(order);
}

void Generator::fill_normal(Tensor& tensor, double mean, double std) {
  NoGrad no_grad;
  tensor.normal_(mean, std, at::detail::createCPUGenerator(bits()));
}

Generator Generator::fork() {
  return Generator(bits());
}

void Generator::archive(Archive& archive) {
  archive.option("seed", state_.seed);
  archive.value("step", state_.step);
  archive.value("drawn", state_.drawn);
}

RandomStream Generator::stream(int64_t id, int64_t sample) const {
  // The step is mixed into the key; the id picks the subsequence, the sample its offset.
  const uint64_t key =
      philox_bits(state_.seed, std::numeric_limits<uint64_t>::max() - 1, state_.step);
  return RandomStream(key, static_cast<uint64_t>(id), static_cast<uint64_t>(sample));
}

}  // namespace rlhf
