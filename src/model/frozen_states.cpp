#include "frozen_states.hpp"

namespace rlhf::model {
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

}  // namespace rlhf::model
