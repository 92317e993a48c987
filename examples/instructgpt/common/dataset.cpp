#include "common/dataset.hpp"

#include <memory>

#include "rlhf/data/loader.hpp"

namespace instructgpt {
namespace {

void write_as(const char* role, rlhf::data::Content& content) {
  if (const auto* text = std::get_if<std::string>(&content)) {
    content = rlhf::data::Conversation{{role, *text}};
  }
}

}  // namespace

void write_as_chat(rlhf::data::Demonstration& row) {
  if (!row.prompt) return;  // language modelling: nobody says who speaks
  write_as("user", *row.prompt);
  write_as("assistant", row.completion);
}

void write_as_chat(rlhf::data::Ranking& row) {
  write_as("user", row.prompt);
  for (auto& response : row.responses) write_as("assistant", response);
}

void write_as_chat(rlhf::data::Prompt& row) {
  write_as("user", row.prompt);
}

std::function<rlhf::Completions()> endless_batches(const std::filesystem::path& file,
                                                   const ModelFolder& folder,
                                                   const DataOptions& options, int64_t batch_size,
                                                   uint64_t seed) {
  auto loader = std::make_shared<rlhf::Loader<rlhf::Completions>>(
      read_rows<rlhf::data::Demonstration>(file, "pretraining", folder, options),
      rlhf::LoaderOptions{.batch_size = batch_size, .seed = seed});
  return [loader] { return loader->next(); };
}

}  // namespace instructgpt
