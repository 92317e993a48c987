#include "rlhf/model/lora.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "lora_modules.hpp"
#include "lora_targets.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "weight_names.hpp"

namespace rlhf {
namespace {

/// "model.layers.0.self_attn.q_proj" of "model.layers.0.self_attn.q_proj.weight"
std::string module_of(const std::string& weight) {
  return weight.substr(0, weight.rfind('.'));
}

}  // namespace

namespace model {

Adapters adapters_of(const TransformerConfig& config, const LoraOptions& options) {
  const WeightNames names = hugging_face_names(family_of(config));
  LoraTargets targets(options.targets);
  Adapters adapters{.options = options,
                    .layers = std::vector<std::array<std::vector<AdapterPart>, 4>>(
                        static_cast<size_t>(config.layers))};
  std::string modules;
  for (int64_t layer = options.first_layer; layer < config.layers; ++layer) {
    for (size_t which = 0; which < 4; ++which) {
      auto& parts = adapters.layers[static_cast<size_t>(layer)][which];
      int64_t begin = 0, row_of_b = 0;
      for (const NamedRows& part :
           rows_there(config, names, layer, TransformerBlock::adaptable[which].name)) {
        const std::string module = module_of(part.name);
        if (layer == options.first_layer) modules += (modules.empty() ? "" : ", ") + module;
        if (targets.select(module)) {
          parts.push_back({.begin = begin,
                           .rows = part.rows,
                           .row_of_a = std::ssize(parts) * options.rank,
                           .row_of_b = row_of_b});
          row_of_b += part.rows;
        }
        begin += part.rows;
      }
    }
  }
  targets.require_used(modules + " and those of the layers above");
  return adapters;
}

void require_above(const LoraOptions& options, int64_t frozen, const TransformerConfig& config) {
  require(options.first_layer >= frozen && options.first_layer < config.layers,
          "LoraOptions::first_layer",
          fmt::format(">= frozen layers = {} and < layers = {}", frozen, config.layers),
          options.first_layer);
}

void require_no_adapters(const Transformer& trunk) {
  require(trunk.adapters() == nullptr, "model to save",
          "one without adapters: merged() has them in its weights, save_lora() saves them alone",
          "one with adapters");
}

std::vector<AdaptedModule> adapted_modules(const Transformer& trunk) {
  std::vector<AdaptedModule> modules;
  if (trunk.adapters() == nullptr) return modules;
  const TransformerConfig& config = trunk.config();
  const WeightNames names = hugging_face_names(family_of(config));
  std::map<std::string, Tensor> weights;
  for (const auto& [name, weight] : trunk.named_parameters()) weights[name] = weight;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (size_t which = 0; which < 4; ++which) {
      const std::string ours = TransformerBlock::adaptable[which].name;
      const std::string place = "layers." + std::to_string(layer) + "." + ours;
      const auto& parts = trunk.adapters()->parts(layer, static_cast<Adapted>(which));
      auto part = parts.begin();
      int64_t begin = 0;
      for (const NamedRows& there : rows_there(config, names, layer, ours)) {
        if (part != parts.end() && part->begin == begin) {
          modules.push_back({.name = module_of(there.name),
                             .a = weights.at(place + "_lora_a"),
                             .b = weights.at(place + "_lora_b"),
                             .part = *part++});
        }
        begin += there.rows;
      }
    }
  }
  return modules;
}

bool stores_transposed(const TransformerConfig& config) {
  return hugging_face_names(family_of(config)).transposed;
}

}  // namespace model

void LoraOptions::validate() const {
  require(rank >= 1, "LoraOptions::rank", ">= 1", rank);
  require(std::isfinite(alpha) && alpha != 0, "LoraOptions::alpha", "a number other than 0", alpha);
  require(!targets.empty(), "LoraOptions::targets", "at least one pattern", "none");
  require(first_layer >= 0, "LoraOptions::first_layer", ">= 0", first_layer);
}

Transformer Transformer::view() const {
  Transformer copy = alias();
  copy.adapters_ = nullptr;
  copy.merged_ = nullptr;
  for (TransformerBlock& block : copy.blocks_) {
    for (const auto& place : TransformerBlock::adaptable)
      block.*place.a = block.*place.b = Tensor();
  }
  copy.for_each_parameter([](Tensor& weight) { weight = weight.detach(); });
  return copy;
}

Transformer Transformer::with_adapters(const LoraOptions& options, Generator& generator) const {
  options.validate();
  model::require_above(options, frozen_layers(), config_);
  Transformer adapted = view();
  auto adapters = std::make_shared<const model::Adapters>(model::adapters_of(config_, options));
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    TransformerBlock& block = adapted.blocks_[static_cast<size_t>(layer)];
    for (size_t which = 0; which < 4; ++which) {
      const auto& place = TransformerBlock::adaptable[which];
      const auto& parts = adapters->parts(layer, static_cast<model::Adapted>(which));
      if (parts.empty()) continue;
      const int64_t rows = parts.back().row_of_b + parts.back().rows;
      const Tensor& weight = block.*place.weight;
      const int64_t inputs = weight.size(1), count = static_cast<int64_t>(parts.size());
      const double deviation = 1 / std::sqrt(3 * static_cast<double>(inputs));
      Tensor a = torch::empty({count * options.rank, inputs});
      generator.fill_normal(a, 0, deviation);
      block.*place.a = a.to(weight.options()).requires_grad_();
      block.*place.b = torch::zeros({rows, options.rank}, weight.options()).requires_grad_();
    }
  }
  adapted.adapters_ = std::move(adapters);
  return adapted;
}

void Transformer::add_adapters(size_t layer, model::Adapted which, double factor,
                               Tensor& sum) const {
  const auto& place = TransformerBlock::adaptable[static_cast<size_t>(which)];
  const Tensor &a = blocks_[layer].*place.a, &b = blocks_[layer].*place.b;
  if (!a.defined()) return;
  NoGrad no_grad;
  const int64_t rank = b.size(1);
  for (const auto& part : adapters_->parts(static_cast<int64_t>(layer), which)) {
    sum.narrow(0, part.begin, part.rows)
        .addmm_(b.narrow(0, part.row_of_b, part.rows), a.narrow(0, part.row_of_a, rank), 1,
                factor * adapters_->options.scale());
  }
}

Transformer Transformer::merged() const {
  require_adapters();
  Transformer base = view();
  base.frozen_ = nullptr;  // all of it is copied
  Transformer merged = base.clone();
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    for (size_t which = 0; which < 4; ++which) {
      add_adapters(layer, static_cast<model::Adapted>(which), 1,
                   merged.blocks_[layer].*TransformerBlock::adaptable[which].weight);
    }
  }
  merged.for_each_parameter([](Tensor& weight) { weight.requires_grad_(true); });
  return merged;
}

void Transformer::require_adapters() const {
  require(merged_ == nullptr, "model to merge", "adapters that are not merged yet", "merged ones");
  require(adapters_ != nullptr, "model to merge", "one with adapters", "none");
}

void Transformer::require_own_weights(const model::Adapters& adapters) const {
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    for (size_t which = 0; which < TransformerBlock::adaptable.size(); ++which) {
      if (adapters.layers[layer][which].empty()) continue;
      const auto& place = TransformerBlock::adaptable[which];
      require(
          (blocks_[layer].*place.weight).storage().use_count() == 1, "weights to merge into",
          "weights that are this model's alone; merged() makes a copy",
          "layers." + std::to_string(layer) + "." + place.name + " of a base that others share");
    }
  }
}

void Transformer::merge() {
  require_adapters();
  require_own_weights(*adapters_);
  auto aside = std::make_shared<model::MergedAdapters>();
  aside->adapters = adapters_;
  aside->matrices.resize(blocks_.size());
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    for (size_t which = 0; which < TransformerBlock::adaptable.size(); ++which) {
      const auto& place = TransformerBlock::adaptable[which];
      Tensor weight = (blocks_[layer].*place.weight).detach();
      add_adapters(layer, static_cast<model::Adapted>(which), 1, weight);
      aside->matrices[layer][which] = {std::exchange(blocks_[layer].*place.a, {}),
                                       std::exchange(blocks_[layer].*place.b, {})};
    }
  }
  adapters_ = nullptr;
  merged_ = std::move(aside);
}

void Transformer::unmerge() {
  require(merged_ != nullptr, "model to unmerge", "one whose adapters are merged", "none");
  require_own_weights(*merged_->adapters);
  adapters_ = merged_->adapters;
  for (size_t layer = 0; layer < blocks_.size(); ++layer) {
    for (size_t which = 0; which < TransformerBlock::adaptable.size(); ++which) {
      const auto& place = TransformerBlock::adaptable[which];
      std::tie(blocks_[layer].*place.a, blocks_[layer].*place.b) = merged_->matrices[layer][which];
      Tensor weight = (blocks_[layer].*place.weight).detach();
      add_adapters(layer, static_cast<model::Adapted>(which), -1, weight);
    }
  }
  merged_ = nullptr;
}

}  // namespace rlhf
