// Trailers: the fields behind a body, as either version of HTTP brings them (RFC 9110 §6.5).
//
// What could route, frame, authorise or explain a message is no trailer, whoever sends it:
// a recipient may have merged it into the head that was judged before (§6.5.1). Such fields
// are left out here, so that nobody behind has to know.
//
// Thread: one. Owns: the fields' text; nothing is allocated for a message without trailers.
// Limits: those of who fills it (BodyReader, HeadLimits).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "http/head.h"

namespace gatebook::http {

// Whether a field may stand in trailers.
bool MayTrail(FieldId id, std::string_view name);

// Whether "TE: trailers" is among a request's fields: its sender does not drop trailers (RFC 9110 §10.1.4).
bool AcceptsTrailers(std::span<const Field> fields);

// The end of a chunked body (RFC 9112 §7.1.2).
void AppendLastChunk(base::Buffer& out, std::span<const Field> trailers);

class Trailers {
 public:
  void Clear();

  // HTTP/1: where BodyReader puts the section; then Parse(). False: it is malformed.
  std::string& section() { return text_; }
  bool Parse();

  // Copies of those that are not hop_by_hop.
  void Copy(std::span<const Field> fields);

  // Views that are valid until one of the above is called.
  std::span<const Field> fields() const { return fields_; }

 private:
  std::string text_;
  std::vector<Field> fields_;
};

}  // namespace gatebook::http
