/// A file with a given content, removed at the end of the scope.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "rlhf/io/files.hpp"

namespace rlhf::data {

class WrittenFile {
 public:
  explicit WrittenFile(std::string_view bytes)
      : path_(testing::TempDir() + "rlhf_" + std::to_string(::getpid()) + ".jsonl") {
    io::write_file_atomically(path_, bytes);
  }
  WrittenFile(const WrittenFile&) = delete;
  WrittenFile& operator=(const WrittenFile&) = delete;
  ~WrittenFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace rlhf::data
