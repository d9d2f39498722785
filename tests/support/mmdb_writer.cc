#include "tests/support/mmdb_writer.h"

#include <bit>
#include <charconv>
#include <cstdio>
#include <fstream>

#include "base/check.h"
#include "base/ip_address.h"

namespace gatebook::support {
namespace {

enum Type : uint8_t {
  kText = 2,
  kDouble = 3,
  kUint16 = 5,
  kUint32 = 6,
  kMap = 7,
  kInt32 = 8,
  kUint64 = 9,
  kArray = 11
};

void AppendNumber(std::string& bytes, uint64_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

// The control octet, with what follows it for extended types and sizes from 29 on.
void AppendControl(std::string& bytes, Type type, size_t size) {
  CHECK(size < 29 + 256 + 65536);
  const size_t code = size < 29 ? size : size < 29 + 256 ? 29 : 30;
  bytes += static_cast<char>((type > 7 ? 0 : type << 5) | static_cast<int>(code));
  if (type > 7) bytes += static_cast<char>(type - 7);
  if (code == 29) AppendNumber(bytes, size - 29, 1);
  if (code == 30) AppendNumber(bytes, size - 29 - 256, 2);
}

void AppendInteger(std::string& bytes, Type type, uint64_t value) {
  int octets = 0;
  for (uint64_t rest = value; rest != 0; rest >>= 8) ++octets;
  AppendControl(bytes, type, static_cast<size_t>(octets));
  AppendNumber(bytes, value, octets);
}

struct Appender {
  std::string& bytes;
  void operator()(const std::string& text) const {
    AppendControl(bytes, kText, text.size());
    bytes += text;
  }
  void operator()(uint16_t number) const { AppendInteger(bytes, kUint16, number); }
  void operator()(uint32_t number) const { AppendInteger(bytes, kUint32, number); }
  void operator()(uint64_t number) const { AppendInteger(bytes, kUint64, number); }
  void operator()(int32_t number) const {
    AppendControl(bytes, kInt32, 4);
    AppendNumber(bytes, static_cast<uint32_t>(number), 4);
  }
  void operator()(double number) const {
    AppendControl(bytes, kDouble, 8);
    AppendNumber(bytes, std::bit_cast<uint64_t>(number), 8);
  }
  void operator()(const std::shared_ptr<MmdbMap>& map) const {
    AppendControl(bytes, kMap, map->size());
    for (const auto& [key, value] : *map) {
      (*this)(key);
      value.AppendTo(bytes);
    }
  }
  void operator()(const std::shared_ptr<MmdbArray>& array) const {
    AppendControl(bytes, kArray, array->size());
    for (const MmdbValue& value : *array) value.AppendTo(bytes);
  }
};

}  // namespace

void MmdbValue::AppendTo(std::string& bytes) const { std::visit(Appender{bytes}, value_); }

void MmdbWriter::Add(std::string_view network, const MmdbValue& value) {
  const size_t slash = network.find('/');
  CHECK(slash != std::string_view::npos);
  const auto ip = base::IpAddress::Parse(network.substr(0, slash));
  CHECK(ip.has_value());
  size_t length = 0;
  std::from_chars(network.data() + slash + 1, network.data() + network.size(), length);
  CHECK(length > 0 && length <= (ip->IsV4() ? 32 : 128));

  auto bytes = ip->bytes();
  size_t first = 0;
  if (ip->IsV4()) {
    // IPv4 stands under ::/96 in the file, not under ::ffff:0:0/96.
    bytes[10] = bytes[11] = 0;
    first = ip_version_ == 4 ? 96 : 0;
    length += 96;
  }
  CHECK(ip->IsV4() || ip_version_ == 6);

  const auto offset = static_cast<uint32_t>(data_.size());
  value.AppendTo(data_);
  size_t node = 0;
  for (size_t bit = first;; ++bit) {
    const bool right = (bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
    if (bit + 1 == length) {
      SideOf(node, right) = {Side::Kind::kData, offset};
      return;
    }
    const Side side = SideOf(node, right);
    if (side.kind != Side::Kind::kNode) {
      const auto next = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back({side, side});  // what held for the whole holds for both halves
      SideOf(node, right) = {Side::Kind::kNode, next};
    }
    node = SideOf(node, right).index;
  }
}

std::string MmdbWriter::ToBytes() const {
  const auto count = static_cast<uint32_t>(nodes_.size());
  const auto record_of = [&](const Side& side) -> uint64_t {
    switch (side.kind) {
      case Side::Kind::kNode:
        return side.index;
      case Side::Kind::kData:
        return uint64_t{count} + 16 + side.index;
      case Side::Kind::kEmpty:
        break;
    }
    return count;
  };
  std::string bytes;
  for (const auto& [left_side, right_side] : nodes_) {
    const uint64_t left = record_of(left_side);
    const uint64_t right = record_of(right_side);
    if (record_size_ == 28) {
      AppendNumber(bytes, left & 0xffffff, 3);
      AppendNumber(bytes, (left >> 24) << 4 | right >> 24, 1);
      AppendNumber(bytes, right & 0xffffff, 3);
    } else {
      AppendNumber(bytes, left, record_size_ / 8);
      AppendNumber(bytes, right, record_size_ / 8);
    }
  }
  bytes.append(16, '\0');
  bytes += data_;
  bytes += "\xab\xcd\xefMaxMind.com";
  MmdbValue(MmdbMap{{"binary_format_major_version", uint16_t{2}},
                    {"binary_format_minor_version", uint16_t{0}},
                    {"build_epoch", uint64_t{1'760'000'000}},
                    {"database_type", "Gatebook-Test"},
                    {"description", MmdbMap{{"en", "for tests"}}},
                    {"ip_version", ip_version_},
                    {"languages", MmdbArray{"en"}},
                    {"node_count", count},
                    {"record_size", record_size_}})
      .AppendTo(bytes);
  return bytes;
}

void MmdbWriter::Write(const std::string& path) const {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << ToBytes();
    CHECK(file.good());
  }
  CHECK(std::rename(fresh.c_str(), path.c_str()) == 0);
}

}  // namespace gatebook::support
