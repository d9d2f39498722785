#include "http/trailers.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "http/body_reader.h"
#include "http/characters.h"
#include "http/field_section.h"

namespace gatebook::http {
namespace {

// Names that no other code acts on: they say how content is to be read, control caches, ask for
// conditions or credentials.
constexpr auto kNeverTrail = std::to_array<std::string_view>({
    "age",
    "cache-control",
    "content-encoding",
    "content-location",
    "content-range",
    "content-type",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "vary",
    "warning",
    "www-authenticate",
});

}  // namespace

bool MayTrail(FieldId id, std::string_view name) {
  switch (id) {
    case FieldId::kHost:
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kTransferEncoding:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kUpgrade:
    case FieldId::kExpect:
    case FieldId::kCookie:
    case FieldId::kSetCookie:
    case FieldId::kDate:
    case FieldId::kAuthorization:
    case FieldId::kForwarded:
    case FieldId::kXForwarded:
    case FieldId::kXRequestId:
    case FieldId::kXSessionId:
    case FieldId::kSecWebSocket:
    case FieldId::kStrictTransportSecurity:
    case FieldId::kTraceparent:
    case FieldId::kTracestate:
      return false;
    case FieldId::kOther:
      return std::ranges::none_of(
          kNeverTrail, [name](std::string_view never) { return base::EqualsIgnoreCase(never, name); });
    default:
      return true;
  }
}

bool AcceptsTrailers(std::span<const Field> fields) {
  for (const Field& field : fields) {
    if (field.id != FieldId::kTe) continue;
    std::string_view codings = field.value;
    while (!codings.empty()) {
      if (base::EqualsIgnoreCase(TakeListElement(codings), "trailers")) return true;
    }
  }
  return false;
}

void AppendLastChunk(base::Buffer& out, std::span<const Field> trailers) {
  if (trailers.empty()) return out.Append(kLastChunk);
  out.Append("0\r\n");
  for (const Field& field : trailers) {
    out.Append(field.name);
    out.Append(": ");
    out.Append(field.value);
    out.Append("\r\n");
  }
  out.Append("\r\n");
}

void Trailers::Clear() {
  text_.clear();
  fields_.clear();
}

bool Trailers::Parse() {
  fields_.clear();
  if (text_.empty()) return true;
  FieldSection section(BodyReader::kTrailerCountMost);
  section.Begin(0);
  FieldSection::Event event;
  while ((event = section.Next(text_)) == FieldSection::Event::kField) {
  }
  if (event != FieldSection::Event::kEnd) return false;
  for (const Field& field : section.Resolve(text_)) {
    if (!field.hop_by_hop && MayTrail(field.id, field.name)) fields_.push_back(field);
  }
  return true;
}

void Trailers::Copy(std::span<const Field> fields) {
  Clear();
  size_t size = 0;
  for (const Field& field : fields) size += field.name.size() + field.value.size();
  text_.reserve(size);  // so that the views stay
  const auto keep = [this](std::string_view part) {
    const size_t begin = text_.size();
    text_.append(part);
    return std::string_view(text_).substr(begin);
  };
  for (const Field& field : fields) {
    if (field.hop_by_hop) continue;
    const std::string_view name = keep(field.name);
    fields_.push_back({.name = name, .value = keep(field.value), .id = field.id});
  }
}

}  // namespace gatebook::http
