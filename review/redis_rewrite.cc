#include "review/redis_rewrite.h"

#include "review/render.h"

namespace gatebook::review {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 100ms;
constexpr int kMostLooks = 18'000;

constexpr std::string_view kRewrite[] = {"BGREWRITEAOF"};
constexpr std::string_view kSave[] = {"BGSAVE", "SCHEDULE"};

base::Result<std::string> Info(logger::RedisClient& client, size_t master) {
  const auto reply = client.CommandAt(master, {"INFO", "persistence"});
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return base::Error{Harmless((*reply)->text), base::ExitCode::kNegative};
  return std::string((*reply)->text);
}

// Waits until nothing is under way. Empty: it is so, and went well by `status`, if that is not empty.
base::Result<std::string> Await(logger::RedisClient& client, size_t master, const Pause& pause,
                                std::string_view under_way, std::string_view scheduled,
                                std::string_view status) {
  for (int look = 0; look < kMostLooks; ++look) {
    const auto info = Info(client, master);
    if (!info) return info.error();
    const bool busy = InfoValue(*info, under_way) == "1" || InfoValue(*info, scheduled) == "1";
    const bool well = status.empty() || InfoValue(*info, status) == "ok";
    if (!busy) return well ? std::string() : "Redis says that it failed";
    if (!pause(kLookEvery)) return std::string("stopped");
  }
  return std::string("still under way");
}

// Empty: it was done. What was under way before had begun before, and is waited for first.
template <size_t kWords>
base::Result<std::string> Write(logger::RedisClient& client, size_t master, const Pause& pause,
                                const std::string_view (&command)[kWords], std::string_view under_way,
                                std::string_view scheduled, std::string_view status) {
  const auto before = Await(client, master, pause, under_way, scheduled, {});
  if (!before || !before->empty()) return before;
  const auto reply = [&] {
    if constexpr (kWords == 1) return client.CommandAt(master, {command[0]});
    if constexpr (kWords == 2) return client.CommandAt(master, {command[0], command[1]});
  }();
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return Harmless((*reply)->text);
  return Await(client, master, pause, under_way, scheduled, status);
}

// Whether snapshots are taken. If we may not ask, whether any was.
base::Result<bool> TakesSnapshots(logger::RedisClient& client, size_t master, std::string_view info) {
  const bool has = !InfoValue(info, "rdb_saves").empty() && InfoValue(info, "rdb_saves") != "0";
  const auto reply = client.CommandAt(master, {"CONFIG", "GET", "save"});
  if (!reply) return reply.error();
  return has || ((*reply)->elements.size() == 2 && !(*reply)->elements[1].text.empty());
}

// Empty: this master has done it.
base::Result<std::string> RewriteFilesOf(logger::RedisClient& client, size_t master, const Pause& pause) {
  const auto info = Info(client, master);
  if (!info && info.error().exit_code == base::ExitCode::kNegative) return info.error().message;
  if (!info) return info.error();
  if (InfoValue(*info, "aof_enabled") == "1") {
    const auto written = Write(client, master, pause, kRewrite, "aof_rewrite_in_progress",
                               "aof_rewrite_scheduled", "aof_last_bgrewrite_status");
    if (!written || !written->empty()) return written;
  }
  const auto snapshots = TakesSnapshots(client, master, *info);
  if (!snapshots) return snapshots.error();
  if (*snapshots) {
    const auto written =
        Write(client, master, pause, kSave, "rdb_bgsave_in_progress", "", "rdb_last_bgsave_status");
    if (!written || !written->empty()) return written;
  }
  return std::string();
}

}  // namespace

std::string_view InfoValue(std::string_view info, std::string_view name) {
  if (name.empty()) return {};
  for (size_t at = info.find(name); at != std::string_view::npos; at = info.find(name, at + 1)) {
    const bool is_line = (at == 0 || info[at - 1] == '\n') && info.substr(at + name.size()).starts_with(':');
    if (!is_line) continue;
    const std::string_view rest = info.substr(at + name.size() + 1);
    return rest.substr(0, rest.find_first_of("\r\n"));
  }
  return {};
}

base::Result<std::string> RewriteRedisFiles(logger::RedisClient& client, const Pause& pause) {
  for (size_t master = 0; master < client.masters(); ++master) {
    const auto written = RewriteFilesOf(client, master, pause);
    if (!written || !written->empty()) return written;
  }
  return std::string(kRewritten);
}

}  // namespace gatebook::review
