#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using testing::HasSubstr;

class ReplaceFolder : public testing::Test {
 protected:
  fs::path make(const std::string& name, const std::string& content) const {
    fs::create_directory(folder_ / name);
    folder_.put(name + "/file", content);
    return folder_ / name;
  }
  test::TemporaryFolder folder_;
};

TEST_F(ReplaceFolder, GivesAFreeName) {
  replace_folder(make("new", "1"), folder_ / "final");
  EXPECT_EQ(read_file(folder_ / "final/file"), "1");
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(ReplaceFolder, TakesTheNameOfAnOldFolderAndRemovesThat) {
  make("final", "old");
  folder_.put("final/another", "file");
  replace_folder(make("new", "1"), folder_ / "final");
  EXPECT_EQ(read_file(folder_ / "final/file"), "1");
  EXPECT_FALSE(fs::exists(folder_ / "final/another"));
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(ReplaceFolder, NamesTheFolderThatIsNotThere) {
  EXPECT_THAT(error_of([&] { replace_folder(folder_ / "absent", folder_ / "final"); }),
              HasSubstr((folder_ / "absent").string()));
}

class WritePieces : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

TEST_F(WritePieces, StandEndToEnd) {
  const std::vector<std::string_view> pieces = {"ab", "", "c"};
  write_file_atomically(folder_ / "file", pieces);
  EXPECT_EQ(read_file(folder_ / "file"), "abc");
}

}  // namespace
}  // namespace rlhf::io
