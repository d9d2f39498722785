#include "net/signal.h"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>

#include "tests/net/loop_driver.h"

namespace gatebook::net {
namespace {

TEST(Signal, IsAnEventOfTheLoopEachTimeItComes) {
  Loop loop;
  int came = 0;
  const Signal signal(loop, SIGUSR2, [&] { ++came; });
  for (int times = 1; times <= 3; ++times) {
    std::raise(SIGUSR2);
    EXPECT_EQ(came, times - 1);  // not inside the handler
    ASSERT_TRUE(RunUntil(loop, [&] { return came == times; }));
  }
}

TEST(Signal, SignalsAreToldApart) {
  Loop loop;
  int hangups = 0;
  int terminations = 0;
  const Signal hangup(loop, SIGHUP, [&] { ++hangups; });
  const Signal termination(loop, SIGTERM, [&] { ++terminations; });
  std::raise(SIGTERM);
  ASSERT_TRUE(RunUntil(loop, [&] { return terminations == 1; }));
  EXPECT_EQ(hangups, 0);
}

TEST(Signal, DestroyingItRestoresTheFormerAction) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(sigaction(SIGUSR2, &ignore, nullptr), 0);
  Loop loop;
  int came = 0;
  auto signal = std::make_unique<Signal>(loop, SIGUSR2, [&] { ++came; });
  struct sigaction now {};
  sigaction(SIGUSR2, nullptr, &now);
  EXPECT_NE(now.sa_handler, SIG_IGN);
  signal.reset();
  sigaction(SIGUSR2, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
  std::raise(SIGUSR2);
  RunReady(loop);
  EXPECT_EQ(came, 0);
}

}  // namespace
}  // namespace gatebook::net
