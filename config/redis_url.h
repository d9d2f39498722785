// Redis URLs: "redis://[user@]host[:port][/db]", "rediss://…", "unix://[user@]/path[?db=n]".
//
// A password never stands in the URL, since a configuration file is read, shown
// and mailed about; it is named by redis.password_file.
//
// Thread: any. Limits: database 0 to 65535; port 6379 and database 0 when not written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace gatebook::config {

struct RedisUrl {
  Endpoint server;
  bool tls = false;  // rediss://
  uint32_t database = 0;
  std::string user;
};

// The error is one sentence that does not repeat the text (it may hold a secret).
base::Result<RedisUrl> ParseRedisUrl(std::string_view text);

// The URL that says what `redis` holds; ParseRedisUrl's inverse.
std::string FormatRedisUrl(const Redis& redis);

}  // namespace gatebook::config
