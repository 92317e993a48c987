#include "fuzz/mutate.hpp"

#include <algorithm>
#include <cstring>

namespace rlhf::fuzz {

/// Numbers that checks forget.
uint64_t Mutator::extreme(size_t file_size) {
  constexpr uint64_t one = 1;
  const uint64_t known[] = {0,         1,         2,         31,        32,        127,
                            128,       255,       256,       32767,     65535,     65536,
                            one << 24, one << 31, one << 32, one << 53, one << 60, (one << 63) - 1,
                            one << 63, ~one + 1,  file_size};
  uint64_t number = known[below(std::size(known))];
  if (below(4) == 0) number += below(9) - 4;
  if (below(8) == 0) number = ~number;
  return number;
}

void Mutator::change_byte(std::string& bytes) {
  constexpr std::string_view marks = "\"{}[]:,\\/ \n-+.eE0123456789\xFF\x80\xC0";
  char& byte = bytes[below(bytes.size())];
  switch (below(3)) {
    case 0:
      byte = static_cast<char>(byte ^ (1 << below(8)));
      break;
    case 1:
      byte = static_cast<char>(below(256));
      break;
    default:
      byte = marks[below(marks.size())];
  }
}

void Mutator::change_integer(std::string& bytes) {
  const size_t width = size_t{1} << below(4);
  if (bytes.size() < width) return;
  char* place = bytes.data() + below(bytes.size() - width + 1);
  uint64_t number = 0;
  std::memcpy(&number, place, width);
  number = below(2) == 0 ? extreme(bytes.size()) : number + below(33) - 16;
  std::memcpy(place, &number, width);
}

/// A decimal number in a text.
void Mutator::change_digits(std::string& bytes) {
  constexpr std::string_view digits = "0123456789";
  size_t begin = bytes.find_first_of(digits, below(bytes.size()));
  if (begin == bytes.npos) begin = bytes.find_first_of(digits);
  if (begin == bytes.npos) return;
  const size_t end = std::min(bytes.find_first_not_of(digits, begin), bytes.size());
  bytes.replace(begin, end - begin, std::to_string(extreme(bytes.size())));
}

void Mutator::move_piece(std::string& bytes) {
  const size_t from = below(bytes.size()), to = below(bytes.size());
  const size_t count = 1 + below(below(4) == 0 ? bytes.size() : 24);
  const std::string piece = bytes.substr(from, count);
  switch (below(4)) {
    case 0:
      bytes.erase(from, count);
      break;
    case 1:
      bytes.insert(to, piece);
      break;
    case 2:
      bytes.replace(to, piece.size(), piece);
      break;
    default:
      if (!words_.empty()) bytes.insert(to, words_[below(words_.size())]);
  }
}

void Mutator::change_length(std::string& bytes) {
  if (below(2) == 0) {
    bytes.resize(below(bytes.size() + 1));
  } else {
    bytes.append(1 + below(64), static_cast<char>(below(256)));
  }
}

void Mutator::change(std::string& bytes) {
  if (bytes.empty()) bytes.push_back('\0');
  switch (below(10)) {
    case 0:
    case 1:
    case 2:
      return change_byte(bytes);
    case 3:
    case 4:
    case 5:
      return change_integer(bytes);
    case 6:
      return change_digits(bytes);
    case 7:
    case 8:
      return move_piece(bytes);
    default:
      return change_length(bytes);
  }
}

std::string Mutator::next(const std::vector<std::string>& corpus) {
  std::string bytes = corpus[below(corpus.size())];
  if (below(10) == 0) {
    const std::string& other = corpus[below(corpus.size())];
    bytes = bytes.substr(0, below(bytes.size() + 1)) + other.substr(below(other.size() + 1));
  }
  // Few as a rule: a file with many is refused at its first bytes.
  for (size_t changes = 1 + below(below(2) == 0 ? 2 : 8); changes > 0; --changes) change(bytes);
  bytes.resize(std::min(bytes.size(), longest));
  return bytes;
}

}  // namespace rlhf::fuzz
