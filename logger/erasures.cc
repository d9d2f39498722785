#include "logger/erasures.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hex.h"

namespace gatebook::logger {
namespace {

constexpr std::string_view kKinds[] = {"session", "address"};

int64_t Milliseconds(base::WallTime time) { return time.time_since_epoch().count(); }

std::string ToLine(const Erasure& erasure) {
  return fmt::format("{} {} {} {} {}\n", erasure.id, kKinds[static_cast<size_t>(erasure.kind)],
                     base::ToHex(erasure.digest), Milliseconds(erasure.since), Milliseconds(erasure.until));
}

std::string ToLines(const std::vector<Erasure>& erasures) {
  std::string text;
  for (const Erasure& one : erasures) text += ToLine(one);
  return text;
}

bool ReadTime(std::string_view text, base::WallTime* time) {
  int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  *time = base::WallTime(std::chrono::milliseconds(milliseconds));
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Erasure> ParseLine(std::string_view line) {
  std::array<std::string_view, 5> words;
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t space = line.find(' ');
    if ((space == std::string_view::npos) != (i + 1 == words.size())) return std::nullopt;
    words[i] = line.substr(0, space);
    line.remove_prefix(std::min(line.size(), words[i].size() + 1));
  }
  Erasure erasure;
  erasure.id = words[0];
  const auto kind = std::find(std::begin(kKinds), std::end(kKinds), words[1]);
  erasure.kind = static_cast<Erasure::Kind>(kind - std::begin(kKinds));
  const bool whole = kind != std::end(kKinds) && base::FromHex(words[2], erasure.digest) &&
                     ReadTime(words[3], &erasure.since) && ReadTime(words[4], &erasure.until);
  return whole ? std::optional(erasure) : std::nullopt;
}

std::vector<Erasure> ParseAll(std::string_view text) {
  std::vector<Erasure> erasures;
  while (!text.empty()) {
    if (auto erasure = ParseLine(TakeLine(text))) erasures.push_back(*std::move(erasure));
  }
  return erasures;
}

}  // namespace

ErasureList::ErasureList(ErasureKey key, const std::vector<Erasure>& erasures) : key_(key) {
  for (const Erasure& one : erasures) {
    windows_.emplace(std::pair(one.kind, one.digest), Window{one.since, one.until});
    base::WallTime& latest = latest_[static_cast<size_t>(one.kind)];
    latest = std::max(latest, one.until);
  }
}

bool ErasureList::Contains(const Visit& visit) const {
  using enum Erasure::Kind;
  const auto may_be = [&](Erasure::Kind kind) { return visit.arrival < latest_[static_cast<size_t>(kind)]; };
  return (may_be(kSession) && Covers(kSession, key_.Of(visit.session), visit.arrival)) ||
         (may_be(kAddress) && Covers(kAddress, key_.Of(visit.ip), visit.arrival));
}

bool ErasureList::Covers(Erasure::Kind kind, const ErasureDigest& digest, base::WallTime arrival) const {
  const auto [first, last] = windows_.equal_range({kind, digest});
  return std::any_of(first, last, [arrival](const auto& entry) {
    return entry.second.since <= arrival && arrival < entry.second.until;
  });
}

ErasureRegister::ErasureRegister(const std::string& journal_directory, std::chrono::milliseconds retention)
    : file_(journal_directory, "erasures"), retention_(retention) {}

std::vector<Erasure> ErasureRegister::InForce(std::string_view text, base::WallTime now) const {
  std::vector<Erasure> erasures = ParseAll(text);
  std::erase_if(erasures, [&](const Erasure& one) { return one.until + retention_ < now; });
  return erasures;
}

base::Result<std::vector<Erasure>> ErasureRegister::Load(base::WallTime now) const {
  const auto text = file_.Read();
  if (!text) return text.error();
  return InForce(*text, now);
}

base::Status ErasureRegister::Add(const Erasure& erasure, base::WallTime now) const {
  return file_.Change([&](const std::string& before) -> base::Result<std::string> {
    return ToLines(InForce(before, now)) + ToLine(erasure);
  });
}

base::Status ErasureRegister::StrikeOut(base::WallTime now) const {
  const auto text = file_.Read();
  if (!text) return text.error();
  if (InForce(*text, now).size() == ParseAll(*text).size()) return {};
  return file_.Change([&](const std::string& before) -> base::Result<std::string> {
    return ToLines(InForce(before, now));
  });
}

}  // namespace gatebook::logger
