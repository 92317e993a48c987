#include "rlhf/report/jsonl.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::HasSubstr;

class Jsonl : public testing::Test {
 protected:
  std::filesystem::path path() const { return folder_ / "metrics.jsonl"; }
  std::string content() const { return io::read_file(path()); }
  test::TemporaryFolder folder_;
};

TEST_F(Jsonl, WritesOneObjectALineAtOnce) {
  JsonlSink sink(path());
  sink.log(1, std::vector<Metric>{{"reward", 0.5}, {"kl \"k1\"", -2.0}});
  // The sink is still open: a killed run keeps this line.
  EXPECT_EQ(content(), "{\"step\":1,\"reward\":0.5,\"kl \\\"k1\\\"\":-2.0}\n");
  sink.log(2, {});
  EXPECT_THAT(content(), testing::EndsWith("\n{\"step\":2}\n"));
}

TEST_F(Jsonl, NumbersReadBackToTheSameDouble) {
  const std::vector<double> values = {0.1 + 0.2, 1e-310, 1e300, -0.0, 1.0 / 3};
  for (const double value : values) {
    JsonlSink(path()).log(1, std::vector<Metric>{{"x", value}});
    EXPECT_EQ(nlohmann::json::parse(content())["x"].get<double>(), value);
  }
}

TEST_F(Jsonl, WritesNonFiniteNumbersAsStrings) {
  const double infinity = std::numeric_limits<double>::infinity();
  JsonlSink(path()).log(
      1, std::vector<Metric>{
             {"a", std::numeric_limits<double>::quiet_NaN()}, {"b", infinity}, {"c", -infinity}});
  EXPECT_EQ(content(), "{\"step\":1,\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\"}\n");
}

TEST_F(Jsonl, ReplacesOrAppendsAsAsked) {
  folder_.put("metrics.jsonl", "{\"step\":1}\n");
  JsonlSink(path(), JsonlMode::append).log(2, {});
  EXPECT_EQ(content(), "{\"step\":1}\n{\"step\":2}\n");
  JsonlSink(path()).log(3, {});
  EXPECT_EQ(content(), "{\"step\":3}\n");
}

TEST_F(Jsonl, ReplacesNothingBeforeTheFirstLine) {
  folder_.put("metrics.jsonl", "{\"step\":1}\n");
  JsonlSink sink(path());
  EXPECT_EQ(content(), "{\"step\":1}\n");
  sink.log(2, {});
  sink.log(3, {});
  EXPECT_EQ(content(), "{\"step\":2}\n{\"step\":3}\n");
}

TEST_F(Jsonl, AppendCutsOffATornLine) {
  folder_.put("metrics.jsonl", "{\"step\":1}\n{\"ste");
  JsonlSink(path(), JsonlMode::append).log(2, {});
  EXPECT_EQ(content(), "{\"step\":1}\n{\"step\":2}\n");
  folder_.put("metrics.jsonl", "{\"ste");
  JsonlSink(path(), JsonlMode::append).log(1, {});
  EXPECT_EQ(content(), "{\"step\":1}\n");
}

TEST_F(Jsonl, AppendMakesAFileThatIsNotThere) {
  JsonlSink(path(), JsonlMode::append).log(1, {});
  EXPECT_EQ(content(), "{\"step\":1}\n");
}

TEST_F(Jsonl, RefusesNamesThatWouldStandTwice) {
  JsonlSink sink(path());
  EXPECT_THAT(error_of([&] {
                sink.log(1, std::vector<Metric>{{"kl", 1}, {"kl", 2}});
              }),
              HasSubstr("name of a metric: expected each once"));
  EXPECT_THAT(error_of([&] {
                sink.log(1, std::vector<Metric>{{"step", 1}});
              }),
              HasSubstr("got step"));
  EXPECT_THAT(error_of([&] {
                sink.log(1, std::vector<Metric>{{"\xFF", 1}});
              }),
              HasSubstr("expected valid UTF-8"));
  EXPECT_EQ(content(), "");
}

TEST_F(Jsonl, NamesAFileItCannotWrite) {
  folder_.put("a", "no folder");
  for (const char* bad : {"a/metrics.jsonl", "."}) {
    EXPECT_THAT(error_of([&] { JsonlSink(folder_ / bad); }), HasSubstr((folder_ / bad).string()));
  }
}

TEST_F(Jsonl, MakesTheFoldersAboveIt) {
  JsonlSink(folder_ / "runs/1/metrics.jsonl").log(1, {});
  EXPECT_EQ(io::read_file(folder_ / "runs/1/metrics.jsonl"), "{\"step\":1}\n");
}

TEST_F(Jsonl, SaysWhenTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  JsonlSink sink("/dev/full");
  EXPECT_THAT(error_of([&] { sink.log(1, {}); }), HasSubstr("/dev/full: cannot be written"));
}

}  // namespace
}  // namespace rlhf
