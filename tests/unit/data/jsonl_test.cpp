#include "rlhf/data/jsonl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::data {
namespace {

using nlohmann::ordered_json;
using test::error_of;
using test::WrittenFile;
using testing::EndsWith;
using testing::HasSubstr;

TEST(JsonlReader, GivesValuesWithTheirLines) {
  const WrittenFile file("{\"a\": 1}\n\n  \t\r\n[2]\r\n\"last, no newline\"");
  JsonlReader reader(file.path());
  EXPECT_EQ(reader.next(), ordered_json({{"a", 1}}));
  EXPECT_THAT(reader.where(), EndsWith(".jsonl:1"));
  EXPECT_EQ(reader.next(), ordered_json::array({2}));
  EXPECT_THAT(reader.where(), EndsWith(".jsonl:4"));
  EXPECT_EQ(reader.next(), ordered_json("last, no newline"));
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_EQ(reader.next(), std::nullopt);
}

TEST(JsonlReader, KeepsKeysInTheirOrder) {
  const WrittenFile file(R"({"b": {"z": 1, "a": 2}, "a": []})");
  EXPECT_EQ(JsonlReader(file.path()).next()->dump(), R"({"b":{"z":1,"a":2},"a":[]})");
  const WrittenFile twice(R"({"b": {"a": 1, "c": 2, "a": 3}})");
  EXPECT_THAT(error_of([&] { JsonlReader(twice.path()).next(); }),
              HasSubstr(twice.path() + R"(:1: key "a" stands twice)"));
}

TEST(JsonlReader, AFileWithoutAValueIsEmptyData) {
  for (const char* text : {"", "\n", " \n\t\n"}) {
    const WrittenFile file(text);
    EXPECT_THAT(error_of([&] { JsonlReader(file.path()).next(); }),
                HasSubstr(file.path() + ": empty data"));
  }
}

TEST(JsonlReader, InvalidJsonNamesTheLine) {
  const WrittenFile file("{}\n\n{\"a\": 1,}\n");
  JsonlReader reader(file.path());
  reader.next();
  EXPECT_THAT(error_of([&] { reader.next(); }), HasSubstr(file.path() + ":3: invalid JSON"));
}

TEST(JsonlReader, ALineCutOffAtTheEndOfTheFileIsInvalid) {
  const WrittenFile file("{}\n{\"a\": \"b");
  JsonlReader reader(file.path());
  reader.next();
  EXPECT_THAT(error_of([&] { reader.next(); }), HasSubstr(":2: invalid JSON"));
}

TEST(JsonlReader, InvalidUtf8NamesTheLine) {
  const WrittenFile file("{}\n{\"a\": \"\xff\"}\n");
  JsonlReader reader(file.path());
  reader.next();
  EXPECT_THAT(error_of([&] { reader.next(); }),
              HasSubstr(file.path() + ":2: expected valid UTF-8, got byte 0xff"));
}

TEST(JsonlReader, ALineMayBeAsLongAsTheBoundAndNoLonger) {
  const WrittenFile file("[1, 2]\n[1, 23]\n");
  JsonlReader reader(file.path(), 6);
  EXPECT_EQ(reader.next(), ordered_json::array({1, 2}));
  EXPECT_THAT(error_of([&] { reader.next(); }),
              HasSubstr(":2: length of a line: expected <= 6 bytes, got more"));
}

TEST(JsonlReader, NamesAFileItCannotRead) {
  EXPECT_THAT(error_of([] { JsonlReader("no/such/file.jsonl"); }),
              HasSubstr("no/such/file.jsonl: cannot open: No such file"));
  EXPECT_THAT(error_of([] { JsonlReader(testing::TempDir()); }),
              HasSubstr("expected a file, got a folder"));
}

}  // namespace
}  // namespace rlhf::data
