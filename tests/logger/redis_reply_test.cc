#include "logger/redis_reply.h"

#include <gtest/gtest.h>

#include <string>

namespace gatebook::logger {
namespace {

using Type = RedisReply::Type;

std::string Describe(const RedisReply& reply) {
  switch (reply.type) {
    case Type::kNil:
      return "nil";
    case Type::kInteger:
      return std::to_string(reply.integer);
    case Type::kStatus:
      return std::string("+").append(reply.text);
    case Type::kError:
      return std::string("-").append(reply.text);
    case Type::kString:
      return std::string("'").append(reply.text).append("'");
    case Type::kArray:
      break;
  }
  std::string text = "[";
  for (const RedisReply& element : reply.elements) text += Describe(element) + " ";
  return text + "]";
}

constexpr char kConversation[] =
    "+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$-1\r\n$0\r\n\r\n*-1\r\n*0\r\n"
    "*3\r\n:1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nv\r\n$4\r\ndata\r\n-ERR inner\r\n+END\r\n";
constexpr char kMeaning[] =
    "+OK|-ERR no|-42|'a\r\nbc'|nil|''|nil|[]|[1 ['1-0' ['v' 'data' ] ] -ERR inner ]|+END|";

TEST(RedisReader, ReadsTheSameHoweverTheBytesAreSplit) {
  const std::string bytes = kConversation;
  for (size_t split = 0; split <= bytes.size(); ++split) {
    RedisReader reader(4096);
    std::string meaning;
    const auto drain = [&] {
      while (const RedisReply* reply = reader.Next()) meaning += Describe(*reply) + "|";
    };
    ASSERT_TRUE(reader.Feed(bytes.substr(0, split)));
    drain();
    ASSERT_TRUE(reader.Feed(bytes.substr(split)));
    drain();
    EXPECT_EQ(meaning, kMeaning) << "split at " << split;
    EXPECT_EQ(reader.error(), "");
  }
}

TEST(RedisReader, ReadsByteByByte) {
  RedisReader reader(4096);
  std::string meaning;
  for (const char c : std::string(kConversation)) {
    ASSERT_TRUE(reader.Feed({&c, 1}));
    while (const RedisReply* reply = reader.Next()) meaning += Describe(*reply) + "|";
  }
  EXPECT_EQ(meaning, kMeaning);
}

void ExpectRefused(const std::string& bytes) {
  RedisReader reader(4096);
  const bool fed = reader.Feed(bytes);
  EXPECT_EQ(reader.Next(), nullptr) << bytes.substr(0, 40);
  EXPECT_TRUE(!fed || !reader.error().empty()) << bytes.substr(0, 40);
  EXPECT_FALSE(reader.error().empty());
  EXPECT_FALSE(reader.Feed("+OK\r\n"));
  reader.Reset();
  EXPECT_TRUE(reader.Feed("+OK\r\n"));
  EXPECT_NE(reader.Next(), nullptr);
}

// CVE-2021-32765 and its kin.
TEST(RedisReader, RefusesAnnouncedSizesBeyondItsLimit) {
  ExpectRefused("*1073741824\r\n");
  ExpectRefused("*2147483647\r\n");
  ExpectRefused("*9223372036854775807\r\n");
  ExpectRefused("*1000\r\n");
  ExpectRefused("*-5\r\n");
  ExpectRefused("*2\r\n*60\r\n" + [] {
    std::string nils;
    for (int i = 0; i < 60; ++i) nils += "$-1\r\n";
    return nils;
  }() + "*60\r\n");
}

TEST(RedisReader, RefusesWhatIsNoProtocol) {
  ExpectRefused("HTTP/1.1 400 Bad Request\r\n");
  ExpectRefused("$99999999999999999999\r\n");
  ExpectRefused("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
  ExpectRefused(":12x\r\n");
}

TEST(RedisReader, RefusesAReplyThatNeverEnds) {
  RedisReader reader(4096);
  const std::string part(512, 'x');
  ASSERT_TRUE(reader.Feed("$1000000\r\n"));
  bool fed = true;
  for (int i = 0; i < 10 && fed; ++i) {
    EXPECT_EQ(reader.Next(), nullptr);
    fed = reader.Feed(part);
  }
  EXPECT_FALSE(fed);
  EXPECT_NE(reader.error(), "");
}

TEST(RedisReader, DamagedBytesNeverCrash) {
  const std::string bytes = kConversation;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char with : {'*', '$', ':', '-', '\r', '\n', '9', '\xff', '\0'}) {
      std::string damaged = bytes;
      damaged[at] = with;
      RedisReader reader(4096);
      if (!reader.Feed(damaged)) continue;
      while (const RedisReply* reply = reader.Next()) Describe(*reply);
    }
  }
}

}  // namespace
}  // namespace gatebook::logger
