#include "logger/journal_format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace gatebook::logger {
namespace {

static_assert(std::endian::native == std::endian::little, "journals are little-endian");

// Offsets within the header; each block in a sector of its own, so that one torn
// or failed sector costs one block.
constexpr size_t kIdentityAt = 0;
constexpr size_t kIdentityCopyAt = 512;
constexpr size_t kOpeningAt = 1024;
constexpr size_t kSealAt = 1536;
constexpr size_t kReleasedAt = 2048;
constexpr size_t kErasedAt = 2560;

constexpr char kMagic[8] = {'g', 'b', 'j', 'o', 'u', 'r', 'n', '\n'};
constexpr uint32_t kVersion = 1;
// Told apart under one seed: an opening copied over a seal is not a seal.
constexpr uint64_t kIdentitySalt = 0x6964656e74697479;
constexpr uint64_t kOpeningSalt = 0x6f70656e696e6721;
constexpr uint64_t kSealSalt = 0x7365616c65642121;
constexpr uint64_t kReleasedSalt = 0x72656c6561736564;
constexpr uint64_t kErasedSalt = 0x6572617365642121;

struct IdentityBlock {
  char magic[8];
  uint32_t version;
  uint32_t worker;
  uint32_t sequence;
  uint32_t edge_size;
  uint64_t created_milliseconds;
  uint64_t seed;
  char edge[kMostEdgeName];
  uint64_t check;
};
static_assert(sizeof(IdentityBlock) == 80);

struct OpeningBlock {
  uint64_t milliseconds;
  uint32_t n;
  uint32_t zero;
  uint64_t check;
};
static_assert(sizeof(OpeningBlock) == 24);

struct SealBlock {
  uint64_t milliseconds;
  uint32_t n;
  uint32_t visits;
  uint64_t end;
  uint64_t check;
};
static_assert(sizeof(SealBlock) == 32);

struct ErasedBlock {
  uint64_t offset;
  uint32_t visits;
  uint32_t zero;
  uint64_t check;
};
static_assert(sizeof(ErasedBlock) == 24);

// A record's header. The first word is stored last.
struct RecordBlock {
  uint32_t size_and_type;  // payload bytes in 24 bits, type above them
  uint32_t check;
  uint64_t milliseconds;
  uint32_t n;
  uint32_t visits;
};
static_assert(sizeof(RecordBlock) == kRecordHeaderBytes);

// The check of a block is its last word, over all before it.
template <typename Block>
uint64_t CheckOf(const Block& block, uint64_t seed) {
  return XXH3_64bits_withSeed(&block, offsetof(Block, check), seed);
}

template <typename Block>
void Write(char* at, Block block, uint64_t seed) {
  block.check = CheckOf(block, seed);
  std::memcpy(at, &block, sizeof block);
}

template <typename Block>
std::optional<Block> Read(const char* at, uint64_t seed) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  if (block.check != CheckOf(block, seed)) return std::nullopt;
  return block;
}

uint32_t ReleasedCheck(uint32_t units, uint64_t seed) {
  return static_cast<uint32_t>(XXH3_64bits_withSeed(&units, sizeof units, seed ^ kReleasedSalt));
}

// Covers everything of a record but the check itself; place and first word through the seed, so
// that a record that a disk wrote to the wrong place is not one.
uint32_t RecordCheck(const char* record, uint64_t offset, uint32_t size_and_type, size_t payload,
                     uint64_t seed) {
  return static_cast<uint32_t>(
      XXH3_64bits_withSeed(record + offsetof(RecordBlock, milliseconds),
                           kRecordHeaderBytes - offsetof(RecordBlock, milliseconds) + payload,
                           seed ^ (offset << 32 | size_and_type)));
}

}  // namespace

void WriteIdentity(char* header, const SegmentIdentity& identity) {
  CHECK(identity.edge.size() <= kMostEdgeName);
  IdentityBlock block{};
  std::memcpy(block.magic, kMagic, sizeof kMagic);
  block.version = kVersion;
  block.worker = identity.worker;
  block.sequence = identity.sequence;
  block.edge_size = static_cast<uint32_t>(identity.edge.size());
  block.created_milliseconds = identity.created_milliseconds;
  block.seed = identity.seed;
  std::memcpy(block.edge, identity.edge.data(), identity.edge.size());
  Write(header + kIdentityAt, block, kIdentitySalt);
  Write(header + kIdentityCopyAt, block, kIdentitySalt);
}

std::optional<SegmentIdentity> ReadIdentity(std::string_view header) {
  if (header.size() < kSegmentHeaderBytes) return std::nullopt;
  for (const size_t at : {kIdentityAt, kIdentityCopyAt}) {
    const auto block = Read<IdentityBlock>(header.data() + at, kIdentitySalt);
    if (!block || std::memcmp(block->magic, kMagic, sizeof kMagic) != 0 || block->version != kVersion ||
        block->sequence == 0 || block->edge_size > kMostEdgeName) {
      continue;
    }
    return SegmentIdentity{block->worker, block->sequence, block->created_milliseconds, block->seed,
                           std::string(block->edge, block->edge_size)};
  }
  return std::nullopt;
}

void WriteOpening(char* header, uint64_t seed, const RecordId& last) {
  Write(header + kOpeningAt, OpeningBlock{last.milliseconds, last.n, 0, 0}, seed ^ kOpeningSalt);
}

std::optional<RecordId> ReadOpening(const char* header, uint64_t seed) {
  const auto block = Read<OpeningBlock>(header + kOpeningAt, seed ^ kOpeningSalt);
  if (!block) return std::nullopt;
  return RecordId{block->milliseconds, block->n};
}

void WriteSeal(char* header, uint64_t seed, const SegmentSeal& seal) {
  Write(header + kSealAt, SealBlock{seal.last.milliseconds, seal.last.n, seal.visits, seal.end, 0},
        seed ^ kSealSalt);
}

std::optional<SegmentSeal> ReadSeal(const char* header, uint64_t seed) {
  const auto block = Read<SealBlock>(header + kSealAt, seed ^ kSealSalt);
  if (!block) return std::nullopt;
  return SegmentSeal{{block->milliseconds, block->n}, block->end, block->visits};
}

void StoreReleased(char* header, uint64_t seed, uint64_t offset) noexcept {
  const auto units = static_cast<uint32_t>(offset / kRecordAlignment);
  const uint64_t word = static_cast<uint64_t>(ReleasedCheck(units, seed)) << 32 | units;
  std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(header + kReleasedAt))
      .store(word, std::memory_order_relaxed);
}

uint64_t LoadReleased(const char* header, uint64_t seed, uint64_t file_size) {
  uint64_t word;
  std::memcpy(&word, header + kReleasedAt, sizeof word);
  const auto units = static_cast<uint32_t>(word);
  const uint64_t offset = uint64_t{units} * kRecordAlignment;
  const bool holds =
      word >> 32 == ReleasedCheck(units, seed) && offset >= kSegmentHeaderBytes && offset <= file_size;
  return holds ? offset : kSegmentHeaderBytes;
}

void MarkReleased(char* header) noexcept {
  std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(header + kReleasedAt))
      .fetch_add(0, std::memory_order_relaxed);
}

void WriteErased(char* header, uint64_t seed, const SegmentErased& erased) {
  Write(header + kErasedAt, ErasedBlock{erased.offset, erased.visits, 0, 0}, seed ^ kErasedSalt);
}

SegmentErased ReadErased(const char* header, uint64_t seed, uint64_t file_size) {
  const auto block = Read<ErasedBlock>(header + kErasedAt, seed ^ kErasedSalt);
  const bool holds = block && block->offset % kRecordAlignment == 0 && block->offset >= kSegmentHeaderBytes &&
                     block->offset <= file_size;
  return holds ? SegmentErased{block->offset, block->visits} : SegmentErased();
}

void SealRecord(char* segment, uint64_t offset, size_t payload, const RecordHead& head,
                uint64_t seed) noexcept {
  char* const record = segment + offset;
  const auto size_and_type = static_cast<uint32_t>(payload | static_cast<uint32_t>(head.type) << 24);
  const RecordBlock block{size_and_type, 0, head.id.milliseconds, head.id.n, head.visits};
  constexpr size_t kBehindFirstWord = offsetof(RecordBlock, milliseconds);
  std::memcpy(record + kBehindFirstWord, &block.milliseconds, kRecordHeaderBytes - kBehindFirstWord);
  const uint32_t check = RecordCheck(record, offset, size_and_type, payload, seed);
  const uint64_t first_word = static_cast<uint64_t>(check) << 32 | size_and_type;
  std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(record))
      .store(first_word, std::memory_order_release);
}

std::optional<RecordView> ParseRecord(std::string_view segment, uint64_t offset, uint64_t seed) noexcept {
  if (offset % kRecordAlignment != 0 || offset > segment.size() ||
      segment.size() - offset < kRecordHeaderBytes) {
    return std::nullopt;
  }
  RecordBlock block;
  std::memcpy(&block, segment.data() + offset, sizeof block);
  const size_t payload = block.size_and_type & 0xffffff;
  const uint32_t type = block.size_and_type >> 24;
  if (type != static_cast<uint32_t>(RecordType::kVisit) &&
      type != static_cast<uint32_t>(RecordType::kClosing)) {
    return std::nullopt;
  }
  if (payload > kMostPayload || RecordBytes(payload) > segment.size() - offset) return std::nullopt;
  if (block.check != RecordCheck(segment.data() + offset, offset, block.size_and_type, payload, seed)) {
    return std::nullopt;
  }
  return RecordView{{static_cast<RecordType>(type), {block.milliseconds, block.n}, block.visits},
                    segment.substr(offset + kRecordHeaderBytes, payload),
                    offset + RecordBytes(payload)};
}

uint8_t ClaimedType(std::string_view segment, uint64_t offset) noexcept {
  if (offset > segment.size() || segment.size() - offset < sizeof(uint32_t)) return 0;
  uint32_t size_and_type;
  std::memcpy(&size_and_type, segment.data() + offset, sizeof size_and_type);
  return static_cast<uint8_t>(size_and_type >> 24);
}

}  // namespace gatebook::logger
