// FieldSection: the field lines of a head, a line at a time (RFC 9112 §5).
//
// Lines are held as offsets from the front of the buffer, since the bytes may move
// between two calls; no byte is looked for twice, so any feeding takes linear time.
//
// Thread: one. Owns: its two tables (reused between heads: no allocation in steady
// state). Borrows: the bytes, during a call; Resolve()'s views as long as they live.
// Limits: a number of fields; the bytes are bounded by the caller, who gives a window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::http {

// A part of the buffer that may move.
struct Slice {
  uint32_t begin = 0;
  uint32_t size = 0;
  std::string_view In(std::string_view data) const { return data.substr(begin, size); }
};

// Requires: `part` is a view into `data`, which is shorter than 4 GiB.
inline Slice SliceOf(std::string_view data, std::string_view part) {
  if (part.empty()) return {};
  return {static_cast<uint32_t>(part.data() - data.data()), static_cast<uint32_t>(part.size())};
}

enum class LineEnd : uint8_t { kNeedMore, kFound, kRefused };

// Moves `scan` on to the CR of a CRLF, or to the first byte that may stand in no line:
// `refusal` is then kBareLf, kBareCr or kNul. kNeedMore also at a CR that is the last byte.
LineEnd FindLineEnd(std::string_view data, size_t& scan, Refusal& refusal);

struct FieldLine {
  Slice name;
  Slice value;  // without the white space around it
  FieldId id = FieldId::kOther;
  bool hop_by_hop = false;
};

class FieldSection {
 public:
  enum class Event : uint8_t { kNeedMore, kField, kEnd, kRefused };

  explicit FieldSection(size_t most_fields) : most_fields_(most_fields) {}
  // Before Begin().
  void SetLimit(size_t most_fields) { most_fields_ = most_fields; }

  // Begins a section at offset `at`, where a line starts.
  void Begin(size_t at);
  // Reads the next line. kField: last() is it. kEnd: the empty line was there, and
  // end() stands behind it. kRefused: refusal() says why; only Begin() may follow.
  Event Next(std::string_view data);

  const FieldLine& last() const { return lines_.back(); }
  size_t end() const { return line_; }
  Refusal refusal() const { return refusal_; }
  // All fields so far, as views into `data`. Valid until Begin() or the next Resolve().
  std::span<Field> Resolve(std::string_view data);

 private:
  Event Refuse(Refusal refusal);
  bool TakeLine(std::string_view data);

  size_t most_fields_;
  size_t line_ = 0;  // where the current line starts
  size_t scan_ = 0;  // up to where it holds no control byte
  Refusal refusal_ = Refusal::kBadFieldName;
  std::vector<FieldLine> lines_;
  std::vector<Field> fields_;
};

}  // namespace gatebook::http
