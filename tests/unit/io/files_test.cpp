#include "rlhf/io/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "rlhf/core/error.hpp"
#include "rlhf/io/json.hpp"
#include "rlhf/io/utf8.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

using ReadFile = Files;
using WriteFile = Files;
using Json = Files;

TEST_F(ReadFile, GivesEveryByte) {
  const std::string bytes("a\0\r\n\xff", 5);
  EXPECT_EQ(read_file(folder_.put("bytes", bytes)), bytes);
  EXPECT_EQ(read_file(folder_.put("empty", "")), "");
}

TEST_F(ReadFile, NamesAMissingFile) {
  EXPECT_THAT(error_of([&] { read_file(folder_ / "absent.txt"); }),
              AllOf(HasSubstr((folder_ / "absent.txt").string()), HasSubstr("No such file")));
}

TEST_F(ReadFile, RefusesAFolder) {
  EXPECT_THAT(error_of([&] { read_file(folder_.path()); }),
              HasSubstr("expected a regular file, got a folder"));
}

TEST_F(ReadFile, RefusesAPipeWithoutWaitingForItsWriter) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { read_file(folder_ / "pipe"); }),
              HasSubstr("expected a regular file, got a pipe"));
}

TEST_F(ReadFile, RefusesALargerFileThanAllowed) {
  const fs::path path = folder_.put("four", "1234");
  EXPECT_EQ(read_file(path, 4), "1234");
  EXPECT_THAT(error_of([&] { read_file(path, 3); }),
              HasSubstr("size in bytes: expected <= 3, got 4"));
}

TEST_F(ReadFile, ChecksTheSizeBeforeItAllocates) {
  const fs::path path = folder_.put("sparse", "");
  fs::resize_file(path, uintmax_t{1} << 42);
  EXPECT_THAT(error_of([&] { read_file(path); }), HasSubstr("got 4398046511104"));
}

TEST_F(WriteFile, ReplacesTheOldFileAndLeavesNoTemporary) {
  const fs::path path = folder_.put("model", "old and longer");
  write_file_atomically(path, std::string_view("new\0", 4));
  EXPECT_EQ(read_file(path), std::string("new\0", 4));
  write_file_atomically(folder_ / "second", "");
  EXPECT_EQ(read_file(folder_ / "second"), "");
  EXPECT_EQ(folder_.entry_count(), 2);
}

TEST_F(WriteFile, GivesTheFileOrdinaryPermissions) {
  const mode_t mask = ::umask(027);
  write_file_atomically(folder_ / "file", "x");
  ::umask(mask);
  EXPECT_EQ(fs::status(folder_ / "file").permissions(), fs::perms(0640));
}

TEST_F(WriteFile, LeavesTheOldFileWhenTheDiskRefuses) {
  const fs::path path = folder_.put("model", "old");
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THAT(error_of([&] { write_file_atomically(path, std::string(5000, 'x')); }),
              AllOf(HasSubstr(path.string()), HasSubstr("cannot write")));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(WriteFile, LeavesNothingWhereAFolderHasTheName) {
  fs::create_directory(folder_ / "taken");
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_ / "taken", "x"); }),
              HasSubstr("cannot replace"));
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(WriteFile, NamesAMissingFolder) {
  EXPECT_THAT(error_of([&] { write_file_atomically(folder_ / "absent" / "file", "x"); }),
              AllOf(HasSubstr("absent"), HasSubstr("No such file")));
}

TEST_F(WriteFile, TellsSizeAndChecksum) {
  const Written written = write_file_atomically(folder_ / "digits", "123456789");
  EXPECT_EQ(written.bytes, 9);
  EXPECT_EQ(written.crc32c, 0xE3069283U);  // RFC 3720, B.4
}

using ReplaceLink = Files;

TEST_F(ReplaceLink, PointsAnOldOrANewLinkToTheTarget) {
  fs::create_symlink("left over", folder_ / "latest.tmp");
  for (const char* target : {"a", "b"}) {
    replace_link(folder_ / "latest", target);
    EXPECT_EQ(fs::read_symlink(folder_ / "latest"), target);
  }
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(ReplaceLink, NeverTakesThePlaceOfAFolder) {
  fs::create_directory(folder_ / "latest");
  EXPECT_THAT(error_of([&] { replace_link(folder_ / "latest", "a"); }),
              HasSubstr("latest: cannot replace"));
  EXPECT_EQ(folder_.entry_count(), 1);
}

TEST_F(Json, GivesTheValue) {
  const auto value =
      read_json(folder_.put("v.json", R"({"a": [1, -2, 3.5, "x", null, true, {}], "b": []})"));
  EXPECT_EQ(value, nlohmann::json::parse(R"({"a": [1, -2, 3.5, "x", null, true, {}], "b": []})"));
  EXPECT_EQ(parse_json("7", "n"), 7);
}

TEST_F(Json, NamesPathAndLineOfAMistake) {
  const fs::path path = folder_.put("bad.json", "{\n  \"a\": 1,\n  \"b\": ]\n}\n");
  EXPECT_THAT(error_of([&] { read_json(path); }),
              AllOf(HasSubstr(path.string() + ":3: invalid JSON: "), HasSubstr("unexpected ']'")));
}

TEST_F(Json, CountsLinesFromTheGivenOne) {
  EXPECT_THAT(error_of([] { parse_json("{\"a\":}", "rows.jsonl", 41); }),
              HasSubstr("rows.jsonl:41: invalid JSON"));
}

TEST_F(Json, RefusesWhatIsNoSingleValue) {
  for (const char* text :
       {"", "{\"a\":1", "1 2", "nul", "[1,]", "{\"a\":1e999}", "\"\xff\"", "\"\\ud800\""}) {
    EXPECT_THAT(error_of([&] { parse_json(text, "f"); }), HasSubstr("f:1: invalid JSON: ")) << text;
  }
  // An empty file that is mapped.
  EXPECT_THAT(error_of([] { parse_json({}, "f"); }), HasSubstr("f:1: invalid JSON: "));
  EXPECT_THAT(error_of([] { parse_ordered_json({}, "f"); }), HasSubstr("f:1: invalid JSON: "));
}

TEST_F(Json, RefusesDeepNesting) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(100), "f"));
  EXPECT_THAT(error_of([&] { parse_json(nested(101), "f"); }),
              HasSubstr("f:1: JSON nested deeper than 100 levels"));
  EXPECT_THROW(parse_json(std::string(10'000'000, '['), "f"), Error);
}

TEST_F(Json, RefusesAKeyThatStandsTwice) {
  EXPECT_THAT(
      error_of([] { parse_json("{\"a\":\n {\"k\": 1, \"j\": {\"k\": 1},\n \"k\": 2}}", "f"); }),
      HasSubstr("f:3: key \"k\" stands twice"));
}

TEST_F(Json, KeepsMessagesShort) {
  try {
    parse_json("[\"" + std::string(100'000, 'x'), "f");
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 400U);
  }
}

TEST(Utf8, LengthFollowsTheStandardsTable) {
  EXPECT_EQ(utf8_length("a"), 1U);
  EXPECT_EQ(utf8_length("\xc2\x80"), 2U);
  EXPECT_EQ(utf8_length("\xe0\xa0\x80"), 3U);
  EXPECT_EQ(utf8_length("\xed\x9f\xbf"), 3U);
  EXPECT_EQ(utf8_length("\xf4\x8f\xbf\xbf"), 4U);
  for (const char* invalid :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(utf8_length(invalid), 0U);
  }
  EXPECT_EQ(utf8_length(""), 0U);
}

TEST(Utf8, InvalidTextIsRefusedWithItsOffset) {
  EXPECT_NO_THROW(require_utf8("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "f:1"));
  EXPECT_THAT(error_of([] { require_utf8("ab\xff", "rows.jsonl:7"); }),
              HasSubstr("rows.jsonl:7: expected valid UTF-8, got byte 0xff at offset 2"));
}

}  // namespace
}  // namespace rlhf::io
