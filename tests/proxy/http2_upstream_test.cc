// Shared connections of HTTP/2 and their streams, below any exchange.
#include "proxy/http2_upstream.h"

#include "http/request_parser.h"
#include "tests/http/h2_wire.h"
#include "tests/proxy/upstream_pool_fixture.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;
using http::H2FieldList;
using Take = UpstreamSide::Take;

// The server's end of one connection, which says what a test says.
class H2Server {
 public:
  explicit H2Server(base::UniqueFd fd) : fd_(std::move(fd)) {}
  void Say(const std::string& frames) {
    EXPECT_EQ(::send(fd_.get(), frames.data(), frames.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(frames.size()));
  }
  // Frames that came since, a line each.
  std::string Hear() {
    char bytes[65536];
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    return got > 0 ? listener_.Hear({bytes, static_cast<size_t>(got)}) : "";
  }
  bool IsClosed() {
    Hear();
    return proxy::IsClosed(fd_);
  }
  void Close() { fd_.Reset(); }

 private:
  base::UniqueFd fd_;
  http::H2Listener listener_;
};

class Http2UpstreamTest : public UpstreamPoolTest {
 protected:
  Http2UpstreamTest() {
    config_.upstreams[0].protocol = config::UpstreamProtocol::kH2;
    server_.Listen();
    facts_.forwarding_fields = MakeForwardingFields(facts_.ip, false);
  }
  ~Http2UpstreamTest() override {
    outcomes_.clear();
    RunReady(loop_);
  }

  struct Side final : UpstreamSide::User {
    void OnUpstreamReady() override { ++ready; }
    UpstreamLease lease;
    std::optional<http::Refusal> refusal;
    ServerChoice choice;
    std::unique_ptr<UpstreamPool::Attempt> attempt;
    int ready = 0;
    bool over() const { return lease || refusal; }
  };
  // An exchange that comes.
  Side& Come(const std::string& preamble = {}) {
    outcomes_.push_back(std::make_unique<Side>());
    Side& side = *outcomes_.back();
    side.choice = pool_->Begin(0, preamble);
    side.lease = pool_->TakeIdle(side.choice);
    if (!side.lease) {
      side.attempt = pool_->Connect(
          side.choice, [&side](UpstreamLease lease) { side.lease = std::move(lease); },
          [&side](http::Refusal refusal) { side.refusal = refusal; });
    }
    return side;
  }
  void AskFor(Side& side, const std::string& text = "GET / HTTP/1.1\r\nHost: h.example\r\n\r\n") {
    request_ = text;
    parser_.Reset();
    ASSERT_EQ(parser_.Parse(request_), http::ParseStatus::kDone);
    side.lease->Begin(
        side,
        {.head = parser_.head(), .facts = facts_, .session = session_, .request_id = 1, .cookie_name = "c"});
    side.lease->Send();
    RunReady(loop_);
  }
  H2Server Accept() { return H2Server(server_.Accept()); }
  // The first exchange, whose connection has been made.
  Side& First(std::optional<H2Server>& server, const std::string& settings = {}) {
    Side& side = Come();
    server.emplace(server_.Accept());
    server->Say(http::Settings(settings));
    EXPECT_TRUE(RunUntil(loop_, [&] { return side.over(); }));
    EXPECT_TRUE(side.lease);
    return side;
  }
  Take ReadUntil(Side& side, Take wanted, std::string_view& piece) {
    Take take = Take::kWait;
    EXPECT_TRUE(RunUntil(loop_, [&] { return (take = side.lease->Read(piece)) != Take::kWait; }));
    EXPECT_EQ(static_cast<int>(take), static_cast<int>(wanted));
    return take;
  }

  ScriptedServer server_;
  ClientFacts facts_;
  logger::SessionId session_;
  std::string request_;
  http::RequestParser parser_{http::HeadLimits{}};
  std::vector<std::unique_ptr<Side>> outcomes_;
};

TEST_F(Http2UpstreamTest, AConnectionIsThereWhenTheServerHasGreeted) {
  MakePool({server_.endpoint});
  Side& side = Come();
  H2Server server = Accept();
  EXPECT_TRUE(RunUntil(loop_, [&] { return server.Hear().find("SETTINGS") != std::string::npos; }));
  RunReady(loop_);
  EXPECT_FALSE(side.over());
  server.Say(http::Settings());
  EXPECT_TRUE(RunUntil(loop_, [&] { return side.over(); }));
  EXPECT_TRUE(side.lease);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 1U);
}

TEST_F(Http2UpstreamTest, WhoComesWhileItIsMadeWaitsForIt) {
  MakePool({server_.endpoint});
  for (int i = 0; i < 10; ++i) Come();
  H2Server server = Accept();
  server.Say(http::Settings());
  EXPECT_TRUE(RunUntil(loop_, [&] {
    return std::all_of(outcomes_.begin(), outcomes_.end(),
                       [](const auto& side) { return side->lease != nullptr; });
  }));
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 1U);
  EXPECT_EQ(idle(), 0U);
  outcomes_.clear();
  RunReady(loop_);
  EXPECT_EQ(idle(), 1U);
}

TEST_F(Http2UpstreamTest, IfWhoMakesItLeavesTheNextTakesOver) {
  MakePool({server_.endpoint});
  Side& first = Come();
  Side& second = Come();
  first.attempt.reset();
  H2Server left = Accept();
  RunReady(loop_);
  H2Server server = Accept();
  server.Say(http::Settings());
  EXPECT_TRUE(RunUntil(loop_, [&] { return second.over(); }));
  EXPECT_TRUE(second.lease);
  EXPECT_FALSE(first.over());
}

TEST_F(Http2UpstreamTest, IfItCannotBeMadeAllHearOfIt) {
  const ScriptedServer dead;
  MakePool({dead.endpoint});
  for (int i = 0; i < 5; ++i) Come();
  EXPECT_TRUE(RunUntil(loop_, [&] {
    return std::all_of(outcomes_.begin(), outcomes_.end(), [](const auto& side) { return side->over(); });
  }));
  for (const auto& side : outcomes_) EXPECT_EQ(side->refusal, http::Refusal::kUpstreamConnect);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnectsFailed), 1U);
}

TEST_F(Http2UpstreamTest, WhoDoesNotGreetInTimeIsGivenUpByAll) {
  config_.timeouts.connect = 100ms;
  MakePool({server_.endpoint});
  Side& first = Come();
  Side& second = Come();
  EXPECT_TRUE(RunUntil(loop_, [&] { return first.over() && second.over(); }));
  EXPECT_EQ(first.refusal, http::Refusal::kUpstreamConnectTimeout);
  EXPECT_EQ(second.refusal, http::Refusal::kUpstreamConnectTimeout);
}

TEST_F(Http2UpstreamTest, BeyondItsStreamsAnotherIsMade) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  First(server, http::Setting(3, 1));
  Side& second = Come();
  EXPECT_FALSE(second.over());
  H2Server other = Accept();
  other.Say(http::Settings());
  EXPECT_TRUE(RunUntil(loop_, [&] { return second.over(); }));
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 2U);
}

TEST_F(Http2UpstreamTest, AtMostMaxConnectionsAreMadeAndOthersWaitForAStream) {
  config_.upstreams[0].max_connections = 1;
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& first = First(server, http::Setting(3, 1));
  Side& second = Come();
  RunReady(loop_);
  EXPECT_FALSE(second.over());
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamWaiting), 1U);
  first.lease.reset();
  EXPECT_TRUE(RunUntil(loop_, [&] { return second.over(); }));
  EXPECT_TRUE(second.lease);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamConnects), 1U);
}

TEST_F(Http2UpstreamTest, OnesThatBeganDifferentlyAreNotShared) {
  MakePool({server_.endpoint});
  Side& one = Come("one");
  H2Server server = Accept();
  server.Say(http::Settings());
  ASSERT_TRUE(RunUntil(loop_, [&] { return one.over(); }));
  Side& other = Come("two");
  EXPECT_FALSE(other.over());
  EXPECT_TRUE(Come("one").lease);
}

TEST_F(Http2UpstreamTest, AnUnusedOneIsClosedAfterItsTimeWithAGoodbye) {
  config_.timeouts.upstream_keep_alive = 60ms;
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  First(server).lease.reset();
  EXPECT_EQ(idle(), 1U);
  std::string heard;
  EXPECT_TRUE(RunUntil(loop_, [&] {
    heard += server->Hear();
    return idle() == 0 && metrics_.Get(Metric::kUpstreamOpen) == 0;
  }));
  heard += server->Hear();
  EXPECT_NE(heard.find("GOAWAY 0 0"), std::string::npos) << heard;
}

TEST_F(Http2UpstreamTest, AfterAGoawayItTakesNoMoreAndEndsWithItsLastStream) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& side = First(server);
  AskFor(side);
  server->Say(http::Goaway(1));
  RunUntil(loop_, [&] { return !Come().lease; });
  std::string_view piece;
  server->Say(http::Headers(1, H2FieldList{{":status", "204"}}));
  ReadUntil(side, Take::kHead, piece);
  EXPECT_EQ(side.lease->head().status, 204);
  outcomes_.clear();
  EXPECT_TRUE(RunUntil(loop_, [&] { return metrics_.Get(Metric::kUpstreamOpen) == 0; }));
}

TEST_F(Http2UpstreamTest, WhatAGoawayLeftOutMayAlwaysBeAskedAgain) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& side = First(server);
  AskFor(side, "POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 0\r\n\r\n");
  server->Say(http::Goaway(0));
  std::string_view piece;
  ReadUntil(side, Take::kFailed, piece);
  EXPECT_EQ(side.lease->failure().repeat, UpstreamSide::Repeat::kAlways);
}

TEST_F(Http2UpstreamTest, ADeadConnectionMayHaveSeenTheFirstRequestOnIt) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& first = First(server);
  AskFor(first);
  Side& second = Come();
  AskFor(second);
  // One was answered, so the other was on a used connection.
  server->Say(http::Headers(1, H2FieldList{{":status", "204"}}));
  std::string_view piece;
  ReadUntil(first, Take::kHead, piece);
  server->Close();
  ReadUntil(second, Take::kFailed, piece);
  EXPECT_EQ(second.lease->failure().refusal, http::Refusal::kUpstreamClosed);
  EXPECT_EQ(second.lease->failure().repeat, UpstreamSide::Repeat::kIfSafe);

  Side& third = Come();
  H2Server anew = Accept();
  anew.Say(http::Settings());
  ASSERT_TRUE(RunUntil(loop_, [&] { return third.over(); }));
  AskFor(third);
  anew.Close();
  ReadUntil(third, Take::kFailed, piece);
  EXPECT_EQ(third.lease->failure().repeat, UpstreamSide::Repeat::kNever);
}

TEST_F(Http2UpstreamTest, TheLastBytesOfALengthWaitForTheEnd) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& side = First(server);
  AskFor(side);
  server->Say(http::Headers(1, H2FieldList{{":status", "200"}, {"content-length", "4"}}, false) +
              http::Data(1, "body"));
  std::string_view piece;
  ReadUntil(side, Take::kHead, piece);
  for (int i = 0; i < 5; ++i) {
    RunReady(loop_);
    EXPECT_EQ(side.lease->Read(piece), Take::kWait);
  }
  server->Say(http::Data(1, "", true));
  ReadUntil(side, Take::kEnd, piece);
  EXPECT_EQ(piece, "body");
}

TEST_F(Http2UpstreamTest, NoMoreIsReadOfAStreamThanItsWindow) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& side = First(server);
  AskFor(side);
  server->Say(http::Headers(1, H2FieldList{{":status", "200"}}, false));
  for (int i = 0; i < 4; ++i) server->Say(http::Data(1, std::string(16'384, 'x')));
  std::string heard;
  std::string_view piece;
  ReadUntil(side, Take::kHead, piece);
  for (int i = 0; i < 20; ++i) {
    RunReady(loop_);
    heard += server->Hear();
  }
  EXPECT_EQ(heard.find("WINDOW 1"), std::string::npos);
  for (int i = 0; i < 4; ++i) ReadUntil(side, Take::kBytes, piece);
  EXPECT_TRUE(
      RunUntil(loop_, [&] { return (heard += server->Hear()).find("WINDOW 1") != std::string::npos; }));
}

TEST_F(Http2UpstreamTest, ToLetGoOfAnUnfinishedStreamIsToCancelIt) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  Side& side = First(server);
  AskFor(side);
  side.lease.reset();
  std::string heard;
  EXPECT_TRUE(
      RunUntil(loop_, [&] { return (heard += server->Hear()).find("RST 1 8") != std::string::npos; }));
  EXPECT_EQ(idle(), 1U);
}

TEST_F(Http2UpstreamTest, ThePoolMayEndWithConnectionsOfEveryAge) {
  MakePool({server_.endpoint});
  std::optional<H2Server> server;
  First(server).lease.reset();
  outcomes_.clear();
  pool_->Retire();
  pool_.reset();
  RunReady(loop_);
  EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 0U);
}

}  // namespace
}  // namespace gatebook::proxy
