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
using testing::Each;
using testing::HasSubstr;

class TlsStreamTest : public testing::TestWithParam<int> {
 protected:
  TlsStreamTest() { server_.Add({.dns_names = {"www.example.com"}}); }

  ClientOptions Options() const {
    ClientOptions options;
    options.version = GetParam();
    return options;
  }

  // Writes all of it, with the client reading whenever the stream would block.
  static void WriteAll(Conversation& talk, std::string_view bytes) {
    while (!bytes.empty()) {
      const net::IoResult result = talk.server().Write(bytes);
      ASSERT_NE(result.status, IoStatus::kError);
      bytes.remove_prefix(result.bytes);
      if (result.status == IoStatus::kWouldBlock) talk.Settle();
    }
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
  EXPECT_EQ(talk.server().client_subject(), "");
  EXPECT_THAT(std::string(talk.server().cipher()), HasSubstr("GCM"));
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
  talk.ClientClose();
  talk.Settle();
  IoStatus end{};
  talk.ServerRead(&end);
  EXPECT_EQ(end, IoStatus::kEnd);
  EXPECT_FALSE(talk.server().truncated());
}

TEST_P(TlsStreamTest, TheHandlerIsNotCalledBeforeTheHandshakeIsDone) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  for (int i = 0; i < 5; ++i) loop_.RunOnce(false);
  EXPECT_EQ(talk.ready_calls(), 0);
  EXPECT_FALSE(talk.server().IsEstablished());
}

TEST_P(TlsStreamTest, AReadThatIsKnownToBlockTouchesNothing) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.ClientWrite("hello");
  EXPECT_EQ(talk.ServerRead(), "hello");
  // Closed under it: a system call would be told so.
  ::shutdown(talk.server().fd(), SHUT_RD);
  std::array<char, 16> bytes;
  EXPECT_EQ(talk.server().Read(bytes).status, IoStatus::kWouldBlock);
}

TEST_P(TlsStreamTest, ASlowReaderStopsTheWriterWithinABound) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.StopCarrying(true);
  const int small = 8192;
  setsockopt(talk.server().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::string text(1 << 20, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  size_t taken = 0;
  net::IoResult result{};
  for (int i = 0; i < 100; ++i) {
    result = talk.server().Write(std::string_view(text).substr(taken));
    if (result.status != IoStatus::kOk) break;
    taken += result.bytes;
    loop_.RunOnce(false);
  }
  EXPECT_EQ(result.status, IoStatus::kWouldBlock);
  EXPECT_LT(taken, 400U * 1024);
  EXPECT_TRUE(talk.server().HasUnsent());
  // It does not turn idly: nobody is called as long as nothing can be written.
  const int calls = talk.ready_calls();
  for (int i = 0; i < 5; ++i) loop_.RunOnce(false);
  EXPECT_EQ(talk.ready_calls(), calls);

  talk.StopCarrying(false);
  WriteAll(talk, std::string_view(text).substr(taken));
  talk.Settle();
  EXPECT_FALSE(talk.server().HasUnsent());
  EXPECT_TRUE(talk.ClientRead() == text);
}

TEST_P(TlsStreamTest, WhatFitsOneRecordGoesAsOne) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.ClientRead();
  for (const size_t size : {1U, 1024U, 5000U, 16384U}) {
    WriteAll(talk, std::string(size, 'x'));
    talk.Settle();
    talk.TakeRecordSizes();  // the first also carries the ticket
    WriteAll(talk, std::string(size, 'x'));
    talk.Settle();
    const auto records = talk.TakeRecordSizes();
    ASSERT_EQ(records.size(), 1U) << size;
    EXPECT_GE(records[0], size);
    EXPECT_LE(records[0], size + 32);
  }
}

TEST_P(TlsStreamTest, ALargeAnswerBeginsWithSmallRecordsAndGoesOnWithFullOnes) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  WriteAll(talk, "first");
  talk.Settle();
  talk.TakeRecordSizes();
  WriteAll(talk, std::string(1 << 20, 'x'));
  talk.Settle();
  const auto records = talk.TakeRecordSizes();
  ASSERT_GT(records.size(), 40U);
  EXPECT_THAT(std::vector(records.begin(), records.begin() + 10), Each(testing::Lt(4096U)));
  EXPECT_THAT(std::vector(records.begin() + 20, records.end() - 1), Each(testing::Gt(16384U)));
  EXPECT_EQ(talk.ClientRead().size(), 5U + (1 << 20));
}

TEST_P(TlsStreamTest, CloseNotifyOfTheClientIsTheEnd) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.ClientWrite("last words");
  talk.ClientClose();
  talk.Settle();
  IoStatus end{};
  EXPECT_EQ(talk.ServerRead(&end), "last words");
  EXPECT_EQ(end, IoStatus::kEnd);
  EXPECT_FALSE(talk.server().truncated());
  talk.ServerRead(&end);
  EXPECT_EQ(end, IoStatus::kEnd);
  // Its own direction is still open.
  EXPECT_EQ(talk.server().Write("answer").status, IoStatus::kOk);
}

TEST_P(TlsStreamTest, ABareFinIsATruncatedEndAndTheAnswerStillGoesOut) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.ClientWrite("half");
  talk.ClientFin();
  talk.Settle();
  IoStatus end{};
  EXPECT_EQ(talk.ServerRead(&end), "half");
  EXPECT_EQ(end, IoStatus::kEnd);
  EXPECT_TRUE(talk.server().truncated());
  EXPECT_EQ(talk.server().Write("answer").status, IoStatus::kOk);
  talk.Settle();
  EXPECT_EQ(talk.ClientRead(), "answer");
}

TEST_P(TlsStreamTest, DataAndFinInOneEdgeAreBothSeen) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  SSL_write(talk.client(), "bye", 3);
  talk.CarryNow();
  talk.ClientFin();
  loop_.RunOnce(false);
  IoStatus end{};
  EXPECT_EQ(talk.ServerRead(&end), "bye");
  EXPECT_EQ(end, IoStatus::kEnd);
}

TEST_P(TlsStreamTest, ShutdownSendsCloseNotifyAndThenFin) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.server().Write("bye");
  talk.server().ShutdownWrite();
  EXPECT_FALSE(talk.server().HasUnsent());
  talk.Settle();
  EXPECT_EQ(talk.ClientRead(), "bye");
  EXPECT_TRUE(talk.ClientSawCloseNotify());
  EXPECT_TRUE(talk.ClientSawFin());
}

TEST_P(TlsStreamTest, TheLastBytesTakeTheEndWithThem) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  const net::IoResult result = talk.server().WriteLast("the last words");
  EXPECT_EQ(result.status, IoStatus::kOk);
  EXPECT_EQ(result.bytes, 14U);
  talk.server().ShutdownWrite();  // again is nothing
  talk.Settle();
  EXPECT_EQ(talk.ClientRead(), "the last words");
  EXPECT_TRUE(talk.ClientSawCloseNotify());
  EXPECT_TRUE(talk.ClientSawFin());
}

TEST_P(TlsStreamTest, LastBytesThatAreTooManyEndOnceTheLastOfThemIsTaken) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  const std::string text(150'000, 'x');
  std::string_view rest = text;
  std::string got;
  while (!rest.empty()) {
    const net::IoResult result = talk.server().WriteLast(rest);
    rest.remove_prefix(result.bytes);
    EXPECT_TRUE(rest.empty() || !talk.ClientSawCloseNotify());
    talk.Settle();
    got += talk.ClientRead();
  }
  talk.Settle();
  got += talk.ClientRead();
  EXPECT_EQ(got, text);
  EXPECT_TRUE(talk.ClientSawCloseNotify());
  EXPECT_TRUE(talk.ClientSawFin());
}

TEST_P(TlsStreamTest, ShutdownBehindAFullSocketWaitsForWhatIsUnsent) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(talk.Handshake());
  talk.StopCarrying(true);
  const std::string text(64 * 1024, 'x');
  size_t taken = 0;
  for (;;) {
    const net::IoResult result = talk.server().Write(text);
    if (result.status != IoStatus::kOk) break;
    taken += result.bytes;
  }
  talk.server().ShutdownWrite();
  EXPECT_TRUE(talk.server().HasUnsent());
  talk.StopCarrying(false);
  talk.Settle();
  EXPECT_FALSE(talk.server().HasUnsent());
  EXPECT_EQ(talk.ClientRead().size(), taken);
  EXPECT_TRUE(talk.ClientSawCloseNotify());
  EXPECT_TRUE(talk.ClientSawFin());
}

TEST_P(TlsStreamTest, OneBrokenConnectionDoesNotHarmAnother) {
  Conversation good(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(good.Handshake());
  Conversation bad(loop_, server_.MakeContext(), Options());
  ASSERT_TRUE(bad.Handshake());
  bad.ClientSendRaw(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  loop_.RunOnce(false);
  IoStatus end{};
  bad.ServerRead(&end);
  EXPECT_EQ(end, IoStatus::kError);
  EXPECT_EQ(ERR_peek_error(), 0U);
  // Whatever someone else left in this thread's queue, the good one is not to blame.
  ERR_raise(ERR_LIB_USER, 1);
  good.ServerRead(&end);
  EXPECT_EQ(end, IoStatus::kWouldBlock);
  good.ClientWrite("still here");
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_EQ(good.ServerRead(&end), "still here");
  EXPECT_EQ(end, IoStatus::kWouldBlock);
  ERR_clear_error();
}

TEST_P(TlsStreamTest, AClientThatLeavesInTheMiddleOfTheHandshakeFails) {
  Conversation talk(loop_, server_.MakeContext(), Options());
  talk.ClientSendRaw("\x16\x03\x01");
  talk.ClientFin();
  loop_.RunOnce(false);
  EXPECT_TRUE(talk.failed());
  EXPECT_EQ(talk.ready_calls(), 0);
}

class TlsStreamOddTest : public testing::Test {
 protected:
  TlsStreamOddTest() { server_.Add({.dns_names = {"www.example.com"}}); }
  net::Loop loop_;
  TestServer server_;
};

TEST_F(TlsStreamOddTest, PlainHttpIsRecognisedAndMayBeAnsweredPlainly) {
  for (const std::string_view method :
       {"GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n"}) {
    Conversation talk(loop_, server_.MakeContext(), {});
    talk.ClientSendRaw(method);
    loop_.RunOnce(false);
    ASSERT_TRUE(talk.failed());
    EXPECT_TRUE(talk.server().saw_plain_http());
    talk.server().SendPlain("HTTP/1.1 400 Bad Request\r\n\r\n");
    EXPECT_EQ(talk.ClientReadRaw(), "HTTP/1.1 400 Bad Request\r\n\r\n");
  }
}

TEST_F(TlsStreamOddTest, GarbageIsAFailureThatIsNotTakenForHttp) {
  Conversation talk(loop_, server_.MakeContext(), {});
  talk.ClientSendRaw(std::string(1000, '\xff'));
  loop_.RunOnce(false);
  EXPECT_TRUE(talk.failed());
  EXPECT_FALSE(talk.server().saw_plain_http());
  EXPECT_NE(talk.server().failure(), "");
}

TEST_F(TlsStreamOddTest, AHelloWithoutEndIsCutOff) {
  // Fragments of one ClientHello that says it is 16 MiB long, and one that is in bounds.
  for (const char* announced : {"\xff\xff\xff", "\x01\xf0\x00"}) {
    Conversation endless(loop_, server_.MakeContext(), {});
    std::string message =
        std::string("\x01") + std::string(announced, 3) + std::string("\x03\x03") + std::string(16378, 'x');
    for (int i = 0; i < 12 && !endless.failed(); ++i) {
      endless.ClientSendRaw(std::string("\x16\x03\x01\x40\x00", 5) + message);
      message.assign(16384, 'x');
      loop_.RunOnce(false);
    }
    EXPECT_TRUE(endless.failed());
  }
}

TEST_F(TlsStreamOddTest, EveryChangedByteOfAHelloIsServedOrRefusedAndNothingElse) {
  ClientOptions options;
  options.protocols = {"http/1.1"};
  const auto context = server_.MakeContext();
  const size_t size = Conversation(loop_, context, options).TakeFromClient().size();
  ASSERT_GT(size, 200U);
  for (size_t i = 0; i < size; ++i) {
    Conversation talk(loop_, context, options);
    std::string hello = talk.TakeFromClient();
    hello[i] = static_cast<char>(~hello[i]);
    talk.ClientSendRaw(hello);
    loop_.RunOnce(false);
    EXPECT_FALSE(talk.ready()) << i;
    EXPECT_FALSE(talk.server().HasUnsent()) << i;
    EXPECT_EQ(ERR_peek_error(), 0U) << i;
  }
}

TEST_F(TlsStreamOddTest, AnEmptyListOfProtocolsIsRefused) {
  const std::string offered("\x00\x10\x00\x04\x00\x02\x01x", 8);
  for (const std::string& changed : {std::string("\x00\x10\x00\x04\x00\x00\x01x", 8),
                                     std::string("\x00\x10\x00\x04\x00\x02\x00\x00", 8)}) {
    ClientOptions options;
    options.protocols = {"x"};
    Conversation talk(loop_, server_.MakeContext(), options);
    std::string hello = talk.TakeFromClient();
    const size_t at = hello.find(offered);
    ASSERT_NE(at, std::string::npos);
    hello.replace(at, changed.size(), changed);
    talk.ClientSendRaw(hello);
    loop_.RunOnce(false);
    EXPECT_TRUE(talk.failed());
  }
}

TEST_F(TlsStreamOddTest, RenegotiationIsRefused) {
  ClientOptions options;
  options.version = TLS1_2_VERSION;
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  SSL_renegotiate(talk.client());
  SSL_do_handshake(talk.client());
  talk.Settle();
  IoStatus end{};
  talk.ServerRead(&end);
  talk.Settle();
  EXPECT_THAT(talk.client_error(), HasSubstr("no renegotiation"));
}

TEST_F(TlsStreamOddTest, EndlessKeyUpdatesEndTheConnection) {
  ClientOptions options;
  options.version = TLS1_3_VERSION;
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  IoStatus end = IoStatus::kWouldBlock;
  int updates = 0;
  for (; updates < 10000 && end == IoStatus::kWouldBlock; ++updates) {
    SSL_key_update(talk.client(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(talk.client());
    talk.CarryNow();
    loop_.RunOnce(false);
    talk.ServerRead(&end);
    talk.ClientRead();
    talk.ClientReadRaw();
  }
  EXPECT_EQ(end, IoStatus::kError);
  EXPECT_LT(updates, 4000);
}

TEST_F(TlsStreamOddTest, KeyUpdatesOfAClientThatDoesNotReadAreKeptWithinABound) {
  ClientOptions options;
  options.version = TLS1_3_VERSION;
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  talk.StopCarrying(true);
  const std::string text(64 * 1024, 'x');
  while (talk.server().Write(text).status == IoStatus::kOk) continue;
  // A byte of data between the updates, so that they are not quiet.
  for (int i = 0; i < 8000; ++i) {
    SSL_key_update(talk.client(), SSL_KEY_UPDATE_REQUESTED);
    SSL_write(talk.client(), "x", 1);
    if (!talk.TryCarryNow()) break;
    loop_.RunOnce(false);
    IoStatus end{};
    talk.ServerRead(&end);
    ASSERT_NE(end, IoStatus::kEnd);
    if (end == IoStatus::kError) break;
  }
  EXPECT_LE(talk.server().unsent_size(), SocketBio::kMostUnsent);
}

TEST_F(TlsStreamOddTest, ATicketGoesAtOnceToAClientThatHasAskedNothingYet) {
  ClientOptions options;
  options.version = TLS1_3_VERSION;
  Conversation talk(loop_, server_.MakeContext(), options);
  ASSERT_TRUE(talk.Handshake());
  talk.Settle();
  talk.ClientRead();
  EXPECT_NE(talk.session(), nullptr);
}

}  // namespace
}  // namespace gatebook::tls
