// Where visitors come from: place databases, in use, replaced, and damaged.
#include <filesystem>

#include "tests/e2e/edge_test.h"
#include "tests/support/mmdb_writer.h"

namespace gatebook::e2e {
namespace {

using support::MmdbMap;
using support::MmdbWriter;

class PlacesTest : public EdgeTest {
 protected:
  void WritePlaces(const std::string& country) {
    MmdbWriter writer;
    writer.Add("127.0.0.0/8", MmdbMap{{"country", MmdbMap{{"iso_code", country}}},
                                      {"city", MmdbMap{{"names", MmdbMap{{"en", "Espoo"}}}}},
                                      {"autonomous_system_number", uint32_t{64512}},
                                      {"autonomous_system_organization", "Loopback Oy"}});
    writer.Write(files_.Path("places.new"));
    std::filesystem::rename(files_.Path("places.new"), files_.Path("places.mmdb"));
  }
  void Use() { Say("geo", "databases = [\"" + files_.Path("places.mmdb") + "\"]"); }
  json LastVisit() {
    const auto visits = edge_->Visits();
    return visits.empty() ? json::object() : visits.back();
  }

  support::TempDirectory files_;
};

TEST_F(PlacesTest, AVisitSaysWhereItsNetworkIs) {
  WritePlaces("FI");
  Use();
  Start();
  ASSERT_TRUE(RawClient(edge_->Tls()).Get("/"));
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  const json visit = LastVisit();
  EXPECT_EQ(visit["country"], "FI");
  EXPECT_EQ(visit["city"], "Espoo");
  EXPECT_EQ(visit["asn"], 64512);
  EXPECT_EQ(visit["as_org"], "Loopback Oy");
}

TEST_F(PlacesTest, AReplacedDatabaseIsUsedWithoutARestart) {
  WritePlaces("FI");
  Use();
  Start();
  ASSERT_TRUE(RawClient(edge_->Tls()).Get("/"));
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  EXPECT_EQ(LastVisit()["country"], "FI");
  WritePlaces("SE");
  EXPECT_TRUE(WaitUntil([&] {
    RawClient(edge_->Tls()).Get("/");
    edge_->WaitDelivered();
    return LastVisit()["country"] == "SE";
  })) << LastVisit().dump(1);
}

TEST_F(PlacesTest, ADamagedDatabaseLeavesTheOldOneInUseAndSaysSo) {
  WritePlaces("FI");
  Use();
  Start();
  ASSERT_TRUE(RawClient(edge_->Tls()).Get("/"));
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  // Overwritten in place, as no one should.
  files_.Write("places.mmdb", "this is no database");
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_geo_reloads_total{result=\"failed\"}") > 0; }));
  ASSERT_TRUE(RawClient(edge_->Tls()).Get("/"));
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  EXPECT_EQ(visits[1]["country"], "FI");
}

TEST_F(PlacesTest, AReloadWithADamagedDatabaseIsRefusedWhole) {
  WritePlaces("FI");
  Use();
  Start();
  files_.Write("places.new", "this is no database");
  std::filesystem::rename(files_.Path("places.new"), files_.Path("places.mmdb"));
  Say("limits", "connections = 77");
  edge_->Configure(options_);
  const support::Finished refused = edge_->Command({"reload", "--wait"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, testing::HasSubstr("places.mmdb is no place database"));
  EXPECT_EQ(edge_->Metric("gatebook_generation"), 1u);
  EXPECT_EQ(edge_->Metric("gatebook_reloads_total{result=\"failed\"}"), 1u);

  WritePlaces("SE");
  const support::Finished taken = edge_->Command({"reload", "--wait"});
  EXPECT_EQ(taken.exit_code, 0) << taken.errors;
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_geo_reloads_total{result=\"ok\"}") == 1; }));
  ASSERT_TRUE(RawClient(edge_->Tls()).Get("/"));
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  EXPECT_EQ(LastVisit()["country"], "SE");
}

}  // namespace
}  // namespace gatebook::e2e
