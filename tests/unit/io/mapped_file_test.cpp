#include "rlhf/io/mapped_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

using test::message_of;

class MappedFiles : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

TEST_F(MappedFiles, GiveEveryByte) {
  const std::string bytes("a\0\r\n\xff", 5);
  const MappedFile file(folder_.put("bytes", bytes));
  EXPECT_EQ(file.bytes(), bytes);
  EXPECT_EQ(file.slice(1, 3), bytes.substr(1, 3));
  EXPECT_EQ(file.slice(5, 0), "");
  EXPECT_EQ(MappedFile(folder_.put("empty", "")).bytes(), "");
}

TEST_F(MappedFiles, LastAsLongAsACopyDoes) {
  auto file = std::make_unique<MappedFile>(folder_.put("bytes", "abc"));
  const MappedFile copy = *file;
  file.reset();
  std::filesystem::remove(folder_ / "bytes");
  EXPECT_EQ(copy.slice(0, 3), "abc");
}

TEST_F(MappedFiles, MayBeBytesInMemory) {
  const MappedFile file("name", "abc");
  EXPECT_EQ(file.path(), "name");
  EXPECT_EQ(file.slice(1, 2), "bc");
}

TEST_F(MappedFiles, RefuseBytesThatAreNotThere) {
  const MappedFile file("name", "abc");
  EXPECT_EQ(message_of([&] { file.slice(1, 3); }),
            "name: bytes: expected 3 from 1 on, got 3 in all");
  EXPECT_EQ(message_of([&] { file.slice(4, 0); }),
            "name: bytes: expected 0 from 4 on, got 3 in all");
  EXPECT_EQ(message_of([&] { file.slice(-1, 1); }),
            "name: bytes: expected 1 from -1 on, got 3 in all");
  EXPECT_EQ(message_of([&] { file.slice(1, std::numeric_limits<int64_t>::max()); }),
            "name: bytes: expected 9223372036854775807 from 1 on, got 3 in all");
}

TEST_F(MappedFiles, RefuseWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(message_of([&] { MappedFile(folder_ / "pipe"); }),
            (folder_ / "pipe").string() + ": expected a regular file, got a pipe");
  EXPECT_EQ(message_of([&] { MappedFile(folder_ / "absent"); }),
            (folder_ / "absent").string() + ": cannot open: No such file or directory");
}

TEST_F(MappedFiles, NoticeThatTheFileWasCut) {
  const std::filesystem::path path = folder_.put("bytes", std::string(100, 'x'));
  const MappedFile file(path);
  std::filesystem::resize_file(path, 10);
  EXPECT_EQ(message_of([&] { file.slice(50, 1); }),
            path.string() + ": size in bytes since it was opened: expected 100, got 10");
}

}  // namespace
}  // namespace rlhf::io
