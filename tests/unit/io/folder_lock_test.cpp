#include "rlhf/io/folder_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(FolderLock, IsGivenBackAtTheEndOfTheScope) {
  const test::TemporaryFolder folder;
  {
    const FolderLock lock(folder / "a/b");
    EXPECT_THAT(error_of([&] { FolderLock(folder / "a/b"); }),
                HasSubstr("one that process " + std::to_string(::getpid()) + " holds"));
  }
  EXPECT_NO_THROW(FolderLock(folder / "a/b"));
}

TEST(FolderLock, DiesWithItsProcessHoweverThatDies) {
  const test::TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(error_of([&] { FolderLock(folder.path()); }),
              HasSubstr("process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(FolderLock(folder.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FolderLock, FollowsNoLink) {
  const test::TemporaryFolder folder;
  folder.put("precious", "years of work");
  std::filesystem::create_symlink("precious", folder / "lock");
  EXPECT_THAT(error_of([&] { FolderLock(folder.path()); }), HasSubstr("lock: cannot open"));
}

}  // namespace
}  // namespace rlhf::io
