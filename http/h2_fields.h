// H2Fields: the border of HTTP/2, where decoded fields become a head (RFC 9113 §8).
//
// What HTTP/1's parser refuses is refused here too, and what only HTTP/2 can carry besides:
// a request that comes out of here may be written to an HTTP/1 upstream as it is, and reads
// just as the same request over HTTP/1 would. The first fault decides; what follows it is
// neither kept nor looked at, so that a field block can cost no more than a good one.
//
// Thread: one. Owns: copies of the fields' text (the decoder's do not last), in storage that
//   is used again for the next block.
// Limits: HeadLimits, with sizes counted as HTTP/1 would write them; each cookie crumb counts
//   as a field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/field_section.h"
#include "http/framing_fields.h"
#include "http/head.h"
#include "http/refusal.h"
#include "http/request_parser.h"
#include "http/uri.h"

namespace gatebook::http {

struct H2Fault {
  Refusal refusal{};
  // RFC 9113 §8.1.1: the stream has to be reset. Otherwise it may be answered.
  bool malformed = false;
};

// Storage for the text of one head and the views into it.
struct H2HeadText {
  std::string text;
  std::vector<Field> fields;

  size_t size() const { return text.size() + fields.size() * sizeof(Field); }
  // Exchanges the two; the fields go with their text.
  void TakeOver(H2HeadText& other);
};

class H2Fields {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };

  // `scheme`: what :scheme must say.
  void Begin(Kind kind, const HeadLimits& limits, std::string_view scheme, bool allow_extended_connect);
  void Take(std::string_view name, std::string_view value);

  // The block is whole. A fault, or nothing: then `head` has views into `text`, which is
  // filled, and stays valid as long as `text` is left alone.
  std::optional<H2Fault> FinishRequest(bool ended, H2HeadText& text, RequestHead& head);
  // `request_method`: of the request that is answered.
  std::optional<H2Fault> FinishResponse(bool ended, Method request_method, H2HeadText& text,
                                        ResponseHead& head);
  std::optional<H2Fault> FinishTrailers(H2HeadText& text);

  Kind kind() const { return kind_; }
  const std::optional<H2Fault>& fault() const { return fault_; }
  // How often Take() was called, and for how many bytes, also behind a fault.
  size_t fields_seen() const { return fields_seen_; }
  uint64_t bytes_seen() const { return bytes_seen_; }
  // Of a request, as far as it was read; see H2Refused.
  std::string_view refused_method() const { return method_.In(text_); }
  std::string_view refused_target() const;

  // Gives storage beyond `most` bytes back.
  void Trim(size_t most);

 private:
  enum Pseudo : uint8_t { kMethod = 1, kScheme = 2, kAuthority = 4, kPath = 8, kProtocol = 16, kStatus = 32 };

  void Fail(Refusal refusal, bool malformed);
  void TakePseudo(std::string_view name, std::string_view value);
  void TakeField(std::string_view name, std::string_view value);
  void TakeRequestField(FieldId id, std::string_view name, std::string_view value);
  bool TakeStatus(std::string_view value);
  bool Count(size_t bytes);
  Slice Keep(std::string_view text);
  void JoinCookies();
  std::optional<H2Fault> CheckRequestLine(Method method, Target& target);
  std::optional<H2Fault> CheckHost();
  std::optional<H2Fault> CheckWebSocket(bool ended) const;
  bool SetFraming(bool ended, Framing& framing, uint64_t& length, bool& has_length) const;
  void MoveTo(H2HeadText& text) const;

  Kind kind_ = Kind::kRequest;
  HeadLimits limits_;
  std::string_view scheme_wanted_;
  bool allow_extended_connect_ = false;

  std::string text_;
  std::vector<FieldLine> lines_;
  std::optional<H2Fault> fault_;
  size_t fields_seen_ = 0;
  uint64_t bytes_seen_ = 0;
  size_t field_count_ = 0;
  size_t size_ = 0;  // as HTTP/1 would write the head

  uint8_t pseudo_ = 0;  // which were seen
  bool regular_seen_ = false;
  Slice method_;
  Slice scheme_;
  Slice authority_;
  Slice path_;
  Slice protocol_;
  Slice host_;  // the value of Host
  bool has_host_ = false;
  bool has_expect_ = false;
  int status_ = 0;
  size_t cookies_ = 0;
  int websocket_versions_ = 0;
  bool websocket_version_right_ = false;
  FramingFields framing_;
};

}  // namespace gatebook::http
