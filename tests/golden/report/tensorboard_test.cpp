#include "rlhf/report/tensorboard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using testing::HasSubstr;

class TensorBoard : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

constexpr double start = 1700000000.25;

TEST_F(TensorBoard, WritesTheBytesThatPythonWrites) {
  double now = start;
  TensorBoardSink sink(folder_ / "run", [&] { return now; });
  now = start + 1;
  sink.log(1, std::vector<Metric>{{"reward", 0.5}, {"kl/k1", -1e-3}});
  now = start + 300;
  sink.log(300, std::vector<Metric>{{"reward", 0.1},
                                    {"a name with \u00fc", std::numeric_limits<double>::infinity()},
                                    {"nothing", std::numeric_limits<double>::quiet_NaN()}});
  // Written by tests/golden/tensorboard_events.py. Read while the sink is still open: a killed run
  // keeps what it logged.
  EXPECT_EQ(io::read_file(folder_ / "run/events.out.tfevents.1700000000.rlhf"),
            io::read_file(fs::path(RLHF_GOLDEN_DIR) / "data/events.tfevents"));
}

TEST_F(TensorBoard, TwoSinksOfOneSecondWriteTwoFiles) {
  TensorBoardSink first(folder_.path(), [] { return start; });
  TensorBoardSink second(folder_.path(), [] { return start; });
  EXPECT_EQ(folder_.entry_count(), 2);
}

TEST_F(TensorBoard, NamesAFolderThatCannotBeMade) {
  folder_.put("file", "");
  EXPECT_THAT(error_of([&] { TensorBoardSink(folder_ / "file/run"); }),
              HasSubstr((folder_ / "file/run").string()));
}

}  // namespace
}  // namespace rlhf
