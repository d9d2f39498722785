#include "proxy/session_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/unique_fd.h"

namespace gatebook::proxy {
namespace {

base::Error Failure(const std::string& path, std::string_view what) {
  return {fmt::format("session key {}: {}", path, what), base::ExitCode::kConfig};
}

base::Error CannotMake(const std::string& path) {
  return {fmt::format("session key {}: cannot be made: {}", path, std::strerror(errno)),
          base::ExitCode::kCannotCreate};
}

base::Result<SessionKey> Load(const std::string& path, int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Failure(path, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return Failure(path, "is not a plain file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Failure(path, fmt::format("its mode is {:04o}, but only its owner may have access (0600)",
                                     info.st_mode & 07777U));
  }
  if (info.st_size != static_cast<off_t>(SessionKey::kSize)) {
    return Failure(path, fmt::format("holds {} bytes, not {}", info.st_size, SessionKey::kSize));
  }
  std::array<uint8_t, SessionKey::kSize> bytes{};
  if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Failure(path, "cannot be read");
  }
  const SessionKey key(bytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

bool WriteKey(int fd) {
  std::array<uint8_t, SessionKey::kSize> bytes{};
  if (RAND_priv_bytes(bytes.data(), bytes.size()) != 1) {
    ERR_clear_error();
    errno = EIO;
    return false;
  }
  const ssize_t written = ::write(fd, bytes.data(), bytes.size());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (written >= 0 && written != static_cast<ssize_t>(bytes.size())) errno = ENOSPC;
  return written == static_cast<ssize_t>(bytes.size()) && ::fsync(fd) == 0;
}

// The whole key appears under `path` at once, or another process's does.
base::Status Make(const std::string& path) {
  std::string beside = path + ".XXXXXX";
  const base::UniqueFd fd(::mkostemp(beside.data(), O_CLOEXEC));  // mode 0600
  if (!fd.IsValid()) return CannotMake(path);
  const bool made = WriteKey(fd.get()) && (::link(beside.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  ::unlink(beside.c_str());
  errno = error;
  if (!made) return CannotMake(path);
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const base::UniqueFd directory_fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_fd.IsValid() || ::fsync(directory_fd.get()) != 0) return CannotMake(path);
  return {};
}

}  // namespace

SessionKey::~SessionKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

base::Result<SessionKey> SessionKey::LoadOrMake(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.IsValid() && errno == ENOENT) {
    if (const auto made = Make(path); !made) return made.error();
    fd.Reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  }
  if (!fd.IsValid()) return Failure(path, std::strerror(errno));
  return Load(path, fd.get());
}

base::Result<SessionKey> SessionKey::LoadMade(const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return LoadOrMake(path);
  return base::Error{fmt::format("cannot read the session key {}: {}; it is made when the edge first starts",
                                 path, std::strerror(errno)),
                     base::ExitCode::kInputOutput};
}

}  // namespace gatebook::proxy
