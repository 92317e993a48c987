// What tokenizers_test.py asks: texts in, tokens and their text out.
//
//   peer_encode FOLDER SAVED < LINES
//
// Each line is a text as a JSON string; for each comes a line {"ids": [...], "sequence": [...],
// "kept": "hex", "dropped": "hex"}. The tokenizer of FOLDER is saved in the folder SAVED, too.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/text/byte_level_bpe.hpp"

namespace {

/// Bytes that need not be UTF-8.
std::string hexadecimal(const std::string& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 0xF];
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "peer_encode FOLDER SAVED < LINES\n";
    return 2;
  }
  const auto tokenizer = rlhf::ByteLevelBpe::load(argv[1]);
  tokenizer.save(argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    const auto text = nlohmann::json::parse(line).get<std::string>();
    const auto ids = tokenizer.encode(text);
    const nlohmann::json answer = {
        {"ids", ids},
        {"sequence", tokenizer.encode_sequence(text)},
        {"kept", hexadecimal(tokenizer.decode(ids, rlhf::SpecialTokens::keep))},
        {"dropped", hexadecimal(tokenizer.decode(ids, rlhf::SpecialTokens::drop))}};
    std::cout << answer.dump() << "\n";
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
