// A connection that begins with one of these headers is attacker-facing only as far as a
// listed proxy can be made to say something odd; still nothing is guessed here. Whatever
// two readers could take differently is refused: a number with a leading zero, two spaces,
// a lone CR, TLVs that do not end where the header does.
//
// Verdicts are made from the front: bytes that are wrong are refused as soon as they are
// there, and in the order in which they stand. That makes the outcome the same however
// the bytes are cut, which the fuzz target checks at every place.
#include "http/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"

namespace gatebook::http {
namespace {

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kLineMost = 107;   // version 1, with its CRLF
constexpr size_t kFixedPart = 16;   // version 2: signature, command, family, length
constexpr size_t kAddresses4 = 12;  // two addresses, two ports
constexpr size_t kAddresses6 = 36;  // likewise
constexpr size_t kAddressesUnix = 216;
constexpr uint8_t kVersion2 = 0x20;
constexpr uint8_t kLocal = 0;
constexpr uint8_t kProxy = 1;
constexpr uint8_t kTcp4 = 0x11;  // family and protocol
constexpr uint8_t kTcp6 = 0x21;
constexpr uint8_t kTlvChecksum = 0x03;
constexpr size_t kTlvHead = 3;  // type and length

ProxyHeader Refuse(ProxyHeaderFault fault) {
  return {.status = ProxyHeader::Status::kRefused, .fault = fault, .addresses = {}};
}

ProxyHeader Done(size_t size) {
  return {.status = ProxyHeader::Status::kDone, .size = size, .addresses = {}};
}

// The unspecified address stands for a Unix peer elsewhere: nobody may claim to be that one.
ProxyHeader Done(size_t size, const ProxiedAddresses& addresses) {
  const bool nobody = addresses.source.IsUnspecified() || addresses.source == base::IpAddress::FromV4(0);
  if (nobody) return Refuse(ProxyHeaderFault::kBadAddress);
  return {.status = ProxyHeader::Status::kDone, .size = size, .addresses = addresses};
}

// True as long as what there is of `data` could become a text that begins with `signature`.
bool MayBegin(std::string_view data, std::string_view signature) {
  const size_t size = std::min(data.size(), signature.size());
  return data.substr(0, size) == signature.substr(0, size);
}

uint8_t ByteAt(std::string_view data, size_t at) { return static_cast<uint8_t>(data[at]); }

uint16_t NumberAt(std::string_view data, size_t at) {
  return static_cast<uint16_t>(ByteAt(data, at) << 8 | ByteAt(data, at + 1));
}

// Version 1.

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, base::IsAsciiDigit)) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// What stands before the next space, which is taken too; the last word has none behind it.
std::string_view TakeWord(std::string_view& line) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

std::optional<ProxiedAddresses> ParseTextAddresses(std::string_view words, bool v6) {
  if (std::ranges::count(words, ' ') != 3) return std::nullopt;
  const std::string_view source = TakeWord(words);
  const std::string_view destination = TakeWord(words);
  // Either family in the words of its own: a mapped address stands in colons under TCP6.
  for (const std::string_view text : {source, destination}) {
    if ((text.find(':') != std::string_view::npos) != v6) return std::nullopt;
  }
  const auto from = base::IpAddress::Parse(source);
  const auto to = base::IpAddress::Parse(destination);
  const auto from_port = ParsePort(TakeWord(words));
  const auto to_port = ParsePort(words);
  if (!from || !to || !from_port || !to_port) return std::nullopt;
  return ProxiedAddresses{*from, *to, *from_port, *to_port};
}

ProxyHeader ParseVersion1(std::string_view data) {
  const std::string_view window = data.substr(0, kLineMost);
  const size_t end = window.find_first_of("\r\n");
  if (end == std::string_view::npos || window.substr(end) == "\r") {
    return window.size() == kLineMost ? Refuse(ProxyHeaderFault::kBadLine) : ProxyHeader();
  }
  if (!window.substr(end).starts_with("\r\n")) return Refuse(ProxyHeaderFault::kBadLine);
  std::string_view words = window.substr(kSignature1.size(), end - kSignature1.size());
  const size_t size = end + 2;
  const std::string_view protocol = TakeWord(words);
  if (protocol == "UNKNOWN") return Done(size);  // whatever follows on the line is to be ignored
  const bool v6 = protocol == "TCP6";
  if (!v6 && protocol != "TCP4") return Refuse(ProxyHeaderFault::kBadLine);
  const auto addresses = ParseTextAddresses(words, v6);
  return addresses ? Done(size, *addresses) : Refuse(ProxyHeaderFault::kBadLine);
}

// Version 2.

// CRC-32C (RFC 9260 Appendix A): reflected, initial and final complement.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0);
    table[i] = crc;
  }
  return table;
}();

// Of the header with the four bytes at `field` taken as zero.
uint32_t ChecksumOf(std::string_view header, size_t field) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < header.size(); ++i) {
    const uint8_t byte = i >= field && i < field + 4 ? 0 : ByteAt(header, i);
    crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xff];
  }
  return ~crc;
}

// Walks the TLVs, which begin at `at` and must end where the header does.
ProxyHeaderFault CheckTlvs(std::string_view header, size_t at) {
  std::optional<size_t> checksum;
  while (at < header.size()) {
    if (header.size() - at < kTlvHead) return ProxyHeaderFault::kBadTlv;
    const size_t length = NumberAt(header, at + 1);
    if (header.size() - at - kTlvHead < length) return ProxyHeaderFault::kBadTlv;
    if (ByteAt(header, at) == kTlvChecksum) {
      if (length != 4 || checksum) return ProxyHeaderFault::kBadTlv;
      checksum = at + kTlvHead;
    }
    at += kTlvHead + length;
  }
  if (!checksum) return ProxyHeaderFault::kNone;
  const uint32_t said =
      static_cast<uint32_t>(NumberAt(header, *checksum)) << 16 | NumberAt(header, *checksum + 2);
  return said == ChecksumOf(header, *checksum) ? ProxyHeaderFault::kNone : ProxyHeaderFault::kBadChecksum;
}

base::IpAddress AddressAt(std::string_view data, size_t at, bool v6) {
  if (!v6)
    return base::IpAddress::FromV4(static_cast<uint32_t>(NumberAt(data, at)) << 16 | NumberAt(data, at + 2));
  std::array<uint8_t, 16> bytes;
  std::ranges::transform(data.substr(at, bytes.size()), bytes.begin(),
                         [](char c) { return static_cast<uint8_t>(c); });
  return base::IpAddress::FromBytes(bytes);
}

ProxiedAddresses AddressesOf(std::string_view header, bool v6) {
  const size_t size = v6 ? 16 : 4;
  return {.source = AddressAt(header, kFixedPart, v6),
          .destination = AddressAt(header, kFixedPart + size, v6),
          .source_port = NumberAt(header, kFixedPart + 2 * size),
          .destination_port = NumberAt(header, kFixedPart + 2 * size + 2)};
}

// Bytes of the addresses of a family.
size_t AddressesSize(uint8_t family) {
  constexpr std::array<size_t, 4> kSizes = {0, kAddresses4, kAddresses6, kAddressesUnix};
  return kSizes[family];
}

ProxyHeader ParseVersion2(std::string_view data) {
  if (data.size() <= 12) return {};
  const uint8_t command = ByteAt(data, 12) ^ kVersion2;
  if (command != kLocal && command != kProxy) return Refuse(ProxyHeaderFault::kBadCommand);
  if (data.size() <= 13) return {};
  const uint8_t kind = ByteAt(data, 13);
  const auto family = static_cast<uint8_t>(kind >> 4);
  const uint8_t protocol = kind & 0x0f;
  // LOCAL: "discard the protocol block including the family which is ignored".
  if (command == kProxy && (family > 3 || protocol > 2)) return Refuse(ProxyHeaderFault::kBadFamily);
  if (data.size() < kFixedPart) return {};
  const size_t size = kFixedPart + NumberAt(data, 14);
  if (size > kProxyHeaderMost) return Refuse(ProxyHeaderFault::kBadLength);
  // Without a family there is no saying where addresses end and TLVs begin.
  const bool opaque = command == kLocal || family == 0;
  const size_t tlvs = kFixedPart + (opaque ? 0 : AddressesSize(family));
  if (size < tlvs) return Refuse(ProxyHeaderFault::kBadLength);
  if (data.size() < size) return {};
  if (opaque) return Done(size);
  const std::string_view header = data.substr(0, size);
  if (const auto fault = CheckTlvs(header, tlvs); fault != ProxyHeaderFault::kNone) return Refuse(fault);
  if (kind != kTcp4 && kind != kTcp6) return Done(size);
  return Done(size, AddressesOf(header, kind == kTcp6));
}

void AppendNumber(std::string& out, uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

void AppendAddress(std::string& out, const base::IpAddress& address, bool v6) {
  const auto& bytes = address.bytes();
  out.append(bytes.begin() + (v6 ? 0 : 12), bytes.end());
}

}  // namespace

std::string_view NameOf(ProxyHeaderFault fault) {
  switch (fault) {
    case ProxyHeaderFault::kNone:
      return "none";
    case ProxyHeaderFault::kNoHeader:
      return "no_header";
    case ProxyHeaderFault::kBadLine:
      return "bad_line";
    case ProxyHeaderFault::kBadCommand:
      return "bad_command";
    case ProxyHeaderFault::kBadFamily:
      return "bad_family";
    case ProxyHeaderFault::kBadLength:
      return "bad_length";
    case ProxyHeaderFault::kBadAddress:
      return "bad_address";
    case ProxyHeaderFault::kBadTlv:
      return "bad_tlv";
    case ProxyHeaderFault::kBadChecksum:
      return "bad_checksum";
  }
  return "none";
}

ProxyHeader ParseProxyHeader(std::string_view data) {
  const bool first = MayBegin(data, kSignature1);
  const bool second = MayBegin(data, kSignature2);
  if (!first && !second) return Refuse(ProxyHeaderFault::kNoHeader);
  if (first && data.size() >= kSignature1.size()) return ParseVersion1(data);
  if (second && data.size() >= kSignature2.size()) return ParseVersion2(data);
  return {};
}

std::string MakeProxyHeader(const std::optional<ProxiedAddresses>& addresses) {
  std::string header(kSignature2);
  header += static_cast<char>(kVersion2 | (addresses ? kProxy : kLocal));
  if (!addresses) return header.append(3, '\0');
  const bool v6 = !addresses->source.IsV4() || !addresses->destination.IsV4();
  header += static_cast<char>(v6 ? kTcp6 : kTcp4);
  AppendNumber(header, v6 ? kAddresses6 : kAddresses4);
  AppendAddress(header, addresses->source, v6);
  AppendAddress(header, addresses->destination, v6);
  AppendNumber(header, addresses->source_port);
  AppendNumber(header, addresses->destination_port);
  return header;
}

}  // namespace gatebook::http
