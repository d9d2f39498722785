// How any split of the input gives one outcome.
//
// Problem: the same bytes arrive whole or one by one, and the first fault has to be the
// same either way, although a limit can be exceeded before a line's end is known.
// Idea: every decision hangs on a place in the stream, never on how much more is there.
// Control bytes and limits are decided at their byte; the meaning of a line at its CRLF;
// what concerns several fields at the field that completes the fault, or at the empty line.
// What lies behind header_size is never looked at.
// Guarantee: each byte is looked at a bounded number of times, by offsets that are kept.
// Rejected: to wait for the whole head and then parse (a broken first line would be
// answered only after 32 KiB or the timeout, and looking for the end anew is quadratic).
#include "http/request_parser.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/check.h"
#include "http/characters.h"
#include "http/uri.h"
#include "http/websocket.h"

namespace gatebook::http {
namespace {

constexpr size_t kMethodMost = 32;
constexpr size_t kHeaderSizeMost = size_t{1} << 30;  // offsets are of 32 bits

enum class Version : uint8_t { kMalformed, kOther, k10, k11 };

Version VersionOf(std::string_view text) {
  if (text == "HTTP/1.1") return Version::k11;
  if (text == "HTTP/1.0") return Version::k10;
  const bool versioned = text.size() == 8 && text.starts_with("HTTP/") && base::IsAsciiDigit(text[5]) &&
                         text[6] == '.' && base::IsAsciiDigit(text[7]);
  return versioned ? Version::kOther : Version::kMalformed;
}

}  // namespace

RequestParser::RequestParser(const HeadLimits& limits) : limits_(limits), section_(limits.header_count) {
  limits_.header_size = std::min(limits_.header_size, kHeaderSizeMost);
}

void RequestParser::Renew(const HeadLimits& limits) {
  limits_ = limits;
  limits_.header_size = std::min(limits_.header_size, kHeaderSizeMost);
  section_.SetLimit(limits.header_count);
  Reset();
}

void RequestParser::Reset() {
  stage_ = Stage::kStart;
  data_ = {};
  scan_ = 0;
  method_ = target_ = path_and_query_ = path_ = query_ = authority_ = host_ = {};
  absolute_ = has_query_ = has_host_ = has_expect_ = has_upgrade_ = false;
  framing_ = {};
  connection_ = {};
  head_ = {};
}

ParseStatus RequestParser::Parse(std::string_view data) {
  if (stage_ == Stage::kRefused) return ParseStatus::kRefused;
  CHECK(data.size() >= (stage_ == Stage::kDone ? head_.size : data_.size()));
  data_ = data;
  const std::string_view window = data.substr(0, limits_.header_size);
  // A stage that is through leaves kDone behind and the next one in stage_.
  ParseStatus status = ParseStatus::kDone;
  while (status == ParseStatus::kDone) {
    switch (stage_) {
      case Stage::kStart:
        status = SkipEmptyLine(window);
        break;
      case Stage::kMethod:
        status = ReadMethod(window);
        break;
      case Stage::kTarget:
        status = ReadTarget(window);
        break;
      case Stage::kVersion:
        status = ReadVersion(window);
        break;
      case Stage::kFields:
        status = ReadFields(window);
        break;
      case Stage::kDone:
        return Finish();
      case Stage::kRefused:
        status = ParseStatus::kRefused;
        break;
    }
  }
  return status;
}

ParseStatus RequestParser::Refuse(Refusal refusal) {
  refusal_ = refusal;
  stage_ = Stage::kRefused;
  return ParseStatus::kRefused;
}

ParseStatus RequestParser::NeedMore() {
  return data_.size() >= limits_.header_size ? Refuse(Refusal::kHeadTooLarge) : ParseStatus::kNeedMore;
}

// The byte at scan_ does not belong where it stands in the request line.
ParseStatus RequestParser::RefuseByte(std::string_view window, Refusal otherwise) {
  const char c = window[scan_];
  if (c == '\r') {
    if (scan_ + 1 == window.size()) return NeedMore();
    return Refuse(window[scan_ + 1] == '\n' ? Refusal::kBadRequestLine : Refusal::kBareCr);
  }
  if (c == '\n') return Refuse(Refusal::kBareLf);
  return Refuse(IsControl(c) && c != '\t' ? Refusal::kNul : otherwise);
}

ParseStatus RequestParser::SkipEmptyLine(std::string_view window) {
  if (window.empty()) return NeedMore();
  if (window[0] == '\r') {
    if (window.size() == 1) return NeedMore();
    if (window[1] != '\n') return Refuse(Refusal::kBareCr);
    scan_ = 2;
  }
  method_.begin = static_cast<uint32_t>(scan_);
  stage_ = Stage::kMethod;
  return ParseStatus::kDone;
}

ParseStatus RequestParser::ReadMethod(std::string_view window) {
  const size_t bound = std::min(window.size(), method_.begin + kMethodMost);
  while (scan_ < bound && IsTokenChar(window[scan_])) ++scan_;
  if (scan_ == window.size()) return NeedMore();
  if (window[scan_] != ' ') return RefuseByte(window, Refusal::kBadMethod);
  method_.size = static_cast<uint32_t>(scan_) - method_.begin;
  if (method_.size == 0) return Refuse(Refusal::kBadRequestLine);
  ++scan_;
  target_.begin = static_cast<uint32_t>(scan_);
  stage_ = Stage::kTarget;
  return ParseStatus::kDone;
}

ParseStatus RequestParser::ReadTarget(std::string_view window) {
  const size_t bound = target_.begin + std::min(window.size() - target_.begin, limits_.target_size);
  while (scan_ < bound && window[scan_] != ' ' && !IsControl(window[scan_])) ++scan_;
  target_.size = static_cast<uint32_t>(scan_) - target_.begin;
  if (scan_ == window.size()) return NeedMore();
  if (window[scan_] != ' ') {
    const bool too_long = target_.size == limits_.target_size;
    return RefuseByte(window, too_long ? Refusal::kTargetTooLong : Refusal::kBadTarget);
  }
  if (target_.size == 0) return Refuse(Refusal::kBadRequestLine);
  ++scan_;
  stage_ = Stage::kVersion;
  return ParseStatus::kDone;
}

ParseStatus RequestParser::ReadVersion(std::string_view window) {
  Refusal refusal{};
  switch (FindLineEnd(window, scan_, refusal)) {
    case LineEnd::kNeedMore:
      return NeedMore();
    case LineEnd::kRefused:
      return Refuse(refusal);
    case LineEnd::kFound:
      break;
  }
  const size_t begin = target_.begin + target_.size + 1;
  const Version version = VersionOf(window.substr(begin, scan_ - begin));
  if (version == Version::kMalformed) return Refuse(Refusal::kBadRequestLine);
  if (version == Version::kOther) return Refuse(Refusal::kBadVersion);
  head_.minor_version = version == Version::k11 ? 1 : 0;

  const std::string_view method = method_.In(window);
  head_.method = MethodOf(method);
  if (head_.method == Method::kConnect) return Refuse(Refusal::kConnectRefused);
  // Without case: TRACE shows cookies to scripts, and an upstream might not heed case.
  if (base::EqualsIgnoreCase(method, "trace") || base::EqualsIgnoreCase(method, "track")) {
    return Refuse(Refusal::kMethodRefused);
  }
  Target target;
  if (const auto fault = ParseTarget(target_.In(window), head_.method, target)) return Refuse(*fault);
  path_and_query_ = SliceOf(window, target.path_and_query);
  path_ = SliceOf(window, target.path);
  query_ = SliceOf(window, target.query);
  has_query_ = target.has_query;
  absolute_ = !target.authority.empty();
  authority_ = SliceOf(window, target.authority);
  host_ = SliceOf(window, target.parsed.host);
  section_.Begin(scan_ + 2);
  stage_ = Stage::kFields;
  return ParseStatus::kDone;
}

ParseStatus RequestParser::ReadFields(std::string_view window) {
  while (true) {
    switch (section_.Next(window)) {
      case FieldSection::Event::kNeedMore:
        return NeedMore();
      case FieldSection::Event::kRefused:
        return Refuse(section_.refusal());
      case FieldSection::Event::kField:
        if (const auto fault = TakeField(window)) return Refuse(*fault);
        break;
      case FieldSection::Event::kEnd:
        if (!has_host_) return Refuse(Refusal::kMissingHost);
        return Finish();
    }
  }
}

std::optional<Refusal> RequestParser::TakeField(std::string_view window) {
  const FieldLine& line = section_.last();
  const std::string_view value = line.value.In(window);
  switch (line.id) {
    case FieldId::kHost:
      return TakeHost(window);
    case FieldId::kContentLength:
      return framing_.TakeLength(value);
    case FieldId::kTransferEncoding:
      return framing_.TakeCoding(value, head_.minor_version);
    case FieldId::kConnection:
      return connection_.Take(value);
    case FieldId::kExpect:
      if (!base::EqualsIgnoreCase(value, "100-continue")) return Refusal::kBadExpect;
      has_expect_ = true;
      return std::nullopt;
    case FieldId::kUpgrade:
      has_upgrade_ = true;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// Checked also where the absolute form wins: an upstream may look at Host all the same.
std::optional<Refusal> RequestParser::TakeHost(std::string_view window) {
  if (has_host_) return Refusal::kRepeatedHost;
  has_host_ = true;
  const std::string_view value = section_.last().value.In(window);
  if (value.empty()) return Refusal::kMissingHost;
  const auto authority = ParseAuthority(value);
  if (!authority) return Refusal::kBadHost;
  if (!absolute_) {
    authority_ = SliceOf(window, value);
    host_ = SliceOf(window, authority->host);
  }
  return std::nullopt;
}

ParseStatus RequestParser::Finish() {
  const std::span<Field> fields = section_.Resolve(data_);
  if (connection_.names_fields) MarkNamedFields(fields);
  head_.fields = fields;
  head_.method_text = method_.In(data_);
  head_.authority = authority_.In(data_);
  head_.host = host_.In(data_);
  SetTarget();
  if (absolute_) {
    // So that whoever copies the fields can't pass on a host that nobody routed by.
    for (Field& field : fields) {
      if (field.id == FieldId::kHost) field.value = head_.authority;
    }
  }
  head_.has_content_length = framing_.has_length;
  head_.content_length = framing_.length;
  head_.framing = framing_.chunked      ? Framing::kChunked
                  : framing_.length > 0 ? Framing::kLength
                                        : Framing::kNone;
  head_.keep_alive = connection_.IsKeptAlive(head_.minor_version);
  // RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored; without a body it asks for nothing.
  head_.expect_continue = has_expect_ && head_.minor_version == 1 && head_.framing != Framing::kNone;
  head_.size = section_.end();
  if (has_upgrade_) {
    const Handshake handshake = HandshakeOfRequest(head_, connection_.upgrade);
    if (handshake == Handshake::kMalformed) return Refuse(Refusal::kBadUpgrade);
    head_.websocket = handshake == Handshake::kValid;
    if (handshake == Handshake::kNone) head_.upgrade = OfferedUpgrade(head_, connection_.upgrade);
  }
  stage_ = Stage::kDone;
  return ParseStatus::kDone;
}

void RequestParser::SetTarget() {
  head_.query = query_.In(data_);
  if (path_.size > 0) {
    head_.target = path_and_query_.In(data_);
    head_.path = path_.In(data_);
    return;
  }
  // RFC 9112 §3.2.1 and §3.2.4: an absolute form without a path.
  head_.path = head_.method == Method::kOptions && !has_query_ ? "*" : "/";
  head_.target = head_.path;
  if (has_query_) {
    rewritten_target_ = "/?";
    rewritten_target_ += head_.query;
    head_.target = rewritten_target_;
  }
}

const RequestHead& RequestParser::KnownHead() {
  head_ = {};
  head_.method_text = method_.In(data_);
  const std::string_view target = target_.In(data_);
  if (target.starts_with('/')) {
    head_.target = target;
    head_.path = target.substr(0, target.find('?'));
  }
  return head_;
}

}  // namespace gatebook::http
