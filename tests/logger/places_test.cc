#include "logger/places.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/log.h"
#include "logger/text.h"
#include "tests/support/mmdb_writer.h"
#include "tests/support/temp_directory.h"

namespace gatebook::logger {
namespace {

using base::IpAddress;
using support::MmdbMap;
using support::MmdbWriter;

IpAddress Ip(std::string_view text) { return *IpAddress::Parse(text); }

MmdbMap City(const std::string& country, const std::string& city) {
  return {{"city", MmdbMap{{"geoname_id", uint32_t{1}}, {"names", MmdbMap{{"de", "x"}, {"en", city}}}}},
          {"country", MmdbMap{{"iso_code", country}, {"names", MmdbMap{{"en", "Land"}}}}},
          {"location", MmdbMap{{"latitude", 60.2}, {"longitude", 24.8}}}};
}

class PlacesTest : public testing::Test {
 protected:
  // Thousands of warnings about broken files tell a reader of the tests nothing.
  static void SetUpTestSuite() { ASSERT_TRUE(base::LogSink::Open("/dev/null", base::LogLevel::kError).ok()); }
  static void TearDownTestSuite() { base::LogSink::Close(); }

  std::string PathOf(const std::string& name) const { return directory_.path() + "/" + name; }
  void WriteBytes(const std::string& name, const std::string& bytes) const {
    std::ofstream(PathOf(name), std::ios::binary | std::ios::trunc) << bytes;
  }

  support::TempDirectory directory_;
  base::MetricsBlock metrics_;
};

TEST_F(PlacesTest, ReadsMaxMindsNestedLayout) {
  for (const uint16_t record_size : {24, 28, 32}) {
    MmdbWriter city(6, record_size);
    city.Add("192.0.2.0/24", City("FI", "Espoo"));
    city.Add("2001:db8::/32", City("se", "G\u00f6teborg"));
    city.Write(PathOf("city.mmdb"));
    MmdbWriter as(6, record_size);
    as.Add("192.0.2.0/25", MmdbMap{{"autonomous_system_number", uint32_t{1759}},
                                   {"autonomous_system_organization", "Example Oy"}});
    as.Write(PathOf("as.mmdb"));
    Places places({PathOf("city.mmdb"), PathOf("as.mmdb")}, metrics_);
    const Place v4 = places.Find(Ip("192.0.2.7"));
    EXPECT_EQ(v4.country, "FI");
    EXPECT_EQ(v4.city, "Espoo");
    EXPECT_EQ(v4.asn, 1759U);
    EXPECT_EQ(v4.as_org, "Example Oy");
    const Place v6 = places.Find(Ip("2001:db8::1"));
    EXPECT_EQ(v6.country, "SE");
    EXPECT_EQ(v6.city, "G\u00f6teborg");
    EXPECT_EQ(v6.asn, 0U);
    EXPECT_EQ(places.Find(Ip("192.0.2.200")).asn, 0U);
    EXPECT_EQ(places.Find(Ip("198.51.100.1")).country, "");
  }
  EXPECT_EQ(metrics_.Get(base::Metric::kGeoErrors), 0U);
}

TEST_F(PlacesTest, ReadsFlatLayouts) {
  MmdbWriter writer;
  writer.Add("192.0.2.1/32", MmdbMap{{"country_code", "FI"}});
  writer.Add("192.0.2.2/32",
             MmdbMap{{"country", "de"}, {"city", "Bonn"}, {"asn", "AS3320"}, {"as_name", "DTAG"}});
  writer.Add("192.0.2.3/32", MmdbMap{{"asn", uint64_t{65551}}});
  writer.Add("192.0.2.4/32", MmdbMap{{"asn", int32_t{-1}}, {"as_number", 7.0}});
  writer.Write(PathOf("flat.mmdb"));
  Places places({PathOf("flat.mmdb")}, metrics_);
  EXPECT_EQ(places.Find(Ip("192.0.2.1")).country, "FI");
  const Place second = places.Find(Ip("192.0.2.2"));
  EXPECT_EQ(second.country, "DE");
  EXPECT_EQ(second.city, "Bonn");
  EXPECT_EQ(second.asn, 3320U);
  EXPECT_EQ(second.as_org, "DTAG");
  EXPECT_EQ(places.Find(Ip("192.0.2.3")).asn, 65551U);
  EXPECT_EQ(places.Find(Ip("192.0.2.4")).asn, 7U);
}

TEST_F(PlacesTest, AsksAnIpv4FileNothingOfIpv6) {
  MmdbWriter writer(4, 24);
  writer.Add("192.0.2.0/24", MmdbMap{{"country_code", "FI"}});
  writer.Write(PathOf("v4.mmdb"));
  Places places({PathOf("v4.mmdb")}, metrics_);
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "FI");
  EXPECT_EQ(places.Find(Ip("2001:db8::1")).country, "");
  EXPECT_EQ(metrics_.Get(base::Metric::kGeoErrors), 0U);
}

TEST_F(PlacesTest, TakesTheFirstFileThatKnows) {
  MmdbWriter first;
  first.Add("192.0.2.0/24", MmdbMap{{"country_code", "FI"}});
  first.Write(PathOf("a.mmdb"));
  MmdbWriter second;
  second.Add("192.0.2.0/24", City("SE", "Lund"));
  second.Write(PathOf("b.mmdb"));
  Places places({PathOf("a.mmdb"), PathOf("b.mmdb")}, metrics_);
  const Place place = places.Find(Ip("192.0.2.7"));
  EXPECT_EQ(place.country, "FI");
  EXPECT_EQ(place.city, "Lund");
}

TEST_F(PlacesTest, MakesHostileTextsHarmless) {
  MmdbWriter writer;
  writer.Add("192.0.2.0/24", MmdbMap{{"country_code", "\x1b["},
                                     {"city", "a\x1b[31m\r\nb"},
                                     {"as_name", std::string(5000, 'x')},
                                     {"asn", "AS12x"}});
  writer.Write(PathOf("bad.mmdb"));
  Places places({PathOf("bad.mmdb")}, metrics_);
  const Place place = places.Find(Ip("192.0.2.7"));
  EXPECT_EQ(place.country, "");
  EXPECT_EQ(place.city, "a\\x1b[31m\\x0d\\x0ab");
  EXPECT_EQ(place.as_org.size(), Places::kMostText);
  EXPECT_EQ(place.asn, 0U);
}

TEST_F(PlacesTest, StartsWithoutItsFilesAndTakesThemWhenTheyCome) {
  WriteBytes("junk.mmdb", "this is no database");
  std::filesystem::create_directory(PathOf("folder.mmdb"));
  Places places({PathOf("none.mmdb"), PathOf("junk.mmdb"), PathOf("folder.mmdb")}, metrics_);
  for (const auto& state : places.state()) {
    EXPECT_FALSE(state.open);
    EXPECT_NE(state.error, "");
  }
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "");
  EXPECT_FALSE(places.ReloadIfChanged());
  EXPECT_EQ(metrics_.Get(base::Metric::kGeoReloadsFailed), 0U);

  MmdbWriter writer;
  writer.Add("192.0.2.0/24", MmdbMap{{"country_code", "FI"}});
  writer.Write(PathOf("none.mmdb"));
  EXPECT_TRUE(places.ReloadIfChanged());
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "FI");
  EXPECT_EQ(places.state()[0].error, "");
  EXPECT_EQ(places.state()[0].build_epoch, 1'760'000'000U);
  EXPECT_EQ(metrics_.Get(base::Metric::kGeoReloads), 1U);
}

TEST_F(PlacesTest, TakesAReplacedFileAndKeepsTheOldOneInsteadOfABrokenOne) {
  MmdbWriter writer;
  writer.Add("192.0.2.0/24", MmdbMap{{"country_code", "FI"}});
  writer.Write(PathOf("a.mmdb"));
  Places places({PathOf("a.mmdb")}, metrics_);
  EXPECT_FALSE(places.ReloadIfChanged());

  MmdbWriter next;
  next.Add("192.0.2.0/24", MmdbMap{{"country_code", "SE"}});
  next.Write(PathOf("a.mmdb"));
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "FI");
  EXPECT_TRUE(places.ReloadIfChanged());
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "SE");

  WriteBytes("a.mmdb", "broken");
  EXPECT_FALSE(places.ReloadIfChanged());
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "SE");
  EXPECT_EQ(metrics_.Get(base::Metric::kGeoReloadsFailed), 1U);
  EXPECT_TRUE(places.state()[0].open);
  EXPECT_NE(places.state()[0].error, "");

  std::filesystem::remove(PathOf("a.mmdb"));
  EXPECT_FALSE(places.ReloadIfChanged());
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "SE");
}

TEST_F(PlacesTest, IsUntouchedByAFileThatIsCutOrOverwrittenInPlace) {
  MmdbWriter writer;
  writer.Add("192.0.2.0/24", City("FI", "Espoo"));
  writer.Write(PathOf("a.mmdb"));
  Places places({PathOf("a.mmdb")}, metrics_);
  std::filesystem::resize_file(PathOf("a.mmdb"), 0);
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).city, "Espoo");
  WriteBytes("a.mmdb", std::string(100'000, '\xff'));
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).city, "Espoo");
}

// CVE-2020-28241 and its kin. Whatever the bytes are, look-ups end and texts are clean.
void LookUpEverywhere(Places& places) {
  for (const char* ip : {"192.0.2.7", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "ffff::"}) {
    const Place place = places.Find(Ip(ip));
    ASSERT_LE(place.city.size(), Places::kMostText);
    char out[Places::kMostText];
    ASSERT_EQ(CleanText(place.city, sizeof out, out), place.city);
  }
}

TEST_F(PlacesTest, SurvivesAFileThatIsCutShortAnywhere) {
  MmdbWriter writer;
  writer.Add("192.0.2.0/24", City("FI", "Espoo"));
  writer.Add("2001:db8::/32", MmdbMap{{"autonomous_system_number", uint32_t{1759}}});
  const std::string whole = writer.ToBytes();
  for (size_t size = 0; size < whole.size(); size += size < whole.size() - 400 ? 37 : 1) {
    WriteBytes("cut.mmdb", whole.substr(0, size));
    Places places({PathOf("cut.mmdb")}, metrics_);
    LookUpEverywhere(places);
  }
}

TEST_F(PlacesTest, SurvivesFlippedBytes) {
  MmdbWriter writer(6, 24);
  writer.Add("192.0.2.0/24", City("FI", "Espoo"));
  writer.Add("2001:db8::/32", MmdbMap{{"autonomous_system_number", uint32_t{1759}}});
  const std::string whole = writer.ToBytes();
  std::mt19937 random(11);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = whole;
    for (size_t flips = 1 + random() % 4; flips > 0; --flips) {
      // The data and the description of the file stand in its last part.
      const size_t reach = random() % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 500);
      bytes[bytes.size() - 1 - random() % reach] = static_cast<char>(random());
    }
    WriteBytes("flipped.mmdb", bytes);
    Places places({PathOf("flipped.mmdb")}, metrics_);
    LookUpEverywhere(places);
  }
}

TEST_F(PlacesTest, CountsDamage) {
  MmdbWriter writer;
  writer.Add("192.0.2.0/24", MmdbMap{{"country_code", "FI"}});
  std::string bytes = writer.ToBytes();
  const size_t value = bytes.find(
      "\x4c"
      "country_code");
  ASSERT_NE(value, std::string::npos);
  bytes[value - 1] = '\xff';  // a map of more entries than the file has octets
  WriteBytes("damaged.mmdb", bytes);
  Places places({PathOf("damaged.mmdb")}, metrics_);
  EXPECT_EQ(places.Find(Ip("192.0.2.7")).country, "");
  EXPECT_EQ(metrics_.Get(base::Metric::kGeoErrors), 1U);
}

}  // namespace
}  // namespace gatebook::logger
