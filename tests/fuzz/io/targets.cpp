#include "fuzz/io/targets.hpp"

#include <cstring>
#include <exception>
#include <stdexcept>

#include "fuzz/place.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/gguf.hpp"
#include "rlhf/io/gguf_tokenizer.hpp"
#include "rlhf/io/hugging_face_folder.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/safetensors_layout.hpp"
#include "rlhf/text/gguf_tokenizer.hpp"

namespace rlhf::fuzz {
namespace {

/// Goes on after an Error, and throws the first one at the end.
class Persistent {
 public:
  template <class Action>
  void attempt(const Action& action) {
    try {
      action();
    } catch (const Error&) {
      if (!first_) first_ = std::current_exception();
    }
  }
  void finish() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::exception_ptr first_;
};

/// Everything that a model would ask of a file.
void read_gguf(const std::string& bytes) {
  const io::GgufFile file(io::MappedFile(file_name, bytes));
  Persistent reading;
  for (const io::GgufTensor& tensor : file.tensors()) {
    std::vector<float> numbers(static_cast<size_t>(tensor.count()));
    reading.attempt([&] { file.read(tensor.name, numbers); });
  }
  for (const std::string& key : file.metadata().keys()) {
    reading.attempt([&] { file.metadata().value(key); });
  }
  reading.attempt([&] {
    const io::GgufTokenizer tokenizer = io::read_gguf_tokenizer(file.metadata());
    beyond_the_file([&] { gguf_tokenizer(tokenizer).encode("ab b"); });
    beyond_the_file([&] { gguf_chat_template(tokenizer); });
  });
  reading.finish();
}

void read_safetensors(const std::string& bytes) {
  const io::MappedFile file(file_name, bytes);
  const io::SafetensorsHeader header = io::read_safetensors_header(file);
  for (const io::SafetensorsEntry& entry : header.entries) {
    const std::string_view numbers = header.bytes_of(entry, file);
    std::vector<float> floats(numbers.size() / static_cast<size_t>(io::bytes_of(entry.dtype)));
    io::to_float32(entry.dtype, numbers, floats, file_name);
  }
}

/// The length of the header is made that of the text up to the last brace.
void mend_safetensors(std::string& bytes) {
  const size_t brace = bytes.rfind('}');
  if (brace == bytes.npos || brace < 8) return;
  const uint64_t length = brace - 7;
  std::memcpy(bytes.data(), &length, sizeof length);
}

/// What was read is written and read again as the same.
void read_json(const std::string& bytes) {
  const nlohmann::json value = io::parse_json(bytes, file_name);
  if (io::parse_json(value.dump(), file_name) != value) {
    throw std::logic_error("another value when written and read again");
  }
  if (nlohmann::json(io::parse_ordered_json(bytes, file_name)) != value) {
    throw std::logic_error("another value with the keys in their order");
  }
}

void read_weight_map(const std::string& bytes) {
  for (const auto& [tensor, file] : io::parse_weight_map(bytes, file_name)) {
    if (file.find('/') != file.npos) throw std::logic_error("a path out of the folder: " + file);
  }
}

const std::vector<std::string> json_words = {"{",    "}",     "[",   "]",       "\"",      ":",
                                             ",",    "null",  "1e9", "\\u0000", "\\ud800", "-0",
                                             "true", "[[[[[", "{}",  "0.1e-400"};

std::vector<std::string> with_json(std::vector<std::string> words) {
  words.insert(words.end(), json_words.begin(), json_words.end());
  return words;
}

}  // namespace

Target gguf_target() {
  return {"gguf",
          read_gguf,
          {"GGUF", "general.alignment", "tokenizer.ggml.tokens", "tokenizer.ggml.token_type",
           "tokenizer.ggml.eos_token_id", "split.count", std::string("\x09\0\0\0", 4),
           std::string("\x08\0\0\0", 4)}};
}

Target safetensors_target() {
  return {"safetensors", read_safetensors,
          with_json({"\"dtype\":\"F32\"", "\"BF16\"", "\"shape\":", "\"data_offsets\":[0,4]",
                     "\"__metadata__\":{"}),
          mend_safetensors};
}

Target json_target() {
  return {"json", read_json, json_words};
}

Target weight_map_target() {
  return {"weight_map", read_weight_map,
          with_json({"\"weight_map\":", "../", ".safetensors", "\"model.safetensors\""})};
}

}  // namespace rlhf::fuzz
