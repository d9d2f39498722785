// Arbitrary bytes as a journal's segment: never a crash, never an endless walk,
// and whatever is taken for a record is whole, within its bounds and in one form.
#include <xxhash.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "logger/journal_cursor.h"
#include "logger/journal_format.h"
#include "logger/visit_codec.h"

namespace {

using namespace gatebook::logger;  // NOLINT

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryVisit(std::string_view bytes) {
  Visit visit;
  if (!DecodeVisit(bytes, &visit)) return;
  Require(EncodedVisitBound(visit) != 0);
  char out[kMostEncodedVisit];
  const char* const end = EncodeVisit(visit, out);
  Require(std::string_view(out, static_cast<size_t>(end - out)) == bytes);
}

void TryClosing(std::string_view bytes) {
  Closing closing;
  if (!DecodeClosing(bytes, 0, &closing)) return;
  char out[kMostEncodedClosing];
  const char* const end = EncodeClosing(closing, out);
  Require(std::string_view(out, static_cast<size_t>(end - out)) == bytes);
}

// Every step goes forward and stays inside.
void Walk(std::string_view segment, uint64_t seed, uint64_t from, bool decode) {
  RecordCursor cursor(segment, seed, from, 0);
  for (uint64_t before = from;; before = cursor.offset()) {
    const auto step = cursor.Next(segment.size());
    if (step == RecordCursor::Step::kEnd) break;
    Require(cursor.offset() > before && cursor.offset() <= segment.size());
    if (step == RecordCursor::Step::kDamage) {
      Require(cursor.damaged_from() == before);
    } else if (decode) {
      const RecordView& record = cursor.record();
      Require(record.payload.size() <= kMostPayload && record.end == cursor.offset());
      record.head.type == RecordType::kVisit ? TryVisit(record.payload) : TryClosing(record.payload);
    }
  }
  Require(cursor.offset() >= segment.size());
}

// The input as a payload in a record that is sealed well, between two others that must be found.
void WalkAround(std::string_view payload) {
  if (payload.size() > kMostPayload) return;
  // A segment's seed is random and a client doesn't know it. Here it follows from the payload, so that
  // a fuzzer that watches checksums being compared can't put a record of its own inside.
  const uint64_t seed = XXH3_64bits(payload.data(), payload.size());
  const uint64_t first = 0;
  const uint64_t second = RecordBytes(0);
  const uint64_t third = second + RecordBytes(payload.size());
  std::string segment(third + RecordBytes(0), '\0');
  payload.copy(segment.data() + second + kRecordHeaderBytes, payload.size());
  SealRecord(segment.data(), first, 0, {RecordType::kClosing, {1, 0}, 0}, seed);
  SealRecord(segment.data(), second, payload.size(), {RecordType::kVisit, {1, 1}, 0}, seed);
  SealRecord(segment.data(), third, 0, {RecordType::kClosing, {1, 2}, 1}, seed);
  Require(ParseRecord(segment, second, seed).has_value());
  segment[second] = static_cast<char>(segment[second] ^ 1);
  RecordCursor cursor(segment, seed, 0, 0);
  int found = 0;
  uint32_t lost = 0;
  for (auto step = cursor.Next(segment.size()); step != RecordCursor::Step::kEnd;
       step = cursor.Next(segment.size())) {
    if (step != RecordCursor::Step::kRecord) continue;
    ++found;
    lost += cursor.lost();
  }
  Require(found == 2 && lost == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryVisit(bytes);
  TryClosing(bytes);
  WalkAround(bytes);
  // Words of a segment are read aligned, as they are in a mapping.
  std::vector<uint64_t> aligned(size / sizeof(uint64_t));
  const std::string_view segment(reinterpret_cast<const char*>(aligned.data()),
                                 aligned.size() * sizeof(uint64_t));
  bytes.copy(reinterpret_cast<char*>(aligned.data()), segment.size());
  Walk(segment, 0, 0, true);
  const auto identity = ReadIdentity(segment);
  if (!identity) return 0;
  Require(identity->edge.size() <= kMostEdgeName);
  ReadOpening(segment.data(), identity->seed);
  ReadSeal(segment.data(), identity->seed);
  const uint64_t released = LoadReleased(segment.data(), identity->seed, segment.size());
  Require(released >= kSegmentHeaderBytes && released <= segment.size());
  Walk(segment, identity->seed, kSegmentHeaderBytes, true);
  Walk(segment, identity->seed, released, true);
  return 0;
}
