#include "unicode_sets.hpp"

#include <map>

namespace rlhf::text {
namespace {

// Unicode 15.0, 15.1 and 16.0 over 14.0, the oldest that PCRE2 10.40 to 10.42 know.
constexpr std::string_view new_uppercase =
    R"(\x{1C89}\x{A7CB}-\x{A7CC}\x{A7DA}\x{A7DC}\x{10D50}-\x{10D65})";
constexpr std::string_view new_lowercase =
    R"(\x{1C8A}\x{A7CD}\x{A7DB}\x{10D70}-\x{10D85}\x{1DF25}-\x{1DF2A})";
constexpr std::string_view new_modifiers =
    R"(\x{10D4E}\x{10D6F}\x{16D40}-\x{16D42}\x{16D6B}-\x{16D6C}\x{1E030}-\x{1E06D}\x{1E4EB})";
constexpr std::string_view new_ideographs = R"(\x{2B739}\x{2EBF0}-\x{2EE5D}\x{31350}-\x{323AF})";
constexpr std::string_view new_other_letters =
    R"(\x{105C0}-\x{105F3}\x{10D4A}-\x{10D4D}\x{10D4F}\x{10EC2}-\x{10EC4})"
    R"(\x{1123F}-\x{11240}\x{11380}-\x{11389}\x{1138B}\x{1138E}\x{11390}-\x{113B5}\x{113B7})"
    R"(\x{113D1}\x{113D3}\x{11BC0}-\x{11BE0}\x{11F02}\x{11F04}-\x{11F10}\x{11F12}-\x{11F33})"
    R"(\x{1342F}\x{13441}-\x{13446}\x{13460}-\x{143FA}\x{16100}-\x{1611D})"
    R"(\x{16D43}-\x{16D6A}\x{18CFF}\x{1B132}\x{1B155}\x{1E4D0}-\x{1E4EA}\x{1E5D0}-\x{1E5ED})"
    R"(\x{1E5F0})";
constexpr std::string_view new_marks =
    R"(\x{897}\x{CF3}\x{ECE}\x{10D69}-\x{10D6D}\x{10EFC}-\x{10EFF}\x{11241})"
    R"(\x{113B8}-\x{113C0}\x{113C2}\x{113C5}\x{113C7}-\x{113CA}\x{113CC}-\x{113D0}\x{113D2})"
    R"(\x{113E1}-\x{113E2}\x{11F00}-\x{11F01}\x{11F03}\x{11F34}-\x{11F3A})"
    R"(\x{11F3E}-\x{11F42}\x{11F5A}\x{13440}\x{13447}-\x{13455}\x{1611E}-\x{1612F}\x{1E08F})"
    R"(\x{1E4EC}-\x{1E4EF}\x{1E5EE}-\x{1E5EF})";
constexpr std::string_view new_digits =
    R"(\x{10D40}-\x{10D49}\x{116D0}-\x{116E3}\x{11BF0}-\x{11BF9}\x{11F50}-\x{11F59})"
    R"(\x{16130}-\x{16139}\x{16D70}-\x{16D79}\x{1CCF0}-\x{1CCF9}\x{1E4F0}-\x{1E4F9})"
    R"(\x{1E5F1}-\x{1E5FA})";
constexpr std::string_view new_other_numbers = R"(\x{1D2C0}-\x{1D2D3})";
constexpr std::string_view new_punctuation =
    R"(\x{1B4E}-\x{1B4F}\x{1B7F}\x{10D6E}\x{113D4}-\x{113D5}\x{113D7}-\x{113D8})"
    R"(\x{11B00}-\x{11B09}\x{11BE1}\x{11F43}-\x{11F4F}\x{16D6D}-\x{16D6F}\x{1E5FF})";
constexpr std::string_view new_symbols =
    R"(\x{2427}-\x{2429}\x{2FFC}-\x{2FFF}\x{31E4}-\x{31E5}\x{31EF}\x{10D8E}-\x{10D8F})"
    R"(\x{1CC00}-\x{1CCEF}\x{1CD00}-\x{1CEB3}\x{1F6DC}\x{1F774}-\x{1F776})"
    R"(\x{1F77B}-\x{1F77F}\x{1F7D9}\x{1F8B2}-\x{1F8BB}\x{1F8C0}-\x{1F8C1})"
    R"(\x{1FA75}-\x{1FA77}\x{1FA87}-\x{1FA89}\x{1FA8F}\x{1FAAD}-\x{1FAAF})"
    R"(\x{1FABB}-\x{1FABF}\x{1FAC6}\x{1FACE}-\x{1FACF}\x{1FADA}-\x{1FADC}\x{1FADF})"
    R"(\x{1FAE8}-\x{1FAE9}\x{1FAF7}-\x{1FAF8}\x{1FBCB}-\x{1FBEF})";

template <class... Parts>
std::string joined(Parts... parts) {
  std::string all;
  (all.append(parts), ...);
  return all;
}

std::map<std::string_view, std::string> make_table() {
  std::map<std::string_view, std::string> table{
      {"L", letters()},
      {"Lu", joined(R"(\p{Lu})", new_uppercase)},
      {"Ll", joined(R"(\p{Ll})", new_lowercase)},
      {"Lt", R"(\p{Lt})"},
      {"Lm", joined(R"(\p{Lm})", new_modifiers)},
      {"Lo", joined(R"(\p{Lo})", new_other_letters, new_ideographs)},
      {"M", marks()},
      {"N", numbers()},
      {"Nd", joined(R"(\p{Nd})", new_digits)},
      {"Nl", R"(\p{Nl})"},
      {"No", joined(R"(\p{No})", new_other_numbers)},
      {"P", joined(R"(\p{P})", new_punctuation)},
      {"S", joined(R"(\p{S})", new_symbols)},
      {"Z", R"(\p{Z})"},
      {"Zs", R"(\p{Zs})"},
      {"Cc", R"(\p{Cc})"},
      {"Han", joined(R"(\p{sc:Han})", new_ideographs)},
  };
  for (const auto& [name, shorter] :
       {std::pair("Letter", "L"), std::pair("Mark", "M"), std::pair("Number", "N"),
        std::pair("Punctuation", "P"), std::pair("Symbol", "S"), std::pair("Separator", "Z")}) {
    table.emplace(name, table.at(shorter));
  }
  return table;
}

}  // namespace

const std::string& letters() {
  static const std::string set = joined(R"(\p{L})", new_uppercase, new_lowercase, new_modifiers,
                                        new_other_letters, new_ideographs);
  return set;
}

const std::string& numbers() {
  static const std::string set = joined(R"(\p{N})", new_digits, new_other_numbers);
  return set;
}

const std::string& marks() {
  static const std::string set = joined(R"(\p{M})", new_marks);
  return set;
}

// PCRE2's \s has U+180E, which Unicode no longer counts as white space.
const std::string& white_space() {
  static const std::string set =
      R"(\x09-\x0D\x20\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
  return set;
}

const std::string& word_characters() {
  static const std::string set =
      joined(R"(\p{Alphabetic}\p{Nd}\p{Pc})", letters(), marks(), new_digits);
  return set;
}

std::optional<std::string> unicode_set(std::string_view property) {
  static const std::map<std::string_view, std::string> table = make_table();
  const auto place = table.find(property);
  return place == table.end() ? std::nullopt : std::optional(place->second);
}

}  // namespace rlhf::text
