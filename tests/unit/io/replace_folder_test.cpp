#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "temporary_folder.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class ReplaceFolder : public TemporaryFolder {
 protected:
  fs::path make(const std::string& name, const std::string& content) const {
    fs::create_directory(folder_ / name);
    put(name + "/file", content);
    return folder_ / name;
  }
  std::ptrdiff_t entry_count() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }
};

TEST_F(ReplaceFolder, GivesAFreeName) {
  replace_folder(make("new", "1"), folder_ / "final");
  EXPECT_EQ(read_file(folder_ / "final/file"), "1");
  EXPECT_EQ(entry_count(), 1);
}

TEST_F(ReplaceFolder, TakesTheNameOfAnOldFolderAndRemovesThat) {
  make("final", "old");
  put("final/another", "file");
  replace_folder(make("new", "1"), folder_ / "final");
  EXPECT_EQ(read_file(folder_ / "final/file"), "1");
  EXPECT_FALSE(fs::exists(folder_ / "final/another"));
  EXPECT_EQ(entry_count(), 1);
}

TEST_F(ReplaceFolder, NamesTheFolderThatIsNotThere) {
  EXPECT_THAT([&] { replace_folder(folder_ / "absent", folder_ / "final"); },
              ThrowsMessage<Error>(HasSubstr((folder_ / "absent").string())));
}

using WritePieces = TemporaryFolder;

TEST_F(WritePieces, StandEndToEnd) {
  const std::vector<std::string_view> pieces = {"ab", "", "c"};
  write_file_atomically(folder_ / "file", pieces);
  EXPECT_EQ(read_file(folder_ / "file"), "abc");
}

}  // namespace
}  // namespace rlhf::io
