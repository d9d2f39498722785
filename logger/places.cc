#include "logger/places.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/log.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "logger/text.h"

namespace gatebook::logger {
namespace {

using Path = std::initializer_list<const char*>;  // keys from the record down; the last is null

// What tells one file from the next under the same name.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  time_t seconds = 0;  // of the last change of content, name or rights
  long nanoseconds = 0;
  bool operator==(const Identity&) const = default;

  static Identity Of(const struct stat& status) {
    return {status.st_dev, status.st_ino, status.st_size, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
  }
};

Identity IdentityOf(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? Identity::Of(status) : Identity{};
}

base::Error SystemError(const char* what) { return {std::string(what) + ": " + std::strerror(errno)}; }

// The file's octets in sealed anonymous memory.
base::Result<base::UniqueFd> CopyOf(const std::string& path, uint64_t most, Identity& identity) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.IsValid()) return SystemError("cannot be opened");
  struct stat before;
  if (::fstat(file.get(), &before) != 0) return SystemError("cannot be read");
  identity = Identity::Of(before);
  if (!S_ISREG(before.st_mode)) return base::Error{"is not a regular file"};
  if (static_cast<uint64_t>(before.st_size) > most) return base::Error{"is larger than 1 GiB"};

  base::UniqueFd copy(::memfd_create("gatebook-places", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy.IsValid()) return SystemError("no memory for a copy");
  for (off_t left = before.st_size; left > 0;) {
    const ssize_t moved = ::sendfile(copy.get(), file.get(), nullptr, static_cast<size_t>(left));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return SystemError("cannot be read");
    if (moved == 0) return base::Error{"became shorter while it was read"};
    left -= moved;
  }
  struct stat after;
  if (::fstat(file.get(), &after) != 0 || Identity::Of(after) != identity) {
    return base::Error{"changed while it was read"};
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return SystemError("the copy cannot be sealed");
  }
  return copy;
}

std::optional<uint32_t> NumberOf(const MMDB_entry_data_s& data) {
  uint64_t number = 0;
  switch (data.type) {
    case MMDB_DATA_TYPE_UINT16:
      number = data.uint16;
      break;
    case MMDB_DATA_TYPE_UINT32:
      number = data.uint32;
      break;
    case MMDB_DATA_TYPE_UINT64:
      number = data.uint64;
      break;
    case MMDB_DATA_TYPE_INT32:
      if (data.int32 < 0) return std::nullopt;
      number = static_cast<uint32_t>(data.int32);
      break;
    case MMDB_DATA_TYPE_DOUBLE:
      if (!(data.double_value >= 0 && data.double_value <= std::numeric_limits<uint32_t>::max()))
        return std::nullopt;
      number = static_cast<uint64_t>(data.double_value);
      break;
    case MMDB_DATA_TYPE_UTF8_STRING: {  // "AS1759" or "1759"
      std::string_view text(data.utf8_string, data.data_size);
      if (text.starts_with("AS")) text.remove_prefix(2);
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
      break;
    }
    default:
      return std::nullopt;
  }
  if (number == 0 || number > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(number);
}

std::string_view TextOf(const MMDB_entry_data_s& data) {
  if (data.type != MMDB_DATA_TYPE_UTF8_STRING) return {};
  return {data.utf8_string, data.data_size};
}

bool IsCountry(std::string_view text) {
  return text.size() == 2 && base::IsAsciiAlpha(text[0]) && base::IsAsciiAlpha(text[1]);
}

// Always in `out`, so that no view into a file leaves this folder's hands.
std::string_view CleanCopy(std::string_view text, std::span<char> out) {
  if (text.empty()) return {};  // libmaxminddb has no address for it then
  const std::string_view clean = CleanText(text, out.size(), out);
  if (clean.data() != out.data()) std::memcpy(out.data(), clean.data(), clean.size());
  return {out.data(), clean.size()};
}

}  // namespace

// One open file: libmaxminddb's handle on our copy.
class Places::Database {
 public:
  static base::Result<std::unique_ptr<Database>> Open(const base::UniqueFd& copy) {
    // The library opens by name only.
    const std::string name = "/proc/self/fd/" + std::to_string(copy.get());
    auto database = std::unique_ptr<Database>(new Database);
    const int status = MMDB_open(name.c_str(), MMDB_MODE_MMAP, &database->handle_);
    if (status != MMDB_SUCCESS)
      return base::Error{std::string("is no place database: ") + MMDB_strerror(status)};
    database->open_ = true;
    return database;
  }
  ~Database() {
    if (open_) MMDB_close(&handle_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  uint64_t build_epoch() const { return handle_.metadata.build_epoch; }

  // The record of an address. Sets `damaged` where the file contradicts itself.
  std::optional<MMDB_entry_s> Find(const base::IpAddress& ip, bool& damaged) const {
    if (!ip.IsV4() && handle_.metadata.ip_version == 4) return std::nullopt;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    const sockaddr* address;
    if (ip.IsV4()) {
      v4.sin_family = AF_INET;
      std::memcpy(&v4.sin_addr, ip.bytes().data() + 12, 4);
      address = reinterpret_cast<const sockaddr*>(&v4);
    } else {
      v6.sin6_family = AF_INET6;
      std::memcpy(&v6.sin6_addr, ip.bytes().data(), 16);
      address = reinterpret_cast<const sockaddr*>(&v6);
    }
    int error = MMDB_SUCCESS;
    const MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&handle_, address, &error);
    damaged = damaged || error != MMDB_SUCCESS;
    if (error != MMDB_SUCCESS || !result.found_entry) return std::nullopt;
    return result.entry;
  }

  // The value under the first of `paths` that `accept` takes.
  template <typename Accept>
  static void Read(MMDB_entry_s entry, std::initializer_list<Path> paths, bool& damaged, Accept accept) {
    for (const Path& path : paths) {
      MMDB_entry_data_s data{};
      const int status = MMDB_aget_value(&entry, &data, path.begin());
      if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) continue;  // another layout
      damaged = damaged || status != MMDB_SUCCESS;
      if (status == MMDB_SUCCESS && data.has_data && accept(data)) return;
    }
  }

 private:
  Database() = default;
  MMDB_s handle_{};
  bool open_ = false;
};

struct Places::File {
  std::string path;
  Identity tried;  // what the last attempt saw
  std::string error;
  std::unique_ptr<Database> database;
};

base::Status Places::Check(const std::string& path) {
  Identity identity;
  auto copy = CopyOf(path, kMostFileSize, identity);
  if (!copy.ok()) return base::Error{path + " " + copy.error().message};
  auto database = Database::Open(copy.value());
  if (!database.ok()) return base::Error{path + " " + database.error().message};
  return {};
}

Places::Places(const std::vector<std::string>& paths, base::MetricsBlock& metrics, Say say)
    : metrics_(metrics), say_(say) {
  for (const std::string& path : paths) {
    files_.push_back(std::make_unique<File>());
    files_.back()->path = path;
    Load(*files_.back());
  }
}

Places::~Places() = default;

void Places::Load(File& file) {
  file.tried = IdentityOf(file.path);
  std::string error;
  auto copy = CopyOf(file.path, kMostFileSize, file.tried);
  if (copy.ok()) {
    auto database = Database::Open(copy.value());
    if (database.ok()) {
      file.database = std::move(database).value();
    } else {
      error = database.error().message;
    }
  } else {
    error = copy.error().message;
  }
  file.error = error;
  if (say_ == Say::kQuiet) return;
  if (error.empty()) {
    base::LogInfo("places", "opened {}", file.path);
  } else {
    base::LogWarning("places", "{} {}{}", file.path, error,
                     file.database != nullptr ? "; the one opened before stays in use" : "");
  }
}

bool Places::ReloadIfChanged() {
  bool opened = false;
  for (const auto& file : files_) {
    if (IdentityOf(file->path) == file->tried) continue;
    Load(*file);
    metrics_.Add(file->error.empty() ? base::Metric::kGeoReloads : base::Metric::kGeoReloadsFailed);
    opened = opened || file->error.empty();
  }
  return opened;
}

Place Places::Find(const base::IpAddress& ip) {
  Place place;
  for (const auto& file : files_) {
    if (file->database == nullptr) continue;
    bool damaged = false;
    if (const auto entry = file->database->Find(ip, damaged)) {
      const auto read = [&](std::initializer_list<Path> paths, auto accept) {
        Database::Read(*entry, paths, damaged, accept);
      };
      if (place.country.empty()) {
        read({{"country", "iso_code", nullptr}, {"country_code", nullptr}, {"country", nullptr}},
             [&](const MMDB_entry_data_s& data) {
               const std::string_view text = TextOf(data);
               if (!IsCountry(text)) return false;
               std::transform(text.begin(), text.end(), country_.begin(), [](char c) {
                 return base::IsAsciiAlpha(c) ? static_cast<char>(c & ~0x20) : c;
               });
               place.country = {country_.data(), country_.size()};
               return true;
             });
      }
      if (place.city.empty()) {
        read({{"city", "names", "en", nullptr}, {"city", nullptr}}, [&](const MMDB_entry_data_s& data) {
          place.city = CleanCopy(TextOf(data), city_);
          return !place.city.empty();
        });
      }
      if (place.asn == 0) {
        read({{"autonomous_system_number", nullptr}, {"asn", nullptr}, {"as_number", nullptr}},
             [&](const MMDB_entry_data_s& data) {
               place.asn = NumberOf(data).value_or(0);
               return place.asn != 0;
             });
      }
      if (place.as_org.empty()) {
        read({{"autonomous_system_organization", nullptr},
              {"as_organization", nullptr},
              {"as_org", nullptr},
              {"as_name", nullptr}},
             [&](const MMDB_entry_data_s& data) {
               place.as_org = CleanCopy(TextOf(data), as_org_);
               return !place.as_org.empty();
             });
      }
    }
    if (damaged) metrics_.Add(base::Metric::kGeoErrors);
  }
  return place;
}

std::vector<Places::FileState> Places::state() const {
  std::vector<FileState> states;
  for (const auto& file : files_) {
    const Database* database = file->database.get();
    states.push_back(
        {file->path, database != nullptr, database != nullptr ? database->build_epoch() : 0, file->error});
  }
  return states;
}

}  // namespace gatebook::logger
