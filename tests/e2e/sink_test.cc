// Sinks beside Redis: several at once, each with its own choice; a blocked one holds up nobody.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tests/e2e/edge_test.h"
#include "tests/support/syslog_server.h"

namespace gatebook::e2e {
namespace {

using namespace std::chrono_literals;
using support::SyslogServer;
using testing::HasSubstr;
using testing::Not;

class SinkTest : public EdgeTest {
 protected:
  // Whole lines for the config.
  void AddSink(const std::string& name, const std::string& lines) {
    options_.more += "[[sink]]\nname = \"" + name + "\"\n" + lines + "\n";
  }
  void AddFile(const std::string& name, const std::string& lines = "") {
    AddSink(name, "path = \"" + File(name) + "\"\n" + lines);
  }
  std::string File(const std::string& name) const { return files_.Path(name); }
  static std::vector<std::string> Split(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> Lines(const std::string& name) const {
    return Split(support::ReadFile(File(name)));
  }
  bool HasLines(const std::string& name, size_t count) const {
    return WaitUntil([&] { return Lines(name).size() >= count; });
  }
  // As if it came through a proxy that we trust, from `ip`.
  void Visit(const std::string& path, const std::string& ip = "203.0.113.7", const std::string& fields = "") {
    RawClient client(edge_->Plain());
    const auto answer = client.Get(path, "X-Forwarded-For: " + ip + "\r\n" + fields);
    ASSERT_TRUE(answer.has_value());
  }
  void TrustProxies() { Say("edge", "trusted_proxies = [\"127.0.0.0/8\"]"); }
  json StateOf(const std::string& sink) const {
    const json status = json::parse(edge_->Admin("/status").body, nullptr, false);
    for (const json& one : status.value("sinks", json::array())) {
      if (one["name"] == sink) return one;
    }
    return {};
  }

  support::TempDirectory files_;
};

TEST_F(SinkTest, SeveralWriteAtOnceEachWithItsOwnChoice) {
  WithNames();
  TrustProxies();
  SyslogServer machine(SyslogServer::Transport::kUnix);
  SyslogServer siem(SyslogServer::Transport::kTcp);
  AddFile("all");
  AddFile("failures", "format = \"otel\"\nwhere = \"status >= 400\"");
  AddFile("web", "format = \"combined\"\naddresses = \"short\"");
  AddFile("least", "fields = []\naddresses = \"none\"");
  AddSink("machine", "kind = \"syslog\"\nserver = \"" + machine.address() + "\"\n");
  AddSink("siem", "kind = \"syslog\"\ntransport = \"tcp\"\nserver = \"" + siem.address() + "\"\n");
  AddSink("out", "kind = \"stdout\"\nformat = \"combined\"\n");
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    connection.Send(Answer(request.first_line.find(" /no ") != std::string::npos ? 404 : 200, "hello"));
  });
  Start();
  Visit("/yes", "203.0.113.7", "User-Agent: one\r\n");
  Visit("/no", "2001:db8:1:2::3", "User-Agent: \"two\" \\ three\r\n");
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  ASSERT_TRUE(HasLines("all", 2));
  ASSERT_TRUE(HasLines("failures", 1));
  ASSERT_TRUE(HasLines("web", 2));
  ASSERT_TRUE(HasLines("least", 2));
  ASSERT_TRUE(WaitUntil([&] { return machine.messages().size() == 2 && siem.messages().size() == 2; }));
  ASSERT_TRUE(WaitUntil([&] { return Split(edge_->process().Output()).size() == 2; }));

  const json first = json::parse(Lines("all")[0]);
  EXPECT_EQ(first["event.id"], visits[0]["id"]);
  EXPECT_EQ(first["client.ip"], "203.0.113.7");
  EXPECT_EQ(first["url.path"], "/yes");
  EXPECT_EQ(json::parse(Lines("all")[1])["user_agent.original"], "\"two\" \\ three");
  const json failure = json::parse(Lines("failures")[0]);
  EXPECT_EQ(failure["Attributes"]["http.response.status_code"], 404);
  EXPECT_EQ(failure["Attributes"]["client.address"], "2001:db8:1:2::3");
  EXPECT_THAT(Lines("web")[0], testing::StartsWith("203.0.113.0 - - ["));
  EXPECT_THAT(Lines("web")[1], testing::StartsWith("2001:db8:1:: - - ["));
  EXPECT_THAT(Lines("web")[1], testing::EndsWith(R"("\x22two\x22 \x5C three")"));
  EXPECT_THAT(support::ReadFile(File("least")), Not(HasSubstr("203.0.113")));
  EXPECT_THAT(support::ReadFile(File("least")), Not(HasSubstr("/yes")));
  EXPECT_THAT(machine.messages()[0], HasSubstr(visits[0]["id"].get<std::string>()));
  EXPECT_THAT(siem.messages()[1], HasSubstr("\"http.response.status_code\":404"));
  EXPECT_EQ(siem.fault(), "");
  EXPECT_THAT(edge_->process().Output(), HasSubstr("\"GET /no HTTP/1.1\" 404 5"));
  EXPECT_EQ(StateOf("failures")["state"], "ok");
  EXPECT_EQ(edge_->Metric("gatebook_sink_visits_total{result=\"written\"}"), 13u);
  EXPECT_EQ(edge_->Metric("gatebook_sink_visits_total{result=\"filtered\"}"), 1u);
}

TEST_F(SinkTest, ABlockedOneHoldsUpNeitherVisitorsNorTheOthersNorTheEnd) {
  SyslogServer siem(SyslogServer::Transport::kTcp);
  siem.Pause(true);
  ASSERT_EQ(::mkfifo(File("pipe").c_str(), 0600), 0);
  const base::UniqueFd reader(::open(File("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  AddFile("pipe", "queue = 64");
  AddSink("siem",
          "kind = \"syslog\"\ntransport = \"tcp\"\nserver = \"" + siem.address() + "\"\n");
  AddSink("away", "kind = \"syslog\"\ntransport = \"tcp\"\nqueue = 64\nserver = \"127.0.0.1:" +
                      std::to_string(support::FreePort()) + "\"\n");
  AddFile("well");
  Start();
  constexpr size_t kVisits = 20'000;
  RawClient client(edge_->Plain());
  const std::string request = Request("GET /a-path-of-some-length");
  const auto begun = std::chrono::steady_clock::now();
  for (size_t done = 0; done < kVisits; done += 100) {
    std::string many;
    for (int i = 0; i < 100; ++i) many += request;
    client.Send(many);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.ReadResponse().has_value());
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(took, 60s);
  EXPECT_TRUE(HasLines("well", kVisits)) << Lines("well").size();
  EXPECT_TRUE(WaitUntil([&] {
    return StateOf("pipe")["state"] == "blocked: nothing is taken" &&
           StateOf("siem")["state"] == "blocked: nothing is taken" &&
           StateOf("away").value("state", "").find("Connection refused") != std::string::npos;
  })) << edge_->Admin("/status").body;
  EXPECT_EQ(StateOf("well")["state"], "ok");
  EXPECT_EQ(edge_->Metric("gatebook_sinks_blocked"), 3u);
  EXPECT_GT(edge_->Metric("gatebook_sink_visits_total{result=\"dropped\"}"), 0u);
  EXPECT_THAT(edge_->Command({"status"}).output, HasSubstr("blocked: nothing is taken"));
  ASSERT_TRUE(edge_->WaitDelivered());
  const auto before = std::chrono::steady_clock::now();
  client.ShutdownWrite();
  EXPECT_EQ(edge_->Stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  verify_ = false;
}

TEST_F(SinkTest, WhatIsQueuedIsWrittenBeforeTheEnd) {
  AddFile("all");
  Start();
  RawClient client(edge_->Plain());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(client.Get("/" + std::to_string(i)).has_value());
  client.ShutdownWrite();
  EXPECT_EQ(edge_->Stop(), 0);
  verify_ = false;
  EXPECT_EQ(Lines("all").size(), 500u);
}

TEST_F(SinkTest, AFileIsOpenedAgainOnUsr1) {
  AddFile("all");
  Start();
  Visit("/1");
  ASSERT_TRUE(HasLines("all", 1));
  std::filesystem::rename(File("all"), File("taken"));
  edge_->process().Signal(SIGUSR1);
  EXPECT_TRUE(WaitUntil([&] { return std::filesystem::exists(File("all")); }));
  Visit("/2");
  EXPECT_TRUE(HasLines("all", 1));
  EXPECT_EQ(Lines("taken").size(), 1u);
}

TEST_F(SinkTest, AReloadChangesSinksAndOneThatCannotBeIsRefusedWhole) {
  AddFile("stays");
  const std::string stays = options_.more;
  AddFile("goes");
  Start();
  Visit("/1");
  ASSERT_TRUE(HasLines("stays", 1));
  ASSERT_TRUE(HasLines("goes", 1));

  options_.more = stays;
  AddFile("comes", "where = \"path = /2\"");
  const std::string changed = options_.more;
  AddSink("broken", "path = \"" + File("no/such/directory") + "\"\n");
  edge_->Configure(options_);
  const auto refused = edge_->Command({"reload"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.errors + refused.output, HasSubstr("broken"));
  Visit("/2");
  EXPECT_TRUE(HasLines("goes", 2)) << "nothing has changed";
  EXPECT_FALSE(std::filesystem::exists(File("comes")) && !Lines("comes").empty());

  options_.more = changed;
  edge_->Configure(options_);
  ASSERT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  Visit("/2");
  Visit("/3");
  EXPECT_TRUE(HasLines("stays", 4));
  EXPECT_TRUE(HasLines("comes", 1));
  EXPECT_EQ(Lines("goes").size(), 2u);
  EXPECT_EQ(json::parse(Lines("comes")[0])["url.path"], "/2");
  EXPECT_EQ(edge_->Metric("gatebook_sink_visits_total{result=\"written\"}"), 7u) << "counters do not go back";
}

TEST_F(SinkTest, VisitsAreWrittenWhileRedisIsAwayAndOnceOnly) {
  AddFile("all");
  Start();
  Visit("/1");
  ASSERT_TRUE(HasLines("all", 1));
  redis_->Stop();
  for (int i = 0; i < 50; ++i) Visit("/away");
  EXPECT_TRUE(HasLines("all", 51));
  redis_->Start();
  Visit("/back");
  ASSERT_EQ(edge_->WaitForVisits(52).size(), 52u);
  EXPECT_TRUE(HasLines("all", 52));
  EXPECT_EQ(Lines("all").size(), 52u);
}

TEST_F(SinkTest, AnErasureReachesTheLinesOfASessionInEveryFormat) {
  TrustProxies();
  AddFile("ecs");
  AddFile("otel", "format = \"otel\"");
  AddFile("combined", "format = \"combined\"\naddresses = \"short\"");
  AddSink("out", "kind = \"stdout\"\n");
  Start();
  for (int i = 0; i < 3; ++i) Visit("/mine/" + std::to_string(i));
  const std::string session = upstream_->last_request().Field("x-session-id").value_or("");
  Visit("/of-another", "203.0.113.9");
  ASSERT_EQ(edge_->WaitForVisits(4).size(), 4u);
  for (const char* name : {"ecs", "otel", "combined"}) ASSERT_TRUE(HasLines(name, 4));
  const auto erased = edge_->Command({"subject", "erase", "--session", session});
  ASSERT_EQ(erased.exit_code, 0) << erased.errors;
  const json receipt = json::parse(erased.output);
  EXPECT_EQ(receipt["removed"]["visits"], 1) << "each visit of a client without cookies is a session";
  EXPECT_EQ(receipt["removed"]["sink_lines"], 3);
  EXPECT_EQ(receipt["sinks_out_of_reach"], json::array({"out"}));
  EXPECT_EQ(receipt["edge_told"], true);

  const auto by_address =
      edge_->Command({"subject", "erase", "--ip", "203.0.113.7", "--since", "1h", "--reason", "asked for"});
  ASSERT_EQ(by_address.exit_code, 0) << by_address.errors;
  EXPECT_EQ(json::parse(by_address.output)["removed"]["sink_lines"], 6);
  Visit("/later", "203.0.113.9");
  std::string all;
  EXPECT_TRUE(WaitUntil([&] {
    all.clear();
    for (const auto& entry : std::filesystem::directory_iterator(files_.path()))
      all += support::ReadFile(entry.path());
    return std::count(all.begin(), all.end(), '\n') == 6;
  })) << all;
  EXPECT_THAT(all, Not(HasSubstr("/mine/")));
  EXPECT_THAT(all, HasSubstr("/of-another"));
}

TEST_F(SinkTest, RetentionCountsTheirFilesAndFindsWhatIsOverdue) {
  AddFile("all");
  Start();
  Visit("/1");
  Visit("/2");
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  ASSERT_TRUE(HasLines("all", 2));
  const auto kept = edge_->Command({"retention", "--json"});
  EXPECT_EQ(kept.exit_code, 0) << kept.output;
  EXPECT_THAT(kept.output, HasSubstr("\"sinks\""));
  // A file that nobody looks after, because no edge runs.
  ASSERT_TRUE(edge_->WaitDelivered());
  EXPECT_EQ(edge_->Stop(), 0);
  verify_ = false;
  std::filesystem::rename(File("all"), File("all.20200101T000000.000Z"));
  const auto broken = edge_->Command({"retention", "--json"});
  EXPECT_EQ(broken.exit_code, 1) << broken.output;
  EXPECT_THAT(broken.output, HasSubstr("delete the files"));
}

TEST_F(SinkTest, CheckSaysWhatIsWrongWithASink) {
  Say("declaration", "retention = \"2d\"");
  Say("visit", "retention = \"2d\"");
  AddSink("a", "kind = \"syslog\"\npath = \"" + File("x") + "\"\n");
  AddSink("a", "path = \"" + File("x") + "\"\nkeep = \"3d\"\n");
  AddSink("c", "path = \"" + File("x") + "\"\nfacility = \"lpr\"\n");
  AddSink("d", "kind = \"syslog\"\ntransport = \"tls\"\n");
  AddSink("e", "kind = \"stdout\"\ntls_name = \"x.example\"\ntransport = \"udp\"\n");
  AddSink("f", "kind = \"stdout\"\n");
  Prepare();
  verify_ = false;
  const auto check = edge_->Command({"check"});
  EXPECT_EQ(check.exit_code, 78);
  for (const char* said :
       {"path: only of kind \"file\"", "name: another [[sink]] has it already",
        "keep: 3d is longer than visits are kept", "keep: 3d is longer than [declaration] promises",
        "path: another [[sink]] writes there already", "facility: none of",
        "transport: udp, tcp and tls need a server", "tls_name: transport is not \"tls\"",
        "transport: only of kind \"syslog\"", "kind: another [[sink]] writes to standard output"}) {
    EXPECT_THAT(check.errors, HasSubstr(said));
  }
}

}  // namespace
}  // namespace gatebook::e2e
