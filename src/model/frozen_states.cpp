#include "frozen_states.hpp"

#include "rlhf/core/error.hpp"
#include "rlhf/model/transformer.hpp"

namespace rlhf {
namespace model {
namespace {

std::string key_of(char kind, const int64_t* tokens, int64_t length) {
  std::string key(1, kind);
  key.append(reinterpret_cast<const char*>(tokens), static_cast<size_t>(length) * sizeof(int64_t));
  return key;
}

}  // namespace

Tensor FrozenStates::of(const Tensor& tokens, const std::vector<int64_t>& lengths, char kind,
                        int64_t version, const Compute& compute) {
  const Tensor here = tokens.cpu().contiguous();
  std::vector<std::string> keys;
  std::vector<Tensor> found(lengths.size());
  std::vector<int64_t> missing_rows, missing_lengths, missing_tokens;
  std::unordered_map<std::string, size_t> first_row;  // of sequences that stand here twice
  {
    const std::lock_guard lock(mutex_);
    if (version != version_) {
      states_.clear();
      by_age_.clear();
      held_ = 0;
      version_ = version;
    }
    int64_t begin = 0;
    for (size_t row = 0; row < lengths.size(); ++row) {
      const int64_t* first = here.const_data_ptr<int64_t>() + begin;
      keys.push_back(key_of(kind, first, lengths[row]));
      begin += lengths[row];
      const auto known = states_.find(keys.back());
      if (known != states_.end()) {
        found[row] = known->second;
      } else if (first_row.emplace(keys.back(), row).second) {
        missing_rows.push_back(static_cast<int64_t>(row));
        missing_lengths.push_back(lengths[row]);
        missing_tokens.insert(missing_tokens.end(), first, first + lengths[row]);
      }
    }
  }
  if (!missing_rows.empty()) {
    NoGrad no_grad;
    const Tensor made = compute(int64_tensor(missing_tokens).to(tokens.device()), missing_lengths);
    const std::lock_guard lock(mutex_);
    int64_t begin = 0;
    for (size_t i = 0; i < missing_rows.size(); ++i) {
      const auto row = static_cast<size_t>(missing_rows[i]);
      found[row] = made.narrow(0, begin, missing_lengths[i]).clone();
      remember(keys[row], found[row]);
      begin += missing_lengths[i];
    }
  }
  for (size_t row = 0; row < found.size(); ++row) {
    if (!found[row].defined()) found[row] = found[first_row.at(keys[row])];
  }
  return torch::cat(found);
}

void FrozenStates::remember(const std::string& key, const Tensor& states) {
  const auto size = [](const Tensor& tensor) { return static_cast<int64_t>(tensor.nbytes()); };
  if (!states_.emplace(key, states).second) return;  // somebody else was as fast
  by_age_.push_back(key);
  held_ += size(states);
  while (held_ > bytes_) {
    const auto oldest = states_.find(by_age_.front());
    held_ -= size(oldest->second);
    states_.erase(oldest);
    by_age_.pop_front();
  }
}

}  // namespace model

void Transformer::freeze_lowest(int64_t layers, int64_t bytes) {
  require(layers >= 1 && layers < config_.layers, "layers to freeze",
          ">= 1 and < layers = " + std::to_string(config_.layers), layers);
  require(bytes >= 0, "bytes of frozen states", ">= 0", bytes);
  for (int64_t layer = 0; adapters_ != nullptr && layer < layers; ++layer) {
    for (const auto& parts : adapters_->layers[static_cast<size_t>(layer)]) {
      require(parts.empty(), "adapters beside layers to freeze",
              "none below layer " + std::to_string(layers) + " (LoraOptions::first_layer)", layer);
    }
  }
  embedding_.requires_grad_(false);
  if (positions_.defined()) positions_.requires_grad_(false);
  for (int64_t layer = 0; layer < layers; ++layer) {
    for (const auto& field : TransformerBlock::fields) {
      const Tensor& weight = blocks_[static_cast<size_t>(layer)].*field.weight;
      if (weight.defined()) weight.requires_grad_(false);
    }
  }
  frozen_ = std::make_shared<model::FrozenStates>(layers, bytes);
}

int64_t Transformer::frozen_layers() const {
  return frozen_ == nullptr ? 0 : frozen_->layers();
}

void Transformer::forget_frozen_states() {
  if (frozen_) frozen_ = std::make_shared<model::FrozenStates>(frozen_->layers(), frozen_->bytes());
}

int64_t Transformer::frozen_version() const {
  int64_t version = 0;
  const auto count = [&](const Tensor& weight) {
    if (!weight.defined()) return;
    require(!weight.requires_grad(), "weight of a frozen layer", "one that does not learn",
            "requires_grad");
    version += weight._version();
  };
  count(embedding_);
  count(positions_);
  for (int64_t layer = 0; layer < frozen_->layers(); ++layer) {
    for (const auto& field : TransformerBlock::fields) {
      count(blocks_[static_cast<size_t>(layer)].*field.weight);
    }
  }
  return version;
}

Tensor Transformer::frozen_states(const Tensor& tokens, const model::SequenceLayout& layout) const {
  const auto compute = [&](const Tensor& missing, const std::vector<int64_t>& lengths) {
    const model::SequenceLayout own(lengths, missing.device());
    const Tensor all = torch::arange(own.tokens, missing.options());
    return run(embed(missing, own.positions), own, all, 0, frozen_->layers());
  };
  return frozen_->of(tokens, layout.lengths, static_cast<char>(precision_), frozen_version(),
                     compute);
}

}  // namespace rlhf
