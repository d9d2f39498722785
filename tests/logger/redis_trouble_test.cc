#include "logger/redis_trouble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace gatebook::logger {
namespace {

std::string WordOf(std::string_view reply) { return InfoOf(TroubleOfReply(reply)).word; }

TEST(RedisTrouble, EveryErrorReplyHasItsWord) {
  EXPECT_EQ(WordOf("OOM command not allowed when used memory > 'maxmemory'."), "oom");
  EXPECT_EQ(WordOf("READONLY You can't write against a read only replica."), "readonly");
  EXPECT_EQ(WordOf("LOADING Redis is loading the dataset in memory"), "loading");
  EXPECT_EQ(WordOf("MISCONF Errors writing to the AOF file: No space left on device"), "misconf");
  EXPECT_EQ(WordOf("NOPERM this user has no permissions to run the 'xadd' command"), "noperm");
  EXPECT_EQ(WordOf("NOAUTH Authentication required."), "auth");
  EXPECT_EQ(WordOf("WRONGPASS invalid username-password pair or user is disabled."), "auth");
  EXPECT_EQ(WordOf("CLUSTERDOWN Hash slot not served"), "clusterdown");
  EXPECT_EQ(WordOf("NOREPLICAS Not enough good replicas to write."), "noreplicas");
  EXPECT_EQ(WordOf("MOVED 3999 127.0.0.1:6381"), "cluster");
  EXPECT_EQ(WordOf("BUSY Redis is busy running a script."), "busy");
  EXPECT_EQ(WordOf("ERR something new"), "other");
  EXPECT_EQ(WordOf("OOMPH"), "other") << "a word, not its beginning";
  EXPECT_EQ(WordOf(""), "other");
}

TEST(RedisTrouble, AConnectionThatFailedIsRefusedClosedOrUnreachable) {
  EXPECT_EQ(TroubleOfErrno(ECONNREFUSED), RedisTrouble::kRefused);
  EXPECT_EQ(TroubleOfErrno(ENOENT), RedisTrouble::kRefused);
  EXPECT_EQ(TroubleOfErrno(EHOSTUNREACH), RedisTrouble::kUnreachable);
  EXPECT_EQ(TroubleOfErrno(ECONNRESET), RedisTrouble::kClosed);
}

TEST(RedisTrouble, EachHasAWordAnAdviceAndACounterOfThatReason) {
  std::set<std::string> words;
  for (size_t i = 0; i < static_cast<size_t>(RedisTrouble::kCount); ++i) {
    const RedisTroubleInfo& info = InfoOf(static_cast<RedisTrouble>(i));
    EXPECT_TRUE(words.insert(info.word).second) << info.word;
    EXPECT_NE(std::string(info.advice), "");
    EXPECT_EQ(std::string(base::InfoOf(info.metric).labels), std::string("reason=\"") + info.word + "\"");
  }
}

TEST(RedisTrouble, AServersWordsAreMadeShortAndHarmless) {
  const RedisFailure failure = RedisFailure::OfReply("OOM \x1b[31m\r\n" + std::string(1000, 'x'));
  EXPECT_EQ(failure.detail.size(), 200u);
  EXPECT_EQ(failure.detail.substr(0, 13), "OOM ?[31m??xx");
  EXPECT_THAT(failure.ToText(), testing::StartsWith("oom: OOM "));
  EXPECT_THAT(failure.ToText(), testing::HasSubstr("maxmemory: raise it"));
}

}  // namespace
}  // namespace gatebook::logger
