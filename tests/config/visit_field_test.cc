#include "config/visit_field.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "config/config.h"

namespace gatebook::config {
namespace {

TEST(VisitFields, AreRecordedByDefaultAllOfThem) {
  const VisitFieldSet recorded = RecordedFields(Visit{});
  for (size_t i = 0; i < static_cast<size_t>(VisitField::kCount); ++i) {
    EXPECT_TRUE(recorded.Has(static_cast<VisitField>(i))) << InfoOf(static_cast<VisitField>(i)).name;
  }
}

TEST(VisitFields, ThatMayBeLeftOutAreUnlessNamed) {
  const VisitFieldSet recorded({"path"});
  EXPECT_TRUE(recorded.Has(VisitField::kPath));
  EXPECT_TRUE(recorded.Has(VisitField::kIp));
  EXPECT_FALSE(recorded.Has(VisitField::kUserAgent));
}

TEST(VisitFields, ANameIsNotRecordedOfATruncatedAddress) {
  Visit visit;
  visit.truncate_address = TruncateAddress::kAlways;
  EXPECT_FALSE(RecordedFields(visit).Has(VisitField::kDns));
}

TEST(VisitFields, EachSayWhatTheyAreAndWhatFor) {
  std::set<std::string> members;
  for (size_t i = 0; i < static_cast<size_t>(VisitField::kCount); ++i) {
    const VisitFieldInfo& info = InfoOf(static_cast<VisitField>(i));
    EXPECT_FALSE(info.what.empty());
    EXPECT_FALSE(info.purpose.empty());
    EXPECT_EQ(FindVisitField(info.name), static_cast<VisitField>(i));
    std::istringstream words{std::string(info.members)};
    for (std::string word; words >> word;) EXPECT_TRUE(members.insert(word).second) << word;
  }
  EXPECT_FALSE(FindVisitField("nothing"));
}

}  // namespace
}  // namespace gatebook::config
