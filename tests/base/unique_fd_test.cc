#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace gatebook::base {
namespace {

int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFd, DestroyingItClosesTheDescriptor) {
  int fd;
  {
    const UniqueFd owner(OpenNull());
    ASSERT_TRUE(owner.IsValid());
    fd = owner.get();
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFd, MovingHandsTheDescriptorOverAndClosesTheFormerOne) {
  UniqueFd first(OpenNull());
  UniqueFd second(OpenNull());
  const int kept = first.get();
  const int lost = second.get();
  second = std::move(first);
  EXPECT_FALSE(first.IsValid());  // NOLINT(bugprone-use-after-move): it is promised
  EXPECT_EQ(second.get(), kept);
  EXPECT_TRUE(IsOpen(kept));
  EXPECT_FALSE(IsOpen(lost));
  UniqueFd& same = second;
  second = std::move(same);
  EXPECT_TRUE(IsOpen(kept));
}

TEST(UniqueFd, AReleasedDescriptorStaysOpen) {
  UniqueFd owner(OpenNull());
  const int fd = owner.Release();
  EXPECT_FALSE(owner.IsValid());
  owner.Reset();
  EXPECT_TRUE(IsOpen(fd));
  ::close(fd);
}

}  // namespace
}  // namespace gatebook::base
