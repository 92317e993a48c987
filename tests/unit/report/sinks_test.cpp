#include "rlhf/report/sinks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/report/console.hpp"
#include "rlhf/report/history.hpp"
#include "rlhf/report/jsonl.hpp"
#include "rlhf/report/tensorboard.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

static_assert(MetricSink<ConsoleProgress>);
static_assert(MetricSink<JsonlSink>);
static_assert(MetricSink<TensorBoardSink>);
static_assert(MetricSink<MetricHistory>);
static_assert(MetricSink<AnySink>);
static_assert(MetricSink<Sinks>);
static_assert(!std::constructible_from<AnySink, int>);

/// Writes down whom it was and which step.
struct Diary {
  std::string name;
  std::vector<std::string>* entries;
  void log(int64_t step, std::span<const Metric>) {
    entries->push_back(name + std::to_string(step));
  }
};

TEST(SinksTest, LogToAllInOrder) {
  std::vector<std::string> entries;
  Diary borrowed{"borrowed", &entries};
  Sinks sinks{Diary{"owned", &entries}, std::ref(borrowed)};
  sinks.add(Sinks{Diary{"nested", &entries}});
  sinks.log(1, {});
  EXPECT_THAT(entries, ElementsAre("owned1", "borrowed1", "nested1"));
}

TEST(SinksTest, BorrowedSinkIsTheOneThatWasGiven) {
  MetricHistory history;
  Sinks sinks{std::ref(history)};
  sinks.log(3, std::vector<Metric>{{"loss", 0.5}});
  EXPECT_EQ(history.last("loss"), 0.5);
}

TEST(MetricHistoryTest, KeepsEachMetricAtItsOwnSteps) {
  MetricHistory history;
  history.log(1, std::vector<Metric>{{"loss", 2.0}, {"accuracy", 0.25}});
  history.log(2, std::vector<Metric>{{"loss", 1.0}});
  EXPECT_THAT(history["loss"].steps, ElementsAre(1, 2));
  EXPECT_THAT(history["loss"].values, ElementsAre(2.0, 1.0));
  EXPECT_THAT(history["accuracy"].steps, ElementsAre(1));
  ASSERT_EQ(history.series().size(), 2U);
  EXPECT_EQ(history.series()[0].name, "loss");
  EXPECT_TRUE(history.contains("accuracy"));
}

TEST(MetricHistoryTest, NamesAMetricThatWasNeverLogged) {
  const MetricHistory history;
  EXPECT_FALSE(history.contains("loss"));
  EXPECT_THAT(error_of([&] { history.last("loss"); }),
              HasSubstr("metric: expected one that was logged, got \"loss\""));
}

}  // namespace
}  // namespace rlhf
