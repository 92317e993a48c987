// What trl_formats_test.py asks: rows in, the texts that become tokens out.
//
//   peer_rows < LINES    each line {"row": {...}, "read_as": "demonstration" | "ranking" |
//   "prompt",
//                        "template": "...", "tokens": {...}, "end": "<|im_end|>"}; for each a line
//                        of JSON: {"prompt": "...", "responses": [...]}, or {"error": "..."}
#include "rlhf/data/tokenize.hpp"
#include "support/chats.hpp"
#include "support/json_lines.hpp"

namespace {

using nlohmann::ordered_json;
namespace data = rlhf::data;

template <data::DataRow Row>
ordered_json answer(const ordered_json& question) {
  const std::vector<Row> rows{data::row_from<Row>(question["row"], {}, "row")};
  const rlhf::ByteLevelBpe tokenizer =
      rlhf::test::chat_tokenizer(question["end"].get<std::string>(), {});
  data::TokenizeOptions options{.end = data::EndToken::none};
  options.chat.emplace(question["template"].get<std::string>(),
                       rlhf::NamedTokens{.bos = question["tokens"]["bos_token"].get<std::string>(),
                                         .eos = question["tokens"]["eos_token"].get<std::string>(),
                                         .pad = {},
                                         .unk = {}});
  const auto tokens = data::tokenize(tokenizer, std::span<const Row>(rows), options);
  const rlhf::Completions* completions = nullptr;
  if constexpr (std::is_same_v<Row, data::Ranking>) {
    completions = &tokens.completions;
  } else {
    completions = &tokens;
  }
  const auto text = [&](const std::vector<int64_t>& ids) {
    return tokenizer.decode(ids, rlhf::SpecialTokens::keep);
  };
  ordered_json result = {{"prompt", text(completions->prompt(0))},
                         {"responses", ordered_json::array()}};
  for (int64_t row = 0; row < completions->size(); ++row) {
    if (completions->prompt(row) != completions->prompt(0)) throw rlhf::Error("other prompts");
    result["responses"].push_back(text(completions->response(row)));
  }
  return result;
}

ordered_json answer_any(const ordered_json& question) {
  if (question["read_as"] == "demonstration") return answer<data::Demonstration>(question);
  if (question["read_as"] == "ranking") return answer<data::Ranking>(question);
  return answer<data::Prompt>(question);
}

}  // namespace

int main() {
  return rlhf::test::answer_lines(answer_any);
}
