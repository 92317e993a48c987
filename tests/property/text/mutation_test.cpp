// Files that are nearly right: each is read, or refused with an Error, and nothing else happens.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "rlhf/core/error.hpp"
#include "rlhf/text/chat_template.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using nlohmann::json;

std::string contents_of(const std::string& name) {
  std::ifstream file(std::string(RLHF_GOLDEN_DIR) + "/data/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Numbers that are the same on every machine.
class Draw {
 public:
  explicit Draw(uint32_t seed) : engine_(seed) {}
  size_t below(size_t bound) { return engine_() % bound; }

 private:
  std::mt19937 engine_;
};

/// All values within a value, but for the many of the vocabulary and its merges.
void collect(json& value, std::vector<json*>& found) {
  found.push_back(&value);
  size_t count = 0;
  if (!value.is_structured()) return;
  for (json& inner : value) {
    if (++count > 6) return;
    collect(inner, found);
  }
}

json strange_value(Draw& draw) {
  static const std::vector<json> values{
      nullptr,
      true,
      false,
      0,
      1,
      -1,
      5,
      97,
      300,
      70'000,
      1e300,
      2'000'000'000,
      int64_t{1} << 40,
      "",
      "a",
      "Split",
      "Digits",
      "ByteLevel",
      "Sequence",
      "NFC",
      "<|endoftext|>",
      "\u0120",
      "a b",
      "(",
      "[[",
      "\\p{",
      "(?i",
      "é",
      json::array(),
      json::object(),
      json::array({1, "a"}),
      json::array({"a", "b"}),
      {{"type", "Split"}},
      {{"Regex", "a*"}},
      {{"String", "x"}},
      {{"type", "Sequence"}, {"pretokenizers", json::array()}},
      {{"type", "Sequence"}, {"normalizers", json::array({nullptr})}},
      {{"id", 3}, {"content", "x"}},
      {{"SpecialToken", {{"id", "x"}}}}};
  return values[draw.below(values.size())];
}

TEST(MutatedTokenizer, IsReadOrRefused) {
  const std::vector<std::string> families{"gpt2", "llama3", "qwen2", "smollm2", "flags", "splits"};
  Draw draw(1);
  size_t refused = 0;
  constexpr size_t rounds = 1500;
  const test::TemporaryFolder folder;
  std::map<std::string, json> goldens;
  for (const std::string& family : families)
    goldens[family] = json::parse(contents_of("tokenizers/" + family + ".json"))["tokenizer"];
  for (size_t round = 0; round < rounds; ++round) {
    json tokenizer = goldens[families[draw.below(families.size())]];
    for (size_t changes = 1 + draw.below(2); changes > 0; --changes) {
      std::vector<json*> places;
      collect(tokenizer, places);
      json& place = *places[draw.below(places.size())];
      if (place.is_object() && !place.empty() && draw.below(3) == 0) {
        place.erase(
            std::next(place.begin(), static_cast<std::ptrdiff_t>(draw.below(place.size()))));
      } else {
        place = strange_value(draw);
      }
    }
    std::string bytes = tokenizer.dump();
    if (draw.below(20) == 0) bytes.resize(draw.below(bytes.size()));
    folder.put("tokenizer.json", bytes);
    try {
      const auto loaded = ByteLevelBpe::load(folder.path());
      loaded.decode(loaded.encode("Hello <mask>  world's caf\u00e9 12345\xff\n<|endoftext|>"));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, rounds / 4);
  EXPECT_LT(refused, rounds);
}

TEST(MutatedTemplate, IsRunOrRefused) {
  const json golden = json::parse(contents_of("chat_templates.json"));
  std::vector<std::string> sources;
  for (const auto& [name, source] : golden["templates"].items()) sources.push_back(source);
  for (const json& row : golden["snippets"]) sources.push_back(row[0]);
  const auto conversation = messages_from(golden["conversations"]["two tools"]);
  const std::vector<std::string> pieces{
      "{{",   "}}",       "{%", "%}", "-",    "|",     "(",    ")",     "[",
      "]",    "'",        "\"", "\\", " if ", " for ", " in ", " set ", " end",
      "loop", "messages", "1",  ".",  "~",    "{#",    "#}",   "\n",    "é"};
  Draw draw(2);
  size_t refused = 0;
  constexpr size_t rounds = 6000;
  for (size_t round = 0; round < rounds; ++round) {
    std::string source = sources[draw.below(sources.size())];
    for (size_t changes = 1 + draw.below(3); changes > 0 && !source.empty(); --changes) {
      const size_t at = draw.below(source.size()), length = draw.below(4);
      if (draw.below(2) == 0) {
        source.erase(at, length);
      } else if (draw.below(2) == 0) {
        source.insert(at, pieces[draw.below(pieces.size())]);
      } else {
        source.insert(at, source.substr(draw.below(source.size()), draw.below(40)));
      }
    }
    try {
      const ChatTemplate chat(source, {.bos = "<s>", .eos = "</s>", .pad = {}, .unk = {}},
                              {.steps = 300'000, .output_bytes = 1 << 20});
      chat.render_turns(conversation, std::vector<std::string>{"<|im_end|>"});
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, rounds / 4);
  EXPECT_LT(refused, rounds);
}

}  // namespace
}  // namespace rlhf
