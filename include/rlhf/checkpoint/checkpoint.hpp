/// A checkpoint: one folder with everything in it, there as a whole or not at all.
///
///     checkpoint.json      format, its version, the library's; size and CRC-32C of the others
///     state.json           what is no tensor: options, generator, step counts, loader position
///     tensors.safetensors  parameters and optimizer state under one name each
///
///   Checkpoint saved;
///   checkpoint::add(saved, "policy.", named_parameters_of(policy));
///   saved.state["generator"] = checkpoint::to_json(generator.state());
///   checkpoint::save("runs/1/best", saved);
///
///   const Checkpoint loaded = checkpoint::load("runs/1/best");
///   checkpoint::restore(named_parameters_of(policy), loaded.tensors, "policy.");
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "rlhf/core/random.hpp"
#include "rlhf/core/tensor.hpp"

namespace rlhf {

/// What a checkpoint holds.
struct Checkpoint {
  std::vector<NamedTensor> tensors = {};  ///< names differ; on the CPU once loaded
  nlohmann::json state = nlohmann::json::object();
};

namespace checkpoint {

/// Writes the folder under a temporary name beside it (".tmp" added), syncs it and renames it:
/// after a crash `folder` is the old checkpoint or the new one. Parent folders are made.
/// @throws Error naming the path; the place in `state` that JSON cannot hold (a non-finite number,
///         text that is not UTF-8); the tensor that safetensors cannot hold; a folder that is there
///         and is no checkpoint, which is never replaced. The old checkpoint is then untouched.
void save(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// Reads what save() wrote.
/// @throws Error naming the folder or the file and what is wrong: missing, of another size than the
///         checkpoint says or with another checksum, of another format or version, not valid JSON
///         or safetensors
Checkpoint load(const std::filesystem::path& folder);

/// Adds tensors under names that begin with `prefix`. They are borrowed: save before they change.
/// Choose prefixes of which none begins another.
void add(Checkpoint& checkpoint, std::string_view prefix, const std::vector<NamedTensor>& tensors);

/// The tensors whose names begin with `prefix`, without it.
std::vector<NamedTensor> part(const std::vector<NamedTensor>& tensors, std::string_view prefix);

/// Copies into each parameter the tensor called `prefix` and its name. All or nothing: names,
/// shapes and types are compared first.
/// @throws Error listing parameters without a tensor, tensors under the prefix without a parameter,
///         and those whose shape or type differs
void restore(const std::vector<NamedTensor>& parameters, const std::vector<NamedTensor>& tensors,
             std::string_view prefix = "");

nlohmann::json to_json(const GeneratorState& state);
/// @throws Error unless `json` is what to_json() gave
GeneratorState generator_state_from(const nlohmann::json& json);

}  // namespace checkpoint
}  // namespace rlhf
