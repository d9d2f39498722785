// ScanKeys: the names of keys that stand in Redis, found by looking.
//
// A computed name finds only what is where it should be. Who shows that nothing else is kept, or erases,
// looks at every key, on every master of a Cluster. SCAN may give a key twice, and one that comes or goes
// meanwhile or not; each is handed over once.
//
// Thread: one, which it blocks. Borrows: the client.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logger/redis_client.h"

namespace gatebook::review {

// Those that match, sorted. `pattern`: as of SCAN.
base::Result<std::vector<std::string>> ScanKeys(logger::RedisClient& client, std::string_view pattern);

// Sends the `command` of each key, many at a time, and hands over the replies in order. An error ends it.
using KeyCommand = std::function<void(logger::RedisClient& client, const std::string& key)>;
using KeyReply = std::function<base::Status(const std::string& key, const logger::RedisReply& reply)>;
base::Status AskOfEach(logger::RedisClient& client, const std::vector<std::string>& keys,
                       const KeyCommand& command, const KeyReply& take);

// An error reply as an Error with kUnavailable.
base::Error RedisSaid(std::string_view what);

}  // namespace gatebook::review
