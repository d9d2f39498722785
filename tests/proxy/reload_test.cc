#include "proxy/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "proxy/certificate_watch.h"
#include "proxy/listening.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ReloadTest, WhatAReloadCanTakeNeedsNoRestart) {
  config::Config next;
  next.listen.emplace_back();
  next.upstreams.emplace_back().name = "new";
  next.routes.emplace_back().path = "/new";
  next.timeouts.connect = std::chrono::seconds(1);
  next.limits.connections = 5;
  next.visit.query_allow = {"q"};
  next.session.cookie = "other";
  next.log.file = "/elsewhere";
  next.log.level = "debug";
  EXPECT_THAT(KeysThatNeedRestart({}, next), IsEmpty());
}

TEST(ReloadTest, EveryKeyThatNeedsARestartIsNamed) {
  config::Config next;
  next.edge.name = "other";
  next.edge.workers = 7;
  next.edge.user = "nobody";
  next.session.key_file = "/elsewhere";
  next.redis.database = 3;
  next.journal.max_size = 1;
  next.visit.retention = std::chrono::hours(1);
  next.retention.ledger = "/elsewhere";
  next.dns.enabled = false;
  next.geo.databases = {"x.mmdb"};
  next.statistics.k = 11;
  next.admin.address.path = "/elsewhere";
  next.limits.connections_per_address = 1;
  EXPECT_THAT(KeysThatNeedRestart({}, next),
              ElementsAre("edge.name", "edge.workers", "edge.user", "session.key_file", "[redis]",
                          "[journal]", "visit.retention", "[retention]", "[dns]", "[geo]", "[statistics]",
                          "[admin]", "limits.connections_per_address from or to 0"));
}

TEST(ReloadTest, AListenerIsKnownByItsAddressAlone) {
  config::Listen one;
  one.address.port = 443;
  one.address.text = "0.0.0.0:443";
  config::Listen same = one;
  same.tls = false;
  same.address.text = "written otherwise";
  config::Listen other = one;
  other.address.port = 444;
  EXPECT_EQ(FindListen({other, same}, one.address)->tls, false);
  EXPECT_EQ(FindListen({other}, one.address), nullptr);
}

class CertificateWatchTest : public testing::Test {
 protected:
  CertificateWatchTest() {
    chain_ = files_.Write("chain.1", "one");
    std::filesystem::create_symlink(chain_, files_.Path("chain"));
    files_.Write("key", "one");
  }
  CertificateWatch Watch() {
    config::Config config;
    config.certificates.push_back({files_.Path("chain"), files_.Path("key")});
    config.upstreams.emplace_back().tls_ca = files_.Write("authorities", "one");
    return CertificateWatch(config);
  }
  void Replace(const std::string& name) {
    files_.Write(name + ".new", "two");
    std::filesystem::rename(files_.Path(name + ".new"), files_.Path(name));
  }

  support::TempDirectory files_;
  std::string chain_;
};

TEST_F(CertificateWatchTest, FilesThatStayAreNoNews) {
  CertificateWatch watch = Watch();
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.Look());
}

TEST_F(CertificateWatchTest, AReplacedFileIsNewsOnceItStandsStill) {
  CertificateWatch watch = Watch();
  Replace("key");
  EXPECT_FALSE(watch.Look());
  Replace("chain");
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.Look());
  EXPECT_FALSE(watch.Look());
}

TEST_F(CertificateWatchTest, ALinkThatLeadsElsewhereIsNews) {
  CertificateWatch watch = Watch();
  std::filesystem::create_symlink(files_.Write("chain.2", "two"), files_.Path("link"));
  std::filesystem::rename(files_.Path("link"), files_.Path("chain"));
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.Look());
}

TEST_F(CertificateWatchTest, SoAreTheAuthoritiesOfAnUpstream) {
  CertificateWatch watch = Watch();
  Replace("authorities");
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.Look());
}

TEST_F(CertificateWatchTest, WhileAFileIsMissingNothingHasChanged) {
  CertificateWatch watch = Watch();
  std::filesystem::remove(files_.Path("key"));
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.Look());
  Replace("key");
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.Look());
}

}  // namespace
}  // namespace gatebook::proxy
