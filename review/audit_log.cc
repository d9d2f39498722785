#include "review/audit_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/rfc3339.h"
#include "config/units.h"
#include "review/render.h"

namespace gatebook::review {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostReason = 500;
constexpr size_t kMostName = 128;

ordered_json FactsOf(base::WallTime time, const AuditEntry& entry) {
  return {{"time", base::ToRfc3339(time)},
          {"who", Harmless(std::string_view(entry.who).substr(0, kMostName))},
          {"via", Harmless(std::string_view(entry.via).substr(0, kMostName))},
          {"what", Harmless(entry.what)},
          {"why", Harmless(entry.why)}};
}

// False: it is no line of an audit log.
bool Read(const ordered_json& object, AuditLine* line) {
  // What anybody may have written: of any type.
  const auto take = [&object](const char* name, std::string* text) {
    if (!object.contains(name) || !object[name].is_string()) return false;
    *text = object[name].get<std::string>();
    return true;
  };
  std::string time;
  AuditEntry& entry = line->entry;
  const bool whole = take("time", &time) && take("who", &entry.who) && take("via", &entry.via) &&
                     take("what", &entry.what) && take("why", &entry.why);
  const auto at = base::ParseRfc3339(time);
  if (at) line->time = *at;
  return whole && at;
}

}  // namespace

base::Status CheckReason(std::string_view reason) {
  if (reason.size() > kMostReason) {
    return base::Error{fmt::format("the reason: at most {} octets", kMostReason), base::ExitCode::kUsage};
  }
  // Letters of any script count; spaces, dots and dashes alone say nothing.
  const bool says = std::any_of(reason.begin(), reason.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) != 0;
  });
  if (!says) return base::Error{"a reason is needed: it is written down", base::ExitCode::kUsage};
  return {};
}

base::Result<AuditContents> AuditLog::Read() const {
  AuditContents contents;
  auto broken = chain_.Read([&contents](const HashChain::Line& line) {
    AuditLine one;
    one.number = line.number;
    one.chain = line.chain;
    one.text = line.text;
    const bool read = line.is_whole() && review::Read(line.object, &one);
    contents.lines.push_back(std::move(one));
    return read;
  });
  if (!broken) return broken.error();
  contents.broken = std::move(*broken);
  return contents;
}

base::Status AuditLog::Append(const AuditEntry& entry) const {
  if (auto reason = CheckReason(entry.why); !reason) return reason;
  const auto written = chain_.Append(FactsOf(clock_.WallNow(), entry));
  return written ? base::Status() : base::Status(written.error());
}

base::Result<uint64_t> AuditLog::DestroyOld() const {
  const base::WallTime now = clock_.SureNow();
  const base::WallTime border = now - keep_;
  // A damaged line is as old as what stands before it.
  bool before_is_old = true;
  const auto is_old = [&](const HashChain::Line& line) {
    AuditLine one;
    if (line.is_whole() && review::Read(line.object, &one)) before_is_old = one.time < border;
    return before_is_old;
  };
  const AuditEntry instead{"gatebook", "steward",
                           fmt::format("destroyed what was older than {}", config::FormatDuration(keep_)),
                           "audit.keep"};
  return chain_.DestroyWhile(is_old, FactsOf(now, instead));
}

}  // namespace gatebook::review
