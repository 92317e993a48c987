#include "rlhf/io/named_tensors.hpp"

#include <fmt/format.h>

#include <map>

#include "rlhf/core/error.hpp"
#include "rlhf/io/crc32c.hpp"

namespace rlhf::io {
namespace {

std::string type_and_shape(const Tensor& tensor) {
  return fmt::format("{} {}", c10::toString(tensor.scalar_type()), detail::show(tensor.sizes()));
}

/// Collects what is wrong, so that one message tells all of it.
class Problems {
 public:
  void add(const std::string& problem) {
    if (count_++ < most_shown) text_.append(text_.empty() ? "" : "; ").append(problem);
  }
  void fail_if_any(std::string_view what) const {
    if (count_ == 0) return;
    const std::string rest =
        count_ > most_shown ? fmt::format("; and {} more", count_ - most_shown) : "";
    fail(fmt::format("{}: {}{}", what, text_, rest));
  }

 private:
  static constexpr int64_t most_shown = 5;
  std::string text_;
  int64_t count_ = 0;
};

}  // namespace

std::vector<NamedTensor> with_prefix(const std::vector<NamedTensor>& tensors,
                                     std::string_view prefix) {
  std::vector<NamedTensor> found;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  }
  return found;
}

namespace {

using Copies = std::vector<std::pair<Tensor, Tensor>>;

/// Where each tensor goes to.
Copies fitting(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& tensors,
               std::string_view what, std::string_view prefix) {
  std::map<std::string, Tensor> stored;
  for (auto& [name, tensor] : with_prefix(tensors, prefix)) stored.emplace(name, tensor);

  Problems problems;
  Copies copies;
  for (const auto& [name, parameter] : parameters) {
    const auto found = stored.extract(name);
    if (found.empty()) {
      problems.add(fmt::format("\"{}{}\" is missing", prefix, name));
    } else if (type_and_shape(found.mapped()) != type_and_shape(parameter)) {
      problems.add(fmt::format("\"{}{}\": expected {}, got {}", prefix, name,
                               type_and_shape(parameter), type_and_shape(found.mapped())));
    } else {
      copies.emplace_back(parameter, found.mapped());
    }
  }
  for (const auto& [name, tensor] : stored) {
    problems.add(fmt::format("\"{}{}\" is unexpected", prefix, name));
  }
  problems.fail_if_any(what);
  return copies;
}

}  // namespace

void assign(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& tensors,
            std::string_view what, std::string_view prefix) {
  Copies copies = fitting(parameters, tensors, what, prefix);
  NoGrad no_grad;
  for (auto& [parameter, tensor] : copies) parameter.copy_(tensor);
}

void require_fit(const std::vector<NamedTensor>& parameters,
                 const std::vector<NamedTensor>& tensors, std::string_view what,
                 std::string_view prefix) {
  fitting(parameters, tensors, what, prefix);
}

std::string fingerprint(const std::vector<NamedTensor>& tensors) {
  uint32_t sum = 0;
  for (const auto& [name, tensor] : tensors) {
    const Tensor here = tensor.detach().to(torch::kCPU).contiguous();
    sum = crc32c(fmt::format("{}\n{}\n", name, type_and_shape(here)), sum);
    sum = crc32c({static_cast<const char*>(here.const_data_ptr()), here.nbytes()}, sum);
  }
  return fmt::format("crc32c:{:08x}", sum);
}

}  // namespace rlhf::io
