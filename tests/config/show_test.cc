#include "config/show.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "config/loader.h"
#include "config/option_table.h"

namespace gatebook::config {
namespace {

// A config in which no option has its default.
constexpr const char* kUnusual = R"(
[edge]
name = "edge-2"
workers = 3
user = "root"
trusted_proxies = ["10.0.0.0/8", "::1", "unix"]
forwarded_field = "forwarded"
traceparent = false
[log]
file = "/var/log/gatebook.log"
level = "debug"
[[listen]]
address = "[::]:443"
[[listen]]
address = "unix:/run/gatebook/plain.sock"
tls = false
redirect_to_https = true
proxy_protocol = ["unix"]
[[certificate]]
chain = "/c \"quoted\" \\ ü.pem"
key = "/k.pem"
[tls]
min_version = "1.3"
http2 = false
tickets = false
ticket_key_rotation = "90min"
client_certificates = "required"
client_ca = "/ca.pem"
hsts = "730d"
hsts_include_subdomains = true
[[upstream]]
name = "a"
servers = ["https://App.internal:80", "unix:/run/a.sock", "[::1]:81"]
protocol = "h2"
balance = "least_connections"
weights = [3, 1, 2]
slow_start = "20s"
max_idle = 0
max_connections = 5
queue = 6
queue_timeout = "7s"
retry_budget = 8
eject_after = 9
eject_time = "11s"
health_path = "/up?x"
health_host = "a.example.com"
health_interval = "12s"
health_timeout = "13s"
health_rise = 14
health_fall = 15
tls_verify = false
tls_name = "a.internal"
tls_certificate = "/c.pem"
tls_key = "/k.pem"
proxy_protocol = true
[[upstream]]
name = "b"
servers = ["10.0.0.1:80"]
[[route]]
host = "*.Example.com"
path = "/x"
upstream = "b"
upgrades = ["WebSocket", "connect-udp"]
request_headers = ["set X-Say: \"a\" \\ b: c", "add Via-2:x", "remove Authorization"]
response_headers = ["remove Set-Cookie", "set Content-Security-Policy: default-src 'self'"]
[[route]]
upstream = "a"
[session]
key_file = "/k"
cookie = "visitor"
same_site = "none"
partitioned = true
idle = "5min"
lifetime = "2h"
[redis]
url = "unix://gatebook@/run/redis.sock?db=5"
password_file = "/p"
connect_timeout = "1500ms"
reply_timeout = "7s"
pipeline = 7
[journal]
directory = "/j"
flush = "always"
max_size = "1GiB"
segment_size = "1MiB"
on_full = "refuse"
[visit]
retention = "7d"
policy = "v2"
query_allow = ["q", "page"]
[retention]
ledger = "/l"
clock_jump = "2h"
rewrite = false
[rights]
self_service = "erase"
per_session = 3
per_minute = 4
[dns]
enabled = false
servers = ["127.0.0.1:5353"]
timeout = "250ms"
cache_size = 1
max_pending = 2
[geo]
databases = ["/a.mmdb", "/b.mmdb"]
[statistics]
k = 12
round = 60
keep = "400d"
[admin]
address = "127.0.0.1:9090"
[timeouts]
handshake = "1s"
request_header = "2s"
keep_alive = "3s"
body_idle = "4s"
write_idle = "6s"
connect = "7s"
first_byte = "8s"
upstream_idle = "9s"
upstream_keep_alive = "11s"
tunnel_idle = "12s"
drain = "0s"
[limits]
connections = 1
connections_per_address = 2
target_size = "1000B"
header_size = "2KiB"
header_count = 9
body_size = "1MiB"
requests_per_connection = 10
min_rate = "1B"
)";

LoadOutcome LoadOnly(const std::string& text) { return LoadText(text, "gatebook.toml", FileChecks::kOff); }

TEST(Show, WhatIsShownLoadsAsTheSameConfig) {
  for (const char* text : {kUnusual,
                           "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = false\n"
                           "[[upstream]]\nname = \"a\"\nservers = [\"127.0.0.1:1\"]\n"}) {
    const auto first = LoadOnly(text);
    ASSERT_TRUE(first.ok()) << RenderProblems(first.problems, false);
    const std::string shown = Show(*first.config);
    const auto second = LoadOnly(shown);
    ASSERT_TRUE(second.ok()) << RenderProblems(second.problems, false);
    EXPECT_EQ(*first.config, *second.config);
    EXPECT_EQ(Show(*second.config), shown);
  }
}

constexpr std::string_view kMark = "(default)";

// "[edge] 1 name" for each line that sets a key, with kMark behind it where the line has it.
std::set<std::string> KeysOf(const std::string& text) {
  std::set<std::string> keys;
  std::map<std::string, int> seen;
  std::string section;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) {
      const std::string heading = line.substr(0, line.find_last_of(']') + 1);
      section = heading + " " + std::to_string(++seen[heading]) + " ";
    } else if (const size_t equals = line.find(" = ");
               equals != std::string::npos && !line.starts_with('#')) {
      keys.insert(section + line.substr(0, equals) +
                  (line.find(kMark) == std::string::npos ? std::string() : std::string(kMark)));
    }
  }
  return keys;
}

TEST(Show, DefaultsAreMarkedAsSuch) {
  const auto outcome = LoadOnly(kUnusual);
  ASSERT_TRUE(outcome.ok());
  const std::string shown = Show(*outcome.config);
  EXPECT_NE(shown.find("cluster = false"), std::string::npos);
  // A line is marked if, and only if, its key is not written in that section.
  const std::set<std::string> written = KeysOf(kUnusual);
  for (const std::string& key : KeysOf(shown)) {
    const bool marked = key.ends_with(kMark);
    EXPECT_NE(written.contains(key.substr(0, key.find(kMark))), marked) << key;
  }
}

}  // namespace
}  // namespace gatebook::config
