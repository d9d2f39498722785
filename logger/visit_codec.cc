#include "logger/visit_codec.h"

#include <bit>
#include <cstring>
#include <limits>

namespace gatebook::logger {
namespace {

static_assert(std::endian::native == std::endian::little, "journals are little-endian");

constexpr uint8_t kVersion = 1;
constexpr size_t kMostVarint = 10;
constexpr uint16_t kMostStatus = 999;
constexpr uint64_t kMostArrival = 253402300799999;  // milliseconds; the end of the year 9999

enum Flag : uint8_t { kSessionNew = 1, kOpen = 2, kV4 = 4, kAllFlags = 7 };

// Everything before the texts at its longest: 8 single bytes, session, address,
// request id, and the arrival and four numbers as varints.
constexpr size_t kFixedBound = 8 + 16 + 16 + 8 + 5 * kMostVarint;
constexpr size_t kTextPrefix = 2;  // the length of a text; every cap is below 2^14
static_assert(1 + 2 + 5 * kMostVarint + 5 + kTextPrefix + kMostDenied <= kMostEncodedClosing);  // n has 32 bits

// The texts in the order of the grammar, each with its cap.
#define GATEBOOK_VISIT_TEXTS(X)                                                                         \
  X(method, kMostMethod)                                                                                \
  X(host, kMostHost)                                                                                    \
  X(path, kMostPath) X(query, kMostQuery) X(referrer, kMostReferrer) X(utm_source, kMostCampaignPart)   \
      X(utm_medium, kMostCampaignPart) X(utm_campaign, kMostCampaignPart) X(user_agent, kMostUserAgent) \
          X(denied, kMostDenied) X(rule, kMostRule) X(policy, kMostPolicy)

#define GATEBOOK_BOUND(text, most) +most + kTextPrefix
static_assert(kFixedBound GATEBOOK_VISIT_TEXTS(GATEBOOK_BOUND) <= kMostEncodedVisit);
#undef GATEBOOK_BOUND

template <typename Value>
inline char* Put(char* out, Value value) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

inline char* PutVarint(char* out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline char* PutText(char* out, std::string_view text) {
  out = PutVarint(out, text.size());
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// No byte below 0x20 and none 0x7f, looked at eight at a time.
bool IsInert(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = kOnes << 7;
  uint64_t found = 0;
  size_t at = 0;
  for (; text.size() - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const uint64_t deleted = word ^ (kOnes * 0x7f);
    // The high bit of each byte below 0x20, or zero after the exclusive or; of bytes from 0x80 neither.
    found |= ((word - kOnes * 0x20) & ~word) | ((deleted - kOnes) & ~deleted);
  }
  bool inert = (found & kHighs) == 0;
  for (; at < text.size(); ++at) inert &= static_cast<unsigned char>(text[at]) >= 0x20 && text[at] != 0x7f;
  return inert;
}

// Takes values off the front of untrusted bytes. After the first failure every
// further take fails, so that a decoder asks once, at its end.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  template <typename Value>
  Value Take() {
    Value value{};
    if (static_cast<size_t>(end_ - at_) < sizeof value) {
      Fail();
    } else {
      std::memcpy(&value, at_, sizeof value);
      at_ += sizeof value;
    }
    return value;
  }

  uint8_t TakeUpTo(size_t most) {
    const auto value = Take<uint8_t>();
    if (value > most) Fail();
    return value;
  }

  uint64_t TakeVarint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const auto byte = static_cast<uint8_t>(*at_++);
      // The tenth byte has room for one bit; a last byte of zero says nothing: not the canonical form.
      if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail();
    return 0;
  }

  std::string_view TakeText(size_t most) {
    const uint64_t size = TakeVarint();
    if (size > most || size > static_cast<size_t>(end_ - at_)) {
      Fail();
      return {};
    }
    const std::string_view text(at_, size);
    at_ += size;
    if (!IsInert(text)) Fail();
    return text;
  }

  void Fail() {
    failed_ = true;
    at_ = end_;
  }
  bool HasMore() const { return at_ != end_; }
  bool IsWhole() const { return !failed_ && at_ == end_; }

 private:
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

bool IsTlsVersion(uint8_t version) { return version == 0 || version == 12 || version == 13; }

}  // namespace

size_t EncodedVisitBound(const Visit& visit) noexcept {
  size_t bound = kFixedBound;
  bool fits = true;
#define GATEBOOK_ADD(text, most)     \
  fits &= visit.text.size() <= most; \
  bound += visit.text.size() + kTextPrefix;
  GATEBOOK_VISIT_TEXTS(GATEBOOK_ADD)
#undef GATEBOOK_ADD
  return fits ? bound : 0;
}

char* EncodeVisit(const Visit& visit, char* out) noexcept {
  const bool v4 = visit.ip.IsV4();
  *out++ = kVersion;
  *out++ =
      static_cast<char>((visit.session_new ? kSessionNew : 0) | (visit.open ? kOpen : 0) | (v4 ? kV4 : 0));
  *out++ = static_cast<char>(visit.channel);
  *out++ = static_cast<char>(visit.protocol);
  *out++ = static_cast<char>(visit.tls_version);
  *out++ = static_cast<char>(visit.purpose);
  out = Put(out, visit.status);
  out = Put(out, visit.session.bytes);
  const auto& ip = visit.ip.bytes();
  const size_t ip_size = v4 ? 4 : 16;
  std::memcpy(out, ip.data() + ip.size() - ip_size, ip_size);
  out += ip_size;
  out = Put(out, visit.request_id);
  out = PutVarint(out, static_cast<uint64_t>(visit.arrival.time_since_epoch().count()));
  out = PutVarint(out, visit.bytes_in);
  out = PutVarint(out, visit.bytes_out);
  out = PutVarint(out, visit.duration_us);
  out = PutVarint(out, visit.upstream_us);
#define GATEBOOK_PUT(text, most) out = PutText(out, visit.text);
  GATEBOOK_VISIT_TEXTS(GATEBOOK_PUT)
#undef GATEBOOK_PUT
  return out;
}

bool DecodeVisit(std::string_view bytes, Visit* visit) noexcept {
  Taker taker(bytes);
  if (taker.Take<uint8_t>() != kVersion) return false;
  const uint8_t flags = taker.TakeUpTo(kAllFlags);
  visit->session_new = (flags & kSessionNew) != 0;
  visit->open = (flags & kOpen) != 0;
  visit->channel = static_cast<Channel>(taker.TakeUpTo(kChannels - 1));
  visit->protocol = static_cast<Protocol>(taker.TakeUpTo(kProtocols - 1));
  visit->tls_version = taker.Take<uint8_t>();
  if (!IsTlsVersion(visit->tls_version)) taker.Fail();
  visit->purpose = taker.TakeUpTo(kPurposeAdministrative | kPurposeStatistics);
  visit->status = taker.Take<uint16_t>();
  if (visit->status > kMostStatus) taker.Fail();
  visit->session.bytes = taker.Take<std::array<uint8_t, 16>>();
  if ((flags & kV4) != 0) {
    const auto ip = taker.Take<std::array<uint8_t, 4>>();
    visit->ip =
        base::IpAddress::FromV4(static_cast<uint32_t>(ip[0]) << 24 | static_cast<uint32_t>(ip[1]) << 16 |
                                static_cast<uint32_t>(ip[2]) << 8 | ip[3]);
  } else {
    visit->ip = base::IpAddress::FromBytes(taker.Take<std::array<uint8_t, 16>>());
    if (visit->ip.IsV4()) taker.Fail();  // has a shorter form
  }
  visit->request_id = taker.Take<uint64_t>();
  const uint64_t arrival = taker.TakeVarint();
  if (arrival > kMostArrival) taker.Fail();
  visit->arrival = base::WallTime(std::chrono::milliseconds(static_cast<int64_t>(arrival)));
  visit->bytes_in = taker.TakeVarint();
  visit->bytes_out = taker.TakeVarint();
  visit->duration_us = taker.TakeVarint();
  visit->upstream_us = taker.TakeVarint();
#define GATEBOOK_TAKE(text, most) visit->text = taker.TakeText(most);
  GATEBOOK_VISIT_TEXTS(GATEBOOK_TAKE)
#undef GATEBOOK_TAKE
  return taker.IsWhole();
}

char* EncodeClosing(const Closing& closing, char* out) noexcept {
  *out++ = kVersion;
  out = Put(out, closing.status);
  out = PutVarint(out, closing.of.milliseconds);
  out = PutVarint(out, closing.of.n);
  out = PutVarint(out, closing.bytes_in);
  out = PutVarint(out, closing.bytes_out);
  out = PutVarint(out, closing.duration_us);
  out = PutVarint(out, closing.upstream_us);
  return closing.denied.empty() ? out : PutText(out, closing.denied.substr(0, kMostDenied));
}

bool DecodeClosing(std::string_view bytes, uint32_t worker, Closing* closing) noexcept {
  Taker taker(bytes);
  if (taker.Take<uint8_t>() != kVersion) return false;
  closing->status = taker.Take<uint16_t>();
  if (closing->status > kMostStatus) taker.Fail();
  closing->of.worker = worker;
  closing->of.milliseconds = taker.TakeVarint();
  const uint64_t n = taker.TakeVarint();
  if (n > std::numeric_limits<uint32_t>::max()) taker.Fail();
  closing->of.n = static_cast<uint32_t>(n);
  closing->bytes_in = taker.TakeVarint();
  closing->bytes_out = taker.TakeVarint();
  closing->duration_us = taker.TakeVarint();
  closing->upstream_us = taker.TakeVarint();
  closing->denied = {};
  if (taker.HasMore()) {
    closing->denied = taker.TakeText(kMostDenied);
    if (closing->denied.empty()) taker.Fail();  // has a shorter form
  }
  return taker.IsWhole();
}

}  // namespace gatebook::logger
