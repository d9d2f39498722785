#include "net/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tests/net/loop_driver.h"
#include "tests/support/temp_directory.h"

namespace gatebook::net {
namespace {

base::UniqueFd ConnectTo(const SocketAddress& address) {
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.get(), address.size()) != 0) fd.Reset();
  return fd;
}

SocketAddress LoopbackAt(uint16_t port) {
  return SocketAddress::FromIp(*base::IpAddress::Parse("127.0.0.1"), port);
}

SocketAddress BoundAddress(int fd) {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return LoopbackAt(ntohs(bound.sin_port));
}

// Listens, and keeps what it accepts.
class Gate {
 public:
  Gate(Loop& loop, base::UniqueFd fd)
      : listener(
            loop, std::move(fd),
            [this](base::UniqueFd accepted, std::optional<base::IpAddress> ip) {
              fds.push_back(std::move(accepted));
              ips.push_back(ip);
            },
            [this] { ++out_of_descriptors; }) {}

  std::vector<base::UniqueFd> fds;
  std::vector<std::optional<base::IpAddress>> ips;
  int out_of_descriptors = 0;
  Listener listener;
};

class ListenerTest : public testing::Test {
 protected:
  support::TempDirectory directory_;
  const std::string path_ = directory_.Path("a.sock");
  const SocketAddress unix_address_ = *SocketAddress::FromUnixPath(path_);
  Loop loop_;
};

TEST_F(ListenerTest, HandsOverConnectionsWithTheAddressOfThePeer) {
  auto fd = BindListener(LoopbackAt(0), "127.0.0.1:0", 0);
  ASSERT_TRUE(fd.ok());
  const SocketAddress address = BoundAddress(fd->get());
  Gate gate(loop_, std::move(*fd));
  const base::UniqueFd client = ConnectTo(address);
  ASSERT_TRUE(RunUntil(loop_, [&] { return gate.fds.size() == 1; }));
  EXPECT_EQ(gate.ips[0], base::IpAddress::Parse("127.0.0.1"));
  EXPECT_NE(::fcntl(gate.fds[0].get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(gate.fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ListenerTest, AUnixPeerHasNoAddressAndTheSocketItsMode) {
  auto fd = BindListener(unix_address_, path_, 0660);
  ASSERT_TRUE(fd.ok());
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660U);
  Gate gate(loop_, std::move(*fd));
  const base::UniqueFd client = ConnectTo(unix_address_);
  ASSERT_TRUE(RunUntil(loop_, [&] { return gate.fds.size() == 1; }));
  EXPECT_EQ(gate.ips[0], std::nullopt);
}

TEST_F(ListenerTest, SeveralMayListenOnOnePort) {
  auto first = BindListener(LoopbackAt(0), "a", 0);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(BindListener(BoundAddress(first->get()), "b", 0).ok());
}

TEST_F(ListenerTest, APortThatAnotherProgramHoldsIsAnErrorWithItsAddress) {
  const base::UniqueFd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any = LoopbackAt(0);
  ASSERT_EQ(::bind(other.get(), any.get(), any.size()), 0);
  ASSERT_EQ(::listen(other.get(), 1), 0);
  const auto fd = BindListener(BoundAddress(other.get()), "127.0.0.1:8443", 0);
  ASSERT_FALSE(fd.ok());
  EXPECT_EQ(fd.error().exit_code, base::ExitCode::kCannotCreate);
  EXPECT_NE(fd.error().message.find("cannot listen on 127.0.0.1:8443"), std::string::npos)
      << fd.error().message;
}

TEST_F(ListenerTest, AUnixSocketThatADeadProcessLeftIsReplaced) {
  { ASSERT_TRUE(BindListener(unix_address_, path_, 0600).ok()); }  // closed, and its name is still there
  ASSERT_EQ(::access(path_.c_str(), F_OK), 0);
  auto fd = BindListener(unix_address_, path_, 0600);
  ASSERT_TRUE(fd.ok());
  EXPECT_TRUE(ConnectTo(unix_address_).IsValid());
}

TEST_F(ListenerTest, AUnixSocketThatAnswersIsLeftAlone) {
  auto living = BindListener(unix_address_, path_, 0600);
  ASSERT_TRUE(living.ok());
  const auto second = BindListener(unix_address_, path_, 0600);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().exit_code, base::ExitCode::kCannotCreate);
  EXPECT_TRUE(ConnectTo(unix_address_).IsValid());
}

TEST_F(ListenerTest, AUnixSocketWhoseOwnerIsTooBusyToAnswerIsLeftAloneToo) {
  const base::UniqueFd busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(busy.get(), unix_address_.get(), unix_address_.size()), 0);
  ASSERT_EQ(::listen(busy.get(), 0), 0);
  std::vector<base::UniqueFd> waiting;
  do {
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  } while (::connect(waiting.back().get(), unix_address_.get(), unix_address_.size()) == 0);
  ASSERT_EQ(errno, EAGAIN);
  EXPECT_FALSE(BindListener(unix_address_, path_, 0600).ok());  // and comes back at all
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(ListenerTest, AFileThatIsNoSocketIsNotRemoved) {
  directory_.Write("a.sock", "precious");
  const auto fd = BindListener(unix_address_, path_, 0600);
  ASSERT_FALSE(fd.ok());
  EXPECT_EQ(support::ReadFile(path_), "precious");
}

TEST_F(ListenerTest, AFullQueueDoesNotStarveTheRestOfTheLoop) {
  auto fd = BindListener(unix_address_, path_, 0600);
  ASSERT_TRUE(fd.ok());
  Gate gate(loop_, std::move(*fd));
  std::vector<base::UniqueFd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(ConnectTo(unix_address_));
  loop_.RunOnce(false);
  EXPECT_EQ(gate.fds.size(), 64U);
  loop_.RunOnce(false);
  EXPECT_EQ(gate.fds.size(), 100U);
}

TEST_F(ListenerTest, WhatWaitsCanBeTakenInBeforeTheEnd) {
  auto fd = BindListener(unix_address_, path_, 0600);
  ASSERT_TRUE(fd.ok());
  std::vector<base::UniqueFd> clients;
  {
    Gate gate(loop_, std::move(*fd));
    for (int i = 0; i < 100; ++i) clients.push_back(ConnectTo(unix_address_));
    gate.listener.AcceptWaiting();
    EXPECT_EQ(gate.fds.size(), 100U);
  }
  EXPECT_FALSE(ConnectTo(unix_address_).IsValid());  // closed
}

// In a process of its own, whose descriptors run out. The child's exit code is the line that failed.
TEST_F(ListenerTest, OutOfDescriptorsItClosesOnePausesAndGoesOnLater) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto require = [](bool holds, int step) {
      if (!holds) ::_exit(step);
    };
    Loop loop;
    auto fd = BindListener(unix_address_, path_, 0600);
    require(fd.ok(), 1);
    Gate gate(loop, std::move(*fd));
    const base::UniqueFd first = ConnectTo(unix_address_);
    const base::UniqueFd second = ConnectTo(unix_address_);
    const rlimit few{64, 64};
    require(first.IsValid() && second.IsValid() && ::setrlimit(RLIMIT_NOFILE, &few) == 0, 2);
    std::vector<base::UniqueFd> hoard;
    for (int copy; (copy = ::dup(STDERR_FILENO)) >= 0;) hoard.emplace_back(copy);

    // The first in the queue is told by a close, not left hanging.
    require(RunUntil(loop, [&] { return gate.out_of_descriptors == 1; }), 3);
    require(gate.fds.empty(), 4);
    char byte;
    require(::recv(first.get(), &byte, 1, 0) == 0, 5);

    // The second waits a pause of 100 ms, in which the loop ticks and does not spin.
    int turns = 0;
    while (gate.out_of_descriptors == 1 && turns < 1000) {
      loop.RunOnce(true);
      ++turns;
    }
    require(gate.out_of_descriptors == 2 && turns < 20, 6);
    require(::recv(second.get(), &byte, 1, 0) == 0, 7);

    hoard.resize(hoard.size() - 3);
    const base::UniqueFd third = ConnectTo(unix_address_);
    require(third.IsValid() && RunUntil(loop, [&] { return gate.fds.size() == 1; }), 8);
    require(gate.out_of_descriptors == 2, 9);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace gatebook::net
