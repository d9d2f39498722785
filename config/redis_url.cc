#include "config/redis_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"
#include "config/endpoint.h"

namespace gatebook::config {
namespace {

using base::Error;
using base::Result;

constexpr std::string_view kForms =
    "write \"redis://[user@]host:port/db\", \"rediss://…\" or \"unix:///path/of/redis.sock?db=0\"";
constexpr uint32_t kLargestDatabase = 65535;

bool IsUser(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || c == '-' || c == '_' || c == '.';
  });
}

std::optional<uint32_t> ParseDatabase(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), base::IsAsciiDigit)) {
    return std::nullopt;
  }
  uint32_t database = 0;
  std::from_chars(text.data(), text.data() + text.size(), database);
  if (database > kLargestDatabase) return std::nullopt;
  return database;
}

Error BadDatabase() {
  return Error{fmt::format("the database is not a number from 0 to {}", kLargestDatabase)};
}

// Takes "user@" off the front of `rest`, where it stands before the first slash.
std::optional<Error> TakeUser(std::string_view& rest, std::string& user) {
  const size_t at = rest.substr(0, rest.find('/')).rfind('@');
  if (at == std::string_view::npos) {
    // A password may hold a slash, and must be recognised as one even then.
    const size_t stray = rest.rfind('@');
    if (stray != std::string_view::npos && rest.substr(0, stray).find(':') != std::string_view::npos) {
      return Error{"a password does not stand in the url: put it into a file and name that in password_file"};
    }
    return std::nullopt;
  }
  const std::string_view information = rest.substr(0, at);
  if (information.find(':') != std::string_view::npos) {
    return Error{"a password does not stand in the url: put it into a file and name that in password_file"};
  }
  if (!IsUser(information))
    return Error{"the user in the url has other than letters, digits, '-', '_' and '.'"};
  user = information;
  rest.remove_prefix(at + 1);
  return std::nullopt;
}

Result<RedisUrl> ParseUnixUrl(std::string_view rest) {
  RedisUrl url;
  if (auto error = TakeUser(rest, url.user)) return *error;
  const size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    const std::string_view query = rest.substr(question + 1);
    if (!query.starts_with("db=")) return Error{"the only parameter of a Redis url is \"?db=n\""};
    const auto database = ParseDatabase(query.substr(3));
    if (!database) return BadDatabase();
    url.database = *database;
  }
  auto server = ParseEndpoint(fmt::format("unix:{}", rest.substr(0, question)), kFormUnix);
  if (!server.ok()) return server.error();
  url.server = *server;
  return url;
}

}  // namespace

Result<RedisUrl> ParseRedisUrl(std::string_view text) {
  if (text.starts_with("unix://")) return ParseUnixUrl(text.substr(7));
  RedisUrl url;
  if (text.starts_with("redis://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("rediss://")) {
    text.remove_prefix(9);
    url.tls = true;
  } else {
    return Error{fmt::format("not a Redis url: {}", kForms)};
  }
  if (auto error = TakeUser(text, url.user)) return *error;
  const size_t slash = text.find('/');
  std::string host(text.substr(0, slash));
  if (slash != std::string_view::npos && slash + 1 < text.size()) {
    const auto database = ParseDatabase(text.substr(slash + 1));
    if (!database) return BadDatabase();
    url.database = *database;
  }
  if (host.empty()) return Error{fmt::format("the host is missing: {}", kForms)};
  const bool has_port = host.front() == '[' ? host.back() != ']' : host.find(':') != std::string::npos;
  if (!has_port) host += ":6379";
  auto server = ParseEndpoint(host, kFormIp | kFormHostname);
  if (!server.ok()) return server.error();
  url.server = *server;
  return url;
}

std::string FormatRedisUrl(const Redis& redis) {
  const std::string user = redis.user.empty() ? "" : redis.user + "@";
  if (redis.server.kind == Endpoint::Kind::kUnix) {
    const std::string database = redis.database == 0 ? "" : fmt::format("?db={}", redis.database);
    return fmt::format("unix://{}{}{}", user, redis.server.path, database);
  }
  return fmt::format("{}://{}{}/{}", redis.tls ? "rediss" : "redis", user, redis.server.text, redis.database);
}

}  // namespace gatebook::config
