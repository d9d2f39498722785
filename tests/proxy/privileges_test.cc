#include "proxy/privileges.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>

#include "base/unique_fd.h"
#include "net/socket_address.h"
#include "tests/support/temp_directory.h"

namespace gatebook::proxy {
namespace {

// The exit code of `body`, run in a process of its own.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Privileges, NoUserAndTheSameUserChangeNothing) {
  EXPECT_TRUE(BecomeUser("").ok());
  const passwd* me = getpwuid(geteuid());
  ASSERT_NE(me, nullptr);
  EXPECT_TRUE(BecomeUser(me->pw_name).ok());
}

TEST(Privileges, AnUnknownUserIsAnErrorOfTheConfig) {
  const auto status = BecomeUser("no-such-user-here");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().exit_code, base::ExitCode::kConfig);
  EXPECT_NE(status.error().message.find("no-such-user-here"), std::string::npos);
}

// As root: the ids are gone for good. As anybody else: a clear refusal.
TEST(Privileges, RootIsGivenUpForGoodOrNotClaimedToBe) {
  const bool root = geteuid() == 0;
  EXPECT_EQ(InChild([root] {
              const auto status = BecomeUser("nobody");
              if (!root) return status.ok() ? 1 : 0;
              const passwd* nobody = getpwnam("nobody");
              if (!status.ok() || geteuid() != nobody->pw_uid || getuid() != nobody->pw_uid) return 2;
              if (getegid() != nobody->pw_gid || setuid(0) == 0 || seteuid(0) == 0) return 3;
              gid_t groups[64];
              const int count = getgroups(64, groups);
              for (int i = 0; i < count; ++i) {
                if (groups[i] == 0) return 4;
              }
              return 0;
            }),
            0);
}

TEST(Privileges, ManyDescriptorsAndNoCore) {
  EXPECT_EQ(InChild([] {
              SetProcessLimits();
              rlimit limit{};
              getrlimit(RLIMIT_NOFILE, &limit);
              if (limit.rlim_cur != limit.rlim_max) return 1;
              getrlimit(RLIMIT_CORE, &limit);
              if (limit.rlim_cur != 0 || limit.rlim_max != 0) return 2;
              return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 3;
            }),
            0);
}

class NotifyTest : public testing::Test {
 protected:
  ~NotifyTest() override { ::unsetenv("NOTIFY_SOCKET"); }

  static std::string Receive(int fd) {
    char bytes[256];
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return {bytes, got > 0 ? static_cast<size_t>(got) : 0};
  }
};

TEST_F(NotifyTest, TheServiceManagerIsToldAtItsPath) {
  const support::TempDirectory directory;
  const std::string path = directory.Path("notify");
  const auto address = *net::SocketAddress::FromUnixPath(path);
  const base::UniqueFd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(manager.get(), address.get(), address.size()), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  NotifyServiceManager("READY=1");
  NotifyServiceManager("STOPPING=1\nSTATUS=draining");
  EXPECT_EQ(Receive(manager.get()), "READY=1");
  EXPECT_EQ(Receive(manager.get()), "STOPPING=1\nSTATUS=draining");
}

TEST_F(NotifyTest, AnAbstractSocketIsToldToo) {
  const std::string name = "@gatebook-test-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
  const base::UniqueFd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
            0);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  NotifyServiceManager("READY=1");
  EXPECT_EQ(Receive(manager.get()), "READY=1");
}

TEST_F(NotifyTest, NobodyToTellIsNoTrouble) {
  ::unsetenv("NOTIFY_SOCKET");
  NotifyServiceManager("READY=1");
  ::setenv("NOTIFY_SOCKET", "", 1);
  NotifyServiceManager("READY=1");
  ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
  NotifyServiceManager("READY=1");
  ::setenv("NOTIFY_SOCKET", std::string(500, 'x').c_str(), 1);
  NotifyServiceManager("READY=1");
}

}  // namespace
}  // namespace gatebook::proxy
