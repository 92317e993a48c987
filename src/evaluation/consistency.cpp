#include "rlhf/evaluation/consistency.hpp"

#include <cmath>
#include <map>
#include <string_view>

#include "rlhf/core/error.hpp"

namespace rlhf::evaluation {

Consistency consistency(std::span<const std::optional<std::string>> samples,
                        const std::optional<std::string>& answer) {
  require(!samples.empty(), "samples of consistency", ">= 1", samples.size());
  const auto n = static_cast<double>(samples.size());
  const auto surprise = [&](double count) { return count / n * std::log(n / count); };
  Consistency result;
  double agreeing = 0.0;
  std::map<std::string_view, double> clusters;
  for (const auto& sample : samples) {
    if (!sample) {
      result.entropy += surprise(1.0);
      continue;
    }
    clusters[*sample] += 1.0;
    if (sample == answer) agreeing += 1.0;
  }
  for (const auto& [text, count] : clusters) result.entropy += surprise(count);
  result.agreement = agreeing / n;
  return result;
}

}  // namespace rlhf::evaluation
