#include "normal_form.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "characters.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::text {
namespace {

struct CodePoints {
  char32_t first, last;
};

// Marks and composed characters of Unicode 10 to 18, and what these are composed of. Before Unicode
// had them they were left where they stood. Found by trying every character on `tokenizers` 0.23.
constexpr CodePoints younger_than_unicode_9[] = {
    {0x5C8, 0x5C9},     {0x7FD, 0x7FD},     {0x897, 0x89F},     {0x8CA, 0x8D3},
    {0x9FE, 0x9FE},     {0xC3C, 0xC3C},     {0xD3B, 0xD3C},     {0xEBA, 0xEBA},
    {0x1715, 0x1715},   {0x1ABF, 0x1AF0},   {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},
    {0x105C9, 0x105C9}, {0x105D2, 0x105D2}, {0x105DA, 0x105DA}, {0x105E4, 0x105E4},
    {0x10D24, 0x10D27}, {0x10D69, 0x10D6D}, {0x10EAB, 0x10EAC}, {0x10ECB, 0x10ECF},
    {0x10EF0, 0x10EFB}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85},
    {0x11070, 0x11070}, {0x1133B, 0x1133B}, {0x11382, 0x11385}, {0x1138B, 0x1138B},
    {0x1138E, 0x1138E}, {0x11390, 0x11391}, {0x113B8, 0x113B8}, {0x113BB, 0x113BB},
    {0x113C2, 0x113C2}, {0x113C5, 0x113C5}, {0x113C7, 0x113C9}, {0x113CE, 0x113D0},
    {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11930, 0x11930}, {0x11935, 0x11935},
    {0x11938, 0x11938}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0},
    {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42},
    {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x1611E, 0x16129},
    {0x1612F, 0x1612F}, {0x16D63, 0x16D63}, {0x16D67, 0x16D6A}, {0x16FF0, 0x16FF1},
    {0x1D127, 0x1D128}, {0x1D250, 0x1D252}, {0x1D25B, 0x1D25C}, {0x1D25F, 0x1D25F},
    {0x1D280, 0x1D281}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}, {0x1E5EE, 0x1E5EF}, {0x1E6E3, 0x1E6E3},
    {0x1E6E6, 0x1E6E6}, {0x1E6EE, 0x1E6EF}, {0x1E6F5, 0x1E6F5},
};

bool is_younger(char32_t point) {
  const auto* const place =
      std::lower_bound(std::begin(younger_than_unicode_9), std::end(younger_than_unicode_9), point,
                       [](const CodePoints& range, char32_t value) { return range.last < value; });
  return place != std::end(younger_than_unicode_9) && place->first <= point;
}

/// The characters of a stretch, each taken apart. utf8proc_map would do all at once, but takes the
/// square of the length where many marks follow one another.
class Stretch {
 public:
  void add(char32_t point) {
    std::array<utf8proc_int32_t, most_parts> parts = {};
    int boundary = 0;
    const utf8proc_ssize_t count = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(point), parts.data(), most_parts,
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary);
    if (count < 0 || count > most_parts) {
      fail(fmt::format("normal form of U+{:04X}: {}", static_cast<uint32_t>(point),
                       count < 0 ? utf8proc_errmsg(count) : "too many parts"));
    }
    points_.insert(points_.end(), parts.begin(), parts.begin() + count);
  }

  /// Appends the stretch, composed, and starts the next.
  void compose_to(std::string& text) {
    sort_marks();
    const utf8proc_ssize_t count = utf8proc_normalize_utf32(
        points_.data(), static_cast<utf8proc_ssize_t>(points_.size()),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      std::array<utf8proc_uint8_t, 4> bytes = {};
      const auto size = utf8proc_encode_char(points_[static_cast<size_t>(i)], bytes.data());
      text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(size));
    }
    points_.clear();
  }

 private:
  static constexpr int most_parts = 8;  // Unicode's longest canonical decomposition has 4

  static int mark_class(utf8proc_int32_t point) {
    return utf8proc_get_property(point)->combining_class;
  }

  void sort_marks() {
    const auto is_mark = [](utf8proc_int32_t point) { return mark_class(point) != 0; };
    for (auto start = points_.begin(); start != points_.end();) {
      start = std::find_if(start, points_.end(), is_mark);
      const auto end = std::find_if_not(start, points_.end(), is_mark);
      std::stable_sort(start, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
        return mark_class(a) < mark_class(b);
      });
      start = end;
    }
  }

  std::vector<utf8proc_int32_t> points_;
};

}  // namespace

std::string nfc(std::string_view text) {
  // Nothing below U+0300 composes with what follows it, or is composed.
  const auto plain = [](char c) { return static_cast<uint8_t>(c) < 0xCC; };
  if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string composed;
  composed.reserve(text.size());
  Stretch stretch;
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    const char32_t point = code_point(character);
    text.remove_prefix(character.size());
    if (!is_younger(point)) {
      stretch.add(point);
      continue;
    }
    stretch.compose_to(composed);
    composed.append(character);
  }
  stretch.compose_to(composed);
  return composed;
}

}  // namespace rlhf::text
