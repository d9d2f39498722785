// The way of requests and answers through an HTTP/2 session, windows and turns among them.
#include <gtest/gtest.h>

#include "tests/http/h2_peer.h"

namespace gatebook::http {
namespace {

TEST(H2Session, GreetsWithItsSettingsAndItsWindow) {
  H2Peer peer;
  EXPECT_EQ(peer.Feed(ClientHello()), "SETTINGS\nWINDOW 0 983041\nSETTINGS ack\n");
}

TEST(H2Session, TellsARequestAndSendsItsAnswer) {
  H2Peer peer;
  peer.Greet();
  EXPECT_EQ(peer.Feed(Headers(1, With(Get("/a?b"), {{"x-y", "z"}}))), "");
  EXPECT_EQ(peer.Told(), "1 GET /a?b to example.com end host=example.com x-y=z\n");
  const Field field{.name = "X-A", .value = "b"};
  EXPECT_TRUE(peer.session().SubmitHead(1, Answer(200, {&field, 1}), {}, false));
  EXPECT_EQ(peer.session().OfferData(1, "hello"), 5u);
  peer.session().End(1);
  EXPECT_EQ(peer.Hear(), "HEADERS 1 :status=200 x-a=b\nDATA 1 end 5\n");
  EXPECT_EQ(peer.Told(), "");
  peer.session().Dispatch();
  EXPECT_EQ(peer.Told(), "1 closed 0\n");
  EXPECT_EQ(peer.pool().taken(), 0u);
  EXPECT_EQ(peer.session().completed(), 1u);
}

TEST(H2Session, EndsAMessageInAFrameOfItsOwnOnceTheLastOneWasSeen) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()));
  peer.session().SubmitHead(1, Answer(200), {}, false);
  peer.session().OfferData(1, "hello");
  EXPECT_EQ(peer.Hear(), "HEADERS 1 :status=200\nDATA 1 5\n");
  peer.session().End(1);
  EXPECT_EQ(peer.Hear(), "DATA 1 end 0\n");
}

TEST(H2Session, LeavesOutWhatIsNoFieldAndWhatBelongsToAnotherHop) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()));
  const Field fields[] = {
      {.name = "Content-Type", .value = "a", .id = FieldId::kOther},
      {.name = "Connection", .value = "close", .id = FieldId::kConnection, .hop_by_hop = true},
      {.name = "a b", .value = "c", .id = FieldId::kOther},
      {.name = "x", .value = "y\r\nz: 1", .id = FieldId::kOther},
  };
  const Field more{.name = "Set-Cookie", .value = "s"};
  ResponseHead head = Answer(304, fields);
  head.has_content_length = true;
  head.content_length = 12;
  peer.session().SubmitHead(1, head, {&more, 1}, true);
  EXPECT_EQ(peer.Hear(), "HEADERS 1 end :status=304 content-type=a content-length=12 set-cookie=s\n");
}

TEST(H2Session, SendsInterimAnswersAndTrailers) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()));
  const Field link{.name = "Link", .value = "a"};
  const Field status{.name = "Grpc-Status", .value = "0"};
  EXPECT_TRUE(peer.session().SubmitHead(1, Answer(103, {&link, 1}), {}, false));
  EXPECT_TRUE(peer.session().SubmitHead(1, Answer(200), {}, false));
  EXPECT_FALSE(peer.session().SubmitHead(1, Answer(200), {}, false));
  peer.session().OfferData(1, "x");
  peer.session().SubmitTrailers(1, {&status, 1});
  EXPECT_EQ(peer.Hear(),
            "HEADERS 1 :status=103 link=a\nHEADERS 1 :status=200\nDATA 1 1\nHEADERS 1 end grpc-status=0\n");
  peer.session().Dispatch();
  EXPECT_TRUE(peer.Told().ends_with("1 closed 0\n"));
}

TEST(H2Session, SendsHeadsOfAnySizeThatIsAccepted) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()));
  const std::string value(40'000, 'x');
  const Field large[] = {
      {.name = "a", .value = value}, {.name = "b", .value = value}, {.name = "c", .value = value}};
  EXPECT_TRUE(peer.session().SubmitHead(1, Answer(200, large), {}, false));
  const size_t head = peer.session().Output().size();
  EXPECT_GT(head, 100'000u);
  EXPECT_EQ(peer.session().OfferData(1, "body", true), 0u);  // there is no room beside it
  peer.session().DropOutput(head);
  EXPECT_EQ(peer.session().OfferData(1, "body", true), 4u);
}

TEST(H2Session, SendsNoTrailersWhereNoneMayStand) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()));
  peer.session().SubmitHead(1, Answer(200), {}, false);
  const Field bad{.name = "a b", .value = "c"};
  peer.session().SubmitTrailers(1, {&bad, 1});
  EXPECT_EQ(peer.Hear(), "HEADERS 1 :status=200\nDATA 1 end 0\n");
}

TEST(H2Session, DoesNothingForStreamsThatAreGone) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()) + Rst(1));
  EXPECT_EQ(peer.Told(), "1 GET / to example.com end host=example.com\n1 closed 8 by peer\n");
  EXPECT_FALSE(peer.session().SubmitHead(1, Answer(200), {}, false));
  EXPECT_EQ(peer.session().OfferData(1, "x"), 0u);
  peer.session().End(1);
  peer.session().SubmitTrailers(1, {});
  peer.session().Consume(1, 5);
  peer.session().Reset(1, H2Error::kCancel);
  peer.session().Reset(77, H2Error::kCancel);
  EXPECT_EQ(peer.Hear(), "");
}

TEST(H2Windows, StopPayloadAndItsWriterIsToldWhenTheyOpen) {
  H2Peer peer;
  peer.Greet(Setting(4, 10));
  peer.Feed(Headers(1, Get()));
  peer.session().SubmitHead(1, Answer(200), {}, false);
  EXPECT_EQ(peer.session().OfferData(1, "0123456789abc"), 10u);
  EXPECT_EQ(peer.session().OfferData(1, "abc"), 0u);
  EXPECT_FALSE(peer.session().IsDue());
  EXPECT_FALSE(peer.session().Dispatch());
  peer.Told();
  EXPECT_EQ(peer.Feed(WindowUpdate(1, 2)), "HEADERS 1 :status=200\nDATA 1 10\n");
  EXPECT_EQ(peer.Told(), "writable 1\n");
  EXPECT_EQ(peer.session().OfferData(1, "abc", true), 2u);
  EXPECT_EQ(peer.Feed(WindowUpdate(1, 5)), "DATA 1 2\n");
  EXPECT_EQ(peer.session().OfferData(1, "c", true), 1u);
  EXPECT_EQ(peer.Hear(), "DATA 1 end 1\n");
  EXPECT_EQ(peer.payload(), "0123456789abc");
}

TEST(H2Windows, DoNotHoldUpTheEndOfAMessage) {
  for (const bool trailers : {false, true}) {
    H2Peer peer;
    peer.Greet(Setting(4, 5));
    peer.Feed(Headers(1, Get()));
    peer.session().SubmitHead(1, Answer(200), {}, false);
    EXPECT_EQ(peer.session().OfferData(1, "hello"), 5u);
    EXPECT_EQ(peer.Hear(), "HEADERS 1 :status=200\nDATA 1 5\n");
    const Field field{.name = "a", .value = "b"};
    if (trailers) {
      peer.session().SubmitTrailers(1, {&field, 1});
    } else {
      peer.session().End(1);
    }
    EXPECT_EQ(peer.Hear(), trailers ? "HEADERS 1 end a=b\n" : "DATA 1 end 0\n");
    peer.session().Dispatch();
    EXPECT_EQ(peer.session().open_streams(), 0u);
  }
}

TEST(H2Windows, MayBecomeNegativeAndRecover) {
  H2Peer peer;
  peer.Greet(Setting(4, 100));
  peer.Feed(Headers(1, Get()));
  peer.session().SubmitHead(1, Answer(200), {}, false);
  EXPECT_EQ(peer.session().OfferData(1, std::string(150, 'x')), 100u);
  peer.Feed(Settings(Setting(4, 50)));
  peer.Told();
  peer.Feed(WindowUpdate(1, 50));  // back to 0
  EXPECT_EQ(peer.Told(), "");
  EXPECT_EQ(peer.session().OfferData(1, "x"), 0u);
  peer.Feed(WindowUpdate(1, 1));
  EXPECT_EQ(peer.Told(), "writable 1\n");
  EXPECT_EQ(peer.session().OfferData(1, "xx"), 1u);
  peer.Feed(Settings(Setting(4, 60)));
  EXPECT_EQ(peer.Told(), "writable 1\n");
  EXPECT_EQ(peer.session().OfferData(1, std::string(20, 'x')), 10u);
}

TEST(H2Turns, GoRoundAmongStreamsThatWait) {
  H2Peer peer;
  peer.Greet(Setting(4, 1 << 30));
  peer.Feed(WindowUpdate(0, 1 << 30));
  std::string order;
  const std::string piece(256 * 1024, 'x');
  peer.on_request = [&](int32_t id) {
    peer.session().SubmitHead(id, Answer(200), {}, false);
    peer.session().OfferData(id, piece);
  };
  peer.on_writable = [&](int32_t id) {
    order += std::to_string(id);
    peer.session().OfferData(id, piece);
  };
  peer.Feed(Headers(1, Get()) + Headers(3, Get()) + Headers(5, Get()));
  for (int i = 0; i < 4; ++i) {
    peer.session().Dispatch();
    EXPECT_LE(peer.session().Output().size(), H2Session::kOutputRoom + 16384 + 9);
    peer.Hear();
  }
  EXPECT_EQ(order, "135135135135");
}

TEST(H2Turns, AreNotWaitedForByAStreamAlone) {
  H2Peer peer;
  peer.Greet(Setting(4, 1 << 30));
  peer.Feed(WindowUpdate(0, 1 << 30) + Headers(1, Get()));
  peer.session().SubmitHead(1, Answer(200), {}, false);
  EXPECT_GE(peer.session().OfferData(1, std::string(256 * 1024, 'x')), H2Session::kOutputRoom - 100);
}

TEST(H2Drain, SaysThatTheEndIsNearAndThenTakesNoMore) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()));
  peer.session().BeginDrain();
  EXPECT_EQ(peer.Hear(), "GOAWAY 2147483647 0 \n");
  peer.Feed(Headers(3, Get()));
  peer.session().FinishDrain();
  EXPECT_EQ(peer.Hear(), "GOAWAY 3 0 \n");
  EXPECT_EQ(peer.Feed(Headers(5, Get("/late")) + Ping()), "PING ack\n");
  EXPECT_EQ(peer.Told().find("/late"), std::string::npos);
  for (const int stream : {1, 3}) {
    EXPECT_FALSE(peer.session().IsOver());
    peer.session().SubmitHead(stream, Answer(204), {}, true);
    peer.session().Dispatch();
  }
  EXPECT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kDrained);
  EXPECT_EQ(peer.Hear(), "HEADERS 1 end :status=204\nHEADERS 3 end :status=204\n");
}

TEST(H2Drain, OfAnIdleConnectionIsItsEnd) {
  H2Peer peer;
  peer.Greet();
  peer.session().FinishDrain();
  peer.session().Dispatch();
  EXPECT_TRUE(peer.session().IsOver());
}

TEST(H2Session, TellsEveryStreamWhenTheConnectionEnds) {
  H2Peer peer;
  peer.Greet();
  peer.Feed(Headers(1, Get()) + Headers(3, Post(), false));
  peer.Told();
  peer.session().Abort(H2End::kGlitches);
  EXPECT_TRUE(peer.session().IsDue());
  EXPECT_EQ(peer.Told(), "");
  peer.session().Dispatch();
  EXPECT_EQ(peer.Told(), "1 closed 11 connection\n3 closed 11 connection\n");
  EXPECT_EQ(peer.Hear(), "GOAWAY 3 11 glitches\n");
  EXPECT_EQ(peer.Feed(Ping()), "");
}

TEST(H2Session, GivesEverythingBackWhenItIsDestroyedInTheMiddle) {
  base::BufferPool buffers;
  H2Pool pool(buffers);
  {
    H2Peer listener;
    H2Session session({}, pool, listener);
    session.Receive(ClientHello() + Headers(1, Post(), false) + Data(1, "x") +
                        Frame(H2FrameType::kHeaders, 0, 3, Block(Get())),
                    {});
    EXPECT_EQ(pool.taken(), 1u);
  }
  EXPECT_EQ(pool.taken(), 0u);
  EXPECT_EQ(buffers.taken(), 0u);
}

TEST(H2Session, GivesItsOutputBackAsSoonAsItIsEmpty) {
  H2Peer peer;
  peer.Greet();
  EXPECT_EQ(peer.buffers().taken(), 0u);
}

}  // namespace
}  // namespace gatebook::http
