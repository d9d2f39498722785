// What a reset of the client's leaves to be read, and what it is told as.
#include <gtest/gtest.h>

#include "tests/support/tls_conversation.h"
#include "tls/tls_stream.h"

namespace gatebook::tls {
namespace {

using net::IoStatus;
using support::ClientOptions;
using support::Conversation;
using support::TestServer;

class TlsResetTest : public testing::TestWithParam<int> {
 protected:
  TlsResetTest() { server_.Add({.dns_names = {"www.example.com"}}); }

  ClientOptions Options() const {
    ClientOptions options;
    options.version = GetParam();
    return options;
  }

  net::Loop loop_;
  TestServer server_;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsResetTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(TlsResetTest, AResetIsAnError) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.DropClient();
  loop_.RunOnce(false);
  EXPECT_EQ(talk.server().Write(std::string(1000, 'x')).status, IoStatus::kError);
  IoStatus end{};
  talk.ServerRead(&end);
  EXPECT_EQ(end, IoStatus::kError);
}

// The client's last words and its reset come in one edge, while the answer waits for room: the
// write that is tried first must not hide the words, nor make the break look like an end.
TEST_P(TlsResetTest, AResetBehindABlockedWriteHidesNothingThatCameBefore) {
  for (const bool tcp : {false, true}) {
    ClientOptions options = Options();
    options.tcp = tcp;
    Conversation talk(loop_, server_.MakeContext(), options);
    ASSERT_TRUE(talk.Handshake());
    talk.StopCarrying(true);
    const std::string text(1 << 16, 'x');
    while (talk.server().Write(text).status == IoStatus::kOk) {
    }
    ASSERT_TRUE(talk.server().HasUnsent());
    ASSERT_EQ(SSL_write(talk.client(), "last words", 10), 10);
    ASSERT_TRUE(talk.TryCarryNow());
    talk.ResetClient();
    loop_.RunOnce(false);
    EXPECT_EQ(talk.server().Write(text).status, IoStatus::kError);
    EXPECT_FALSE(talk.server().HasUnsent());
    IoStatus end{};
    EXPECT_EQ(talk.ServerRead(&end), "last words");
    EXPECT_EQ(end, IoStatus::kError);
  }
}

}  // namespace
}  // namespace gatebook::tls
