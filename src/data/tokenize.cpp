#include "rlhf/data/tokenize.hpp"

#include <fmt/format.h>

#include <utility>

#include "rlhf/core/error.hpp"

namespace rlhf::data {
namespace {

using Tokens = std::vector<int64_t>;

/// Encodes rows and keeps them within the limit.
class Encoding {
 public:
  Encoding(const detail::Encoder& encoder, const TokenizeOptions& options)
      : encoder_(encoder), options_(options) {
    options.validate();
  }

  Tokens prompt(std::string_view text, const std::string& where) const {
    Tokens tokens = options_.bos ? Tokens{*options_.bos} : Tokens{};
    append(tokens, encoder_.encode(text));
    require(!tokens.empty(), where + ": tokens of the prompt", ">= 1", 0);
    return tokens;
  }

  Tokens response(std::string_view text, const std::string& where) const {
    Tokens tokens = encoder_.encode(text);
    require(!tokens.empty(), where + ": tokens of the response", ">= 1", 0);
    if (options_.end == EndToken::append) {
      require(!encoder_.end_tokens.empty(), "end_tokens() of the tokenizer", "one to append",
              "none");
      tokens.push_back(encoder_.end_tokens.front());
    }
    return tokens;
  }

  /// Whether the row stays; its response may come back shorter.
  bool keep(const Tokens& prompt, Tokens& response, const std::string& where) const {
    const auto limit = static_cast<size_t>(options_.max_tokens);
    if (limit == 0 || prompt.size() + response.size() <= limit) return true;
    if (options_.too_long == TooLong::drop) return false;
    const bool prompt_alone = response.empty();
    if (options_.too_long == TooLong::truncate_response && !prompt_alone && prompt.size() < limit) {
      response.resize(limit - prompt.size());
      return true;
    }
    const bool prompt_fits = prompt.size() < limit + (prompt_alone ? 1 : 0);
    if (!prompt_fits) {
      fail(where + ": tokens of the prompt",
           fmt::format("{} {} (max_tokens)", prompt_alone ? "<=" : "<", limit),
           fmt::format("{}", prompt.size()));
    }
    fail(where + ": tokens of prompt and response", fmt::format("<= {} (max_tokens)", limit),
         fmt::format("{} + {}", prompt.size(), response.size()));
  }

 private:
  static void append(Tokens& tokens, const Tokens& more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
  }

  const detail::Encoder& encoder_;
  const TokenizeOptions& options_;
};

std::string name_of(const std::string& source, size_t index) {
  return source.empty() ? fmt::format("row {}", index) : source;
}

/// What the rows that were kept come to.
struct Kept {
  std::vector<Tokens> prompts, responses;
  std::vector<int64_t> ids;

  void add(Tokens prompt, Tokens response, size_t row) {
    prompts.push_back(std::move(prompt));
    responses.push_back(std::move(response));
    ids.push_back(static_cast<int64_t>(row));
  }

  Completions completions(size_t row_count) const {
    if (ids.empty()) {
      fail(row_count == 0
               ? "empty data: no rows to tokenize"
               : fmt::format("empty data: all {} rows were dropped as too long", row_count));
    }
    Completions completions = completions_from(prompts, responses);
    completions.ids = int64_tensor(ids);
    return completions;
  }
};

/// Rows of one response each: response_of(row, where) gives its tokens.
template <class Row, class ResponseOf>
Completions tokenize_each(const Encoding& encoding, std::span<const Row> rows,
                          const ResponseOf& response_of) {
  Kept kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string where = name_of(rows[i].source, i);
    Tokens prompt = encoding.prompt(rows[i].prompt, where);
    Tokens response = response_of(rows[i], where);
    if (encoding.keep(prompt, response, where)) kept.add(std::move(prompt), std::move(response), i);
  }
  return kept.completions(rows.size());
}

}  // namespace

void TokenizeOptions::validate() const {
  require(max_tokens >= 0, "TokenizeOptions::max_tokens", ">= 0", max_tokens);
  require_known(too_long, TooLong::truncate_response, "TokenizeOptions::too_long",
                "error, drop or truncate_response");
  require_known(end, EndToken::none, "TokenizeOptions::end", "append or none");
  require(!bos || *bos >= 0, "TokenizeOptions::bos", ">= 0", bos.value_or(0));
}

namespace detail {

Completions tokenize(const Encoder& encoder, std::span<const Demonstration> rows,
                     const TokenizeOptions& options) {
  const Encoding encoding(encoder, options);
  return tokenize_each(encoding, rows, [&](const Demonstration& row, const std::string& where) {
    return encoding.response(row.completion, where);
  });
}

Rankings tokenize(const Encoder& encoder, std::span<const Ranking> rows,
                  const TokenizeOptions& options) {
  const Encoding encoding(encoder, options);
  Kept kept;
  std::vector<int64_t> group_sizes, ranks;
  bool any_ranks = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Ranking& row = rows[i];
    const std::string where = name_of(row.source, i);
    require_ranking(row, where);
    const Tokens prompt = encoding.prompt(row.prompt, where);
    std::vector<Tokens> responses;
    bool all_fit = true;
    for (const std::string& text : row.responses) {
      responses.push_back(encoding.response(text, where));
      all_fit = encoding.keep(prompt, responses.back(), where) && all_fit;
    }
    if (!all_fit) continue;
    for (size_t k = 0; k < responses.size(); ++k) {
      kept.add(prompt, std::move(responses[k]), i);
      ranks.push_back(row.ranks ? (*row.ranks)[k] : static_cast<int64_t>(k));
    }
    group_sizes.push_back(static_cast<int64_t>(responses.size()));
    any_ranks = any_ranks || row.ranks.has_value();
  }
  Rankings rankings{.completions = kept.completions(rows.size()),
                    .group_sizes = int64_tensor(group_sizes)};
  if (any_ranks) rankings.ranks = int64_tensor(ranks);
  return rankings;
}

Completions tokenize(const Encoder& encoder, std::span<const Prompt> rows,
                     const TokenizeOptions& options) {
  const Encoding encoding(encoder, options);
  return tokenize_each(encoding, rows, [](const Prompt&, const std::string&) { return Tokens{}; });
}

}  // namespace detail
}  // namespace rlhf::data
