#include "review/retention_ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "base/unique_fd.h"
#include "config/units.h"

namespace gatebook::review {
namespace {

using base::Error;
using base::ExitCode;
using nlohmann::ordered_json;

constexpr std::string_view kChain = ",\"chain\":\"";
constexpr size_t kDigits = 64;
const std::string kBeforeTheFirst(kDigits, '0');

std::string DigestOf(std::string_view text) {
  std::array<uint8_t, 32> digest;
  unsigned size = digest.size();
  CHECK(::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr) == 1);
  return base::ToHex(digest);
}

std::optional<std::string> ReadAll(int fd) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
  }
}

// The object without its digest, as text without its end.
std::string Body(const LedgerEntry& entry, uint64_t number, const std::string& previous) {
  const RetentionReport& report = entry.report;
  ordered_json line;
  line["n"] = number;
  line["time"] = base::ToRfc3339(report.made);
  line["edge"] = entry.edge;
  line["retention"] = config::FormatDuration(report.retention);
  line["kept"] = report.IsKept();
  line["every_entry"] = report.every_entry;
  if (report.clock_held.count() != 0) line["clock_held_ms"] = report.clock_held.count();
  if (const auto next = report.Next()) line["next_destruction"] = base::ToRfc3339(*next);
  line["redis_rewrite"] = entry.redis_rewrite;
  for (size_t i = 0; i < report.places.size(); ++i) {
    const PlaceReport& one = report.places[i];
    ordered_json row = {{"records", one.records}};
    if (one.oldest) row["oldest"] = base::ToRfc3339(*one.oldest);
    row["overdue"] = one.overdue;
    row["no_deadline"] = one.undated;
    row["too_late"] = one.too_late;
    row["faults"] = one.faults;
    line["places"][std::string(InfoOf(static_cast<Place>(i)).slug)] = std::move(row);
  }
  line["previous"] = previous;
  std::string text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  text.pop_back();
  return text;
}

// False: it is not what follows `previous`.
bool Parse(std::string_view text, const std::string& previous, LedgerLine* line) {
  const size_t at = text.rfind(kChain);
  if (at == std::string_view::npos || text.size() != at + kChain.size() + kDigits + 2) return false;
  line->text = text;
  line->chain = text.substr(at + kChain.size(), kDigits);
  if (DigestOf(text.substr(0, at)) != line->chain) return false;
  const ordered_json object = ordered_json::parse(text, nullptr, false);
  // What anybody may have written: of any type.
  const auto word = [&object](const char* name) {
    return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
  };
  if (!object.is_object() || word("previous") != previous) return false;
  const auto time = base::ParseRfc3339(word("time"));
  const bool whole = time && object.contains("n") && object["n"].is_number_unsigned() && object.contains("kept") &&
                     object["kept"].is_boolean();
  if (!whole) return false;
  line->number = object["n"].get<uint64_t>();
  line->time = *time;
  line->kept = object["kept"].get<bool>();
  line->rewritten = word("redis_rewrite") == "ok";
  return true;
}

LedgerContents ParseAll(std::string_view text) {
  LedgerContents contents;
  std::string previous = kBeforeTheFirst;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view one = text.substr(0, end);
    LedgerLine line;
    const bool follows =
        end != std::string_view::npos && Parse(one, previous, &line) && line.number == number;
    if (!follows && contents.broken.empty()) {
      contents.broken = fmt::format(
          "line {} does not follow from the one before it: it, or one before it, was "
          "changed, removed, inserted or cut short",
          number);
    }
    // Behind a break the chain is looked at from there on: everything is shown, and the first break is said.
    if (line.chain.empty()) line.chain = DigestOf(one);
    line.text = one;
    previous = line.chain;
    contents.lines.push_back(std::move(line));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return contents;
}

}  // namespace

base::Result<LedgerContents> RetentionLedger::Read() const {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.IsValid() && errno == ENOENT) return LedgerContents();
  const auto text = file.IsValid() ? ReadAll(file.get()) : std::nullopt;
  if (!text)
    return Error{fmt::format("cannot read the ledger {}: {}", path_, std::strerror(errno)),
                 ExitCode::kInputOutput};
  return ParseAll(*text);
}

base::Result<LedgerLine> RetentionLedger::Append(const LedgerEntry& entry) const {
  const auto failure = [this](const char* what, ExitCode code) {
    return Error{fmt::format("cannot {} the ledger {}: {}", what, path_, std::strerror(errno)), code};
  };
  const base::UniqueFd file(
      ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.IsValid()) return failure("make", ExitCode::kCannotCreate);
  if (::flock(file.get(), LOCK_EX) != 0) return failure("lock", ExitCode::kInputOutput);
  const auto before = ReadAll(file.get());
  if (!before) return failure("read", ExitCode::kInputOutput);
  const LedgerContents contents = ParseAll(*before);
  const uint64_t number = contents.lines.size() + 1;
  LedgerLine line;
  line.number = number;
  line.time = entry.report.made;
  line.kept = entry.report.IsKept();
  const std::string previous = contents.lines.empty() ? kBeforeTheFirst : contents.lines.back().chain;
  const std::string body = Body(entry, number, previous);
  line.chain = DigestOf(body);
  line.text = fmt::format("{}{}{}\"}}", body, kChain, line.chain);
  // One write: a line is there or it is not, but for a power cut.
  const bool torn = !before->empty() && before->back() != '\n';
  const std::string bytes = (torn ? "\n" : "") + line.text + '\n';
  if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::fsync(file.get()) != 0) {
    return failure("write", ExitCode::kInputOutput);
  }
  return line;
}

}  // namespace gatebook::review
