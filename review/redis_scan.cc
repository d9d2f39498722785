#include "review/redis_scan.h"

#include <algorithm>

#include "review/render.h"

namespace gatebook::review {
namespace {

constexpr std::string_view kKeysAReply = "1000";
constexpr size_t kCommandsAtOnce = 256;

}  // namespace

base::Error RedisSaid(std::string_view what) {
  return {"Redis: " + Harmless(what), base::ExitCode::kUnavailable};
}

base::Result<std::vector<std::string>> ScanKeys(logger::RedisClient& client, std::string_view pattern) {
  std::vector<std::string> keys;
  for (size_t master = 0; master < client.masters(); ++master) {
    std::string cursor = "0";
    do {
      const auto reply = client.CommandAt(master, {"SCAN", cursor, "MATCH", pattern, "COUNT", kKeysAReply});
      if (!reply) return reply.error();
      if ((*reply)->IsError()) return RedisSaid((*reply)->text);
      if ((*reply)->elements.size() != 2) return RedisSaid("an answer to SCAN that is none");
      cursor = (*reply)->elements[0].text;
      for (const logger::RedisReply& key : (*reply)->elements[1].elements) keys.emplace_back(key.text);
    } while (cursor != "0");
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

base::Status AskOfEach(logger::RedisClient& client, const std::vector<std::string>& keys,
                       const KeyCommand& command, const KeyReply& take) {
  for (size_t first = 0; first < keys.size(); first += kCommandsAtOnce) {
    const size_t last = std::min(keys.size(), first + kCommandsAtOnce);
    for (size_t i = first; i < last; ++i) command(client, keys[i]);
    base::Status failed;
    for (size_t i = first; i < last; ++i) {
      const auto reply = client.Receive();
      if (!reply) return reply.error();
      if (failed.ok()) failed = take(keys[i], **reply);
    }
    if (!failed) return failed;
  }
  return {};
}

}  // namespace gatebook::review
