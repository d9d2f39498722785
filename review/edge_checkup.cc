#include "review/edge_checkup.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gatebook::review {
namespace {

using Json = nlohmann::json;

constexpr int64_t kLateMilliseconds = 60'000;

template <typename T>
T At(const Json& status, const char* place, T otherwise) {
  const Json::json_pointer pointer(place);
  if (!status.contains(pointer)) return otherwise;
  const Json& value = status[pointer];
  if constexpr (std::is_same_v<T, std::string>) {
    return value.is_string() ? value.get<std::string>() : otherwise;
  } else {
    return value.is_number() ? value.get<T>() : otherwise;
  }
}

void ExamineUpstreams(const Json& status, Checkup& checkup) {
  const Json upstreams = status.value("upstreams", Json::array());
  for (const Json& upstream : upstreams) {
    const std::string name = At<std::string>(upstream, "/name", "?");
    const Json servers = upstream.value("servers", Json::array());
    size_t well = 0;
    for (const Json& server : servers) well += At<std::string>(server, "/state", "up") == "up" ? 1 : 0;
    const std::string says = fmt::format("{}: {} of {} servers are up", name, well, servers.size());
    checkup.Add(Check::kUpstreams,
                well == servers.size() ? Severity::kOk
                : well == 0            ? Severity::kError
                                       : Severity::kWarning,
                says);
  }
}

}  // namespace

void ExamineEdge(const std::string& status_text, const std::string& why, Checkup& checkup) {
  if (status_text.empty()) return checkup.Warn(Check::kEdge, fmt::format("no edge answers: {}", why));
  const Json status = Json::parse(status_text, nullptr, false);
  if (!status.is_object()) return checkup.Fail(Check::kEdge, "its status is not readable");
  const auto refused = At<std::string>(status, "/generation/refused_because", "");
  if (!refused.empty()) {
    checkup.Warn(
        Check::kEdge,
        fmt::format("it runs under the configuration before the last, which it refused: {}", refused));
  } else {
    checkup.Ok(Check::kEdge,
               fmt::format("it runs, generation {}", At<uint64_t>(status, "/generation/in_force", 0)));
  }
  ExamineUpstreams(status, checkup);

  const auto journal = At<std::string>(status, "/journal/state", "");
  if (journal != "ok") checkup.Fail(Check::kJournal, fmt::format("the edge says: {}", journal));
  if (status.value(Json::json_pointer("/redis/up"), Json(true)) == false) {
    checkup.Fail(Check::kJournalBacklog, fmt::format("{} visits wait; the edge says of Redis: {}",
                                                     At<uint64_t>(status, "/visits/in_journal", 0),
                                                     At<std::string>(status, "/redis/state", "")));
  } else {
    const auto lag = At<int64_t>(status, "/redis/lag_ms", 0);
    const std::string says =
        fmt::format("{} visits are on their way, the oldest since {:.1f} s",
                    At<uint64_t>(status, "/visits/in_journal", 0), static_cast<double>(lag) / 1000);
    checkup.Add(Check::kJournalBacklog, lag >= kLateMilliseconds ? Severity::kWarning : Severity::kOk, says);
  }
}

int ProcessOf(const std::string& status) { return At<int>(Json::parse(status, nullptr, false), "/pid", 0); }

}  // namespace gatebook::review
