#include "review/hash_chain.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/hex.h"

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

HashChain::Written Compose(const ordered_json& facts, uint64_t number, const std::string& previous) {
  ordered_json object = {{"n", number}};
  object.update(facts);
  object["previous"] = previous;
  std::string body = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  body.pop_back();
  HashChain::Written line{number, DigestOf(body), {}};
  line.text = fmt::format("{}{}{}\"}}", body, kChain, line.chain);
  return line;
}

// Its number, digest and object, as far as they can be believed. Of a damaged one: a digest to go on from.
HashChain::Line Parse(std::string_view text) {
  HashChain::Line line;
  line.text = text;
  const size_t at = text.rfind(kChain);
  const bool ended = at != std::string_view::npos && text.size() == at + kChain.size() + kDigits + 2;
  if (ended) line.chain = text.substr(at + kChain.size(), kDigits);
  line.object = ordered_json(ordered_json::value_t::discarded);
  if (ended && DigestOf(text.substr(0, at)) == line.chain) {
    line.object = ordered_json::parse(text, nullptr, false);
    const bool numbered = line.object.is_object() && line.object.contains("n") &&
                          line.object["n"].is_number_unsigned() && line.object.contains("previous") &&
                          line.object["previous"].is_string();
    if (numbered) {
      line.number = line.object["n"].get<uint64_t>();
    } else {
      line.object = ordered_json(ordered_json::value_t::discarded);
    }
  }
  if (line.chain.empty()) line.chain = DigestOf(text);
  return line;
}

}  // namespace

std::string HashChain::Walk(std::string_view text, const Take& take) const {
  std::string broken;
  std::optional<std::string> previous;
  if (begins_ == Begins::kAtOne) previous = kBeforeTheFirst;
  uint64_t number = 1;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    Line line = Parse(text.substr(0, end));
    const bool is_first = !previous.has_value();
    const bool follows = end != std::string_view::npos && line.is_whole() &&
                         (is_first || (line.object["previous"] == *previous && line.number == number)) &&
                         (!is_first || line.number != 1 || line.object["previous"] == kBeforeTheFirst);
    if (!line.is_whole()) line.number = number;
    if (!(take(line) && follows) && broken.empty()) {
      broken = fmt::format(
          "line {} does not follow from the one before it: it, or one before it, was "
          "changed, removed, inserted or cut short",
          is_first ? line.number : number);
    }
    previous = line.chain;
    number = line.number + 1;
    text.remove_prefix(std::min(text.size(), line.text.size() + 1));
  }
  return broken;
}

base::Error HashChain::Failure(const char* what, ExitCode code) const {
  return Error{fmt::format("cannot {} {} {}: {}", what, called_, path_, std::strerror(errno)), code};
}

base::Result<std::string> HashChain::Read(const Take& take) const {
  const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.IsValid() && errno == ENOENT) return std::string();
  // Half a line of somebody who is writing is no break.
  const bool locked = file.IsValid() && ::flock(file.get(), LOCK_SH) == 0;
  const auto text = locked ? ReadAll(file.get()) : std::nullopt;
  if (!text) return Failure("read", ExitCode::kInputOutput);
  return Walk(*text, take);
}

base::Result<base::UniqueFd> HashChain::Lock(int flags) const {
  for (;;) {
    base::UniqueFd file(::open(path_.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.IsValid()) return Failure("make", ExitCode::kCannotCreate);
    if (::flock(file.get(), LOCK_EX) != 0) return Failure("lock", ExitCode::kInputOutput);
    // While it was waited for, another may have put a new file in its place.
    struct stat locked, there;
    if (::fstat(file.get(), &locked) != 0) return Failure("lock", ExitCode::kInputOutput);
    if (::stat(path_.c_str(), &there) == 0 && there.st_dev == locked.st_dev && there.st_ino == locked.st_ino)
      return file;
  }
}

base::Result<HashChain::Written> HashChain::Append(const ordered_json& facts) const {
  const auto file = Lock(O_RDWR | O_CREAT | O_APPEND);
  if (!file) return file.error();
  const int fd = file->get();
  const auto before = ReadAll(fd);
  if (!before) return Failure("read", ExitCode::kInputOutput);
  uint64_t number = 1;
  std::string previous = kBeforeTheFirst;
  if (before->empty()) {
    // Who makes it as root (sudo) must not shut out the edge: it belongs to whom the directory belongs to.
    struct stat owner;
    const std::string directory = std::filesystem::path(path_).parent_path().string();
    if (::geteuid() == 0 && ::stat(directory.empty() ? "." : directory.c_str(), &owner) == 0 &&
        ::fchown(fd, owner.st_uid, owner.st_gid) != 0) {
      return Failure("make", ExitCode::kCannotCreate);
    }
  }
  // Of a whole last line all that is needed stands in it; else the lines are counted.
  const bool torn = !before->empty() && before->back() != '\n';
  const std::string_view ended =
      std::string_view(*before).substr(0, before->size() - (before->empty() ? 0 : 1));
  const Line last = Parse(ended.substr(ended.rfind('\n') + 1));
  if (!before->empty() && !torn && last.is_whole()) {
    number = last.number + 1;
    previous = last.chain;
  } else {
    Walk(*before, [&](const Line& line) {
      number = line.number + 1;
      previous = line.chain;
      return true;
    });
  }
  Written line = Compose(facts, number, previous);
  // One write: a line is there or it is not, but for a power cut.
  const std::string bytes = (torn ? "\n" : "") + line.text + '\n';
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fsync(fd) != 0) {
    Error failure = Failure("write", ExitCode::kInputOutput);
    // A full disk takes half a line, which would be a break for good.
    if (::ftruncate(fd, static_cast<off_t>(before->size())) != 0)
      failure.message += "; half a line is left there";
    return failure;
  }
  return line;
}

base::Result<uint64_t> HashChain::DestroyWhile(const std::function<bool(const Line&)>& is_old,
                                               const ordered_json& instead) const {
  CHECK(begins_ == Begins::kSomewhere);
  if (::access(path_.c_str(), F_OK) != 0 && errno == ENOENT) return uint64_t{0};
  const auto file = Lock(O_RDWR);
  if (!file) return file.error();
  const auto before = ReadAll(file->get());
  if (!before) return Failure("read", ExitCode::kInputOutput);
  uint64_t destroyed = 0;
  bool growing = true;
  std::string_view rest = *before;
  std::string previous = kBeforeTheFirst;
  uint64_t number = 1;
  Walk(*before, [&](const Line& line) {
    growing = growing && is_old(line);
    if (!growing) return true;
    ++destroyed;
    rest.remove_prefix(std::min(rest.size(), line.text.size() + 1));
    previous = line.chain;
    number = line.number + 1;
    return true;
  });
  if (destroyed == 0) return destroyed;
  const std::string text = rest.empty() ? Compose(instead, number, previous).text + '\n' : std::string(rest);
  if (auto replaced = Replace(file->get(), text); !replaced) return replaced.error();
  return destroyed;
}

base::Status HashChain::Replace(int old, std::string_view text) const {
  const std::string beside = path_ + ".new";
  const std::string directory = std::filesystem::path(path_).parent_path().string();
  const base::UniqueFd place(
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const base::UniqueFd file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!place.IsValid() || !file.IsValid()) return Failure("write", ExitCode::kCannotCreate);
  struct stat was, is;
  const bool same = ::fstat(old, &was) == 0 && ::fstat(file.get(), &is) == 0 &&
                    ((was.st_uid == is.st_uid && was.st_gid == is.st_gid) ||
                     ::fchown(file.get(), was.st_uid, was.st_gid) == 0) &&
                    ::fchmod(file.get(), was.st_mode & 07777) == 0;
  if (!same || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.get()) != 0 || ::rename(beside.c_str(), path_.c_str()) != 0 || ::fsync(place.get()) != 0) {
    return Failure("write", ExitCode::kInputOutput);
  }
  return {};
}

}  // namespace gatebook::review
