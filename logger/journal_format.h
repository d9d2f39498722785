// The journal's grammar of bytes: what a segment's header and a record are.
//
// The written form is docs/journal-format.md; this is its only implementation.
// A segment is a preallocated file: a header of one page, then records, then
// zeros. Every word that is found by reading is either checked by XXH3 under the
// segment's own random seed, so that no text of a visitor can be taken for a
// record after damage, or a hint that only costs time when it is wrong.
//
// Thread: functions over memory that the caller may touch; SealRecord and
// StoreReleased publish with one aligned 8-byte store.
// Byte order: little-endian. Offsets count bytes from the start of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatebook::logger {

inline constexpr size_t kSegmentHeaderBytes = 4096;
inline constexpr size_t kRecordAlignment = 8;
inline constexpr size_t kRecordHeaderBytes = 24;
inline constexpr size_t kMostPayload = 4096;
inline constexpr size_t kMostRecord = kRecordHeaderBytes + kMostPayload;
inline constexpr size_t kMostEdgeName = 32;
inline constexpr uint64_t kLeastSegment = 64 * 1024;
inline constexpr uint64_t kMostSegment = 1ULL << 30;

// Milliseconds and n of a visit id; the worker is the segment's.
struct RecordId {
  uint64_t milliseconds = 0;
  uint32_t n = 0;
  auto operator<=>(const RecordId&) const = default;
};

// A place in one worker's journal that grows over segments and restarts; 0 is before everything.
using JournalPosition = uint64_t;
constexpr JournalPosition MakePosition(uint32_t sequence, uint64_t offset) {
  return static_cast<uint64_t>(sequence) << 32 | offset;
}
constexpr uint32_t SequenceOf(JournalPosition position) { return static_cast<uint32_t>(position >> 32); }
constexpr uint64_t OffsetOf(JournalPosition position) { return position & 0xffffffff; }

// ---- the header ----

// Whose segment it is. Written once, twice over, before the file gets its name.
struct SegmentIdentity {
  uint32_t worker = 0;
  uint32_t sequence = 0;  // from 1, without gaps that mean anything
  uint64_t created_milliseconds = 0;
  uint64_t seed = 0;  // random; under every checksum of the segment
  std::string edge;   // at most kMostEdgeName
};
void WriteIdentity(char* header, const SegmentIdentity& identity);
// Nothing unless one of the two copies is whole.
std::optional<SegmentIdentity> ReadIdentity(std::string_view header);

// The last id before this segment: ids go on from it when no record is left.
void WriteOpening(char* header, uint64_t seed, const RecordId& last);
std::optional<RecordId> ReadOpening(const char* header, uint64_t seed);

// What an ended segment holds. Absent in one that was being written at a crash.
struct SegmentSeal {
  RecordId last;
  uint64_t end = 0;     // offset behind the last record
  uint32_t visits = 0;  // visit records in the segment
};
void WriteSeal(char* header, uint64_t seed, const SegmentSeal& seal);
std::optional<SegmentSeal> ReadSeal(const char* header, uint64_t seed);

// Everything before this offset has been delivered. kSegmentHeaderBytes if it can't be known.
void StoreReleased(char* header, uint64_t seed, uint64_t offset) noexcept;
uint64_t LoadReleased(const char* header, uint64_t seed, uint64_t file_size);

// Marks the header's page as changed, and changes nothing: a flush that failed leaves it marked clean. Safe
// beside those who write the header's blocks.
void MarkReleased(char* header) noexcept;

// From where the records are not erased, and the visit records before there: where none of them is whole,
// nothing else says how many there were. Written by the recorder before it erases.
struct SegmentErased {
  uint64_t offset = kSegmentHeaderBytes;
  uint32_t visits = 0;
};
void WriteErased(char* header, uint64_t seed, const SegmentErased& erased);
// The beginning of the records if nothing was erased or it can't be known.
SegmentErased ReadErased(const char* header, uint64_t seed, uint64_t file_size);

// ---- records ----

enum class RecordType : uint8_t { kVisit = 1, kClosing = 2 };

struct RecordHead {
  RecordType type = RecordType::kVisit;
  RecordId id;
  uint32_t visits = 0;  // visit records before this one in the segment: a gap says how many were lost
};
struct RecordView {
  RecordHead head;
  std::string_view payload;
  uint64_t end = 0;  // offset behind the record
};

constexpr uint64_t RecordBytes(size_t payload) {
  return (kRecordHeaderBytes + payload + kRecordAlignment - 1) & ~uint64_t{kRecordAlignment - 1};
}

// Makes the payload that already stands at segment + offset + kRecordHeaderBytes a record. Its first
// word, which makes it exist, is stored last, with release order.
// Requires: payload <= kMostPayload; offset aligned; zeros from offset to the payload and behind it.
void SealRecord(char* segment, uint64_t offset, size_t payload, const RecordHead& head,
                uint64_t seed) noexcept;

// The record at `offset`, if a whole one stands there and ends within `segment`.
std::optional<RecordView> ParseRecord(std::string_view segment, uint64_t offset, uint64_t seed) noexcept;

// The type that the first word at `offset` claims, unchecked; 0 where nothing was ever published.
uint8_t ClaimedType(std::string_view segment, uint64_t offset) noexcept;

}  // namespace gatebook::logger
