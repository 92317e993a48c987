/// Wrong files out of right ones: bytes changed, moved, cut and doubled, numbers made extreme.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::fuzz {

/// The same seed gives the same files on every machine.
class Mutator {
 public:
  /// @param words  that the format is made of; put in now and then
  explicit Mutator(uint64_t seed, std::vector<std::string> words = {})
      : random_(seed), words_(std::move(words)) {}

  /// A file of the corpus with one to eight changes, or the beginning of one with the end of
  /// another; at most `longest` bytes.
  std::string next(const std::vector<std::string>& corpus);

  static constexpr size_t longest = 1 << 16;

 private:
  size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(random_() % bound); }
  uint64_t extreme(size_t file_size);
  void change(std::string& bytes);
  void change_byte(std::string& bytes);
  void change_integer(std::string& bytes);
  void change_digits(std::string& bytes);
  void move_piece(std::string& bytes);
  void change_length(std::string& bytes);

  std::mt19937_64 random_;
  std::vector<std::string> words_;
};

}  // namespace rlhf::fuzz
