// How one request reads the same over HTTP/1 and HTTP/2.
//
// Problem: whatever this lets through is written as lines to an HTTP/1 upstream, and fields of
// HTTP/2 may hold any byte, may contradict each other, and have rules of their own.
// Idea: the lines that HTTP/1 would have brought are made here: Host stands first and says what
// :authority says, cookie crumbs are one line again (RFC 9113 §8.2.3), sizes are counted with
// the colons and line ends that the fields would have had. Names, values, targets, hosts and
// lengths go through the very functions that http/request_parser.h uses.
// Rejected: the checks of the HPACK library's session: they reset a stream and say only that;
// and they read every byte of a value once more each time that it is indexed.
#include "http/h2_fields.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/characters.h"
#include "http/field_table.h"
#include "http/trailers.h"
#include "http/uri.h"

namespace gatebook::http {
namespace {

constexpr size_t kMethodMost = 32;        // as http/request_parser.h
constexpr size_t kLineFrame = 4;          // ": " and CRLF
constexpr size_t kRequestLineFrame = 12;  // two spaces, "HTTP/1.1" and CRLF
constexpr size_t kStatusLine = 15;        // "HTTP/1.1 200 OK" and the like
constexpr std::string_view kHostName = "host";
constexpr std::string_view kCookieJoint = "; ";

enum class Name : uint8_t { kGood, kUnderscore, kUpperCase, kBad };

Name NameOf(std::string_view name) {
  if (name.empty()) return Name::kBad;
  Name result = Name::kGood;
  for (const char c : name) {
    if (!IsTokenChar(c)) return Name::kBad;
    if (c >= 'A' && c <= 'Z') return Name::kUpperCase;
    if (c == '_') result = Name::kUnderscore;
  }
  return result;
}

bool IsPadded(std::string_view value) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  return !value.empty() && (is_space(value.front()) || is_space(value.back()));
}

// RFC 9113 §8.2.2: what speaks of a connection, of which this is none.
bool IsConnectionField(FieldId id) {
  return id == FieldId::kConnection || id == FieldId::kKeepAlive || id == FieldId::kProxyConnection ||
         id == FieldId::kTransferEncoding || id == FieldId::kUpgrade;
}

}  // namespace

void H2HeadText::TakeOver(H2HeadText& other) {
  const char* const before = other.text.data();
  text.swap(other.text);
  fields.swap(other.fields);
  const auto moved = [&](std::string_view part) {
    return part.empty()
               ? part
               : std::string_view(text).substr(static_cast<size_t>(part.data() - before), part.size());
  };
  for (Field& field : fields) {
    field.name = moved(field.name);
    field.value = moved(field.value);
  }
}

void H2Fields::Begin(Kind kind, const HeadLimits& limits, std::string_view scheme,
                     bool allow_extended_connect) {
  kind_ = kind;
  limits_ = limits;
  scheme_wanted_ = scheme;
  allow_extended_connect_ = allow_extended_connect;
  text_.clear();
  lines_.clear();
  fault_.reset();
  fields_seen_ = field_count_ = cookies_ = 0;
  bytes_seen_ = 0;
  size_ = kind == Kind::kResponse ? kStatusLine + 4 : 2;  // with the line ends
  pseudo_ = 0;
  regular_seen_ = has_host_ = has_expect_ = websocket_version_right_ = false;
  method_ = scheme_ = authority_ = path_ = protocol_ = host_ = {};
  status_ = websocket_versions_ = 0;
  framing_ = {};
  if (kind == Kind::kRequest) {
    lines_.push_back({.name = Keep(kHostName), .value = {}, .id = FieldId::kHost, .hop_by_hop = false});
    size_ += kRequestLineFrame;
  }
}

void H2Fields::Take(std::string_view name, std::string_view value) {
  ++fields_seen_;
  bytes_seen_ += name.size() + value.size();
  if (fault_) return;
  if (name.starts_with(':')) {
    TakePseudo(name, value);
  } else {
    TakeField(name, value);
  }
}

void H2Fields::Fail(Refusal refusal, bool malformed) {
  if (!fault_) fault_ = H2Fault{refusal, malformed};
}

// Before anything is kept, so that no more than header_size bytes ever are.
bool H2Fields::Count(size_t bytes) {
  size_ += bytes;
  if (size_ <= limits_.header_size) return true;
  Fail(Refusal::kHeadTooLarge, false);
  return false;
}

Slice H2Fields::Keep(std::string_view text) {
  const Slice slice{static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(text.size())};
  text_.append(text);
  return slice;
}

void H2Fields::TakePseudo(std::string_view name, std::string_view value) {
  struct Row {
    std::string_view name;
    Pseudo bit;
    Slice H2Fields::*slice;
  };
  static constexpr Row kRows[] = {
      {":method", kMethod, &H2Fields::method_},          {":scheme", kScheme, &H2Fields::scheme_},
      {":authority", kAuthority, &H2Fields::authority_}, {":path", kPath, &H2Fields::path_},
      {":protocol", kProtocol, &H2Fields::protocol_},
  };
  if (regular_seen_ || kind_ == Kind::kTrailers) return Fail(Refusal::kBadPseudoField, true);
  if (!IsFieldValue(value)) return Fail(Refusal::kBadFieldValue, true);
  if (kind_ == Kind::kResponse) {
    if (name != ":status" || (pseudo_ & kStatus) != 0 || !TakeStatus(value))
      Fail(Refusal::kBadPseudoField, true);
    pseudo_ |= kStatus;
    return;
  }
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::end(kRows) || (pseudo_ & row->bit) != 0) return Fail(Refusal::kBadPseudoField, true);
  pseudo_ = static_cast<uint8_t>(pseudo_ | row->bit);
  if (row->bit == kMethod && (value.size() > kMethodMost || !IsToken(value))) {
    return Fail(Refusal::kBadMethod, true);
  }
  if (row->bit == kPath && value.size() > limits_.target_size) return Fail(Refusal::kTargetTooLong, false);
  // What HTTP/1 would not write is not counted, and short: no good one is longer.
  constexpr size_t kWordMost = 32;
  const bool word = row->bit == kScheme || row->bit == kProtocol;
  if (word && value.size() > kWordMost) {
    return Fail(row->bit == kScheme ? Refusal::kBadScheme : Refusal::kUnknownProtocol, false);
  }
  const size_t line = row->bit == kAuthority ? kHostName.size() + kLineFrame : 0;
  if (!word && !Count(value.size() + line)) return;
  this->*(row->slice) = Keep(value);
}

bool H2Fields::TakeStatus(std::string_view value) {
  if (value.size() != 3 || !std::ranges::all_of(value, base::IsAsciiDigit)) return false;
  for (const char c : value) status_ = status_ * 10 + (c - '0');
  return status_ >= 100 && status_ <= 599;
}

void H2Fields::TakeField(std::string_view name, std::string_view value) {
  regular_seen_ = true;
  if (field_count_ == limits_.header_count) return Fail(Refusal::kTooManyFields, false);
  ++field_count_;
  if (!Count(name.size() + value.size() + kLineFrame)) return;
  const Name quality = NameOf(name);
  if (quality == Name::kUpperCase) return Fail(Refusal::kUpperCaseName, true);
  if (quality == Name::kBad) return Fail(Refusal::kBadFieldName, true);
  if (!IsFieldValue(value)) return Fail(Refusal::kBadFieldValue, true);
  if (IsPadded(value)) return Fail(Refusal::kPaddedValue, true);
  const FieldKind known = KindOf(name);
  if (IsConnectionField(known.id)) return Fail(Refusal::kConnectionField, true);
  if (known.id == FieldId::kTe && !base::EqualsIgnoreCase(value, "trailers")) {
    return Fail(Refusal::kConnectionField, true);
  }
  bool hop_by_hop = known.hop_by_hop || quality == Name::kUnderscore;
  if (kind_ == Kind::kTrailers) {
    hop_by_hop = hop_by_hop || !MayTrail(known.id, name);
  } else if (known.id == FieldId::kContentLength) {
    if (framing_.TakeLength(value)) return Fail(Refusal::kBadContentLength, true);
  } else if (kind_ == Kind::kRequest) {
    if (known.id == FieldId::kHost) {
      if (has_host_) return Fail(Refusal::kRepeatedHost, true);
      has_host_ = true;
      host_ = Keep(value);
      return;  // its line stands already, and will say what :authority says
    }
    TakeRequestField(known.id, name, value);
  }
  const Slice name_slice = Keep(name);
  lines_.push_back({.name = name_slice, .value = Keep(value), .id = known.id, .hop_by_hop = hop_by_hop});
}

void H2Fields::TakeRequestField(FieldId id, std::string_view name, std::string_view value) {
  if (id == FieldId::kCookie) {
    ++cookies_;
  } else if (id == FieldId::kExpect) {
    if (!base::EqualsIgnoreCase(value, "100-continue")) return Fail(Refusal::kBadExpect, false);
    has_expect_ = true;
  } else if (name == "sec-websocket-version") {
    ++websocket_versions_;
    websocket_version_right_ = value == "13";
  }
}

std::string_view H2Fields::refused_target() const {
  const std::string_view path = path_.In(text_);
  return path.starts_with('/') && IsFieldValue(path) ? path : std::string_view();
}

std::optional<H2Fault> H2Fields::CheckRequestLine(Method method, Target& target) {
  if (method == Method::kConnect && (pseudo_ & kProtocol) == 0)
    return H2Fault{Refusal::kConnectRefused, false};
  constexpr uint8_t kNeeded = kMethod | kScheme | kPath;
  if ((pseudo_ & kNeeded) != kNeeded) return H2Fault{Refusal::kBadPseudoField, true};
  if ((pseudo_ & kProtocol) != 0) {
    // RFC 8441 §4: only with CONNECT, and only where we offered it.
    if (method != Method::kConnect || !allow_extended_connect_)
      return H2Fault{Refusal::kBadPseudoField, true};
    if (!base::EqualsIgnoreCase(protocol_.In(text_), "websocket"))
      return H2Fault{Refusal::kUnknownProtocol, false};
  }
  const std::string_view text = method_.In(text_);
  if (base::EqualsIgnoreCase(text, "trace") || base::EqualsIgnoreCase(text, "track")) {
    return H2Fault{Refusal::kMethodRefused, false};
  }
  if (!base::EqualsIgnoreCase(scheme_.In(text_), scheme_wanted_)) return H2Fault{Refusal::kBadScheme, false};
  const std::string_view path = path_.In(text_);
  // RFC 9113 §8.3.1: never empty; and never the absolute form, which HTTP/1 has for proxies.
  if (!path.starts_with('/') && !(path == "*" && method == Method::kOptions)) {
    return H2Fault{Refusal::kBadTarget, true};
  }
  if (const auto refusal = ParseTarget(path, method, target)) return H2Fault{*refusal, false};
  return std::nullopt;
}

std::optional<H2Fault> H2Fields::CheckHost() {
  const bool has_authority = (pseudo_ & kAuthority) != 0;
  if (!has_authority && !has_host_) return H2Fault{Refusal::kMissingHost, false};
  const std::string_view authority = authority_.In(text_);
  const std::string_view host = host_.In(text_);
  if (has_authority && has_host_ && !base::EqualsIgnoreCase(authority, host)) {
    return H2Fault{Refusal::kHostMismatch, true};
  }
  if (!has_authority) authority_ = host_;
  if (authority_.size == 0) return H2Fault{Refusal::kMissingHost, false};
  // User information is malformed (RFC 9113 §8.3.1); other bad hosts are merely bad.
  const bool user = authority_.In(text_).find('@') != std::string_view::npos;
  if (!ParseAuthority(authority_.In(text_))) return H2Fault{Refusal::kBadHost, user};
  lines_[0].value = authority_;
  return std::nullopt;
}

std::optional<H2Fault> H2Fields::CheckWebSocket(bool ended) const {
  const bool valid = websocket_versions_ == 1 && websocket_version_right_ && !framing_.has_length && !ended;
  if (!valid) return H2Fault{Refusal::kBadUpgrade, false};
  return std::nullopt;
}

// The joined value goes behind all other text; the first crumb's line takes it.
void H2Fields::JoinCookies() {
  if (cookies_ < 2) return;
  const auto is_cookie = [](const FieldLine& line) { return line.id == FieldId::kCookie; };
  const auto first = std::ranges::find_if(lines_, is_cookie);
  size_t room = text_.size();
  for (const FieldLine& line : lines_) room += is_cookie(line) ? line.value.size + kCookieJoint.size() : 0;
  text_.reserve(room);  // the crumbs are views into what grows
  Slice joined{static_cast<uint32_t>(text_.size()), 0};
  for (auto line = first; line != lines_.end(); ++line) {
    if (!is_cookie(*line)) continue;
    if (line != first) text_.append(kCookieJoint);
    text_.append(line->value.In(text_));
  }
  joined.size = static_cast<uint32_t>(text_.size()) - joined.begin;
  first->value = joined;
  lines_.erase(std::remove_if(first + 1, lines_.end(), is_cookie), lines_.end());
}

// False: the length and the end contradict each other.
bool H2Fields::SetFraming(bool ended, Framing& framing, uint64_t& length, bool& has_length) const {
  has_length = framing_.has_length;
  length = framing_.length;
  if (ended && framing_.length > 0) return false;
  framing = framing_.length > 0            ? Framing::kLength
            : ended || framing_.has_length ? Framing::kNone
                                           : Framing::kChunked;
  return true;
}

void H2Fields::MoveTo(H2HeadText& text) const {
  text.text.assign(text_);
  text.fields.clear();
  text.fields.reserve(lines_.size());
  for (const FieldLine& line : lines_) {
    text.fields.push_back({line.name.In(text.text), line.value.In(text.text), line.id, line.hop_by_hop});
  }
}

std::optional<H2Fault> H2Fields::FinishRequest(bool ended, H2HeadText& text, RequestHead& head) {
  if (fault_) return fault_;
  head = {};
  const Method method = MethodOf(method_.In(text_));
  Target target;
  if (const auto fault = CheckRequestLine(method, target)) return fault;
  if (const auto fault = CheckHost()) return fault;
  const bool extended = (pseudo_ & kProtocol) != 0;
  if (extended) {
    if (const auto fault = CheckWebSocket(ended)) return fault;
  }
  if (!SetFraming(ended, head.framing, head.content_length, head.has_content_length)) {
    return H2Fault{Refusal::kLengthMismatch, true};
  }
  const Slice path = SliceOf(text_, target.path);
  const Slice query = SliceOf(text_, target.query);
  JoinCookies();
  MoveTo(text);
  if (extended) {
    head.framing = Framing::kNone;
    head.websocket = head.extended_connect = true;
    for (Field& field : text.fields) {
      // RFC 8441 §5: not used here; the one towards the upstream is made there.
      if (field.name == "sec-websocket-key") field.hop_by_hop = true;
    }
  }
  head.method = extended ? Method::kGet : method;
  head.method_text = extended ? std::string_view("GET") : method_.In(text.text);
  head.target = path_.In(text.text);
  head.path = path.In(text.text);
  head.query = query.In(text.text);
  head.authority = authority_.In(text.text);
  const auto authority = ParseAuthority(head.authority);
  head.host = authority->host;
  head.fields = text.fields;
  head.expect_continue = has_expect_ && head.framing != Framing::kNone;
  head.size = size_;
  return std::nullopt;
}

std::optional<H2Fault> H2Fields::FinishResponse(bool ended, Method request_method, H2HeadText& text,
                                                ResponseHead& head) {
  if (fault_) return fault_;
  if ((pseudo_ & kStatus) == 0) return H2Fault{Refusal::kBadPseudoField, true};
  head = {};
  head.status = status_;
  const bool interim = status_ < 200;
  // RFC 9113 §8.6: there is no 101; and an interim answer does not end a message (§8.1).
  if (status_ == 101 || (interim && ended)) return H2Fault{Refusal::kBadPseudoField, true};
  if ((interim || status_ == 204) && framing_.has_length && (interim || framing_.length > 0)) {
    return H2Fault{Refusal::kBadContentLength, true};
  }
  head.has_content_length = framing_.has_length && status_ != 204;
  head.content_length = framing_.length;
  const bool bodiless = interim || status_ == 204 || status_ == 304 || request_method == Method::kHead;
  if (!bodiless && !SetFraming(ended, head.framing, head.content_length, head.has_content_length)) {
    return H2Fault{Refusal::kLengthMismatch, true};
  }
  MoveTo(text);
  head.fields = text.fields;
  head.size = size_;
  return std::nullopt;
}

std::optional<H2Fault> H2Fields::FinishTrailers(H2HeadText& text) {
  if (fault_) return fault_;
  MoveTo(text);
  return std::nullopt;
}

void H2Fields::Trim(size_t most) {
  if (text_.capacity() > most) std::string().swap(text_);
}

}  // namespace gatebook::http
