// Floods: each of them ends the connection for its own reason, and ordinary use does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/http/h2_peer.h"

namespace gatebook::http {
namespace {

using Type = H2FrameType;
using std::chrono::seconds;

TEST(H2Limits, LetSoMuchThroughAtOnceAndSoMuchMoreASecond) {
  H2Limits limits;
  base::SteadyTime now{};
  const H2FrameHead settings{.length = 0, .type = Type::kSettings};
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(limits.OnFrame(settings, now));
  EXPECT_EQ(limits.OnFrame(settings, now), H2End::kSettingsFlood);
  now += seconds(3);
  for (int i = 0; i < 6; ++i) ASSERT_FALSE(limits.OnFrame(settings, now));
  EXPECT_EQ(limits.OnFrame(settings, now), H2End::kSettingsFlood);
  now += seconds(3600);
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(limits.OnFrame(settings, now));
  EXPECT_EQ(limits.OnFrame(settings, now), H2End::kSettingsFlood);
}

TEST(H2Limits, AreEarnedBackInSmallSpansOfTime) {
  H2Limits limits;
  base::SteadyTime now{};
  for (int i = 0; i < 50; ++i) ASSERT_FALSE(limits.Charge(H2Budget::kProvokedReset, now));
  // Five a second, ten times a second half of one.
  for (int i = 0; i < 20; ++i) {
    now += std::chrono::milliseconds(100);
    EXPECT_EQ(limits.Charge(H2Budget::kProvokedReset, now).has_value(), i % 2 == 0) << i;
  }
}

TEST(H2Limits, AreEarnedByRequestsThatCameAndWent) {
  H2Limits limits;
  const base::SteadyTime now{};
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_FALSE(limits.OnFrame({.length = 5, .type = Type::kPriority}, now));
    ASSERT_FALSE(limits.OnFrame({.length = 4, .type = Type::kWindowUpdate}, now));
    ASSERT_FALSE(limits.OnFrame({.length = 4, .type = Type::kRstStream}, now));
    limits.OnRequestDone();
  }
}

TEST(H2Limits, LetAReaderOpenTheWindowForEveryFrameItGot) {
  H2Limits limits;
  const base::SteadyTime now{};
  for (int i = 0; i < 10'000; ++i) {
    limits.OnDataSent();
    ASSERT_FALSE(limits.OnFrame({.length = 4, .type = Type::kWindowUpdate}, now));
    ASSERT_FALSE(limits.OnFrame({.length = 4, .type = Type::kWindowUpdate}, now));
  }
}

// Feeds the same again, as it comes from `attack`, until the connection is over.
H2End EndOfFlood(H2Peer& peer, const std::function<std::string(int)>& attack) {
  for (int i = 0; i < 5000; ++i) {
    const std::string heard = peer.Feed(attack(i));
    if (!peer.session().IsOver()) continue;
    const H2EndInfo& info = InfoOf(peer.session().end());
    EXPECT_NE(heard.find(" " + std::to_string(static_cast<int>(info.code)) + " " + std::string(info.slug)),
              std::string::npos)
        << heard;
    EXPECT_EQ(peer.session().open_streams(), 0u);
    EXPECT_EQ(peer.pool().taken(), 0u);
    return peer.session().end();
  }
  ADD_FAILURE() << "not over";
  return H2End::kDrained;
}

H2End EndOfFlood(const std::function<std::string(int)>& attack) {
  H2Peer peer;
  peer.Greet();
  return EndOfFlood(peer, attack);
}

TEST(H2Floods, OfStreamsThatAreResetEndTheConnection) {
  EXPECT_EQ(EndOfFlood([](int i) { return Headers(2 * i + 1, Get()) + Rst(2 * i + 1); }), H2End::kRapidReset);
}

TEST(H2Floods, OfFramesThatProvokeResetsEndTheConnection) {
  EXPECT_EQ(EndOfFlood([](int i) { return Headers(2 * i + 1, Get()) + WindowUpdate(2 * i + 1, 0x7fffffff); }),
            H2End::kProvokedReset);
  EXPECT_EQ(EndOfFlood([](int i) {
              return Headers(2 * i + 1, With(Get(), {{"connection", "close"}}));
            }),
            H2End::kProvokedReset);
}

TEST(H2Floods, OfContinuationsEndTheConnection) {
  EXPECT_EQ(EndOfFlood([](int i) {
              return i == 0 ? Frame(Type::kHeaders, 0, 1, Block(Get()))
                            : Frame(Type::kContinuation, 0, 1, Literal("a", std::string(1000, 'b')));
            }),
            H2End::kContinuationFlood);
  EXPECT_EQ(EndOfFlood([](int i) {
              return i == 0 ? Frame(Type::kHeaders, 0, 1, "") : Frame(Type::kContinuation, 0, 1, "");
            }),
            H2End::kContinuationFlood);
}

TEST(H2Floods, OfSettingsAndPingsEndTheConnection) {
  EXPECT_EQ(EndOfFlood([](int) { return Settings(); }), H2End::kSettingsFlood);
  EXPECT_EQ(EndOfFlood([](int) { return Ping(); }), H2End::kPingFlood);
}

TEST(H2Floods, OfFramesThatCarryNothingEndTheConnection) {
  H2Peer data;
  data.Greet();
  data.Feed(Headers(1, Post(), false));
  EXPECT_EQ(EndOfFlood(data, [](int) { return Data(1, ""); }), H2End::kEmptyFrames);
  H2Peer padding;
  padding.Greet();
  padding.Feed(Headers(1, Post(), false));
  const std::string padded = Frame(Type::kData, kH2Padded, 1, std::string("\x02\0\0", 3));
  EXPECT_EQ(EndOfFlood(padding, [&](int) { return padded; }), H2End::kEmptyFrames);
}

TEST(H2Floods, OfPrioritiesAndWindowsAndUnknownFramesEndTheConnection) {
  EXPECT_EQ(EndOfFlood([](int) { return Frame(Type::kPriority, 0, 1, std::string(5, '\0')); }),
            H2End::kPriorityFlood);
  EXPECT_EQ(EndOfFlood([](int) { return WindowUpdate(0, 1); }), H2End::kWindowFlood);
  EXPECT_EQ(EndOfFlood([](int) { return Frame(Type{99}, 0, 0, ""); }), H2End::kUnknownFrames);
}

TEST(H2Floods, OfStreamsBehindClosedWindowsEndTheConnection) {
  H2Peer peer;
  peer.Greet();
  for (int i = 0; i < 20; ++i) peer.session().ChargeStall();
  peer.session().Dispatch();
  EXPECT_FALSE(peer.session().IsOver());
  // Time alone earns none back, what is taken does.
  peer.now += std::chrono::hours(1);
  peer.on_request = [&](int32_t id) { peer.session().SubmitHead(id, Answer(204), {}, true); };
  peer.Feed(Headers(1, Get()));
  peer.session().ChargeStall();
  peer.session().Dispatch();
  EXPECT_FALSE(peer.session().IsOver());
  peer.session().ChargeStall();
  peer.session().Dispatch();
  ASSERT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kStalledStreams);
}

TEST(H2Floods, OfAnsweredFaultsEndTheConnection) {
  EXPECT_EQ(EndOfFlood([](int i) { return Headers(2 * i + 1, Get("/#")); }), H2End::kGlitches);
}

TEST(H2Floods, OfFieldsEndTheConnectionWithoutBeingKept) {
  H2Peer peer;
  peer.Greet();
  // One field of 4,000 bytes, and then a byte each to say it again.
  const std::string bomb =
      Block(Get()) + IndexedLiteral("a", std::string(3990, 'b')) + std::string(10'000, '\xbe');
  EXPECT_TRUE(peer.Feed(Headers(1, bomb)).starts_with("GOAWAY 1 11 field_flood"));
  EXPECT_EQ(peer.session().end(), H2End::kFieldFlood);
  EXPECT_EQ(peer.Told(), "");
}

TEST(H2Floods, OfHeadsThatAreHeldAreRefusedStreamByStream) {
  H2Peer peer;
  peer.Greet();
  std::string heard =
      peer.Feed(Headers(1, Block(Get()) + IndexedLiteral("a", std::string(3900, 'b')), false));
  int stream = 3;
  for (; stream < 200 && heard.empty(); stream += 2) {
    heard = peer.Feed(Headers(stream, Block(Get()) + std::string(7, '\xbe'), false));
  }
  EXPECT_EQ(heard, "RST " + std::to_string(stream - 2) + " 7\n");
  EXPECT_LT(stream, 60);
  EXPECT_TRUE(peer.Told().ends_with("refused heads_held GET /\n"));
  // When one has gone there is room again.
  EXPECT_EQ(peer.Feed(Rst(1) + Rst(3) + Headers(stream, Block(Get()) + std::string(7, '\xbe'), false)), "");
  EXPECT_FALSE(peer.session().IsOver());
}

TEST(H2Floods, OfTrailersThatAreHeldEndTheirStreams) {
  H2Peer peer;
  peer.Greet();
  // One field of 3,900 bytes, and then two bytes on each stream to say it twice.
  peer.Feed(Headers(1, Block(Post()) + IndexedLiteral("a", std::string(3900, 'b')), false));
  int told = 0;
  std::string heard;
  for (int stream = 3; stream < 200; stream += 2) {
    heard += peer.Feed(Headers(stream, Post(), false) + Headers(stream, std::string(2, '\xbe')));
    told += peer.Told().find("trailers a=") != std::string::npos;
  }
  EXPECT_GT(told, 40);
  EXPECT_LT(told * 2 * 3900u, H2Session::kHeldMost);
  EXPECT_THAT(heard, testing::HasSubstr("RST 197 1"));
  // When the streams have gone there is room again.
  for (int stream = 1; stream < 200; stream += 2) peer.Feed(Rst(stream));
  peer.Told();
  EXPECT_EQ(peer.Feed(Headers(201, Post(), false) + Headers(201, std::string(2, '\xbe'))), "");
  EXPECT_THAT(peer.Told(), testing::HasSubstr("201 trailers a="));
}

TEST(H2Trailers, AreNoLargerThanThoseOfHttp1) {
  H2Peer peer;
  peer.Greet();
  const std::string large = IndexedLiteral("a", std::string(3900, 'b'));
  peer.Feed(Headers(1, Post(), false) + Headers(1, large + std::string(1, '\xbe')));
  EXPECT_THAT(peer.Told(), testing::HasSubstr("1 trailers a="));
  peer.Feed(Headers(3, Post(), false) + Headers(3, std::string(3, '\xbe')));
  EXPECT_THAT(peer.Told(), testing::HasSubstr("3 closed 1 bad_trailer"));
}

TEST(H2Floods, OfQuestionsWhoseAnswersNobodyReadsEndTheConnection) {
  H2Peer peer;
  peer.Greet();
  base::SteadyTime now = peer.now;
  for (int i = 0; i < 5000 && !peer.session().IsOver(); ++i) {
    now += std::chrono::milliseconds(100);  // no faster than pings may come
    peer.session().Receive(Ping(), now);
  }
  ASSERT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kControlQueue);
  EXPECT_LT(peer.session().Output().size(), 20'000u);
}

TEST(H2Floods, AreNotWhatABrowserDoes) {
  H2Peer peer;
  peer.Greet();
  peer.on_request = [&](int32_t id) {
    peer.session().SubmitHead(id, Answer(200), {}, false);
    peer.session().OfferData(id, std::string(1000, 'x'), true);
  };
  for (int i = 0; i < 3000; ++i) {
    const int stream = 2 * i + 1;
    peer.now += std::chrono::milliseconds(2);
    std::string bytes = Headers(stream, Get()) + Frame(Type::kPriority, 0, stream, std::string(5, '\0')) +
                        WindowUpdate(0, 1000) + WindowUpdate(stream, 1000);
    if (i % 10 == 0) bytes += Ping();
    if (i % 4 == 0) bytes += Rst(stream);
    peer.Feed(bytes);
    ASSERT_FALSE(peer.session().IsOver()) << i << " " << InfoOf(peer.session().end()).slug;
  }
  EXPECT_EQ(peer.payload().size(), 3000u * 1000u);
}

}  // namespace
}  // namespace gatebook::http
