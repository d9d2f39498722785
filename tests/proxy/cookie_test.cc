#include "proxy/cookie.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace gatebook::proxy {
namespace {

std::optional<std::string> Without(std::string_view value) {
  base::BufferPool pool;
  base::Buffer out(pool);
  if (!AppendWithoutCookie(out, value, "id")) {
    EXPECT_TRUE(out.IsEmpty());
    return std::nullopt;
  }
  return std::string(out.data());
}

TEST(Cookie, OthersArePassedOnByteForByte) {
  EXPECT_EQ(Without("a=1; b=2"), "a=1; b=2");
  EXPECT_EQ(Without("id=x; a=1;b=2 ;  c"), "a=1;b=2 ;  c");
  EXPECT_EQ(Without("a=1; id=x; b=2"), "a=1; b=2");
  EXPECT_EQ(Without("a=1; id=x"), "a=1");
  EXPECT_EQ(Without("a=1;; id=x;"), "a=1;;");
  EXPECT_EQ(Without(" ;xid=1;;"), " ;xid=1;;");
  EXPECT_EQ(Without("idx=1; xid=2; ID=3; a=id"), "idx=1; xid=2; ID=3; a=id");
  EXPECT_EQ(Without("a=\"id=1\"; =id"), "a=\"id=1\"; =id");
}

TEST(Cookie, EveryOneOfTheNameIsTakenOut) { EXPECT_EQ(Without("id=x; a=1; id=y;id; id =z"), "a=1"); }

TEST(Cookie, AFieldWithNothingElseIsDropped) {
  EXPECT_EQ(Without("id=x"), std::nullopt);
  EXPECT_EQ(Without(" id = x ;"), std::nullopt);
  EXPECT_EQ(Without(";id=x; ;"), std::nullopt);
  EXPECT_EQ(Without(""), std::nullopt);
}

TEST(Cookie, IsFoundWhereverItStands) {
  EXPECT_EQ(FindCookie("id=x", "id").value, "x");
  EXPECT_EQ(FindCookie("a=1;id=x=y ; b", "id").value, "x=y");
  EXPECT_EQ(FindCookie("a=1; id", "id").count, 1U);
  EXPECT_EQ(FindCookie("a=id; xid=1", "id").count, 0U);
  EXPECT_EQ(FindCookie("id=1; id=2", "id").count, 2U);
  EXPECT_EQ(FindCookie("", "id").count, 0U);
}

}  // namespace
}  // namespace gatebook::proxy
