#include "logger/objections.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/hex.h"

namespace gatebook::logger {
namespace {

using base::Error;
using base::ExitCode;

constexpr std::string_view kKinds[] = {"session", "network"};

int64_t Milliseconds(base::WallTime time) { return time.time_since_epoch().count(); }

std::string ToLine(const Objection& one) {
  return fmt::format("{} {} {} {} {} {} {}\n", one.id, kKinds[static_cast<size_t>(one.kind)], one.bits,
                     base::ToHex(one.digest), Milliseconds(one.added), Milliseconds(one.until), one.note);
}

template <typename Number>
bool ReadNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadTime(std::string_view text, base::WallTime* time) {
  int64_t milliseconds = 0;
  if (!ReadNumber(text, &milliseconds)) return false;
  *time = base::WallTime(std::chrono::milliseconds(milliseconds));
  return true;
}

std::optional<Objection> ParseLine(std::string_view line) {
  std::array<std::string_view, 6> words;
  for (std::string_view& word : words) {
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    word = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  Objection one;
  one.id = words[0];
  one.note = line;
  const auto kind = std::find(std::begin(kKinds), std::end(kKinds), words[1]);
  one.kind = static_cast<Objection::Kind>(kind - std::begin(kKinds));
  const bool whole = kind != std::end(kKinds) && ReadNumber(words[2], &one.bits) && one.bits >= 0 &&
                     one.bits <= 128 && base::FromHex(words[3], one.digest) &&
                     ReadTime(words[4], &one.added) && ReadTime(words[5], &one.until);
  return whole ? std::optional(std::move(one)) : std::nullopt;
}

std::vector<Objection> ParseAll(std::string_view text, base::WallTime now) {
  std::vector<Objection> all;
  while (!text.empty() && all.size() < ObjectionRegister::kMost) {
    auto one = ParseLine(TakeLine(text));
    if (one && (one->until == base::WallTime{} || now < one->until)) all.push_back(*std::move(one));
  }
  return all;
}

std::string ToText(const std::vector<Objection>& all) {
  std::string text;
  for (const Objection& one : all) text += ToLine(one);
  return text;
}

std::vector<int> LengthsOf(const std::vector<Objection>& all) {
  std::vector<int> lengths;
  for (const Objection& one : all) {
    if (one.kind != Objection::Kind::kNetwork) continue;
    if (std::find(lengths.begin(), lengths.end(), one.bits) == lengths.end()) lengths.push_back(one.bits);
  }
  return lengths;
}

}  // namespace

ObjectionList::ObjectionList(ObjectionKey key, const std::vector<Objection>& objections, uint64_t number)
    : key_(key), lengths_(LengthsOf(objections)), number_(number) {
  for (const Objection& one : objections) {
    digests_.push_back(one.digest);
    any_session_ = any_session_ || one.kind == Objection::Kind::kSession;
  }
  std::sort(digests_.begin(), digests_.end());
}

bool ObjectionList::Has(const KeyedDigest& digest) const {
  return std::binary_search(digests_.begin(), digests_.end(), digest);
}

bool ObjectionList::Contains(const SessionId& session) const { return any_session_ && Has(key_.Of(session)); }

bool ObjectionList::Contains(const base::IpAddress& ip) const {
  return std::any_of(lengths_.begin(), lengths_.end(), [&](int bits) { return Has(key_.Of(ip, bits)); });
}

ObjectionRegister::ObjectionRegister(const std::string& journal_directory)
    : file_(journal_directory, "objections") {}

base::Result<std::vector<Objection>> ObjectionRegister::Load(base::WallTime now) const {
  const auto text = file_.Read();
  if (!text) return text.error();
  return ParseAll(*text, now);
}

base::Result<std::string> ObjectionRegister::Add(const Objection& objection, base::WallTime now) const {
  std::string id = objection.id;
  const base::Status changed = file_.Change([&](const std::string& text) -> base::Result<std::string> {
    std::vector<Objection> all = ParseAll(text, now);
    const auto same = std::find_if(all.begin(), all.end(),
                                   [&](const Objection& one) { return one.digest == objection.digest; });
    if (same != all.end()) {
      id = same->id;
      same->until = objection.until;
      if (!objection.note.empty()) same->note = objection.note;
      return ToText(all);
    }
    if (all.size() >= kMost) {
      return Error{fmt::format("{} holds {} objections, and no more", path(), kMost), ExitCode::kNegative};
    }
    all.push_back(objection);
    if (LengthsOf(all).size() > kMostLengths) {
      return Error{
          fmt::format("{} holds networks of {} lengths, and no more: use one of these", path(), kMostLengths),
          ExitCode::kNegative};
    }
    return ToText(all);
  });
  if (!changed.ok()) return changed.error();
  return id;
}

base::Status ObjectionRegister::Remove(std::string_view id, const KeyedDigest* digest,
                                       base::WallTime now) const {
  return file_.Change([&](const std::string& text) -> base::Result<std::string> {
    std::vector<Objection> all = ParseAll(text, now);
    const size_t removed = std::erase_if(
        all, [&](const Objection& one) { return digest != nullptr ? one.digest == *digest : one.id == id; });
    if (removed == 0) return Error{"there is no such objection", ExitCode::kNegative};
    return ToText(all);
  });
}

}  // namespace gatebook::logger
