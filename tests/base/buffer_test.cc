#include "base/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

namespace gatebook::base {
namespace {

TEST(Buffer, AnEmptyOneHoldsNoStorage) {
  BufferPool pool;
  Buffer buffer(pool);
  EXPECT_TRUE(buffer.IsEmpty());
  EXPECT_EQ(buffer.data(), "");
  EXPECT_TRUE(buffer.room().empty());
  buffer.Append("");
  buffer.Reserve(0);
  buffer.Consume(0);
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(pool.taken(), 0U);
}

TEST(Buffer, BytesComeOutInTheOrderTheyWentIn) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.Append("hello ");
  buffer.Append("world");
  EXPECT_EQ(buffer.data(), "hello world");
  buffer.Consume(6);
  EXPECT_EQ(buffer.data(), "world");
  buffer.Append("!");
  EXPECT_EQ(buffer.data(), "world!");
}

TEST(Buffer, RoomIsFilledByTheCallerAndCommitted) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.Reserve(100);
  ASSERT_GE(buffer.room().size(), 100U);
  std::memcpy(buffer.room().data(), "abcdef", 6);
  buffer.Commit(6);
  EXPECT_EQ(buffer.data(), "abcdef");
}

TEST(Buffer, WhatStaysDoesNotMoveWhenItsFrontIsConsumed) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.Append("headbody");
  const char* body = buffer.data().data() + 4;
  buffer.Consume(4);
  EXPECT_EQ(buffer.data().data(), body);
}

TEST(Buffer, TheRoomOfConsumedBytesIsUsedAgain) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.Append(std::string(BufferPool::kSmall, 'a'));
  buffer.Consume(BufferPool::kSmall - 10);
  buffer.Append(std::string(BufferPool::kSmall - 10, 'b'));
  EXPECT_EQ(buffer.data(), std::string(10, 'a') + std::string(BufferPool::kSmall - 10, 'b'));
  EXPECT_EQ(pool.taken(), 1U);
  EXPECT_TRUE(buffer.room().empty());  // still the same block
}

TEST(Buffer, GrowingKeepsTheBytesAndGivesTheOldBlockBack) {
  BufferPool pool;
  Buffer buffer(pool);
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string piece(10000, static_cast<char>('a' + i % 26));
    buffer.Append(piece);
    expected += piece;
    EXPECT_EQ(pool.taken(), 1U);
  }
  EXPECT_EQ(buffer.data(), expected);
}

TEST(Buffer, StorageGoesBackAsSoonAsItIsEmptyAndReleased) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.Append("abc");
  EXPECT_EQ(pool.taken(), 1U);
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(buffer.data(), "abc");
  buffer.Consume(3);
  EXPECT_EQ(pool.taken(), 1U);
  buffer.ReleaseIfEmpty();
  EXPECT_EQ(pool.taken(), 0U);
  buffer.Append("again");
  EXPECT_EQ(buffer.data(), "again");
  buffer.Release();
  EXPECT_TRUE(buffer.IsEmpty());
  EXPECT_EQ(pool.taken(), 0U);
}

TEST(Buffer, MovingHandsTheStorageOver) {
  BufferPool pool;
  Buffer from(pool);
  from.Append("one");
  Buffer to(std::move(from));
  EXPECT_EQ(to.data(), "one");
  EXPECT_TRUE(from.IsEmpty());  // NOLINT(bugprone-use-after-move): it is promised
  from.Append("two");
  EXPECT_EQ(pool.taken(), 2U);
  to = std::move(from);
  EXPECT_EQ(to.data(), "two");
  EXPECT_EQ(pool.taken(), 1U);
  Buffer& same = to;
  to = std::move(same);
  EXPECT_EQ(to.data(), "two");
}

TEST(BufferPool, ABlockThatCameBackIsTakenAgain) {
  BufferPool pool;
  for (const size_t capacity : {BufferPool::kSmall, BufferPool::kLarge}) {
    auto block = pool.Take(capacity);
    const char* first = block.get();
    pool.Give(std::move(block), capacity);
    auto again = pool.Take(capacity);
    EXPECT_EQ(again.get(), first);
    pool.Give(std::move(again), capacity);
  }
  EXPECT_EQ(pool.taken(), 0U);
}

TEST(BufferPool, MoreThanItKeepsAndOtherSizesGoBackToTheSystem) {
  BufferPool pool;
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 300; ++i) blocks.push_back(pool.Take(BufferPool::kSmall));
  EXPECT_EQ(pool.taken(), 300U);
  for (auto& block : blocks) pool.Give(std::move(block), BufferPool::kSmall);
  pool.Give(pool.Take(BufferPool::kLarge * 4), BufferPool::kLarge * 4);
  EXPECT_EQ(pool.taken(), 0U);
}

TEST(Buffer, DoesWhatAStringWouldUnderAnyMixOfCalls) {
  std::mt19937 random(7);
  BufferPool pool;
  {
    Buffer buffer(pool);
    std::string model;
    for (int i = 0; i < 20000; ++i) {
      switch (random() % 6) {
        case 0:
        case 1: {
          const std::string bytes(random() % 3000, static_cast<char>('a' + i % 26));
          buffer.Append(bytes);
          model += bytes;
          break;
        }
        case 2:
        case 3: {
          const size_t bytes = model.empty() ? 0 : random() % (std::min<size_t>(model.size(), 4000) + 1);
          buffer.Consume(bytes);
          model.erase(0, bytes);
          break;
        }
        case 4: {
          buffer.Reserve(random() % 5000);
          const size_t bytes = std::min<size_t>(buffer.room().size(), random() % 100);
          if (bytes > 0) std::memset(buffer.room().data(), '#', bytes);
          buffer.Commit(bytes);
          model.append(bytes, '#');
          break;
        }
        case 5:
          buffer.ReleaseIfEmpty();
          break;
      }
      ASSERT_EQ(buffer.size(), model.size());
      if (i % 50 == 0) {
        ASSERT_EQ(buffer.data(), model);
      }
      ASSERT_LE(pool.taken(), 1U);
    }
    EXPECT_EQ(buffer.data(), model);
  }
  EXPECT_EQ(pool.taken(), 0U);
}

}  // namespace
}  // namespace gatebook::base
