// The client's role: requests to upstreams that speak HTTP/2, and what their answers must be.
#include <gtest/gtest.h>

#include "tests/http/h2_peer.h"

namespace gatebook::http {
namespace {

constexpr H2Request kGet{
    .method = "GET", .scheme = "https", .authority = "up.example", .path = "/a", .fields = {}, .more = {}};

H2Options Client() {
  H2Options options;
  options.role = H2Role::kClient;
  return options;
}

std::string ToldOf(const std::string& frames, std::string_view method = "GET") {
  H2Peer peer(Client());
  H2Request request = kGet;
  request.method = method;
  EXPECT_EQ(peer.session().SubmitRequest(request, true), 1);
  peer.Feed(Settings() + SettingsAck() + frames);
  const std::string whole = peer.Told();

  H2Peer slow(Client());
  slow.session().SubmitRequest(request, true);
  for (const char byte : Settings() + SettingsAck() + frames) slow.Feed({&byte, 1});
  EXPECT_EQ(slow.Told(), whole);
  return whole;
}

TEST(H2Client, SendsARequestAndTellsItsAnswer) {
  H2Peer peer(Client());
  EXPECT_EQ(peer.Hear(), "SETTINGS\nWINDOW 0 6488065\n");
  const Field fields[] = {
      {.name = "Accept", .value = "x", .id = FieldId::kOther},
      {.name = "Host", .value = "other", .id = FieldId::kHost},
      {.name = "TE", .value = "trailers", .id = FieldId::kTe, .hop_by_hop = true},
      {.name = "Upgrade", .value = "h", .id = FieldId::kUpgrade, .hop_by_hop = true},
  };
  H2Request request = kGet;
  request.method = "POST";
  request.fields = fields;
  EXPECT_EQ(peer.session().SubmitRequest(request, false), 1);
  EXPECT_EQ(peer.session().OfferData(1, "body", true), 4u);
  EXPECT_EQ(peer.Hear(),
            "HEADERS 1 :method=POST :scheme=https :authority=up.example :path=/a accept=x te=trailers\nDATA "
            "1 end 4\n");
  peer.Feed(Settings() + Headers(1, H2FieldList{{":status", "200"}, {"grpc-status", "0"}}, false) +
            Data(1, "yes") + Headers(1, H2FieldList{{"grpc-message", "ok"}}));
  EXPECT_EQ(peer.Told(),
            "1 response 200 grpc-status=0\n1 data \"yes\"\n1 trailers grpc-message=ok\n1 end\n1 closed 0\n");
  EXPECT_EQ(peer.session().completed(), 1u);
  EXPECT_EQ(peer.pool().taken(), 0u);
}

TEST(H2Client, TellsInterimAnswersApart) {
  EXPECT_EQ(ToldOf(Headers(1, H2FieldList{{":status", "103"}, {"link", "a"}}, false) +
                   Headers(1, H2FieldList{{":status", "204"}})),
            "1 interim 103 link=a\n1 response 204 end\n1 closed 0\n");
}

TEST(H2Client, ResetsAnswersThatAreMalformed) {
  const std::string reset = "1 closed 1 upstream_bad_head\n";
  const auto head = [](const H2FieldList& fields, bool end = false) {
    return ToldOf(Headers(1, fields, end));
  };
  EXPECT_EQ(head({{"a", "b"}}), reset);
  EXPECT_EQ(head({{":status", "20"}}), reset);
  EXPECT_EQ(head({{":status", "+20"}}), reset);
  EXPECT_EQ(head({{":status", "600"}}), reset);
  EXPECT_EQ(head({{":status", "101"}}), reset);
  EXPECT_EQ(head({{":status", "100"}}, true), reset);
  EXPECT_EQ(head({{":status", "200"}, {":status", "200"}}), reset);
  EXPECT_EQ(head({{":status", "200"}, {":path", "/"}}), reset);
  EXPECT_EQ(head({{":status", "200"}, {"X", "y"}}), reset);
  EXPECT_EQ(head({{":status", "200"}, {"a", "b\r\nc: d"}}), reset);
  EXPECT_EQ(head({{":status", "200"}, {"transfer-encoding", "chunked"}}), reset);
  EXPECT_EQ(head({{":status", "200"}, {"content-length", "1"}, {"content-length", "1"}}), reset);
  EXPECT_EQ(head({{":status", "200"}, {"content-length", "1"}}, true), reset);
  EXPECT_EQ(head({{":status", "103"}, {"content-length", "1"}}), reset);
  EXPECT_EQ(head(With({{":status", "200"}}, H2FieldList(101, {"a", "b"}))), reset);
  EXPECT_EQ(ToldOf(Data(1, "x")), "1 closed 1 connection\n");
  const std::string interim = Headers(1, H2FieldList{{":status", "103"}}, false);
  EXPECT_EQ(ToldOf(interim + Data(1, "x")), "1 interim 103\n" + reset);
  EXPECT_EQ(ToldOf(interim + Data(1, "", true)), "1 interim 103\n" + reset);
}

TEST(H2Client, HoldsAnswersToTheirLengths) {
  const H2FieldList four = {{":status", "200"}, {"content-length", "4"}};
  EXPECT_EQ(ToldOf(Headers(1, four, false) + Data(1, "body", true)),
            "1 response 200 length 4 -content-length=4\n1 data \"body\"\n1 end\n1 closed 0\n");
  EXPECT_EQ(ToldOf(Headers(1, four, false) + Data(1, "bod", true)),
            "1 response 200 length 4 -content-length=4\n1 data \"bod\"\n1 closed 1 length_mismatch\n");
  EXPECT_EQ(ToldOf(Headers(1, four, false) + Data(1, "body!")),
            "1 response 200 length 4 -content-length=4\n1 data \"body\"\n1 closed 1 length_mismatch\n");
  EXPECT_EQ(ToldOf(Headers(1, four), "HEAD"), "1 response 200 end length 4 -content-length=4\n1 closed 0\n");
  EXPECT_EQ(ToldOf(Headers(1, four, false) + Data(1, "x"), "HEAD"),
            "1 response 200 length 4 -content-length=4\n1 closed 1 length_mismatch\n");
  EXPECT_EQ(ToldOf(Headers(1, H2FieldList{{":status", "304"}, {"content-length", "4"}})),
            "1 response 304 end length 4 -content-length=4\n1 closed 0\n");
}

TEST(H2Client, OpensNoMoreStreamsThanItMay) {
  H2Peer peer(Client());
  peer.Feed(Settings(Setting(3, 2)) + SettingsAck());
  EXPECT_EQ(peer.session().FreeStreams(), 2u);
  EXPECT_EQ(peer.session().SubmitRequest(kGet, true), 1);
  EXPECT_EQ(peer.session().SubmitRequest(kGet, true), 3);
  EXPECT_EQ(peer.session().SubmitRequest(kGet, true), std::nullopt);
  EXPECT_TRUE(peer.session().CanSubmit());
  peer.Feed(Headers(1, H2FieldList{{":status", "204"}}));
  EXPECT_EQ(peer.session().SubmitRequest(kGet, true), 5);
}

TEST(H2Client, TakesAGoawayAtItsWord) {
  H2Peer peer(Client());
  peer.Feed(Settings() + SettingsAck());
  peer.session().SubmitRequest(kGet, true);
  peer.session().SubmitRequest(kGet, true);
  peer.Feed(Goaway(1));
  // What the upstream never saw may be asked elsewhere.
  EXPECT_EQ(peer.Told(), "goaway 1 0\n3 closed 7\n");
  EXPECT_FALSE(peer.session().CanSubmit());
  EXPECT_EQ(peer.session().SubmitRequest(kGet, true), std::nullopt);
  EXPECT_FALSE(peer.session().IsOver());
  peer.Feed(Headers(1, H2FieldList{{":status", "204"}}));
  EXPECT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kDrained);
}

TEST(H2Client, TakesResetsOfItsOwnStreamsForAnswers) {
  H2Peer peer(Client());
  peer.Feed(Settings() + SettingsAck());
  for (int i = 0; i < 500; ++i) {
    const auto id = peer.session().SubmitRequest(kGet, true);
    ASSERT_TRUE(id);
    peer.Feed(Rst(*id, 7));
  }
  EXPECT_FALSE(peer.session().IsOver());
  // Others are a flood like any.
  for (int i = 0; i < 500 && !peer.session().IsOver(); ++i) peer.Feed(Rst(1, 7));
  EXPECT_TRUE(peer.session().IsOver());
}

TEST(H2Client, TellsWhenTheServerHasGreetedAndWhatItAllows) {
  H2Peer peer(Client());
  EXPECT_FALSE(peer.session().AllowsConnect());
  peer.Feed(Settings(Setting(8, 1)));
  EXPECT_TRUE(peer.session().AllowsConnect());
  H2Request request = kGet;
  request.method = "CONNECT";
  request.protocol = "websocket";
  peer.Hear();
  peer.session().SubmitRequest(request, false);
  EXPECT_EQ(peer.Hear(),
            "HEADERS 1 :method=CONNECT :scheme=https :authority=up.example :path=/a :protocol=websocket\n");
}

TEST(H2Client, TakesNoPush) {
  H2Peer peer(Client());
  peer.session().SubmitRequest(kGet, true);
  peer.Feed(Settings() + SettingsAck() +
            Frame(H2FrameType::kPushPromise, kH2EndHeaders, 1, Uint32(2) + Block(Get())));
  EXPECT_TRUE(peer.session().IsOver());
  EXPECT_EQ(peer.session().end(), H2End::kProtocolError);
}

}  // namespace
}  // namespace gatebook::http
