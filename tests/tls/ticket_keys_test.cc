#include "tls/ticket_keys.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace gatebook::tls {
namespace {

using namespace std::chrono_literals;

class TicketKeysTest : public testing::Test {
 protected:
  base::ManualClock clock_{base::WallTime{}};
  std::shared_ptr<TicketKeys> keys_ = *TicketKeys::Make(1h, clock_);
};

TEST_F(TicketKeysTest, TheFirstKeyHasNoPredecessor) {
  TicketKeyPair copy;
  keys_->Refresh(copy);
  EXPECT_TRUE(copy.current.usable);
  EXPECT_FALSE(copy.previous.usable);
}

TEST_F(TicketKeysTest, ARotationMakesTheCurrentKeyThePreviousOne) {
  TicketKeyPair first;
  keys_->Refresh(first);
  clock_.Advance(1h - 1ns);
  TicketKeyPair same;
  keys_->Refresh(same);
  EXPECT_EQ(same.current.name, first.current.name);
  clock_.Advance(1ns);
  TicketKeyPair second;
  keys_->Refresh(second);
  EXPECT_NE(second.current.name, first.current.name);
  EXPECT_NE(second.current.cipher_key, first.current.cipher_key);
  EXPECT_NE(second.current.mac_key, first.current.mac_key);
  EXPECT_EQ(second.previous.name, first.current.name);
  EXPECT_EQ(second.previous.cipher_key, first.current.cipher_key);
}

TEST_F(TicketKeysTest, AKeyTwoRotationsOldIsForgottenEvenIfNobodyLooked) {
  TicketKeyPair copy;
  keys_->Refresh(copy);
  clock_.Advance(2h);
  keys_->Refresh(copy);
  EXPECT_FALSE(copy.previous.usable);
}

TEST_F(TicketKeysTest, AllWorkersGetTheSameKeys) {
  constexpr int kWorkers = 4;
  clock_.Advance(1h);
  std::vector<TicketKeyPair> copies(kWorkers);
  std::vector<std::thread> workers;
  for (TicketKeyPair& copy : copies) {
    workers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) keys_->Refresh(copy);
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (const TicketKeyPair& copy : copies) {
    EXPECT_EQ(copy.generation, 2U);
    EXPECT_EQ(copy.current.name, copies[0].current.name);
    EXPECT_EQ(copy.previous.name, copies[0].previous.name);
  }
}

}  // namespace
}  // namespace gatebook::tls
