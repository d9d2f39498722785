#include "net/socket_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "tests/net/loop_driver.h"
#include "tests/support/temp_directory.h"

namespace gatebook::net {
namespace {

class Recorder final : public StreamHandler {
 public:
  void OnStreamReady() override {
    ++ready;
    if (on_ready) on_ready();
  }
  void OnStreamFailed() override { ++failed; }

  int ready = 0;
  int failed = 0;
  std::function<void()> on_ready;
};

uint16_t PortOf(int fd) {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.sin_port);
}

base::UniqueFd BoundToLoopback() {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), 0);
  EXPECT_EQ(::bind(fd.get(), address.get(), address.size()), 0);
  return fd;
}

// Two connected ends; the first is non-blocking.
std::pair<base::UniqueFd, base::UniqueFd> UnixPair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

std::pair<base::UniqueFd, base::UniqueFd> TcpPair() {
  const base::UniqueFd listening = BoundToLoopback();
  EXPECT_EQ(::listen(listening.get(), 1), 0);
  base::UniqueFd peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), PortOf(listening.get()));
  EXPECT_EQ(::connect(peer.get(), address.get(), address.size()), 0);
  base::UniqueFd mine(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(mine.IsValid());
  return {std::move(mine), std::move(peer)};
}

bool IsReadable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 20000) == 1;
}

class SocketStreamTest : public testing::TestWithParam<bool> {
 protected:
  SocketStreamTest() {
    auto [mine, peer] = GetParam() ? TcpPair() : UnixPair();
    peer_ = std::move(peer);
    stream_ = SocketStream::Accepted(loop_, std::move(mine), handler_);
  }

  void Send(std::string_view bytes) {
    ASSERT_EQ(::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    // On loopback the bytes are there when send() returns; the loop only has to look.
    ASSERT_TRUE(IsReadable(stream_->fd()));
  }
  // What is there, and how it ended: kWouldBlock, kEnd or kError.
  std::pair<std::string, IoStatus> ReadAll(size_t at_once = 1000) {
    std::string all;
    std::string piece(at_once, '\0');
    while (true) {
      const IoResult result = stream_->Read(piece);
      if (result.status != IoStatus::kOk) return {all, result.status};
      EXPECT_GT(result.bytes, 0U);
      all.append(piece, 0, result.bytes);
    }
  }
  std::string PeerReads(size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = ::recv(peer_.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }

  Loop loop_;
  Recorder handler_;
  base::UniqueFd peer_;
  std::unique_ptr<SocketStream> stream_;
};

using Result = std::pair<std::string, IoStatus>;

TEST_P(SocketStreamTest, TheLastBytesTakeTheEndWithThem) {
  const IoResult result = stream_->WriteLast("the last words");
  EXPECT_EQ(result.status, IoStatus::kOk);
  EXPECT_EQ(result.bytes, 14U);
  stream_->ShutdownWrite();  // again is nothing
  EXPECT_EQ(PeerReads(1000), "the last words");
}

TEST(SocketStreamPackets, TheLastBytesAndTheEndAreOnePacket) {
  Loop loop;
  Recorder handler;
  auto [mine, peer] = TcpPair();
  const auto packets = [&peer = peer] {
    tcp_info info{};
    socklen_t size = sizeof info;
    EXPECT_EQ(::getsockopt(peer.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_segs_in;
  };
  const auto stream = SocketStream::Accepted(loop, std::move(mine), handler);
  const auto before = packets();
  ASSERT_EQ(stream->WriteLast("the last words").status, IoStatus::kOk);
  char bytes[100];
  EXPECT_EQ(::recv(peer.get(), bytes, sizeof bytes, 0), 14);
  EXPECT_EQ(::recv(peer.get(), bytes, sizeof bytes, 0), 0);
  EXPECT_EQ(packets() - before, 1U);
}

TEST_P(SocketStreamTest, ReadsWhatComesAndThenWouldBlock) {
  Send("hello");
  RunReady(loop_);
  EXPECT_GE(handler_.ready, 1);
  EXPECT_EQ(ReadAll(), Result("hello", IoStatus::kWouldBlock));
  EXPECT_EQ(ReadAll(), Result("", IoStatus::kWouldBlock));
}

TEST_P(SocketStreamTest, ReadsOnAfterAShortReadWhenMoreHasCome) {
  for (int i = 0; i < 50; ++i) {
    Send("piece");
    RunReady(loop_);
    ASSERT_EQ(ReadAll(), Result("piece", IoStatus::kWouldBlock));
  }
}

TEST_P(SocketStreamTest, APieceReadByteByByteIsWhole) {
  Send("piece by piece");
  RunReady(loop_);
  EXPECT_EQ(ReadAll(1), Result("piece by piece", IoStatus::kWouldBlock));
}

TEST_P(SocketStreamTest, BytesThatComeWhileReadingAreNotForgotten) {
  Send("first");
  RunReady(loop_);
  std::string five(5, '\0');
  ASSERT_EQ(stream_->Read(five).bytes, 5U);  // not short: there may be more
  Send("second");
  EXPECT_EQ(ReadAll().first, "second");
}

TEST_P(SocketStreamTest, AnEndThatComesWithTheLastBytesIsSeenBehindThem) {
  Send("last words");
  ::shutdown(peer_.get(), SHUT_WR);
  RunReady(loop_);
  EXPECT_EQ(ReadAll(), Result("last words", IoStatus::kEnd));
}

TEST_P(SocketStreamTest, AnEndThatComesAfterAShortReadIsAnEventOfItsOwn) {
  Send("words");
  RunReady(loop_);
  EXPECT_EQ(ReadAll(), Result("words", IoStatus::kWouldBlock));
  const int ready = handler_.ready;
  ::shutdown(peer_.get(), SHUT_WR);
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.ready > ready; }));
  EXPECT_EQ(ReadAll(), Result("", IoStatus::kEnd));
  EXPECT_EQ(ReadAll(), Result("", IoStatus::kEnd));  // and stays so
}

// The edge told of bytes only; the end came between the edge and the read.
TEST_P(SocketStreamTest, AnEndThatComesBetweenTheEventAndTheReadIsSeen) {
  Send("words");
  RunReady(loop_);
  ::shutdown(peer_.get(), SHUT_WR);
  Result all = ReadAll();
  EXPECT_EQ(all.first, "words");
  if (all.second == IoStatus::kWouldBlock) {
    ASSERT_TRUE(RunUntil(loop_, [&] {
      all = ReadAll();
      return all.second != IoStatus::kWouldBlock;
    }));
  }
  EXPECT_EQ(all.second, IoStatus::kEnd);
}

TEST_P(SocketStreamTest, AfterThePeersEndItCanStillBeWrittenTo) {
  ::shutdown(peer_.get(), SHUT_WR);
  RunReady(loop_);
  EXPECT_EQ(ReadAll().second, IoStatus::kEnd);
  EXPECT_EQ(stream_->Write("answer").bytes, 6U);
  EXPECT_EQ(PeerReads(6), "answer");
}

TEST_P(SocketStreamTest, AfterItsOwnEndItCanStillRead) {
  stream_->ShutdownWrite();
  EXPECT_EQ(PeerReads(1), "");
  Send("still here");
  RunReady(loop_);
  EXPECT_EQ(ReadAll().first, "still here");
}

TEST_P(SocketStreamTest, WritesUntilItWouldBlockAndGoesOnWhenThereIsRoom) {
  constexpr size_t kTotal = 8 << 20;
  std::string sent(kTotal, '\0');
  for (size_t i = 0; i < kTotal; ++i) sent[i] = static_cast<char>(i * 31 + i / 4096);
  size_t written = 0;
  int blocked = 0;
  handler_.on_ready = [&] {
    while (written < kTotal) {
      const IoResult result = stream_->Write(std::string_view(sent).substr(written, 300'000));
      if (result.status == IoStatus::kWouldBlock) {
        ++blocked;
        return;
      }
      ASSERT_EQ(result.status, IoStatus::kOk);
      ASSERT_GT(result.bytes, 0U);
      written += result.bytes;
    }
  };
  ASSERT_TRUE(RunUntil(loop_, [&] { return blocked > 0; }));
  ASSERT_LT(written, kTotal);
  const int ready = handler_.ready;
  RunReady(loop_);
  EXPECT_EQ(handler_.ready, ready);  // nothing to say while the peer does not read

  std::string received;
  ::fcntl(peer_.get(), F_SETFL, O_NONBLOCK);
  ASSERT_TRUE(RunUntil(loop_, [&] {
    char bytes[65536];
    ssize_t got;
    while ((got = ::recv(peer_.get(), bytes, sizeof bytes, 0)) > 0)
      received.append(bytes, static_cast<size_t>(got));
    return received.size() == kTotal;
  }));
  EXPECT_TRUE(received == sent);
}

TEST_P(SocketStreamTest, WritingToAPeerThatIsGoneIsAnErrorAndNoSignal) {
  peer_.Reset();
  IoResult result{IoStatus::kOk};
  ASSERT_TRUE(RunUntil(loop_, [&] {
    result = stream_->Write("anyone?");
    return result.status == IoStatus::kError;
  }));
  EXPECT_TRUE(stream_->error_number() == EPIPE || stream_->error_number() == ECONNRESET)
      << stream_->error_number();
}

TEST_P(SocketStreamTest, NothingHappeningIsNoEvent) {
  RunReady(loop_);
  const int ready = handler_.ready;
  for (int i = 0; i < 20; ++i) loop_.RunOnce(false);
  EXPECT_EQ(handler_.ready, ready);
}

TEST_P(SocketStreamTest, DestroyingItClosesTheConnection) {
  Send("unread");
  RunReady(loop_);
  EXPECT_EQ(ReadAll().first, "unread");
  stream_.reset();
  EXPECT_EQ(PeerReads(1), "");
  RunReady(loop_);
}

INSTANTIATE_TEST_SUITE_P(Over, SocketStreamTest, testing::Bool(), [](const auto& test) {
  return test.param ? std::string("Tcp") : std::string("Unix");
});

TEST(SocketStream, AResetIsAnErrorToTheReader) {
  Loop loop;
  Recorder handler;
  auto [mine, peer] = TcpPair();
  const auto stream = SocketStream::Accepted(loop, std::move(mine), handler);
  RunReady(loop);
  const linger at_once{1, 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  peer.Reset();
  IoResult result{IoStatus::kWouldBlock};
  char byte;
  ASSERT_TRUE(RunUntil(loop, [&] {
    result = stream->Read({&byte, 1});
    return result.status != IoStatus::kWouldBlock;
  }));
  EXPECT_EQ(result.status, IoStatus::kError);
  EXPECT_EQ(stream->error_number(), ECONNRESET);
}

// An early answer and a reset, and a write that meets the reset first: the answer is still read, and
// what comes behind it is not taken for a good end.
TEST(SocketStream, AResetThatAWriteMetIsStillAnErrorBehindWhatCameBefore) {
  Loop loop;
  Recorder handler;
  auto [mine, peer] = TcpPair();
  const auto stream = SocketStream::Accepted(loop, std::move(mine), handler);
  RunReady(loop);
  ASSERT_EQ(::send(peer.get(), "early answer", 12, MSG_NOSIGNAL), 12);
  const linger at_once{1, 0};
  setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  peer.Reset();
  ASSERT_TRUE(RunUntil(loop, [&] { return stream->Write("the rest of it").status == IoStatus::kError; }));
  EXPECT_EQ(stream->Write("more").status, IoStatus::kError);
  std::string all(100, '\0');
  const IoResult words = stream->Read(all);
  EXPECT_EQ(words.status, IoStatus::kOk);
  EXPECT_EQ(all.substr(0, words.bytes), "early answer");
  EXPECT_EQ(stream->Read(all).status, IoStatus::kError);
  EXPECT_EQ(stream->error_number(), ECONNRESET);
}

TEST(SocketStream, ADescriptorThatCannotBeWatchedIsNone) {
  Loop loop;
  Recorder handler;
  support::TempDirectory directory;
  base::UniqueFd file(::open(directory.Write("file", "x").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(SocketStream::Accepted(loop, std::move(file), handler), nullptr);
}

TEST(SocketStream, ConnectingIsToldLaterAndThenItCanBeWritten) {
  Loop loop;
  Recorder handler;
  const base::UniqueFd listening = BoundToLoopback();
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  auto stream = SocketStream::Connect(
      loop, SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), PortOf(listening.get())), handler);
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(handler.ready, 0);
  EXPECT_EQ((*stream)->Write("too early").status, IoStatus::kWouldBlock);
  char byte;
  EXPECT_EQ((*stream)->Read({&byte, 1}).status, IoStatus::kWouldBlock);
  ASSERT_TRUE(RunUntil(loop, [&] { return handler.ready > 0; }));
  EXPECT_EQ(handler.failed, 0);
  EXPECT_EQ((*stream)->Write("hello").bytes, 5U);
  const base::UniqueFd peer(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  char bytes[5];
  EXPECT_EQ(::recv(peer.get(), bytes, sizeof bytes, MSG_WAITALL), 5);
}

TEST(SocketStream, ARefusedConnectIsToldOnceAndNothingAfterIt) {
  Loop loop;
  Recorder handler;
  const base::UniqueFd bound = BoundToLoopback();  // and does not listen
  auto stream = SocketStream::Connect(
      loop, SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), PortOf(bound.get())), handler);
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(handler.failed, 0);
  ASSERT_TRUE(RunUntil(loop, [&] { return handler.failed > 0; }));
  EXPECT_EQ((*stream)->error_number(), ECONNREFUSED);
  RunReady(loop);
  EXPECT_EQ(handler.failed, 1);
  EXPECT_EQ(handler.ready, 0);
}

TEST(SocketStream, AUnixPathWhereNobodyIsFailsAtOnceWithoutACallback) {
  Loop loop;
  Recorder handler;
  support::TempDirectory directory;
  const auto stream =
      SocketStream::Connect(loop, *SocketAddress::FromUnixPath(directory.Path("none")), handler);
  EXPECT_FALSE(stream.ok());
  RunReady(loop);
  EXPECT_EQ(handler.failed + handler.ready, 0);
}

TEST(SocketStream, AConnectThatIsGivenUpIsNotToldOf) {
  Loop loop;
  Recorder handler;
  const base::UniqueFd listening = BoundToLoopback();
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  {
    auto stream = SocketStream::Connect(
        loop, SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), PortOf(listening.get())), handler);
    ASSERT_TRUE(stream.ok());
  }
  RunReady(loop);
  EXPECT_EQ(handler.failed + handler.ready, 0);
}

}  // namespace
}  // namespace gatebook::net
