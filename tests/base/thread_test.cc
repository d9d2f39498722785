#include "base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

namespace gatebook::base {
namespace {

std::string NameOfThisThread() {
  std::array<char, 16> name{};
  EXPECT_EQ(::pthread_getname_np(::pthread_self(), name.data(), name.size()), 0);
  return name.data();
}

int NicenessOfThisThread() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

TEST(Thread, HasANameAndAPriorityOfItsOwn) {
  const int before = NicenessOfThisThread();
  std::string name;
  int niceness = 0;
  StartThread(
      "gb:test", [&] { name = NameOfThisThread(), niceness = NicenessOfThisThread(); },
      Niceness::kBehindWorkers)
      .join();
  EXPECT_EQ(name, "gb:test");
  EXPECT_EQ(niceness, static_cast<int>(Niceness::kBehindWorkers));
  EXPECT_EQ(NicenessOfThisThread(), before);
}

TEST(Thread, ANameThatIsTooLongIsCut) {
  std::string name;
  StartThread("gb:0123456789abcdef", [&] { name = NameOfThisThread(); }).join();
  EXPECT_EQ(name, "gb:0123456789ab");
}

}  // namespace
}  // namespace gatebook::base
