// Clients that use HTTP/2 to harm: each is asked to be calm, timed out or refused, is counted,
// costs a bounded amount of memory, and nobody else notices.
#include <cstdlib>
#include <sstream>
#include <thread>

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

using http::Data;
using http::Frame;
using http::H2FieldList;
using http::H2FrameType;
using http::Headers;
using http::Rst;
using http::With;

constexpr uint64_t kMostGrowthKib = 64 * 1024;
// A sanitizer keeps several octets for each of the program's.
uint64_t MostGrowthKib() { return kMostGrowthKib * (std::getenv("GATEBOOK_BINARY") == nullptr ? 1 : 4); }
constexpr uint16_t kInitialWindowSize = 4;

class Http2AttackTest : public EdgeTest {
 protected:
  void TearDown() override {
    if (edge_->IsRunning() && !edge_->CountedRefusals().empty()) ExpectRefusalsInTheBook();
    EdgeTest::TearDown();
  }
  // The most that was ever resident.
  uint64_t PeakKib() const {
    std::istringstream lines(
        support::ReadFile("/proc/" + std::to_string(edge_->process().pid()) + "/status"));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
    }
    return 0;
  }

  uint64_t Ends(const std::string& slug) const {
    return edge_->Metric("gatebook_http2_ends_total{reason=\"" + slug + "\"}");
  }

  // Another client asks all the while, and is answered each time.
  template <typename Attack>
  void WhileAnotherIsServed(Attack attack) {
    H2Client warm_up(edge_->Tls("127.0.0.2"));
    EXPECT_THAT(warm_up.Get(1), testing::HasSubstr(":status=200"));
    const uint64_t before = PeakKib();
    std::atomic<bool> over = false;
    std::thread other([&] {
      H2Client client(edge_->Tls("127.0.0.3"));
      client.Send(http::WindowUpdate(0, 1 << 30));  // for however many answers
      int32_t stream = 1;
      do {
        const std::string head = client.Get(stream);
        EXPECT_THAT(head, testing::HasSubstr(":status=200"));
        if (head.empty()) break;
        stream += 2;
      } while (!over);
    });
    attack();
    over = true;
    other.join();
    EXPECT_LT(PeakKib(), before + MostGrowthKib());
  }

  // `bytes` after the hello make us ask for calm, for the reason `slug`.
  void ExpectCalmAsked(const std::string& bytes, const std::string& slug) {
    WhileAnotherIsServed([&] {
      H2Client attacker(edge_->Tls());
      attacker.Send(bytes);
      EXPECT_THAT(attacker.ReadToClose(), testing::ContainsRegex("GOAWAY [0-9]+ 11 ")) << slug;
    });
    EXPECT_TRUE(WaitUntil([&] { return Ends(slug) == 1; })) << slug << "\n" << edge_->Admin("/metrics").body;
  }
};

std::string Repeat(size_t times, const std::string& bytes) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += bytes;
  return out;
}

template <typename Make>
std::string OnStreams(int32_t count, Make make) {
  std::string out;
  for (int32_t i = 0; i < count; ++i) out += make(2 * i + 1);
  return out;
}

TEST_F(Http2AttackTest, RapidResets) {
  Start();
  ExpectCalmAsked(OnStreams(2000, [](int32_t id) { return Headers(id, http::Get()) + Rst(id); }),
                  "rapid_reset");
}

TEST_F(Http2AttackTest, ResetsThatWeAreMadeToSend) {
  Start();
  const H2FieldList fields = With(http::Post(), {{"content-length", "1"}});
  ExpectCalmAsked(
      OnStreams(1000, [&](int32_t id) { return Headers(id, fields, false) + Data(id, "too long"); }),
      "provoked_reset");
}

TEST_F(Http2AttackTest, MalformedRequests) {
  Start();
  const H2FieldList fields = With(http::Get(), {{"connection", "close"}});
  WhileAnotherIsServed([&] {
    H2Client attacker(edge_->Tls());
    attacker.Send(OnStreams(1000, [&](int32_t id) { return Headers(id, fields); }));
    EXPECT_THAT(attacker.ReadToClose(), testing::ContainsRegex("GOAWAY [0-9]+ 11 "));
  });
  EXPECT_TRUE(WaitUntil([&] { return Ends("provoked_reset") + Ends("glitches") == 1; }));
}

TEST_F(Http2AttackTest, EndlessContinuation) {
  Start();
  ExpectCalmAsked(Frame(H2FrameType::kHeaders, http::kH2EndStream, 1, http::Block(http::Get())) +
                      Repeat(5000, Frame(H2FrameType::kContinuation, 0, 1, http::Literal("x", "y"))),
                  "continuation_flood");
}

TEST_F(Http2AttackTest, Settings) {
  Start();
  ExpectCalmAsked(Repeat(5000, http::Settings()), "settings_flood");
}

TEST_F(Http2AttackTest, Pings) {
  Start();
  ExpectCalmAsked(Repeat(5000, http::Ping()), "ping_flood");
}

TEST_F(Http2AttackTest, EmptyFrames) {
  Start();
  ExpectCalmAsked(Headers(1, http::Post(), false) + Repeat(5000, Data(1, "")), "empty_frames");
}

TEST_F(Http2AttackTest, Priorities) {
  Start();
  ExpectCalmAsked(Repeat(5000, Frame(H2FrameType::kPriority, 0, 1, std::string("\0\0\0\3\x10", 5))),
                  "priority_flood");
}

TEST_F(Http2AttackTest, WindowUpdates) {
  Start();
  ExpectCalmAsked(Repeat(5000, http::WindowUpdate(0, 1)), "window_flood");
}

TEST_F(Http2AttackTest, FramesOfUnknownTypes) {
  Start();
  ExpectCalmAsked(Repeat(5000, Frame(static_cast<H2FrameType>(0x42), 0, 0, "what?")), "unknown_frames");
}

TEST_F(Http2AttackTest, ASmallBlockThatUnpacksToMegabytes) {
  Start();
  // The newest entry of the dynamic table, 4000 bytes of it in a byte.
  const std::string bomb = http::IndexedLiteral("x", std::string(4000, 'b')) + std::string(12'000, '\xbe');
  ExpectCalmAsked(Headers(1, http::Block(http::Get()) + bomb), "field_flood");
}

TEST_F(Http2AttackTest, ThousandsOfTinyFields) {
  Start();
  ExpectCalmAsked(Headers(1, http::Block(http::Get()) + Repeat(4000, http::Literal("a", ""))), "field_flood");
}

// ---- who does not take answers

void LargeOrSmall(UpstreamConnection& connection, HttpMessage& request) {
  const bool large = request.first_line.starts_with("GET /large");
  connection.Send(Answer(200, large ? std::string(4'000'000, 'x') : "hello"));
}

TEST_F(Http2AttackTest, StreamsBehindAClosedWindowAreGivenUp) {
  Say("timeouts", "write_idle = \"500ms\"");
  Behind(LargeOrSmall);
  Start();
  WhileAnotherIsServed([&] {
    H2Client attacker(edge_->Tls(), http::Setting(kInitialWindowSize, 0));
    ASSERT_TRUE(attacker.Send(OnStreams(100, [](int32_t id) { return Headers(id, http::Get("/large")); })));
    EXPECT_THAT(attacker.ReadToClose(), testing::ContainsRegex("GOAWAY [0-9]+ 11 stalled_streams"));
    EXPECT_EQ(attacker.payload(), "");
  });
  EXPECT_TRUE(WaitUntil([this] { return Ends("stalled_streams") == 1; }));
  EXPECT_GT(Refusals("write_timeout"), 20u);
  EXPECT_EQ(Refusals("write_timeout") + Refusals("connection_broken"), 100u) << "each of its visits says so";
  upstream_->CloseAll();
}

// A film that nobody goes on watching: its stream is given up, those beside it are none the worse.
TEST_F(Http2AttackTest, AFewStreamsBehindAClosedWindowAreNoAttack) {
  Say("timeouts", "write_idle = \"300ms\"");
  Behind(LargeOrSmall);
  Start();
  H2Client client(edge_->Tls());
  ASSERT_TRUE(client.Send(http::WindowUpdate(0, 1 << 30) +
                          OnStreams(5, [](int32_t id) { return Headers(id, http::Get("/large")); })));
  for (int i = 0; i < 5; ++i) EXPECT_NE(client.WaitFor("RST "), "");
  EXPECT_THAT(client.Get(11), testing::HasSubstr(":status=200"));
  EXPECT_EQ(Refusals("write_timeout"), 5u);
  EXPECT_EQ(Ends("stalled_streams"), 0u);
  upstream_->CloseAll();
}

// Five hundred streams: each head costs a few bytes on the wire, and is held as long as its answer is not
// taken.
TEST_F(Http2AttackTest, TinyFieldsBehindAClosedWindowHoldLittle) {
  Say("timeouts", "write_idle = \"500ms\"");
  Behind([](UpstreamConnection& connection, HttpMessage& request) {
    const bool large = request.first_line.starts_with("GET /large");
    connection.Send(Answer(200, large ? std::string(200'000, 'x') : "hello"));
  });
  Start();
  WhileAnotherIsServed([&] {
    std::vector<std::unique_ptr<H2Client>> attackers;
    for (int i = 0; i < 5; ++i) {
      attackers.push_back(std::make_unique<H2Client>(edge_->Tls(), http::Setting(kInitialWindowSize, 0)));
      const std::string first = http::Block(http::Get("/large")) + http::IndexedLiteral("a", "");
      ASSERT_TRUE(attackers[i]->Send(OnStreams(100, [&](int32_t id) {
        return Headers(id, (id == 1 ? first : http::Block(http::Get("/large"))) + std::string(90, '\xbe'));
      })));
    }
    for (const auto& attacker : attackers) {
      EXPECT_THAT(attacker->ReadToClose(), testing::ContainsRegex("GOAWAY [0-9]+ 11 "));
      EXPECT_EQ(attacker->payload(), "");
    }
  });
  EXPECT_EQ(Refusals("write_timeout") + Refusals("heads_held") + Refusals("connection_broken"), 500u);
  upstream_->CloseAll();
}

TEST_F(Http2AttackTest, AConnectionThatReadsNothingIsGivenUp) {
  Say("timeouts", "write_idle = \"500ms\"");
  Behind(LargeOrSmall);
  Start();
  WhileAnotherIsServed([&] {
    auto options = edge_->Tls();
    options.receive_buffer = 4096;
    H2Client attacker(options, http::Setting(kInitialWindowSize, 0x7fffffff));
    ASSERT_TRUE(attacker.Send(http::WindowUpdate(0, 0x7ffe0000) +
                              OnStreams(100, [](int32_t id) { return Headers(id, http::Get("/large")); })));
    EXPECT_TRUE(WaitUntil([this] {
      return edge_->Metric("gatebook_connections_closed_total{reason=\"write_timeout\"}") == 1;
    }));
  });
  EXPECT_EQ(Refusals("write_timeout"), 100u) << "each of its visits says so";
  upstream_->CloseAll();
}

}  // namespace
}  // namespace gatebook::e2e
