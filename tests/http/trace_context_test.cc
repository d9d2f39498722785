#include "http/trace_context.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "http/field_table.h"

namespace gatebook::http {
namespace {

constexpr uint64_t kParent = 0x00f067aa0ba902b7;
constexpr std::array<uint64_t, 2> kTrace = {0x0123456789abcdef, 0x1122334455667788};
constexpr std::string_view kBegun = "00-0123456789abcdef1122334455667788-00f067aa0ba902b7-01";
constexpr std::string_view kReceived = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TraceContext Of(std::initializer_list<std::string_view> traceparents) {
  std::vector<Field> fields = {{"Accept", "*/*", FieldId::kOther, false}};
  for (const std::string_view value : traceparents) {
    fields.push_back({"traceparent", value, KindOf("traceparent").id, false});
  }
  return TraceContextFor(fields, kParent, kTrace);
}

TEST(TraceContext, OneThatIsReceivedGoesOnUnderAParentOfOurs) {
  const auto context = Of({kReceived});
  EXPECT_TRUE(context.continued);
  EXPECT_EQ(context.text(), "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
}

TEST(TraceContext, WithoutOneATraceBegins) {
  const auto context = Of({});
  EXPECT_FALSE(context.continued);
  EXPECT_EQ(context.text(), kBegun);
}

TEST(TraceContext, OnlyTheSampledFlagGoesOn) {
  const std::string base = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
  const std::string sent = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-";
  EXPECT_EQ(Of({base + "00"}).text(), sent + "00");
  EXPECT_EQ(Of({base + "ff"}).text(), sent + "01");
  EXPECT_EQ(Of({base + "0a"}).text(), sent + "00");
  EXPECT_EQ(Of({base + "03"}).text(), sent + "01");
}

TEST(TraceContext, ALaterVersionIsReadAsFarAsItIsKnown) {
  const std::string rest = "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const std::string& text : {"01" + rest, "cc" + rest + "-what-the-future-will-be", "fe" + rest + "-"}) {
    const auto context = Of({text});
    EXPECT_TRUE(context.continued) << text;
    EXPECT_EQ(context.text(), "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
  }
}

TEST(TraceContext, AMalformedOneIsAsGoodAsNone) {
  for (const char* text : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
                           "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
                           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
                           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                           "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01"}) {
    const auto context = Of({text});
    EXPECT_FALSE(context.continued) << text;
    EXPECT_EQ(context.text(), kBegun) << text;
  }
}

TEST(TraceContext, SeveralAreAsGoodAsNone) {
  EXPECT_FALSE(Of({kReceived, kReceived}).continued);
  EXPECT_FALSE(Of({"", kReceived}).continued);
}

TEST(TraceContext, NoIdIsEverZero) {
  EXPECT_EQ(TraceContextFor({}, 0, {0, 0}).text(), "00-00000000000000000000000000000001-0000000000000001-01");
}

}  // namespace
}  // namespace gatebook::http
