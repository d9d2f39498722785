#include "logger/erasures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/hex.h"
#include "base/unique_fd.h"

namespace gatebook::logger {
namespace {

using base::Error;
using base::ExitCode;

constexpr std::string_view kName = "erasures";
constexpr std::string_view kKinds[] = {"session", "address"};

ErasureDigest Hmac(std::span<const uint8_t> key, std::string_view text) {
  ErasureDigest digest;
  unsigned size = digest.size();
  CHECK(::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
               &size) != nullptr);
  return digest;
}

int64_t Milliseconds(base::WallTime time) { return time.time_since_epoch().count(); }

std::string ToLine(const Erasure& erasure) {
  return fmt::format("{} {} {} {} {}\n", erasure.id, kKinds[static_cast<size_t>(erasure.kind)],
                     base::ToHex(erasure.digest), Milliseconds(erasure.since), Milliseconds(erasure.until));
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

std::optional<std::string> ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
  }
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::vector<Erasure> ParseAll(std::string_view text) {
  std::vector<Erasure> erasures;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto erasure = ParseLine(text.substr(0, end))) erasures.push_back(*std::move(erasure));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return erasures;
}

}  // namespace

ErasureKey::ErasureKey(std::span<const uint8_t> session_key)
    : bytes_(Hmac(session_key, "gatebook erasures, version 1")) {}

ErasureDigest ErasureKey::Sign(std::string_view kind, std::span<const uint8_t> bytes) const {
  std::string text(kind);
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Hmac(bytes_, text);
}

ErasureDigest ErasureKey::Of(const SessionId& session) const { return Sign("session ", session.bytes); }
ErasureDigest ErasureKey::Of(const base::IpAddress& ip) const { return Sign("address ", ip.bytes()); }

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
    : directory_(journal_directory),
      path_(fmt::format("{}/{}", journal_directory, kName)),
      retention_(retention) {}

bool ErasureRegister::IsVoid(const Erasure& erasure, base::WallTime now) const {
  return erasure.until + retention_ < now;
}

base::Result<std::vector<Erasure>> ErasureRegister::Load(base::WallTime now) const {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.IsValid() && errno == ENOENT) return std::vector<Erasure>();
  const auto text = file.IsValid() ? ReadAll(file.get()) : std::nullopt;
  if (!text)
    return Error{fmt::format("cannot read {}: {}", path_, std::strerror(errno)), ExitCode::kInputOutput};
  std::vector<Erasure> erasures = ParseAll(*text);
  std::erase_if(erasures, [&](const Erasure& one) { return IsVoid(one, now); });
  return erasures;
}

base::Status ErasureRegister::Add(const Erasure& erasure, base::WallTime now) const {
  const auto failure = [&](const char* what, ExitCode code) {
    return Error{fmt::format("cannot {} {}: {}", what, path_, std::strerror(errno)), code};
  };
  const base::UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.IsValid()) return failure("write", ExitCode::kCannotCreate);
  // One writer at a time; the directory is what is locked, as the file is replaced.
  if (::flock(directory.get(), LOCK_EX) != 0) return failure("lock", ExitCode::kInputOutput);
  auto kept = Load(now);
  if (!kept) return kept.error();
  kept->push_back(erasure);
  std::string text;
  for (const Erasure& one : *kept) text += ToLine(one);

  const std::string beside = path_ + ".new";
  const base::UniqueFd file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.IsValid()) return failure("write", ExitCode::kCannotCreate);
  // Whoever asks, often root: the file is the edge's.
  struct stat owner;
  const bool theirs = ::geteuid() != 0 || (::fstat(directory.get(), &owner) == 0 &&
                                           ::fchown(file.get(), owner.st_uid, owner.st_gid) == 0);
  if (!theirs || !WriteAll(file.get(), text) || ::fsync(file.get()) != 0 ||
      ::rename(beside.c_str(), path_.c_str()) != 0 || ::fsync(directory.get()) != 0) {
    return failure("write", ExitCode::kInputOutput);
  }
  return {};
}

}  // namespace gatebook::logger
