#include "common/model_folder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/model/lora_files.hpp"

namespace instructgpt {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using rlhf::require;

constexpr const char* template_name = "chat_template.jinja";

/// The files that tokenizers and generation read.
const std::vector<std::string> companions{"tokenizer.json",
                                          "tokenizer_config.json",
                                          "special_tokens_map.json",
                                          "added_tokens.json",
                                          "vocab.json",
                                          "merges.txt",
                                          "generation_config.json",
                                          template_name};

bool has_template(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / template_name, ignored)) return true;
  const fs::path config = folder / "tokenizer_config.json";
  if (!fs::exists(config, ignored)) return false;
  const json fields = rlhf::io::read_json(config);
  return fields.is_object() && fields.contains("chat_template") &&
         !fields["chat_template"].is_null();
}

}  // namespace

ModelFolder::ModelFolder(fs::path folder, const fs::path& chat_template)
    : folder_(std::move(folder)), tokenizer_(rlhf::ByteLevelBpe::load(folder_)) {
  std::error_code ignored;
  for (const std::string& name : companions) {
    if (fs::exists(folder_ / name, ignored)) files_[name] = rlhf::io::read_file(folder_ / name);
  }
  if (!chat_template.empty()) {
    files_[template_name] = rlhf::io::read_file(chat_template, int64_t{1} << 20);
    try {
      chat_.emplace(files_[template_name], tokenizer_.rules().named);
    } catch (const rlhf::Error& error) {
      throw rlhf::Error(fmt::format("{}: {}", chat_template.string(), error.what()));
    }
  } else if (has_template(folder_)) {
    chat_ = rlhf::ChatTemplate::load(folder_);
  }
}

rlhf::data::TokenizeOptions ModelFolder::tokenize_options() const {
  rlhf::data::TokenizeOptions options;
  const std::vector<int64_t>& before = tokenizer_.rules().marks.before;
  require(before.size() <= 1, (folder_ / "tokenizer.json").string() + ": marks before a text",
          "at most one", before.size());
  if (!before.empty()) options.bos = before.front();
  options.chat = chat_;
  return options;
}

std::string ModelFolder::text_of(std::vector<int64_t> ids) const {
  std::erase_if(ids, [&](int64_t id) { return id >= tokenizer_.vocabulary().size(); });
  return tokenizer_.decode(ids, rlhf::SpecialTokens::keep);
}

void ModelFolder::require_fits(int64_t vocab_size) const {
  const int64_t tokens = tokenizer_.vocabulary().size();
  require(vocab_size >= tokens, (folder_ / "config.json").string() + ": vocab_size",
          fmt::format(">= {} (tokens of tokenizer.json)", tokens), vocab_size);
}

void ModelFolder::require_same_tokenizer(const ModelFolder& other) const {
  const auto& mine = tokenizer_.vocabulary();
  const auto& theirs = other.tokenizer_.vocabulary();
  const std::string where = (other.folder_ / "tokenizer.json").string();
  require(mine.size() == theirs.size(), where + ": number of tokens",
          fmt::format("{}, as in {}", mine.size(), folder_.string()), theirs.size());
  for (int64_t id = 0; id < mine.size(); ++id) {
    require(mine.token_of(id) == theirs.token_of(id), fmt::format("{}: token {}", where, id),
            fmt::format("{:?}, as in {}", mine.token_of(id), folder_.string()),
            fmt::format("{:?}", theirs.token_of(id)));
  }
  require(tokenizer_.merges() == other.tokenizer_.merges(), where + ": merges",
          "those of " + folder_.string(), "others");
}

void ModelFolder::save(const fs::path& out, const rlhf::CausalLM& model) const {
  if (model.trunk().adapters() != nullptr) {
    rlhf::model::save_lora(out / "adapter", model, folder_.string());
    save(out, model.merged());
    return;
  }
  save(out, [&](const fs::path& folder) { rlhf::model::save_hugging_face(folder, model, files_); });
}

void ModelFolder::save(const fs::path& out, const rlhf::ScalarModel& model) const {
  if (model.trunk().adapters() != nullptr) {
    save(out, model.merged());
    return;
  }
  save(out, [&](const fs::path& folder) { rlhf::model::save_hugging_face(folder, model, files_); });
}

void ModelFolder::save(const fs::path& out, const Write& write) const {
  const fs::path whole = out / "model.new";
  write(whole);
  complete_config(whole / "config.json");
  for (const auto& entry : fs::directory_iterator(whole)) {
    if (entry.path().filename() != "config.json") {
      fs::rename(entry.path(), out / entry.path().filename());
    }
  }
  fs::rename(whole / "config.json", out / "config.json");
  fs::remove(whole);
}

/// Puts in the ids of special tokens, which are no part of the model: transformers generates and
/// scores by them.
void ModelFolder::complete_config(const fs::path& file) const {
  const json before = rlhf::io::read_json(folder_ / "config.json");
  json config = rlhf::io::read_json(file);
  for (const char* name : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    if (!config.contains(name) && before.contains(name)) config[name] = before[name];
  }
  const auto ends = tokenizer_.end_tokens();
  // A reward model that is asked for several sequences at once needs one.
  if ((!config.contains("pad_token_id") || config["pad_token_id"].is_null()) && !ends.empty()) {
    const auto& pad = tokenizer_.rules().named.pad;
    config["pad_token_id"] = pad ? tokenizer_.vocabulary().id_of(*pad) : ends.front();
  }
  rlhf::io::write_file_atomically(file, config.dump(2) + "\n");
}

}  // namespace instructgpt
