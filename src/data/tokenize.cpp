#include "rlhf/data/tokenize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "encoding.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf::data {
namespace {

std::string place_of(const std::string& source, size_t index) {
  return source.empty() ? fmt::format("row {}", index) : source;
}

/// What the rows that were kept come to.
struct Kept {
  std::vector<Tokens> prompts, responses;
  std::vector<bool> counted;
  std::vector<int64_t> ids;

  void add(EncodedPair pair, size_t row) {
    prompts.push_back(std::move(pair.prompt));
    responses.push_back(std::move(pair.response));
    counted.insert(counted.end(), pair.counted.begin(), pair.counted.end());
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
    if (std::find(counted.begin(), counted.end(), false) != counted.end()) {
      completions.counted = bool_tensor(counted);
    }
    return completions;
  }

  static Tensor bool_tensor(const std::vector<bool>& flags) {
    Tensor tensor = torch::empty({static_cast<int64_t>(flags.size())}, torch::kBool);
    std::copy(flags.begin(), flags.end(), tensor.data_ptr<bool>());
    return tensor;
  }
};

/// Rows of one response each: encode(row, where) gives both as tokens.
template <class Row, class Encode>
Kept encode_each(const Encoding& encoding, std::span<const Row> rows, const Encode& encode) {
  Kept kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string where = place_of(rows[i].source, i);
    EncodedPair pair = encode(rows[i], where);
    if (encoding.keep(pair, where)) kept.add(std::move(pair), i);
  }
  return kept;
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
  return encode_each(encoding, rows,
                     [&](const Demonstration& row, const std::string& where) {
                       return encoding.pair(row.prompt, row.completion, row.extra, where);
                     })
      .completions(rows.size());
}

Rankings tokenize(const Encoder& encoder, std::span<const Ranking> rows,
                  const TokenizeOptions& options) {
  const Encoding encoding(encoder, options);
  Kept kept;
  std::vector<int64_t> group_sizes, ranks;
  bool any_ranks = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Ranking& row = rows[i];
    const std::string where = place_of(row.source, i);
    require_ranking(row, where);
    std::vector<EncodedPair> pairs;
    bool all_fit = true;
    for (const Content& response : row.responses) {
      pairs.push_back(encoding.pair(row.prompt, response, row.extra, where));
      all_fit = encoding.keep(pairs.back(), where) && all_fit;
    }
    if (!all_fit) continue;
    for (size_t k = 0; k < pairs.size(); ++k) {
      kept.add(std::move(pairs[k]), i);
      ranks.push_back(row.ranks ? (*row.ranks)[k] : static_cast<int64_t>(k));
    }
    group_sizes.push_back(static_cast<int64_t>(pairs.size()));
    any_ranks = any_ranks || row.ranks.has_value();
  }
  Rankings rankings{.completions = kept.completions(rows.size()),
                    .group_sizes = int64_tensor(group_sizes)};
  if (any_ranks) rankings.ranks = int64_tensor(ranks);
  return rankings;
}

LabelledCompletions tokenize(const Encoder& encoder, std::span<const UnpairedPreference> rows,
                             const TokenizeOptions& options) {
  const Encoding encoding(encoder, options);
  const Kept kept =
      encode_each(encoding, rows, [&](const UnpairedPreference& row, const std::string& where) {
        return encoding.pair(row.prompt, row.completion, row.extra, where);
      });
  std::vector<bool> labels;
  for (int64_t id : kept.ids) labels.push_back(rows[static_cast<size_t>(id)].label);
  return {.completions = kept.completions(rows.size()), .labels = Kept::bool_tensor(labels)};
}

Completions tokenize(const Encoder& encoder, std::span<const Prompt> rows,
                     const TokenizeOptions& options) {
  const Encoding encoding(encoder, options);
  return encode_each(encoding, rows,
                     [&](const Prompt& row, const std::string& where) {
                       return encoding.prompt(row.prompt, row.extra, where);
                     })
      .completions(rows.size());
}

}  // namespace detail
}  // namespace rlhf::data
