#include "review/machine_checkup.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <vector>

#include "base/metrics.h"
#include "logger/places.h"
#include "net/loop.h"
#include "net/resolver.h"

namespace gatebook::review {
namespace {

// An exchange has two connections; the rest is listeners, journal, log and what OpenSSL and c-ares open.
constexpr uint64_t kDescriptorsAConnection = 2;
constexpr uint64_t kDescriptorsBeside = 256;
constexpr int64_t kOldPlaces = 60 * 86400;  // seconds; the usual ones come weekly or monthly
constexpr off_t kSessionKeyBytes = 32;

// "Max open files            1024                 524288               files": the first number.
uint64_t SoftLimit(const std::string& line, size_t name) {
  const size_t from = line.find_first_not_of(' ', name);
  if (from == std::string::npos || line.compare(from, 9, "unlimited") == 0)
    return std::numeric_limits<uint64_t>::max();
  uint64_t number = 0;
  std::from_chars(line.data() + from, line.data() + line.size(), number);
  return number;
}

uint64_t FromKernel(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::numeric_limits<uint64_t>::max() : limit;
}

void ExamineSessionKey(const config::Config& config, Checkup& checkup) {
  const std::string& path = config.session.key_file;
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT)
      return checkup.Ok(Check::kSessionKey, fmt::format("{} is not there yet; the edge makes it", path));
    return checkup.Fail(Check::kSessionKey,
                        fmt::format("{} can't be looked at: {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode))
    return checkup.Fail(Check::kSessionKey, fmt::format("{} is no plain file", path));
  if ((info.st_mode & 077) != 0) {
    return checkup.Fail(
        Check::kSessionKey,
        fmt::format("{} may be read or written by others (mode {:04o}): who has it can forge sessions", path,
                    info.st_mode & 07777u));
  }
  if (info.st_size != kSessionKeyBytes) {
    return checkup.Fail(Check::kSessionKey,
                        fmt::format("{} has {} bytes, and a key has {}: the edge won't start", path,
                                    info.st_size, kSessionKeyBytes));
  }
  checkup.Ok(Check::kSessionKey, fmt::format("{}, {:04o}", path, info.st_mode & 07777u));
}

// Whether the server (none: the system's) answers at all: a name that there isn't is an answer.
bool Answers(std::optional<config::Endpoint> server, std::chrono::milliseconds timeout, std::string* why) {
  net::Loop loop;
  net::ResolverOptions options;
  options.timeout = timeout;
  if (server) options.servers.push_back({server->ip, server->port});
  auto resolver = net::Resolver::Make(loop, options);
  if (!resolver.ok()) {
    *why = resolver.error().message;
    return false;
  }
  std::optional<net::DnsStatus> status;
  const auto query =
      (*resolver)->ResolvePtr(base::IpAddress::FromV4(0x7f000001), [&](const net::DnsAnswer& answer) {
        status = answer.status;
        loop.Stop();
      });
  loop.Run();
  if (status == net::DnsStatus::kTimeout) *why = fmt::format("no answer within {} ms", timeout.count());
  if (status == net::DnsStatus::kFailed) *why = "it refuses, or can't be reached";
  return why->empty();
}

void ExamineDns(const config::Dns& dns, Checkup& checkup) {
  if (!dns.enabled) return checkup.Ok(Check::kDns, "visits go without names: dns.enabled is off");
  std::vector<std::optional<config::Endpoint>> servers(dns.servers.begin(), dns.servers.end());
  if (servers.empty()) servers.emplace_back();
  for (const auto& server : servers) {
    const std::string name = server ? server->text : "the system's name server";
    std::string why;
    if (Answers(server, dns.timeout, &why)) {
      checkup.Ok(Check::kDns, fmt::format("{} answers", name));
    } else {
      checkup.Warn(Check::kDns, fmt::format("{}: {}", name, why));
    }
  }
}

void ExaminePlaces(const config::Geo& geo, base::WallTime now, Checkup& checkup) {
  if (geo.databases.empty())
    return checkup.Ok(Check::kPlaces, "visits go without places: geo.databases is empty");
  base::MetricsBlock metrics;
  const logger::Places places(geo.databases, metrics);
  for (const logger::Places::FileState& file : places.state()) {
    if (!file.open) {
      checkup.Fail(Check::kPlaces, fmt::format("{}: {}", file.path, file.error));
      continue;
    }
    const int64_t age = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() -
                        static_cast<int64_t>(file.build_epoch);
    checkup.Add(Check::kPlaces, age > kOldPlaces ? Severity::kWarning : Severity::kOk,
                fmt::format("{} is {} old", file.path, InDays(std::max<int64_t>(0, age))));
  }
}

}  // namespace

ProcessLimits LimitsOf(int process) {
  ProcessLimits limits;
  rlimit own;
  if (process == 0) {
    // An edge raises the one to its most and drops the other (proxy/privileges.h).
    if (::getrlimit(RLIMIT_NOFILE, &own) == 0) limits.descriptors = FromKernel(own.rlim_max);
    return limits;
  }
  std::ifstream file(fmt::format("/proc/{}/limits", process));
  constexpr std::string_view kFiles = "Max open files";
  constexpr std::string_view kCore = "Max core file size";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kFiles)) limits.descriptors = SoftLimit(line, kFiles.size());
    if (line.starts_with(kCore)) limits.core_bytes = SoftLimit(line, kCore.size());
  }
  return limits;
}

ClockState ClockStateNow() {
  timex state{};
  if (::adjtimex(&state) < 0) return ClockState::kUnknown;
  return (state.status & STA_UNSYNC) != 0 ? ClockState::kFree : ClockState::kSynchronised;
}

void ExamineMachine(const config::Config& config, int edge_process, const ProcessLimits& limits,
                    ClockState clock, Checkup& checkup) {
  const uint64_t needed = kDescriptorsAConnection * config.limits.connections + kDescriptorsBeside;
  const std::string whose = edge_process != 0 ? "the edge may open" : "a process started from here may open";
  const std::string says = fmt::format("{} {} files; {} connections of clients need some {}", whose,
                                       limits.descriptors, config.limits.connections, needed);
  if (limits.descriptors < needed) {
    // Which limits a unit gives is not known here.
    checkup.Add(Check::kDescriptors, edge_process != 0 ? Severity::kError : Severity::kWarning, says);
  } else {
    checkup.Ok(Check::kDescriptors, says);
  }
  if (limits.core_bytes != 0) {
    checkup.Fail(Check::kCores, "the running edge may dump a core, with visits in it, for ever");
  } else {
    checkup.Ok(Check::kCores, "none is written");
  }
  switch (clock) {
    case ClockState::kSynchronised:
      return checkup.Ok(Check::kClock, "it is synchronised");
    case ClockState::kFree:
      return checkup.Warn(Check::kClock, "it is not synchronised: times of visits, and of their end, drift");
    case ClockState::kUnknown:
      return checkup.Warn(Check::kClock, "the kernel does not say whether it is synchronised");
  }
}

void ExamineHelpers(const config::Config& config, const base::Clock& clock, Checkup& checkup) {
  ExamineSessionKey(config, checkup);
  ExamineDns(config.dns, checkup);
  ExaminePlaces(config.geo, clock.WallNow(), checkup);
}

}  // namespace gatebook::review
