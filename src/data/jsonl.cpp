#include "rlhf/data/jsonl.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/utf8.hpp"

namespace rlhf::data {

JsonlReader::JsonlReader(std::filesystem::path path, int64_t max_line_bytes)
    : path_(std::move(path)), max_line_bytes_(max_line_bytes) {
  require(max_line_bytes_ >= 1, "max_line_bytes of JsonlReader", ">= 1", max_line_bytes_);
  // A folder opens like a file and only fails to be read.
  std::error_code ignored;
  require(!std::filesystem::is_directory(path_, ignored), path_.string(), "a file", "a folder");
  file_.open(path_, std::ios::binary);
  if (!file_) fail(fmt::format("{}: cannot open: {}", path_.string(), std::strerror(errno)));
}

std::string JsonlReader::where() const {
  return fmt::format("{}:{}", path_.string(), line_number_);
}

// By hand, because std::getline takes a line of any length.
bool JsonlReader::read_line() try {
  using Traits = std::ifstream::traits_type;
  std::filebuf& buffer = *file_.rdbuf();
  if (Traits::eq_int_type(buffer.sgetc(), Traits::eof())) return false;
  ++line_number_;
  line_.clear();
  for (auto byte = buffer.sbumpc(); !Traits::eq_int_type(byte, Traits::eof());
       byte = buffer.sbumpc()) {
    if (byte == '\n') break;
    if (static_cast<int64_t>(line_.size()) == max_line_bytes_) {
      fail(fmt::format("{}: length of a line", where()),
           fmt::format("<= {} bytes", max_line_bytes_), "more");
    }
    line_.push_back(Traits::to_char_type(byte));
  }
  return true;
} catch (const std::ios_base::failure& failure) {
  fail(fmt::format("{}: cannot read: {}", path_.string(), failure.what()));
}

std::optional<nlohmann::ordered_json> JsonlReader::next() {
  while (read_line()) {
    if (line_.find_first_not_of(" \t\r") == line_.npos) continue;
    io::require_utf8(line_, where());
    ++values_;
    return io::parse_ordered_json(line_, path_, line_number_);
  }
  if (values_ == 0) fail(fmt::format("{}: empty data", path_.string()));
  return std::nullopt;
}

}  // namespace rlhf::data
