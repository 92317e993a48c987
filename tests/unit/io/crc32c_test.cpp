#include "rlhf/io/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rlhf::io {
namespace {

// The check values of RFC 3720, appendix B.4.
TEST(Crc32c, GivesThePublishedValues) {
  std::string ascending(32, '\0'), descending(32, '\0');
  for (size_t i = 0; i < 32; ++i) {
    ascending[i] = static_cast<char>(i);
    descending[i] = static_cast<char>(31 - i);
  }
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(crc32c(descending), 0x113FDB5CU);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, GoesOnFromAnEarlierOne) {
  EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789"));
}

TEST(Crc32c, OfManyBytesAtATimeIsThatOfOneByOne) {
  std::string bytes;
  uint32_t one_by_one = 0;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(crc32c(bytes), one_by_one) << i;
    bytes.push_back(static_cast<char>(i * 37));
    one_by_one = crc32c(std::string_view(bytes).substr(bytes.size() - 1), one_by_one);
  }
}

}  // namespace
}  // namespace rlhf::io
