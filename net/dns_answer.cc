#include "net/dns_answer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/ascii.h"

namespace gatebook::net {
namespace {

constexpr size_t kHeaderSize = 12;
constexpr size_t kMostValues = 8;
constexpr size_t kMostAliases = 16;
constexpr size_t kMostRecords = 256;  // of a section that are looked at
constexpr int kMostJumps = 64;        // compression pointers in one name
constexpr uint16_t kClassIn = 1;
constexpr uint32_t kMostTtl = 0x7fffffff;  // RFC 2181 §8
constexpr char kOddOctet = '?';            // stands for what no host name has, dots inside labels among them

// Reads forward and remembers when it met the end too early.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  size_t at() const { return at_; }
  bool ok() const { return ok_; }
  void Skip(size_t count) {
    ok_ = ok_ && count <= bytes_.size() - at_;
    if (ok_) at_ += count;
  }
  uint32_t Read(size_t octets) {
    uint32_t value = 0;
    if (octets > bytes_.size() - at_) ok_ = false;
    for (size_t i = 0; ok_ && i < octets; ++i) value = value << 8 | bytes_[at_++];
    return value;
  }
  // A name, its pointers followed (RFC 1035 §4.1.4). Lower case, no last dot.
  std::string ReadName() {
    std::string name;
    size_t from = at_;
    bool jumped = false;
    for (int jumps = 0; ok_;) {
      if (from >= bytes_.size()) break;
      const uint8_t length = bytes_[from++];
      if (length == 0) {
        if (!jumped) at_ = from;
        return name;
      }
      if ((length & 0xc0) == 0xc0) {
        if (from >= bytes_.size() || ++jumps > kMostJumps) break;
        const size_t target = static_cast<size_t>(length & 0x3f) << 8 | bytes_[from++];
        if (!jumped) at_ = from;
        jumped = true;
        from = target;
        continue;
      }
      if ((length & 0xc0) != 0 || length > bytes_.size() - from || name.size() + length + 1 > 255) break;
      if (!name.empty()) name += '.';
      for (size_t i = 0; i < length; ++i) {
        const char c = base::ToAsciiLower(static_cast<char>(bytes_[from + i]));
        const bool plain = base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || c == '-' || c == '_';
        // '/' stands in aliases of classless reverse zones (RFC 2317).
        name += plain || c == '/' ? c : kOddOctet;
      }
      from += length;
    }
    ok_ = false;
    return {};
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

struct Record {
  std::string owner;
  DnsType type{};
  uint16_t of_class = 0;
  uint32_t ttl = 0;
  size_t data = 0;  // where it begins
  size_t size = 0;
};

Record ReadRecord(Reader& reader) {
  Record record;
  record.owner = reader.ReadName();
  record.type = static_cast<DnsType>(reader.Read(2));
  record.of_class = static_cast<uint16_t>(reader.Read(2));
  record.ttl = reader.Read(4);
  if (record.ttl > kMostTtl) record.ttl = 0;
  record.size = reader.Read(2);
  record.data = reader.at();
  reader.Skip(record.size);
  return record;
}

// A name inside a record's data, which must fill it.
std::optional<std::string> NameIn(std::span<const uint8_t> response, const Record& record) {
  Reader reader(response);
  reader.Skip(record.data);
  std::string name = reader.ReadName();
  if (!reader.ok() || reader.at() != record.data + record.size) return std::nullopt;
  return name;
}

std::optional<base::IpAddress> AddressIn(std::span<const uint8_t> response, const Record& record) {
  const uint8_t* bytes = response.data() + record.data;
  if (record.type == DnsType::kA && record.size == 4) {
    return base::IpAddress::FromV4(static_cast<uint32_t>(bytes[0]) << 24 |
                                   static_cast<uint32_t>(bytes[1]) << 16 |
                                   static_cast<uint32_t>(bytes[2]) << 8 | bytes[3]);
  }
  if (record.type == DnsType::kAaaa && record.size == 16) {
    std::array<uint8_t, 16> address;
    std::memcpy(address.data(), bytes, address.size());
    return base::IpAddress::FromBytes(address);
  }
  return std::nullopt;
}

// min(TTL, MINIMUM) of an SOA record (RFC 2308 §5).
std::optional<uint32_t> NegativeTtlIn(std::span<const uint8_t> response, const Record& record) {
  Reader reader(response);
  reader.Skip(record.data);
  reader.ReadName();
  reader.ReadName();
  reader.Skip(16);
  const uint32_t minimum = reader.Read(4);
  if (!reader.ok() || reader.at() != record.data + record.size) return std::nullopt;
  return std::min({record.ttl, minimum, kMostTtl});
}

}  // namespace

bool IsHostName(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  bool number = true;  // the present label
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    if (end == at || end - at > 63) return false;
    number = true;
    for (const char c : name.substr(at, end - at)) {
      if (!base::IsAsciiAlpha(c) && !base::IsAsciiDigit(c) && c != '-' && c != '_') return false;
      number = number && base::IsAsciiDigit(c);
    }
    at = end + 1;
  }
  return !number;
}

DnsAnswer ParseDnsAnswer(std::span<const uint8_t> response, std::string_view question, DnsType type) {
  DnsAnswer answer;
  answer.status = DnsStatus::kInvalid;
  Reader reader(response);
  if (response.size() < kHeaderSize) return answer;
  reader.Skip(2);
  const uint32_t flags = reader.Read(2);
  const uint32_t questions = reader.Read(2);
  const uint32_t answers = reader.Read(2);
  const uint32_t authorities = reader.Read(2);
  reader.Skip(2);
  const uint32_t code = flags & 15;
  if (code != 0 && code != 3) {  // neither NOERROR nor NXDOMAIN
    answer.status = DnsStatus::kFailed;
    return answer;
  }
  if (questions != 1) return answer;
  reader.ReadName();
  reader.Skip(4);

  // Aliases stand before what they lead to (RFC 1034 §4.3.2), so that one pass is enough.
  std::string owner = base::ToAsciiLower(question);
  uint32_t ttl = kMostTtl;
  size_t aliases = 0;
  bool odd = false;  // a value that is none
  for (uint32_t i = 0; i < std::min<uint32_t>(answers, kMostRecords) && reader.ok(); ++i) {
    const Record record = ReadRecord(reader);
    if (!reader.ok()) break;
    if (record.of_class != kClassIn || record.owner != owner) continue;
    if (record.type == DnsType::kCname && type != DnsType::kCname) {
      auto target = NameIn(response, record);
      if (!target || ++aliases > kMostAliases) {
        answer.names.clear();  // what stood before the alias is worth no more than it
        answer.addresses.clear();
        return answer;
      }
      owner = std::move(*target);
    } else if (record.type != type || answer.names.size() + answer.addresses.size() >= kMostValues) {
      continue;
    } else if (type == DnsType::kPtr) {
      auto name = NameIn(response, record);
      if (name && IsHostName(*name)) {
        answer.names.push_back(std::move(*name));
      } else {
        odd = true;
      }
    } else if (const auto address = AddressIn(response, record)) {
      answer.addresses.push_back(*address);
    } else {
      odd = true;
    }
    ttl = std::min(ttl, record.ttl);
  }
  if (!answer.names.empty() || !answer.addresses.empty()) {
    answer.status = DnsStatus::kOk;
    answer.ttl = std::chrono::seconds(ttl);
    return answer;
  }
  if (odd) answer.ttl = std::chrono::seconds(ttl);
  if (odd || !reader.ok()) return answer;

  answer.status = DnsStatus::kNone;
  if (answers > kMostRecords) return answer;
  for (uint32_t i = 0; i < std::min<uint32_t>(authorities, kMostRecords) && reader.ok(); ++i) {
    const Record record = ReadRecord(reader);
    if (!reader.ok() || record.type != DnsType::kSoa) continue;
    if (const auto negative = NegativeTtlIn(response, record)) answer.ttl = std::chrono::seconds(*negative);
    break;
  }
  return answer;
}

}  // namespace gatebook::net
