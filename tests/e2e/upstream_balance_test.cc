// Several servers behind one route: who is asked, who is passed over, who comes back.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

// TestUpstreams that say who they are.
class UpstreamBalanceTest : public EdgeTest {
 protected:
  void AddServer(uint16_t port = 0) {
    const size_t number = servers_.size();
    up_.emplace_back(std::make_unique<std::atomic<bool>>(true));
    servers_.push_back(std::make_unique<TestUpstream>(
        [this, number, &up = *up_.back()](UpstreamConnection& connection, HttpMessage& request) {
          if (!connection.ReadBody(&request)) return;
          if (request.first_line.starts_with("GET /hold ")) connection.WaitFor([this] { return go_.load(); });
          const bool is_check = request.first_line.starts_with("GET /health ");
          connection.Send(Answer(is_check && !up ? 503 : 200, std::to_string(number)));
        },
        port));
  }
  // `more`: lines of the [[upstream]].
  void SayServers(const std::string& more, const std::string& before = "") {
    std::string list = before;
    for (const auto& server : servers_) list += (list.empty() ? "\"" : ", \"") + server->address() + "\"";
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [" + list + "]\n" + more + "\n";
  }
  void StartWith(const std::string& more, const std::string& before = "") {
    SayServers(more, before);
    Start();
  }
  // Who answers a new visitor; "": nobody.
  std::string Ask(const std::string& fields = "") {
    RawClient client(edge_->Plain());
    client.Send(Request("GET /", fields));
    const auto answer = client.ReadResponse();
    return answer && answer->status() == 200 ? answer->body : "";
  }
  std::map<std::string, int> AskOften(int times) {
    std::map<std::string, int> counts;
    for (int i = 0; i < times; ++i) ++counts[Ask()];
    return counts;
  }
  void TearDown() override {
    for (auto& server : servers_) {
      if (server) server->CloseAll();
    }
    EdgeTest::TearDown();
    servers_.clear();
  }

  std::vector<std::unique_ptr<std::atomic<bool>>> up_;
  std::vector<std::unique_ptr<TestUpstream>> servers_;
};

TEST_F(UpstreamBalanceTest, ServersAnswerByTheirWeights) {
  AddServer();
  AddServer();
  StartWith("weights = [3, 1]");
  const auto counts = AskOften(20);
  EXPECT_EQ(counts, (std::map<std::string, int>{{"0", 15}, {"1", 5}}));
}

TEST_F(UpstreamBalanceTest, WhoIsBusyIsLeftAloneByLeastConnections) {
  AddServer();
  AddServer();
  StartWith("balance = \"least_connections\"");
  RawClient held(edge_->Plain());
  held.Send(Request("GET /hold"));
  ASSERT_TRUE(
      WaitUntil([this] { return servers_[0]->requests().size() + servers_[1]->requests().size() == 1; }));
  const std::string other = servers_[0]->requests().empty() ? "0" : "1";
  EXPECT_EQ(AskOften(6), (std::map<std::string, int>{{other, 6}}));
  go_ = true;
  EXPECT_EQ(held.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(AskOften(6), (std::map<std::string, int>{{"0", 3}, {"1", 3}}));
}

TEST_F(UpstreamBalanceTest, ADeadServerIsPassedOverUnseenAndComesBack) {
  AddServer();
  const uint16_t port = support::FreePort();
  StartWith("eject_after = 2\neject_time = \"300ms\"", "\"127.0.0.1:" + std::to_string(port) + "\"");
  EXPECT_EQ(AskOften(10), (std::map<std::string, int>{{"0", 10}}));
  EXPECT_EQ(edge_->Metric("gatebook_upstream_connects_total{result=\"failed\"}"), 2U);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_ejections_total"), 1U);
  AddServer(port);
  EXPECT_TRUE(WaitUntil([&] { return Ask() == "1"; }));
  EXPECT_EQ(edge_->Metric("gatebook_upstream_servers_ejected"), 0U);
}

TEST_F(UpstreamBalanceTest, AServerThatFailsItsChecksGetsNoVisitorUntilItPassesThem) {
  AddServer();
  AddServer();
  StartWith("health_path = \"/health\"\nhealth_interval = \"20ms\"\nhealth_fall = 1\nhealth_rise = 1");
  *up_[0] = false;
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 1; }));
  EXPECT_EQ(AskOften(6), (std::map<std::string, int>{{"1", 6}}));
  const json status = json::parse(edge_->Admin("/status").body);
  EXPECT_EQ(status["upstreams"][0]["servers"][0]["state"], "down");
  EXPECT_EQ(status["upstreams"][0]["servers"][1]["state"], "up");
  *up_[0] = true;
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 0; }));
  EXPECT_EQ(AskOften(6).size(), 2U);
}

TEST_F(UpstreamBalanceTest, WhenAllFailTheirChecksAllAreAskedAllTheSame) {
  AddServer();
  AddServer();
  *up_[0] = *up_[1] = false;
  StartWith("health_path = \"/health\"\nhealth_interval = \"20ms\"");
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 2; }));
  EXPECT_EQ(AskOften(6), (std::map<std::string, int>{{"0", 3}, {"1", 3}}));
}

TEST_F(UpstreamBalanceTest, AServerThatIsDownStaysDownWhenAnotherUpstreamComes) {
  AddServer();
  AddServer();
  *up_[0] = false;
  StartWith("health_path = \"/health\"\nhealth_interval = \"1h\"\nhealth_rise = 2");
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_servers_down") == 1; }));
  *up_[0] = true;
  options_.upstreams += "[[upstream]]\nname = \"new\"\nservers = [\"127.0.0.1:1\"]\n";
  options_.more = "[[route]]\nupstream = \"service\"\n";
  edge_->Configure(options_);
  ASSERT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  // Of both servers, by the new checks; the one that was down needs a second good answer.
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_health_checks_total{result=\"ok\"}") == 3; }));
  EXPECT_EQ(edge_->Metric("gatebook_upstream_servers_down"), 1u);
  EXPECT_EQ(AskOften(4), (std::map<std::string, int>{{"1", 4}}));
}

TEST_F(UpstreamBalanceTest, AVisitorStaysWithTheServerOfTheSession) {
  for (int i = 0; i < 3; ++i) AddServer();
  StartWith("balance = \"session\"");
  std::map<std::string, int> first;
  for (int visitor = 0; visitor < 12; ++visitor) {
    RawClient client(edge_->Tls());
    const auto answer = client.Get("/");
    ASSERT_TRUE(answer);
    const std::string cookie = answer->Field("set-cookie").value_or("");
    ++first[answer->body];
    for (int again = 0; again < 3; ++again) {
      RawClient later(edge_->Tls());
      later.Send(Request("GET /", "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n"));
      EXPECT_EQ(later.ReadResponse().value_or(HttpMessage{}).body, answer->body);
    }
  }
  EXPECT_GT(first.size(), 1U);
}

TEST_F(UpstreamBalanceTest, AServerThatIsAddedTakesSessionsFromOthersAndMovesNoneBetweenThem) {
  AddServer();
  AddServer();
  StartWith("balance = \"session\"");
  std::map<std::string, std::string> server_of;  // by cookie
  for (int visitor = 0; visitor < 48; ++visitor) {
    const auto answer = RawClient(edge_->Tls()).Get("/");
    ASSERT_TRUE(answer);
    const std::string cookie = answer->Field("set-cookie").value_or("");
    server_of[cookie.substr(0, cookie.find(';'))] = answer->body;
  }
  ASSERT_EQ(server_of.size(), 48u);
  AddServer();
  SayServers("balance = \"session\"");
  edge_->Configure(options_);
  ASSERT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  size_t moved = 0;
  for (const auto& [cookie, before] : server_of) {
    const auto answer = RawClient(edge_->Tls()).Get("/", "Cookie: " + cookie + "\r\n");
    ASSERT_TRUE(answer);
    moved += answer->body == "2";
    EXPECT_TRUE(answer->body == before || answer->body == "2") << before << " to " << answer->body;
  }
  // A third of them on average.
  EXPECT_GT(moved, 0u);
  EXPECT_LT(moved, 48u);
}

TEST_F(UpstreamBalanceTest, BeyondMaxConnectionsVisitorsWaitAndTheRestIsToldSo) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (!connection.ReadBody(&request)) return;
    connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, "hello"));
  });
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                       "\"]\nmax_connections = 1\nqueue = 1\nqueue_timeout = \"20s\"\n";
  Start();
  RawClient first(edge_->Plain());
  first.Send(Request("GET /"));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  RawClient second(edge_->Plain());
  second.Send(Request("GET /"));
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_upstream_waiting") == 1; }));
  RawClient third(edge_->Plain());
  third.Send(Request("GET /"));
  EXPECT_EQ(third.ReadResponse().value_or(HttpMessage{}).status(), 503);
  EXPECT_EQ(Refusals("upstream_busy"), 1U);
  go_ = true;
  EXPECT_EQ(first.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(second.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(upstream_->connections(), 1U);
  ExpectRefusalsInTheBook();
}

TEST_F(UpstreamBalanceTest, WhoHasWaitedLongEnoughForMaxConnectionsIsToldSo) {
  AddServer();
  StartWith("max_connections = 1\nqueue_timeout = \"100ms\"");
  RawClient held(edge_->Plain());
  held.Send(Request("GET /hold"));
  ASSERT_TRUE(servers_[0]->WaitForRequests(1));
  EXPECT_EQ(RawClient(edge_->Plain()).Get("/").value_or(HttpMessage{}).status(), 503);
  EXPECT_EQ(edge_->Metric("gatebook_upstream_waiting"), 0u);
  go_ = true;
  EXPECT_EQ(held.ReadResponse().value_or(HttpMessage{}).status(), 200);
  EXPECT_EQ(Ask(), "0");
  ExpectRefusalsInTheBook();
}

}  // namespace
}  // namespace gatebook::e2e
