// EdgeTest: a test's whole world: client side, the real gatebook, and what stands behind it.
//
// A test says what is special (the upstream's script, lines of the config), calls
// Start(), and lives like a visitor. In the end everything must be back to rest,
// the counters of the book must add up and the process must end well: TearDown()
// sees to that for every test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/dns_server.h"
#include "tests/support/gatebook_process.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_upstream.h"

namespace gatebook::e2e {

using nlohmann::json;
using support::Answer;
using support::GatebookOptions;
using support::GatebookProcess;
using support::HttpMessage;
using support::RawClient;
using support::TestUpstream;
using support::UpstreamConnection;
using support::WaitUntil;

class EdgeTest : public testing::Test {
 protected:
  // Before Start(): what the upstream does; by default it answers 200 "hello". The script runs on
  // threads that end in TearDown(): what it holds by reference must be a member of the fixture.
  void Behind(TestUpstream::Script script) { upstream_ = std::make_unique<TestUpstream>(std::move(script)); }
  void WithNames() {
    dns_ = std::make_unique<support::DnsServer>();
    options_.dns = dns_->address();
  }
  // Lines for a section of the config.
  void Say(const std::string& section, const std::string& lines) {
    options_.sections[section] += lines + "\n";
  }

  // Makes what is missing of upstream and Redis, and the process (not started).
  void Prepare() {
    if (!upstream_) Behind({});
    if (!redis_)
      redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{"--appendonly", "yes"});
    if (options_.upstream.empty()) options_.upstream = upstream_->address();
    if (options_.redis_url.empty()) options_.redis_url = redis_->url();
    edge_ = std::make_unique<GatebookProcess>(GATEBOOK_BINARY, options_);
  }
  void Start() {
    Prepare();
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }

  void TearDown() override {
    if (upstream_) upstream_->CloseAll();
    if (edge_ && verify_) {
      EXPECT_EQ(edge_->Verify(), "");
    }
    upstream_.reset();
  }

  uint64_t Refusals(const std::string& slug) const {
    return edge_->MetricSum("gatebook_refusals_total{reason=\"" + slug + "\"");
  }

  // Whatever was refused has its reason in a counter and in the visit, and is there once.
  void ExpectRefusalsInTheBook() {
    const auto counted = edge_->CountedRefusals();
    EXPECT_FALSE(counted.empty());
    WaitUntil([&] { return edge_->RecordedRefusals() == counted; });
    EXPECT_EQ(edge_->RecordedRefusals(), counted);
  }

  // Names of keys in Redis.
  std::vector<std::string> Keys(const std::string& pattern) const {
    std::vector<std::string> keys;
    std::istringstream lines(redis_->Ask({"keys", pattern}));
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) keys.push_back(line);
    }
    return keys;
  }

  // The members die in this order turned round: the process before what it leans on.
  GatebookOptions options_;
  std::unique_ptr<support::RedisServer> redis_;
  std::unique_ptr<support::DnsServer> dns_;
  std::unique_ptr<TestUpstream> upstream_;
  std::unique_ptr<GatebookProcess> edge_;
  bool verify_ = true;  // false: the test itself has ended the process
  // Between a test and its script.
  std::atomic<bool> go_ = false;
  std::atomic<size_t> counted_ = 0;
};

// A request head, whole.
inline std::string Request(const std::string& first_line, const std::string& fields = "") {
  return first_line + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

}  // namespace gatebook::e2e
