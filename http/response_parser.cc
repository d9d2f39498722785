#include "http/response_parser.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/websocket.h"

namespace gatebook::http {
namespace {

constexpr size_t kHeaderSizeMost = size_t{1} << 30;  // offsets are of 32 bits

// "HTTP/1.1 200 OK". Taken also without the space behind the status: common, and
// there is only one way to read it.
struct StatusLine {
  int minor_version = 1;
  int status = 0;
  std::string_view reason;
};

std::optional<Refusal> ParseStatusLine(std::string_view text, StatusLine& out) {
  constexpr size_t kVersionSize = 8;
  if (text.size() < kVersionSize || !text.starts_with("HTTP/")) return Refusal::kBadRequestLine;
  const std::string_view version = text.substr(0, kVersionSize);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Refusal::kBadVersion;
  out.minor_version = version.back() - '0';
  const std::string_view rest = text.substr(kVersionSize);
  if (rest.size() < 4 || rest[0] != ' ') return Refusal::kBadRequestLine;
  for (const char c : rest.substr(1, 3)) {
    if (!base::IsAsciiDigit(c)) return Refusal::kBadRequestLine;
    out.status = out.status * 10 + (c - '0');
  }
  if (out.status < 100 || out.status > 599) return Refusal::kBadRequestLine;
  if (rest.size() == 4) return std::nullopt;
  if (rest[4] != ' ') return Refusal::kBadRequestLine;
  out.reason = rest.substr(5);
  return std::nullopt;
}

}  // namespace

ResponseParser::ResponseParser(const HeadLimits& limits) : limits_(limits), section_(limits.header_count) {
  limits_.header_size = std::min(limits_.header_size, kHeaderSizeMost);
}

void ResponseParser::Reset() {
  stage_ = Stage::kStatusLine;
  scan_ = 0;
  reason_ = {};
  framing_ = {};
  connection_ = {};
  head_ = {};
}

ParseStatus ResponseParser::Parse(std::string_view data, Method request_method, std::string_view offered) {
  const std::string_view window = data.substr(0, limits_.header_size);
  ParseStatus status = ParseStatus::kRefused;
  if (stage_ == Stage::kRefused) return status;
  if (stage_ == Stage::kDone) return Finish(window, request_method, offered);
  status = stage_ == Stage::kStatusLine ? ReadStatusLine(window) : ParseStatus::kDone;
  if (status == ParseStatus::kDone) status = ReadFields(window, request_method, offered);
  if (status == ParseStatus::kNeedMore && data.size() >= limits_.header_size) {
    return Refuse(Refusal::kHeadTooLarge);
  }
  return status;
}

ParseStatus ResponseParser::Refuse(Refusal detail, Refusal refusal) {
  detail_ = detail;
  refusal_ = refusal;
  stage_ = Stage::kRefused;
  return ParseStatus::kRefused;
}

ParseStatus ResponseParser::ReadStatusLine(std::string_view window) {
  Refusal refusal{};
  switch (FindLineEnd(window, scan_, refusal)) {
    case LineEnd::kNeedMore:
      return ParseStatus::kNeedMore;
    case LineEnd::kRefused:
      return Refuse(refusal);
    case LineEnd::kFound:
      break;
  }
  StatusLine line;
  if (const auto fault = ParseStatusLine(window.substr(0, scan_), line)) return Refuse(*fault);
  head_.status = line.status;
  head_.minor_version = line.minor_version;
  reason_ = SliceOf(window, line.reason);
  section_.Begin(scan_ + 2);
  stage_ = Stage::kFields;
  return ParseStatus::kDone;
}

ParseStatus ResponseParser::ReadFields(std::string_view window, Method request_method,
                                       std::string_view offered) {
  while (true) {
    switch (section_.Next(window)) {
      case FieldSection::Event::kNeedMore:
        return ParseStatus::kNeedMore;
      case FieldSection::Event::kRefused:
        return Refuse(section_.refusal());
      case FieldSection::Event::kField:
        if (const auto fault = TakeField(window)) return Refuse(*fault);
        break;
      case FieldSection::Event::kEnd:
        return Finish(window, request_method, offered);
    }
  }
}

std::optional<Refusal> ResponseParser::TakeField(std::string_view window) {
  const FieldLine& line = section_.last();
  const std::string_view value = line.value.In(window);
  switch (line.id) {
    case FieldId::kContentLength:
      return framing_.TakeLength(value);
    case FieldId::kTransferEncoding:
      return framing_.TakeCoding(value, head_.minor_version);
    case FieldId::kConnection:
      return connection_.Take(value);
    default:
      return std::nullopt;
  }
}

ParseStatus ResponseParser::Finish(std::string_view window, Method request_method, std::string_view offered) {
  const bool interim = head_.status < 200;
  const bool bodiless =
      interim || head_.status == 204 || head_.status == 304 || request_method == Method::kHead;
  if (interim || head_.status == 204) {
    // RFC 9110 §8.6, RFC 9112 §6.1: never there, so whoever sends them means a body to follow. A length of 0
    // with 204 means none; many applications send it, and it is not passed on.
    if (framing_.has_length && (interim || framing_.length > 0)) return Refuse(Refusal::kBadContentLength);
    framing_.has_length = false;
    if (framing_.chunked) return Refuse(Refusal::kUnknownCoding);
  }
  const std::span<Field> fields = section_.Resolve(window);
  if (connection_.names_fields) MarkNamedFields(fields);
  head_.fields = fields;
  head_.reason = reason_.In(window);
  head_.has_content_length = framing_.has_length;
  head_.content_length = framing_.length;
  if (bodiless) {
    head_.framing = Framing::kNone;
  } else if (framing_.chunked) {
    head_.framing = Framing::kChunked;
  } else if (framing_.has_length) {
    head_.framing = framing_.length > 0 ? Framing::kLength : Framing::kNone;
  } else {
    head_.framing = Framing::kToClose;
  }
  head_.keep_alive = head_.framing != Framing::kToClose && connection_.IsKeptAlive(head_.minor_version);
  head_.size = section_.end();
  if (head_.status == 101) {
    head_.websocket = offered == "websocket";
    const bool valid = head_.websocket ? HandshakeOfResponse(fields, connection_.upgrade) == Handshake::kValid
                                       : IsUpgradeTo(offered, fields, connection_.upgrade);
    if (!valid || head_.minor_version != 1) return Refuse(Refusal::kBadUpgrade, Refusal::kUpstreamBadUpgrade);
    head_.upgrade = offered;
  }
  stage_ = Stage::kDone;
  return ParseStatus::kDone;
}

}  // namespace gatebook::http
