#include "rlhf/core/version.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rlhf {
namespace {

TEST(Version, IsThreeNumbers) {
  EXPECT_THAT(std::string(version()), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace rlhf
