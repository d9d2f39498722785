// The way of a request through an HTTP/2 session.
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

}  // namespace
}  // namespace gatebook::http
