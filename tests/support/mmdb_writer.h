// MmdbWriter: makes .mmdb files (MaxMind DB format 2.0) for tests.
//
// An IPv6 tree with IPv4 networks under ::/96, or an IPv4 tree; records of 24, 28
// or 32 bits. Values are what the tests put in: nested as MaxMind's files or flat.
//
//   MmdbWriter writer;
//   writer.Add("127.0.0.0/8", MmdbMap{{"country", MmdbMap{{"iso_code", "FI"}}}});
//   writer.Write(path);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gatebook::support {

class MmdbValue;
using MmdbMap = std::map<std::string, MmdbValue>;
using MmdbArray = std::vector<MmdbValue>;

class MmdbValue {
 public:
  MmdbValue(const char* text) : value_(std::string(text)) {}
  MmdbValue(std::string text) : value_(std::move(text)) {}
  MmdbValue(uint16_t number) : value_(number) {}
  MmdbValue(uint32_t number) : value_(number) {}
  MmdbValue(uint64_t number) : value_(number) {}
  MmdbValue(int32_t number) : value_(number) {}
  MmdbValue(double number) : value_(number) {}
  MmdbValue(MmdbMap map) : value_(std::make_shared<MmdbMap>(std::move(map))) {}

  MmdbValue(MmdbArray array) : value_(std::make_shared<MmdbArray>(std::move(array))) {}

  void AppendTo(std::string& bytes) const;

 private:
  std::variant<std::string, uint16_t, uint32_t, uint64_t, int32_t, double, std::shared_ptr<MmdbMap>,
               std::shared_ptr<MmdbArray>>
      value_;
};

class MmdbWriter {
 public:
  explicit MmdbWriter(uint16_t ip_version = 6, uint16_t record_size = 28)
      : ip_version_(ip_version), record_size_(record_size), nodes_(1) {}

  // `network`: "192.0.2.0/24", "2001:db8::/32". A later network inside an earlier one takes its part of it.
  void Add(std::string_view network, const MmdbValue& value);
  std::string ToBytes() const;
  // Writes the file anew under `path` (a new inode).
  void Write(const std::string& path) const;

 private:
  struct Side {
    enum class Kind { kEmpty, kNode, kData } kind = Kind::kEmpty;
    uint32_t index = 0;  // of a node, or offset of data
  };
  using Node = std::pair<Side, Side>;
  Side& SideOf(size_t node, bool right) { return right ? nodes_[node].second : nodes_[node].first; }

  uint16_t ip_version_;
  uint16_t record_size_;
  std::vector<Node> nodes_;
  std::string data_;
};

}  // namespace gatebook::support
