/// Models in Hugging Face's folders, both ways: config.json and safetensors, as transformers reads
/// and writes them.
///
///   CausalLM policy = model::load_hugging_face("SmolLM2-135M");
///   ... train ...
///   model::save_hugging_face("out/policy", policy);
///
/// Families: llama (Llama 1 to 3 with its rope scaling, SmolLM2, TinyLlama), mistral, qwen2 (2.5
/// too), qwen3 and gpt2, without sliding windows shorter than the context. Others are refused by
/// name. A model is written as the family that has its parts; Mistral's are Llama's.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "rlhf/model/causal_lm.hpp"
#include "rlhf/model/scalar_head.hpp"

namespace rlhf::model {

/// The shape alone, of config.json: no weights are read, nor need there be any.
/// @throws Error naming file and field
TransformerConfig load_hugging_face_config(const std::filesystem::path& folder);

/// Weights of any stored type come as float32; every parameter is free to learn. Nothing is made of
/// a folder that does not fit, and no more memory taken than its tensors account for.
/// @throws Error naming file and field or tensor: a family, activation, bias or rope type that
///         these models do not have; a tensor missing, unexpected or ill-shaped
CausalLM load_hugging_face(const std::filesystem::path& folder);

/// A reward or value model: `<Family>ForSequenceClassification` with one label. A folder of a
/// language model is refused: make its head with RewardModel or ValueModel.
ScalarModel load_hugging_face_scalar(const std::filesystem::path& folder);

/// Writes a folder as a whole or not at all, float32.
/// @param files  more by name, as {"tokenizer.json", its content}: what the model came with
/// @throws Error naming the path; a folder that holds anything but such a model is never replaced
void save_hugging_face(const std::filesystem::path& folder, const CausalLM& model,
                       const std::map<std::string, std::string>& files = {});

/// As `<Family>ForSequenceClassification` with num_labels 1 and `score.weight`. A bias that is not
/// 0 is written as `score.bias`, which transformers passes over and load_hugging_face_scalar()
/// reads.
void save_hugging_face(const std::filesystem::path& folder, const ScalarModel& model,
                       const std::map<std::string, std::string>& files = {});

}  // namespace rlhf::model
