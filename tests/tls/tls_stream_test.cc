#include "tls/tls_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/support/tls_conversation.h"

namespace gatebook::tls {
namespace {

using net::IoStatus;
using support::ClientOptions;
using support::Conversation;
using support::TestServer;

class TlsStreamTest : public testing::TestWithParam<int> {
 protected:
  TlsStreamTest() { server_.Add({.dns_names = {"www.example.com"}}); }

  ClientOptions Options() const {
    ClientOptions options;
    options.version = GetParam();
    return options;
  }

  net::Loop loop_;
  TestServer server_;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsStreamTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(TlsStreamTest, CarriesBytesBothWaysAfterTheHandshake) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake()) << talk.client_error() << talk.server().failure();
  EXPECT_TRUE(talk.ready());
  EXPECT_EQ(talk.server().version(), GetParam() == TLS1_2_VERSION ? 12 : 13);
  EXPECT_EQ(talk.server().server_name(), "www.example.com");
  EXPECT_FALSE(talk.server().resumed());
  talk.ClientWrite("hello");
  EXPECT_EQ(talk.ServerRead(), "hello");
  EXPECT_EQ(talk.server().Write("answer").status, IoStatus::kOk);
  talk.Settle();
  EXPECT_EQ(talk.ClientRead(), "answer");
}

TEST_P(TlsStreamTest, EveryRecordMayComeInSingleBytes) {
  ClientOptions options = Options();
  options.byte_by_byte = true;
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake()) << talk.client_error() << talk.server().failure();
  talk.ClientWrite("hello");
  talk.ClientWrite(" again");
  EXPECT_EQ(talk.ServerRead(), "hello again");
  EXPECT_EQ(talk.server().Write("answer").status, IoStatus::kOk);
  talk.Settle();
  EXPECT_EQ(talk.ClientRead(), "answer");
}

}  // namespace
}  // namespace gatebook::tls
