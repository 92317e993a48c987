#include "rlhf/core/completions.hpp"

#include <algorithm>
#include <numeric>

#include "rlhf/core/error.hpp"

namespace rlhf {
namespace {

std::span<const int64_t> view(const Tensor& lengths) {
  return {lengths.const_data_ptr<int64_t>(), static_cast<size_t>(lengths.numel())};
}

int64_t sum(std::span<const int64_t> values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

/// First token of each row, and N at the end.
std::vector<int64_t> row_starts(const Completions& completions) {
  const auto prompts = view(completions.prompt_lengths);
  const auto responses = view(completions.response_lengths);
  std::vector<int64_t> starts(prompts.size() + 1, 0);
  for (size_t i = 0; i < prompts.size(); ++i) starts[i + 1] = starts[i] + prompts[i] + responses[i];
  return starts;
}

/// All response lengths equal: padded and flat are one memory layout.
bool is_rectangular(std::span<const int64_t> lengths) {
  return std::all_of(lengths.begin(), lengths.end(), [&](int64_t n) { return n == lengths[0]; });
}

/// int64 [R] on the CPU: slot of each response token in a [B, T] matrix laid flat.
Tensor padded_slots(const Completions& completions) {
  const auto lengths = view(completions.response_lengths);
  const int64_t width = completions.longest_response();
  Tensor slots = torch::empty({sum(lengths)}, torch::kInt64);
  int64_t* out = slots.data_ptr<int64_t>();
  for (size_t row = 0; row < lengths.size(); ++row) {
    std::iota(out, out + lengths[row], static_cast<int64_t>(row) * width);
    out += lengths[row];
  }
  return slots;
}

void validate_lengths(const Tensor& lengths, int64_t rows, int64_t least, std::string_view name) {
  require_dtype(lengths, torch::kInt64, name);
  require(lengths.is_cpu() && lengths.is_contiguous(), name, "a contiguous CPU tensor", "another");
  require_shape(lengths, {rows}, name);
  for (int64_t length : view(lengths))
    require(length >= least, name, least == 1 ? ">= 1" : ">= 0", length);
}

}  // namespace

int64_t Completions::longest_response() const {
  const auto lengths = view(response_lengths);
  return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
}

std::vector<int64_t> Completions::prompt(int64_t row) const {
  const auto start = row_starts(*this)[static_cast<size_t>(row)];
  return int64_vector(tokens.narrow(0, start, view(prompt_lengths)[static_cast<size_t>(row)]));
}

std::vector<int64_t> Completions::response(int64_t row) const {
  const auto i = static_cast<size_t>(row);
  return int64_vector(
      tokens.narrow(0, row_starts(*this)[i] + view(prompt_lengths)[i], view(response_lengths)[i]));
}

int64_t Completions::id(int64_t row) const {
  return ids ? view(*ids)[static_cast<size_t>(row)] : row;
}

void Completions::validate() const {
  require_dtype(tokens, torch::kInt64, "Completions::tokens");
  require(tokens.dim() == 1, "Completions::tokens", "[N]", tokens.sizes());
  if (!prompt_lengths.defined()) fail("Completions::prompt_lengths", "int64 [B]", "no tensor");
  const int64_t rows = prompt_lengths.size(0);
  validate_lengths(prompt_lengths, rows, 1, "Completions::prompt_lengths");
  validate_lengths(response_lengths, rows, 0, "Completions::response_lengths");
  const int64_t responses = sum(view(response_lengths));
  require(sum(view(prompt_lengths)) + responses == token_count(),
          "sum of prompt and response lengths", token_count(),
          sum(view(prompt_lengths)) + responses);
  if (counted) {
    require_dtype(*counted, torch::kBool, "Completions::counted");
    require_shape(*counted, {responses}, "Completions::counted");
  }
  if (ids) {
    require_dtype(*ids, torch::kInt64, "Completions::ids");
    require(ids->is_cpu() && ids->is_contiguous(), "Completions::ids", "a contiguous CPU tensor",
            "another");
    require_shape(*ids, {rows}, "Completions::ids");
  }
}

void Rankings::validate() const {
  completions.validate();
  require_dtype(group_sizes, torch::kInt64, "Rankings::group_sizes");
  int64_t total = 0;
  for (int64_t size : int64_vector(group_sizes)) {
    require(size >= 2, "Rankings::group_sizes", ">= 2", size);
    total += size;
  }
  require(total == completions.size(), "sum of Rankings::group_sizes", completions.size(), total);
  if (ranks) {
    require_dtype(*ranks, torch::kInt64, "Rankings::ranks");
    require_shape(*ranks, {total}, "Rankings::ranks");
  }
}

Completions completions_from(const std::vector<std::vector<int64_t>>& prompts,
                             const std::vector<std::vector<int64_t>>& responses) {
  require(responses.empty() || responses.size() == prompts.size(), "number of responses",
          prompts.size(), responses.size());
  std::vector<int64_t> tokens, prompt_lengths, response_lengths;
  for (size_t i = 0; i < prompts.size(); ++i) {
    require(!prompts[i].empty(), "length of a prompt", ">= 1", prompts[i].size());
    tokens.insert(tokens.end(), prompts[i].begin(), prompts[i].end());
    prompt_lengths.push_back(static_cast<int64_t>(prompts[i].size()));
    response_lengths.push_back(0);
    if (responses.empty()) continue;
    tokens.insert(tokens.end(), responses[i].begin(), responses[i].end());
    response_lengths.back() = static_cast<int64_t>(responses[i].size());
  }
  return {.tokens = int64_tensor(tokens),
          .prompt_lengths = int64_tensor(prompt_lengths),
          .response_lengths = int64_tensor(response_lengths)};
}

Tensor mask_of(const Completions& completions) {
  const auto lengths = view(completions.response_lengths);
  const int64_t rows = completions.size();
  const int64_t width = completions.longest_response();
  Tensor mask = torch::zeros({rows, width}, torch::kBool);
  bool* out = mask.data_ptr<bool>();
  for (int64_t length : lengths) {
    std::fill_n(out, length, true);
    out += width;
  }
  if (completions.counted) {
    mask.view(-1).index_put_({padded_slots(completions)}, completions.counted->cpu());
  }
  return mask.to(completions.tokens.device());
}

Tensor response_positions(const Completions& completions) {
  const auto prompts = view(completions.prompt_lengths);
  const auto responses = view(completions.response_lengths);
  Tensor positions = torch::empty({sum(responses)}, torch::kInt64);
  int64_t* out = positions.data_ptr<int64_t>();
  int64_t start = 0;
  for (size_t row = 0; row < prompts.size(); ++row) {
    std::iota(out, out + responses[row], start + prompts[row]);
    out += responses[row];
    start += prompts[row] + responses[row];
  }
  return positions.to(completions.tokens.device());
}

Tensor pad_responses(const Tensor& flat, const Completions& completions) {
  const auto lengths = view(completions.response_lengths);
  const int64_t rows = completions.size();
  const int64_t width = completions.longest_response();
  if (is_rectangular(lengths)) return flat.view({rows, width});
  const Tensor slots = padded_slots(completions).to(flat.device());
  return torch::zeros({rows * width}, flat.options().requires_grad(false))
      .index_put({slots}, flat)
      .view({rows, width});
}

Tensor flatten_responses(const Tensor& padded, const Completions& completions) {
  if (is_rectangular(view(completions.response_lengths))) return padded.reshape({-1});
  return padded.reshape({-1}).index_select(0, padded_slots(completions).to(padded.device()));
}

Completions select(const Completions& completions, const Tensor& rows) {
  const auto starts = row_starts(completions);
  const auto responses = view(completions.response_lengths);
  std::vector<int64_t> response_starts(responses.size() + 1, 0);
  std::partial_sum(responses.begin(), responses.end(), response_starts.begin() + 1);

  std::vector<int64_t> tokens, counted;
  for (int64_t row : int64_vector(rows)) {
    require(row >= 0 && row < completions.size(), "row of select",
            ">= 0 and < " + std::to_string(completions.size()), row);
    const auto i = static_cast<size_t>(row);
    for (int64_t k = starts[i]; k < starts[i + 1]; ++k) tokens.push_back(k);
    if (!completions.counted) continue;
    for (int64_t k = response_starts[i]; k < response_starts[i + 1]; ++k) counted.push_back(k);
  }
  const auto device = completions.tokens.device();
  Completions chosen{.tokens = completions.tokens.index_select(0, int64_tensor(tokens).to(device)),
                     .prompt_lengths = completions.prompt_lengths.index_select(0, rows),
                     .response_lengths = completions.response_lengths.index_select(0, rows)};
  if (completions.counted) {
    chosen.counted = completions.counted->index_select(0, int64_tensor(counted).to(device));
  }
  if (completions.ids) chosen.ids = completions.ids->index_select(0, rows);
  return chosen;
}

Rankings select(const Rankings& rankings, const Tensor& groups) {
  const auto sizes = view(rankings.group_sizes);
  std::vector<int64_t> starts(sizes.size() + 1, 0), rows;
  std::partial_sum(sizes.begin(), sizes.end(), starts.begin() + 1);
  for (int64_t group : int64_vector(groups)) {
    require(group >= 0 && group < rankings.size(), "group of select",
            ">= 0 and < " + std::to_string(rankings.size()), group);
    const auto i = static_cast<size_t>(group);
    for (int64_t row = starts[i]; row < starts[i + 1]; ++row) rows.push_back(row);
  }
  const Tensor chosen = int64_tensor(rows);
  Rankings result{.completions = select(rankings.completions, chosen),
                  .group_sizes = rankings.group_sizes.index_select(0, groups)};
  if (rankings.ranks) result.ranks = rankings.ranks->index_select(0, chosen);
  return result;
}

Completions concatenate(std::span<const Completions> batches) {
  require(!batches.empty(), "batches to concatenate", ">= 1", batches.size());
  const bool any_counted =
      std::any_of(batches.begin(), batches.end(), [](auto& b) { return b.counted.has_value(); });
  const bool any_ids =
      std::any_of(batches.begin(), batches.end(), [](auto& b) { return b.ids.has_value(); });
  std::vector<Tensor> tokens, prompts, responses, counted, ids;
  for (const Completions& batch : batches) {
    tokens.push_back(batch.tokens);
    prompts.push_back(batch.prompt_lengths);
    responses.push_back(batch.response_lengths);
    if (any_counted) {
      counted.push_back(batch.counted.value_or(torch::ones(
          {sum(view(batch.response_lengths))}, batch.tokens.options().dtype(torch::kBool))));
    }
    if (any_ids) ids.push_back(batch.ids.value_or(torch::arange(batch.size())));
  }
  Completions all{.tokens = torch::cat(tokens),
                  .prompt_lengths = torch::cat(prompts),
                  .response_lengths = torch::cat(responses)};
  if (any_counted) all.counted = torch::cat(counted);
  if (any_ids) all.ids = torch::cat(ids);
  return all;
}

Completions prompts_of(const Completions& completions) {
  const auto starts = row_starts(completions);
  const auto lengths = view(completions.prompt_lengths);
  std::vector<int64_t> positions;
  positions.reserve(static_cast<size_t>(sum(lengths)));
  for (size_t row = 0; row < lengths.size(); ++row) {
    for (int64_t k = 0; k < lengths[row]; ++k) positions.push_back(starts[row] + k);
  }
  return {.tokens = completions.tokens.index_select(
              0, int64_tensor(positions).to(completions.tokens.device())),
          .prompt_lengths = completions.prompt_lengths,
          .response_lengths = torch::zeros_like(completions.response_lengths),
          .ids = completions.ids};
}

std::vector<std::vector<int64_t>> responses_of(const Completions& completions) {
  const std::vector<int64_t> all = int64_vector(completions.tokens);
  const auto prompts = view(completions.prompt_lengths);
  const auto lengths = view(completions.response_lengths);
  std::vector<std::vector<int64_t>> responses;
  responses.reserve(lengths.size());
  auto begin = all.begin();
  for (size_t row = 0; row < lengths.size(); ++row) {
    begin += prompts[row];
    responses.emplace_back(begin, begin + lengths[row]);
    begin += lengths[row];
  }
  return responses;
}

Completions with_responses(const Completions& prompts,
                           const std::vector<std::vector<int64_t>>& responses) {
  require(static_cast<int64_t>(responses.size()) == prompts.size(), "number of responses",
          prompts.size(), responses.size());
  const auto starts = row_starts(prompts);
  const std::vector<int64_t> all = int64_vector(prompts.tokens);
  std::vector<int64_t> tokens, lengths;
  for (size_t row = 0; row < responses.size(); ++row) {
    const int64_t end = starts[row] + view(prompts.prompt_lengths)[row];
    tokens.insert(tokens.end(), all.begin() + starts[row], all.begin() + end);
    tokens.insert(tokens.end(), responses[row].begin(), responses[row].end());
    lengths.push_back(static_cast<int64_t>(responses[row].size()));
  }
  return {.tokens = int64_tensor(tokens).to(prompts.tokens.device()),
          .prompt_lengths = prompts.prompt_lengths,
          .response_lengths = int64_tensor(lengths),
          .ids = prompts.ids};
}

Completions to(const Completions& completions, at::Device device) {
  Completions moved = completions;
  moved.tokens = completions.tokens.to(device);
  if (moved.counted) moved.counted = moved.counted->to(device);
  return moved;
}

}  // namespace rlhf
