#include "proxy/object_pool.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace gatebook::proxy {
namespace {

struct alignas(64) Thing {
  Thing(int& counter, std::string text) : alive(counter), name(std::move(text)) { ++alive; }
  ~Thing() { --alive; }
  int& alive;
  std::string name;
};

TEST(ObjectPool, MakesAndDestroysObjectsOfAnyAlignment) {
  int alive = 0;
  ObjectPool<Thing> pool;
  {
    const auto thing = pool.Make(alive, std::string(100, 'x'));
    EXPECT_EQ(thing->name.size(), 100U);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(thing.get()) % 64, 0U);
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(ObjectPool, StorageThatCameBackIsUsedAgain) {
  int alive = 0;
  ObjectPool<Thing> pool;
  const void* first = nullptr;
  {
    const auto thing = pool.Make(alive, "a");
    first = thing.get();
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.Make(alive, "b").get(), first);
}

TEST(ObjectPool, ObjectsThatLiveTogetherHaveStorageOfTheirOwn) {
  int alive = 0;
  ObjectPool<Thing> pool;
  for (int round = 0; round < 2; ++round) {
    std::vector<ObjectPool<Thing>::Pointer> things;  // more than it keeps
    std::set<const void*> places;
    for (int i = 0; i < 300; ++i) {
      things.push_back(pool.Make(alive, std::to_string(i)));
      places.insert(things.back().get());
    }
    EXPECT_EQ(places.size(), 300U);
    EXPECT_EQ(alive, 300);
    things.clear();
    EXPECT_EQ(alive, 0);
  }
}

struct Renewable {
  Renewable(int& counter, int first) : alive(counter), number(first) { ++alive; }
  ~Renewable() { --alive; }
  void Renew(int&, int next) { number = next; }
  int& alive;
  int number;
  std::string kept;
};

TEST(ObjectPool, WhatCanBeRenewedRestsAndKeepsWhatItHas) {
  int alive = 0;
  {
    ObjectPool<Renewable> pool;
    pool.Make(alive, 1)->kept = std::string(100, 'x');
    EXPECT_EQ(alive, 1);
    const auto again = pool.Make(alive, 2);
    EXPECT_EQ(again->number, 2);
    EXPECT_EQ(again->kept, std::string(100, 'x'));
    EXPECT_EQ(alive, 1);
    std::vector<ObjectPool<Renewable>::Pointer> more;  // than it keeps
    for (int i = 0; i < 300; ++i) more.push_back(pool.Make(alive, i));
  }
  EXPECT_EQ(alive, 0);
}

// Where the sanitizer watches, a use of what was given back is seen; elsewhere nothing is ever poisoned.
TEST(ObjectPool, StorageIsPoisonedWhileItIsFree) {
#if defined(__SANITIZE_ADDRESS__)
  constexpr bool kWatched = true;
#else
  constexpr bool kWatched = false;
#endif
  const auto is_poisoned = [](const void* at) {
    if constexpr (kWatched) return __asan_address_is_poisoned(at) != 0;
    return false;
  };
  int alive = 0;
  ObjectPool<Thing> pool;
  const void* place = nullptr;
  {
    const auto thing = pool.Make(alive, "a");
    place = thing.get();
    EXPECT_FALSE(is_poisoned(place));
  }
  EXPECT_EQ(is_poisoned(place), kWatched);
  const auto again = pool.Make(alive, "b");
  EXPECT_EQ(again.get(), place);
  EXPECT_FALSE(is_poisoned(place));
}

}  // namespace
}  // namespace gatebook::proxy
