#include "http/trace_context.h"

#include <algorithm>
#include <optional>

namespace gatebook::http {
namespace {

// Places in "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".
constexpr size_t kTraceIdAt = 3;
constexpr size_t kTraceIdSize = 32;
constexpr size_t kParentIdAt = 36;
constexpr size_t kParentIdSize = 16;
constexpr size_t kFlagsAt = 53;
constexpr size_t kSize = 55;
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

bool IsTraceparent(std::string_view text) {
  if (text.size() < kSize) return false;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(kTraceIdAt, kTraceIdSize);
  const std::string_view parent_id = text.substr(kParentIdAt, kParentIdSize);
  if (!IsLowerHex(version) || version == "ff") return false;
  // A later version may say more behind a further dash (§3.2.4); 00 has one length.
  if (text.size() > kSize && (version == "00" || text[kSize] != '-')) return false;
  if (text[2] != '-' || text[kParentIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') return false;
  return IsLowerHex(trace_id) && !IsZero(trace_id) && IsLowerHex(parent_id) && !IsZero(parent_id) &&
         IsLowerHex(text.substr(kFlagsAt, 2));
}

// The one traceparent of the request; several are as good as none.
std::optional<std::string_view> FindTraceparent(std::span<const Field> fields) {
  std::optional<std::string_view> found;
  for (const Field& field : fields) {
    if (field.id != FieldId::kTraceparent || field.hop_by_hop) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found && IsTraceparent(*found) ? found : std::nullopt;
}

void PutHex(uint64_t number, char* to) {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = kHexDigits[number >> shift & 0xf];
}

}  // namespace

TraceContext TraceContextFor(std::span<const Field> fields, uint64_t parent_id,
                             const std::array<uint64_t, 2>& trace_id) {
  TraceContext context;
  char* const out = context.traceparent.data();
  std::ranges::copy(std::string_view("00-"), out);
  const auto received = FindTraceparent(fields);
  context.continued = received.has_value();
  bool sampled = true;
  if (received) {
    std::ranges::copy(received->substr(kTraceIdAt, kTraceIdSize), out + kTraceIdAt);
    sampled = kHexDigits.find((*received)[kFlagsAt + 1]) & 1;
  } else {
    PutHex(trace_id[0], out + kTraceIdAt);
    PutHex(trace_id[0] == 0 && trace_id[1] == 0 ? 1 : trace_id[1], out + kTraceIdAt + kTraceIdSize / 2);
  }
  out[kParentIdAt - 1] = '-';
  PutHex(parent_id == 0 ? 1 : parent_id, out + kParentIdAt);
  std::ranges::copy(sampled ? std::string_view("-01") : std::string_view("-00"), out + kFlagsAt - 1);
  return context;
}

}  // namespace gatebook::http
