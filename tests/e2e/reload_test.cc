// A changed configuration comes into force without a restart, whole or not at all, and nobody is cut off.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <thread>

#include "tests/e2e/edge_test.h"
#include "tests/support/test_certificates.h"

namespace gatebook::e2e {
namespace {

using support::Finished;

constexpr char kHandshake[] =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr char kAccepted[] =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

class ReloadTest : public EdgeTest {
 protected:
  ReloadTest() {
    options_.workers = 2;
    Behind([](UpstreamConnection& connection, HttpMessage& request) {
      if (!request.Field("upgrade")) {
        connection.ReadBody(&request);
        connection.Send(Answer(200, "first"));
        return;
      }
      connection.Send(kAccepted);
      for (std::string bytes; !(bytes = connection.ReadSome()).empty();) connection.Send(bytes);
      connection.Close();
    });
    second_ = std::make_unique<TestUpstream>(
        [](UpstreamConnection& connection, HttpMessage&) { connection.Send(Answer(200, "second")); });
  }
  void TearDown() override {
    second_->CloseAll();
    EdgeTest::TearDown();
  }

  // A second upstream, reached under /second.
  void AddRoute() {
    options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + upstream_->address() +
                         "\"]\n[[upstream]]\nname = \"other\"\nservers = [\"" + second_->address() + "\"]\n";
    options_.more =
        "[[route]]\nupstream = \"service\"\n[[route]]\npath = \"/second\"\nupstream = \"other\"\n";
  }
  Finished Reload() {
    edge_->Configure(options_);
    return edge_->Command({"reload", "--wait"});
  }
  uint64_t Live() { return edge_->Metric("gatebook_generations_live"); }
  static std::string BodyOf(const std::optional<HttpMessage>& message) {
    return message ? message->body : std::string("no answer");
  }
  static bool Echoes(RawClient& socket, const std::string& bytes) {
    return socket.Send(bytes) && socket.Read(bytes.size()) == bytes;
  }

  std::unique_ptr<TestUpstream> second_;
};

TEST_F(ReloadTest, ARouteIsAddedAndNobodyIsCutOff) {
  Start();
  RawClient kept(edge_->Tls());
  EXPECT_EQ(BodyOf(kept.Get("/second")), "first");
  RawClient socket(edge_->Tls());
  ASSERT_TRUE(socket.Send(Request("GET /socket", kHandshake)));
  ASSERT_EQ(socket.ReadResponse().value_or(HttpMessage{}).status(), 101);

  AddRoute();
  const Finished reload = Reload();
  ASSERT_EQ(reload.exit_code, 0) << reload.errors;
  EXPECT_EQ(reload.output, "generation 2 is in force\n");
  EXPECT_EQ(BodyOf(kept.Get("/second")), "second");
  EXPECT_EQ(BodyOf(kept.Get("/")), "first");
  EXPECT_TRUE(Echoes(socket, "still here"));
  EXPECT_EQ(edge_->Metric("gatebook_generation"), 2u);
  EXPECT_EQ(Live(), 2u);
  const json generation = json::parse(edge_->Admin("/status").body)["generation"];
  EXPECT_EQ(generation["number"], 2);
  EXPECT_EQ(generation["in_force"], 2);
  EXPECT_EQ(generation["live"], 2);

  socket.ShutdownWrite();
  EXPECT_TRUE(socket.WaitClosed());
  EXPECT_TRUE(WaitUntil([this] { return Live() == 1; }));
}

TEST_F(ReloadTest, AnAnswerUnderWayEndsUnderTheGenerationItBeganWith) {
  Behind([this](UpstreamConnection& connection, HttpMessage&) {
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun");
    connection.WaitFor([this] { return go_.load(); });
    connection.Send("ended");
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send(Request("GET /long")));
  ASSERT_TRUE(WaitUntil([this] { return edge_->Metric("gatebook_exchanges_open") == 1; }));
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"" + second_->address() + "\"]\n";
  ASSERT_EQ(Reload().exit_code, 0);
  EXPECT_EQ(BodyOf(RawClient(edge_->Tls()).Get("/")), "second");
  go_ = true;
  EXPECT_EQ(BodyOf(client.ReadResponse()), "begunended");
  EXPECT_EQ(BodyOf(client.Get("/")), "second");
  EXPECT_TRUE(WaitUntil([this] { return Live() == 1; }));
}

TEST_F(ReloadTest, ABrokenConfigIsRefusedWholeAndTheOldOneGoesOn) {
  Start();
  Say("limits", "connections = \"many\"");
  const Finished reload = Reload();
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(reload.errors, testing::HasSubstr("connections: must be a whole number"));
  EXPECT_EQ(edge_->Metric("gatebook_reloads_total{result=\"failed\"}"), 1u);
  edge_->process().Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([this] { return edge_->Metric("gatebook_reloads_total{result=\"failed\"}") == 2; }));
  EXPECT_EQ(BodyOf(RawClient(edge_->Tls()).Get("/")), "first");
  EXPECT_EQ(edge_->Metric("gatebook_generation"), 1u);
  const json status = json::parse(edge_->Admin("/status").body);
  EXPECT_THAT(status["generation"]["refused_because"].get<std::string>(),
              testing::HasSubstr("connections: must be a whole number"));
  EXPECT_THAT(edge_->process().Errors(), testing::HasSubstr("reload refused"));
}

TEST_F(ReloadTest, WhatNeedsARestartIsNamed) {
  Start();
  options_.edge = "other";
  Say("journal", "flush = \"no\"");
  const Finished reload = Reload();
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(reload.errors, testing::HasSubstr("a change of edge.name, [journal] needs a restart"));
}

TEST_F(ReloadTest, AllThatIsWrongIsToldAtOnce) {
  Start();
  support::TempDirectory files;
  const support::TestAuthority authority;
  const auto one = authority.Issue({.dns_names = {"localhost"}});
  const auto other = authority.Issue({.dns_names = {"localhost"}});
  options_.chain_file = files.Write("chain.pem", one.chain);
  options_.key_file = files.Write("key.pem", other.key);
  options_.upstreams = "[[upstream]]\nname = \"service\"\nservers = [\"https://127.0.0.1:1\"]\ntls_ca = \"" +
                       files.Write("ca.pem", "no certificate") + "\"\n";
  options_.more = "[[reader]]\nname = \"alice\"\ntoken_file = \"" + files.Write("token", "short") + "\"\n";
  options_.edge = "other";
  const Finished reload = Reload();
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(
      reload.errors,
      testing::AllOf(testing::ContainsRegex("gatebook.toml:[0-9]+:[0-9]+: error: key: .*is not the key of"),
                     testing::ContainsRegex("gatebook.toml:[0-9]+:[0-9]+: error: tls_ca: .*PEM certificates"),
                     testing::ContainsRegex("gatebook.toml:[0-9]+:[0-9]+: error: token_file: "),
                     testing::HasSubstr("3 errors in"),
                     testing::HasSubstr("a change of edge.name needs a restart")));
  EXPECT_EQ(BodyOf(RawClient(edge_->Tls()).Get("/")), "first");
  // Without starting it is told the same.
  const Finished check = edge_->Command({"check"});
  EXPECT_EQ(check.exit_code, 78);
  EXPECT_THAT(check.errors, testing::HasSubstr("3 errors in"));
}

TEST_F(ReloadTest, AHangupReloadsToo) {
  Start();
  AddRoute();
  edge_->Configure(options_);
  edge_->process().Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([this] { return BodyOf(RawClient(edge_->Tls()).Get("/second")) == "second"; }));
}

TEST_F(ReloadTest, TheLogGoesOnElsewhereAndMoreQuietly) {
  Start();
  support::TempDirectory files;
  Say("log", "file = \"" + files.Path("none/gatebook.log") + "\"");
  const Finished refused = Reload();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, testing::HasSubstr("cannot open the log file"));
  options_.sections["log"].clear();
  Say("log", "level = \"error\"\nfile = \"" + files.Path("gatebook.log") + "\"");
  ASSERT_EQ(Reload().exit_code, 0);
  Say("limits", "connections = \"many\"");
  EXPECT_EQ(Reload().exit_code, 1);
  EXPECT_TRUE(WaitUntil([&] {
    return support::ReadFile(files.Path("gatebook.log")).find("error server: reload refused") !=
           std::string::npos;
  }));
  EXPECT_THAT(support::ReadFile(files.Path("gatebook.log")), testing::Not(testing::HasSubstr(" info ")));
}

TEST_F(ReloadTest, WithoutAProcessTheCommandSaysSo) {
  Prepare();
  verify_ = false;
  EXPECT_EQ(edge_->Command({"reload"}).exit_code, 69);
}

TEST_F(ReloadTest, ACertificateIsSwappedForNewConnections) {
  Start();
  RawClient kept(edge_->Tls());
  EXPECT_THAT(kept.server_names(), testing::HasSubstr("localhost"));
  support::CertificateRequest request;
  request.dns_names = {"localhost", "renewed.example"};
  const support::CertificateText renewed = support::TestAuthority().Issue(request);
  support::TempDirectory files;
  options_.chain_file = files.Write("chain.pem", renewed.chain);
  options_.key_file = files.Write("key.pem", renewed.key);
  const Finished reload = Reload();
  ASSERT_EQ(reload.exit_code, 0) << reload.errors;
  EXPECT_THAT(RawClient(edge_->Tls()).server_names(), testing::HasSubstr("renewed.example"));
  EXPECT_EQ(BodyOf(kept.Get("/")), "first");
  EXPECT_GT(edge_->Metric("gatebook_certificate_not_after_seconds{certificate=\"0\"}"),
            static_cast<uint64_t>(std::time(nullptr)));
}

// As certbot does: the names are links, and they are exchanged one after the other.
TEST_F(ReloadTest, ARenewedCertificateIsTakenByItselfAndNoHandshakeFailsMeanwhile) {
  support::TempDirectory files;
  const support::TestAuthority authority;
  const auto link = [&files](const std::string& to, const std::string& name) {
    std::filesystem::create_symlink(to, files.Path("link"));
    std::filesystem::rename(files.Path("link"), files.Path(name));
  };
  const auto issue = [&](const std::string& name) {
    support::CertificateRequest request;
    request.dns_names = {"localhost", name};
    const support::CertificateText text = authority.Issue(request);
    files.Write("chain." + name, text.chain);
    files.Write("key." + name, text.key);
  };
  issue("old.example");
  issue("new.example");
  link(files.Path("chain.old.example"), "chain.pem");
  link(files.Path("key.old.example"), "key.pem");
  options_.chain_file = files.Path("chain.pem");
  options_.key_file = files.Path("key.pem");
  Start();
  EXPECT_THAT(RawClient(edge_->Tls()).server_names(), testing::HasSubstr("old.example"));
  size_t shaken = 0;
  const auto shake = [this, &shaken] {
    RawClient client(edge_->Tls());
    EXPECT_TRUE(client.is_open()) << client.failure();
    ++shaken;
    return client.server_names();
  };
  link(files.Path("chain.new.example"), "chain.pem");
  // Handshakes in the time between.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (std::chrono::steady_clock::now() < until) shake();
  link(files.Path("key.new.example"), "key.pem");
  EXPECT_TRUE(WaitUntil([&] { return shake().find("new.example") != std::string::npos; }));
  EXPECT_GT(shaken, 10u);
  EXPECT_EQ(edge_->Metric("gatebook_reloads_total{result=\"ok\"}"), 1u);
}

TEST_F(ReloadTest, ACertificateWithoutItsKeyIsNotTaken) {
  Start();
  const auto stranger = support::TestAuthority().Issue({.dns_names = {"stranger.example"}});
  support::TempDirectory files;
  std::filesystem::rename(files.Write("chain.pem", stranger.chain), edge_->directory() + "/chain.pem");
  EXPECT_TRUE(WaitUntil([this] { return edge_->Metric("gatebook_reloads_total{result=\"failed\"}") == 1; }));
  EXPECT_THAT(RawClient(edge_->Tls()).server_names(), testing::HasSubstr("localhost"));
  EXPECT_EQ(edge_->Metric("gatebook_generation"), 1u);
}

TEST_F(ReloadTest, AListenerIsAddedChangedAndRemoved) {
  Start();
  support::ClientOptions added = edge_->Plain();
  added.port = support::FreePort();
  EXPECT_FALSE(RawClient(added).is_open());
  RawClient kept(edge_->Tls());
  EXPECT_EQ(BodyOf(kept.Get("/")), "first");

  options_.more = "[[listen]]\naddress = \"127.0.0.1:" + std::to_string(added.port) + "\"\ntls = false\n";
  ASSERT_EQ(Reload().exit_code, 0);
  RawClient guest(added);
  EXPECT_EQ(BodyOf(guest.Get("/")), "first");

  options_.more += "redirect_to_https = true\n";
  ASSERT_EQ(Reload().exit_code, 0);
  EXPECT_EQ(RawClient(added).Get("/").value_or(HttpMessage{}).status(), 308);

  options_.more.clear();
  ASSERT_EQ(Reload().exit_code, 0);
  EXPECT_FALSE(RawClient(added).is_open());
  EXPECT_EQ(BodyOf(guest.Get("/")), "first");
  EXPECT_EQ(BodyOf(kept.Get("/")), "first");
}

TEST_F(ReloadTest, ListenersThatStayAreTheSameSockets) {
  Start();
  // Of those that listen at the port, by the kernel's number for them.
  const auto sockets = [](uint16_t port) {
    std::vector<std::string> numbers;
    std::istringstream lines(support::ReadFile("/proc/net/tcp"));
    char local[32];
    std::snprintf(local, sizeof local, "0100007F:%04X", port);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      const std::vector<std::string> row{std::istream_iterator<std::string>(words), {}};
      if (row.size() > 9 && row[1] == local && row[3] == "0A") numbers.push_back(row[9]);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  };
  const auto tls = sockets(edge_->tls_port());
  const auto plain = sockets(edge_->Plain().port);
  ASSERT_EQ(tls.size(), 2u);  // one a worker
  const uint16_t added = support::FreePort();
  AddRoute();
  options_.more += "[[listen]]\naddress = \"127.0.0.1:" + std::to_string(added) + "\"\ntls = false\n";
  options_.plain_listener = "redirect_to_https = true\n";
  ASSERT_EQ(Reload().exit_code, 0);
  EXPECT_EQ(sockets(added).size(), 2u);
  EXPECT_EQ(sockets(edge_->tls_port()), tls);
  EXPECT_EQ(sockets(edge_->Plain().port), plain);  // its settings have changed, not where it listens
  EXPECT_EQ(RawClient(edge_->Plain()).Get("/").value_or(HttpMessage{}).status(), 308);
}

TEST_F(ReloadTest, AnAddressInUseRefusesTheWholeReload) {
  Start();
  AddRoute();
  options_.more += "[[listen]]\naddress = \"" + second_->address() + "\"\ntls = false\n";
  const Finished reload = Reload();
  EXPECT_EQ(reload.exit_code, 1);
  EXPECT_THAT(reload.errors, testing::HasSubstr(second_->address()));
  EXPECT_EQ(BodyOf(RawClient(edge_->Tls()).Get("/second")), "first");
}

TEST_F(ReloadTest, TwentyReloadsUnderLoadFailNothing) {
  Start();
  RawClient socket(edge_->Tls());
  ASSERT_TRUE(socket.Send(Request("GET /socket", kHandshake)));
  ASSERT_EQ(socket.ReadResponse().value_or(HttpMessage{}).status(), 101);
  std::atomic<bool> ending = false;
  std::atomic<size_t> answered = 0;
  std::atomic<size_t> failed = 0;
  std::vector<std::thread> visitors;
  for (int i = 0; i < 3; ++i) {
    visitors.emplace_back([this, i, &ending, &answered, &failed] {
      std::unique_ptr<RawClient> client;
      for (int request = 0; !ending; ++request) {
        // One stays, the others come and go.
        if (!client || (i != 0 && request % 5 == 0)) client = std::make_unique<RawClient>(edge_->Tls());
        ++(BodyOf(client->Get("/")) == "first" ? answered : failed);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    if (i % 2 == 0) {
      AddRoute();
    } else {
      options_.upstreams.clear();
      options_.more.clear();
    }
    const size_t before = answered;
    const Finished reload = Reload();
    EXPECT_EQ(reload.exit_code, 0) << reload.errors;
    EXPECT_TRUE(WaitUntil([&] { return answered > before || failed > 0; }));
    EXPECT_TRUE(Echoes(socket, "reload " + std::to_string(i)));
  }
  ending = true;
  for (std::thread& visitor : visitors) visitor.join();
  EXPECT_EQ(failed, 0u);
  EXPECT_EQ(Live(), 2u);
  socket.ShutdownWrite();
  EXPECT_TRUE(socket.WaitClosed());
  EXPECT_TRUE(WaitUntil([this] { return Live() == 1; }));
  EXPECT_EQ(edge_->Metric("gatebook_generation"), 21u);
}

}  // namespace
}  // namespace gatebook::e2e
