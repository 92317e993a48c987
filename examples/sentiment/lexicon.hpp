/// The VADER lexicon: how pleasant words are, from -4 to 4.
#pragma once

#include <cctype>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"

class Lexicon {
 public:
  /// A word a line, and its mean valence behind a tab. @throws rlhf::Error naming the line
  explicit Lexicon(const std::filesystem::path& path) {
    std::istringstream lines(rlhf::io::read_file(path));
    std::string line;
    for (int64_t number = 1; std::getline(lines, line); ++number) {
      const size_t tab = line.find('\t');
      char* end = nullptr;
      const float valence = tab == line.npos ? 0 : std::strtof(line.c_str() + tab + 1, &end);
      rlhf::require(tab != line.npos && end != line.c_str() + tab + 1,
                    path.string() + ":" + std::to_string(number), "word, tab, valence", line);
      valences_.emplace(line.substr(0, tab), valence);
    }
  }

  /// Mean over all words of the text; words outside the lexicon count 0.
  float valence(std::string_view text) const {
    float sum = 0;
    int words = 0;
    std::string word;
    for (size_t i = 0; i <= text.size(); ++i) {
      const auto c = i < text.size() ? static_cast<unsigned char>(text[i]) : ' ';
      if (std::isalpha(c) || c == '\'') {
        word += static_cast<char>(std::tolower(c));
      } else if (!word.empty()) {
        if (const auto found = valences_.find(word); found != valences_.end()) sum += found->second;
        ++words;
        word.clear();
      }
    }
    return words == 0 ? 0 : sum / static_cast<float>(words);
  }

 private:
  std::unordered_map<std::string, float> valences_;
};
