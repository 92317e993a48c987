#include "rlhf/rollout/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "../kernels/kernels.hpp"
#include "../kernels/team.hpp"
#include "rlhf/core/error.hpp"

namespace rlhf {

void SamplingOptions::validate() const {
  require(temperature >= 0 && std::isfinite(temperature), "SamplingOptions::temperature", ">= 0",
          temperature);
  require(top_k >= 0, "SamplingOptions::top_k", ">= 0", top_k);
  require(top_p > 0 && top_p <= 1, "SamplingOptions::top_p", "in (0, 1]", top_p);
  require(max_response_tokens >= 1, "SamplingOptions::max_response_tokens", ">= 1",
          max_response_tokens);
  require(samples_per_prompt >= 1, "SamplingOptions::samples_per_prompt", ">= 1",
          samples_per_prompt);
  for (int64_t token : end_tokens)
    require(token >= 0, "SamplingOptions::end_tokens", ">= 0", token);
}

void SamplingOptions::archive(Archive& archive) const {
  archive.option("temperature", temperature);
  archive.option("top_k", top_k);
  archive.option("top_p", top_p);
  archive.option("max_response_tokens", max_response_tokens);
  archive.option("end_tokens", end_tokens);
  archive.option("samples_per_prompt", samples_per_prompt);
}

namespace rollout {
namespace {

/// The most likely of the tokens that top_k and top_p leave come first, equals by token; no more of
/// them are sorted than needed.
std::vector<int64_t> truncated_order(std::span<const float> weights, double total,
                                     const SamplingOptions& options) {
  std::vector<int64_t> order(weights.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto weight = [&](int64_t token) {
    return static_cast<double>(weights[static_cast<size_t>(token)]);
  };
  const auto more_likely = [&](int64_t a, int64_t b) {
    return weight(a) != weight(b) ? weight(a) > weight(b) : a < b;
  };
  const auto sort_up_to = [&](size_t from, size_t to) {
    const auto at = [&](size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    std::partial_sort(at(from), at(to), order.end(), more_likely);
  };
  if (options.top_k > 0 && static_cast<size_t>(options.top_k) < order.size()) {
    sort_up_to(0, static_cast<size_t>(options.top_k));
    order.resize(static_cast<size_t>(options.top_k));
    // top_p counts within what top_k left.
    total = 0;
    for (int64_t token : order) total += weight(token);
  }
  if (options.top_p == 1) return order;
  double sum = 0;
  size_t count = 0, sorted = 0;
  while (count < order.size() && sum < options.top_p * total) {
    if (count == sorted) {
      sorted = std::min(order.size(), std::max<size_t>(64, 4 * sorted));
      sort_up_to(count, sorted);
    }
    sum += weight(order[count++]);
  }
  order.resize(std::max<size_t>(count, 1));
  return order;
}

/// The token at which the running sum of weights, in the order given, passes u of their total.
int64_t inverse_cdf(std::span<const float> weights, std::span<const int64_t> order, double u) {
  double total = 0;
  for (int64_t token : order) total += static_cast<double>(weights[static_cast<size_t>(token)]);
  double sum = 0;
  int64_t last_possible = order.front();
  for (int64_t token : order) {
    const auto weight = static_cast<double>(weights[static_cast<size_t>(token)]);
    if (weight == 0) continue;
    sum += weight;
    last_possible = token;
    if (sum > u * total) break;
  }
  return last_possible;
}

/// The same as the kernels' draw, among what top_k and top_p leave.
kernels::Drawn draw_truncated(std::span<const float> logits, float sharpness, double u,
                              const SamplingOptions& options, std::span<float> scratch) {
  const auto& k = kernels::kernels();
  const float sum = k.exponentials(logits.data(), std::ssize(logits), sharpness, scratch.data());
  const auto weights = scratch.first(logits.size());
  const int64_t token =
      inverse_cdf(weights, truncated_order(weights, static_cast<double>(sum), options), u);
  const float greatest = *std::ranges::max_element(logits);
  return {.token = token,
          .log_prob = (logits[static_cast<size_t>(token)] - greatest) * sharpness - std::log(sum)};
}

}  // namespace

Draw draw(const Tensor& logits, const std::vector<double>& uniforms,
          const SamplingOptions& options) {
  NoGrad no_grad;
  const bool truncated = options.top_k > 0 || options.top_p < 1;
  const auto sharpness = static_cast<float>(1 / options.temperature);
  const Tensor rows = logits.to(torch::kCPU, torch::kFloat32).contiguous();
  const auto width = static_cast<size_t>(rows.size(1));
  const float* first = rows.const_data_ptr<float>();
  Draw drawn{.tokens = torch::empty({rows.size(0)}, torch::kInt64),
             .log_probs = torch::empty({rows.size(0)})};
  auto* tokens = drawn.tokens.data_ptr<int64_t>();
  auto* log_probs = drawn.log_probs.data_ptr<float>();
  kernels::run_team(kernels::threads_for(rows.size(0)), [&](const kernels::Member& member) {
    const auto& k = kernels::kernels();
    std::vector<float> scratch(2 * width + 1);
    const auto range = member.part(rows.size(0));
    for (int64_t row = range.begin; row < range.end; ++row) {
      const std::span<const float> own{first + static_cast<size_t>(row) * width, width};
      const double u = uniforms[static_cast<size_t>(row)];
      const kernels::Drawn token =
          options.temperature == 0 ? k.most_likely(own.data(), std::ssize(own), scratch.data())
          : truncated              ? draw_truncated(own, sharpness, u, options, scratch)
                      : k.draw(own.data(), std::ssize(own), sharpness, u, scratch.data());
      tokens[row] = token.token;
      log_probs[row] = token.log_prob;
    }
  });
  for (int64_t row = 0; row < rows.size(0); ++row) {
    require(!std::isnan(log_probs[row]), "logits of sampled row " + std::to_string(row),
            "finite numbers", "NaN");
  }
  return drawn;
}

}  // namespace rollout
}  // namespace rlhf
