#include "config/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace gatebook::config {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"name", "workers", "request_header", "tls"};

TEST(Nearest, FindsSwappedMissingAddedAndWrongLetters) {
  EXPECT_EQ(Nearest("nmae", kKnown), "name");
  EXPECT_EQ(Nearest("wrkers", kKnown), "workers");
  EXPECT_EQ(Nearest("workerss", kKnown), "workers");
  EXPECT_EQ(Nearest("request-header", kKnown), "request_header");
  EXPECT_EQ(Nearest("tsl", kKnown), "tls");
}

TEST(Nearest, FarNamesAreNotGuessed) {
  EXPECT_EQ(Nearest("listen", kKnown), std::nullopt);
  EXPECT_EQ(Nearest("", kKnown), std::nullopt);
  EXPECT_EQ(Nearest("xyz", kKnown), std::nullopt);
  EXPECT_EQ(Nearest(std::string(100'000, 'n'), kKnown), std::nullopt);
}

}  // namespace
}  // namespace gatebook::config
