// Places: country, city and network of an address, from .mmdb files.
//
// Reads MaxMind's nested layout (country.iso_code, city.names.en,
// autonomous_system_number …) and flat ones (country_code, city, asn …). Several
// files may be given; of each field the first file that knows it is taken.
//
// libmaxminddb maps a file; were that file cut short in place, reading the map would
// be a SIGBUS, and were it overwritten, its tree would change under a look-up. So a file
// is copied into sealed anonymous memory (memfd_create(2)), and that is opened. It costs
// the file's size in memory (some 10 MB for countries, 60 MB for cities).
//
// A file that is missing, damaged or changing leaves the one that was open before, or
// none: look-ups go on, ReloadIfChanged() tries again, state() says what is wrong.
//
// Thread: one (the recorder's). Owns: the copies. Borrows: metrics.
// Limits: a file of kMostFileSize octets; texts of kMostText octets, clean (logger/text.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/metrics.h"
#include "base/result.h"
#include "logger/visit.h"

namespace gatebook::logger {

class Places {
 public:
  static constexpr uint64_t kMostFileSize = 1ULL << 30;
  static constexpr size_t kMostText = 100;

  struct FileState {
    std::string path;
    bool open = false;
    uint64_t build_epoch = 0;  // seconds since 1970, as the file says
    std::string error;         // of the last attempt; empty if it went well
  };

  // Whether a file could be opened; costs as much as opening it. Any thread.
  static base::Status Check(const std::string& path);

  // kQuiet: for a command that looks something up, and has its own words.
  enum class Say { kLog, kQuiet };
  // Opens what can be opened; never fails.
  Places(const std::vector<std::string>& paths, base::MetricsBlock& metrics, Say say = Say::kLog);
  ~Places();
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // What the files know of `ip`; fields they don't know are empty. The views are valid until the
  // next Find or ReloadIfChanged.
  Place Find(const base::IpAddress& ip);

  // Opens again each file that is another than the one last tried (inode, size, time of change of content or
  // rights). For every few seconds and for HUP. True if a file was opened.
  bool ReloadIfChanged();

  std::vector<FileState> state() const;

 private:
  class Database;
  struct File;

  void Load(File& file);

  base::MetricsBlock& metrics_;
  const Say say_;
  std::vector<std::unique_ptr<File>> files_;
  std::array<char, 2> country_{};
  std::array<char, kMostText> city_{};
  std::array<char, kMostText> as_org_{};
};

}  // namespace gatebook::logger
