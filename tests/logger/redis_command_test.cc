#include "logger/redis_command.h"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <string>

namespace gatebook::logger {
namespace {

std::string ByHiredis(std::initializer_list<std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int length =
      redisFormatCommandArgv(&command, static_cast<int>(texts.size()), texts.data(), sizes.data());
  std::string bytes(command, static_cast<size_t>(length));
  redisFreeCommand(command);
  return bytes;
}

void ExpectAsHiredis(std::initializer_list<std::string_view> words) {
  std::string ours;
  AppendCommand(ours, words);
  EXPECT_EQ(ours, ByHiredis(words));
}

TEST(RedisCommand, HasTheVeryBytesOfHiredissFormatter) {
  ExpectAsHiredis({"PING"});
  ExpectAsHiredis({"SET", "key", ""});
  ExpectAsHiredis({"XADD", "gb:visits:{e.0.1}", "60000-0", "v", std::string(1000, 'v'), "c", "a\r\nb"});
  ExpectAsHiredis({std::string_view("\0\xff", 2), "10", std::string(99999, 'x')});
}

TEST(RedisCommand, AppendsBehindWhatIsThere) {
  std::string output = "x";
  AppendCommand(output, {"A"});
  AppendCommand(output, {"B"});
  EXPECT_EQ(output, "x*1\r\n$1\r\nA\r\n*1\r\n$1\r\nB\r\n");
}

}  // namespace
}  // namespace gatebook::logger
