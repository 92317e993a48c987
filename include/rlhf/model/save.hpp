/// Models in folders of their own: what a program trains today, another one loads tomorrow.
///
///     model.json           kind of model, type of its numbers, and the transformer's shape
///     weights.safetensors  every parameter by its name
///
///   model::save("runs/1/policy", policy);
///   CausalLM policy = model::load_causal_lm("runs/1/policy");
///
///   model::save("runs/1/reward", reward_model.scalar());        // and ValueModel alike
///   RewardModel reward_model{model::load_scalar_model("runs/1/reward")};
///
/// In a checkpoint (checkpoint/checkpoint.hpp) a model is its parameters under a prefix and
/// to_json(config()) in the state.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "rlhf/model/actor_critic.hpp"
#include "rlhf/model/causal_lm.hpp"
#include "rlhf/model/scalar_head.hpp"

namespace rlhf::model {

/// Writes the folder as a whole or not at all, in place of a model that is there already. Which
/// parameters are frozen is not kept.
/// @throws Error naming the path; a folder that is there and is no model is never replaced
void save(const std::filesystem::path& folder, const CausalLM& model);
void save(const std::filesystem::path& folder, const ScalarModel& model);
void save(const std::filesystem::path& folder, ActorCritic& model);

/// Reads what save() wrote, onto the CPU; every parameter is free to learn. Nothing is made of a
/// folder that does not fit, and no more memory taken than its files account for.
/// @throws Error naming the file: missing, cut off, of another kind, version or size than it says;
///         a field missing, unknown or out of range; a tensor missing, unexpected or ill-shaped
CausalLM load_causal_lm(const std::filesystem::path& folder);
ScalarModel load_scalar_model(const std::filesystem::path& folder);
ActorCritic load_actor_critic(const std::filesystem::path& folder);

nlohmann::json to_json(const TransformerConfig& config);
/// @param where   begins every message, as "runs/1/policy/model.json: transformer"
/// @throws Error  unless `json` has every field of to_json() and no other, and the shape can work
TransformerConfig transformer_config_from(const nlohmann::json& json, std::string_view where);

}  // namespace rlhf::model
