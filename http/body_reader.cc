// Chunked framing is taken off by a machine of single bytes, since it has to stop and go
// on anywhere:
//
//   Size ─ ';' ─▶ Extension            digits then CR, or ';' and anything up to CR
//    │ CR             │ CR
//    ▼                ▼
//   SizeLf ──── size > 0 ───▶ Payload ─▶ PayloadCr ─▶ PayloadLf ─▶ Size
//    └──────── size = 0 ───▶ TrailerStart ─ CR ─▶ LastLf ─▶ Done
//                             ▲   └─ name ─▶ TrailerName ─ ':' ─▶ TrailerValue ─ CR ─▶ TrailerLf
//                             └──────────────────────────────────────────────────────────┘
// Every byte without an arrow is a fault.
#include "http/body_reader.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/characters.h"

namespace gatebook::http {
namespace {

constexpr uint16_t kSizeDigitsMost = 16;
constexpr uint16_t kExtensionMost = 256;
constexpr uint64_t kExtensionDebtMost = 16384;
constexpr uint64_t kChunkMost = INT64_MAX;

bool IsTextOrTab(char c) { return !IsControl(c) || c == '\t'; }

}  // namespace

void BodyReader::Begin(Framing framing, uint64_t content_length, std::string* trailers) {
  *this = BodyReader();
  trailers_ = trailers;
  framing_ = framing;
  switch (framing) {
    case Framing::kNone:
      state_ = State::kDone;
      break;
    case Framing::kLength:
      remaining_ = content_length;
      state_ = content_length > 0 ? State::kPayload : State::kDone;
      break;
    case Framing::kChunked:
      state_ = State::kSize;
      break;
    case Framing::kToClose:
      state_ = State::kToClose;
      break;
  }
}

bool BodyReader::IsDone() const { return state_ == State::kDone; }
bool BodyReader::HasFailed() const { return state_ == State::kFailed; }
Refusal BodyReader::refusal() const { return refusal_; }

BodyReader::Step BodyReader::Read(std::string_view data, size_t most) {
  Step step;
  if (state_ == State::kToClose) {
    step.payload = data.substr(0, most);
    step.consumed = step.payload.size();
    return step;
  }
  while (step.consumed < data.size() && !IsDone() && !HasFailed()) {
    if (state_ != State::kPayload) {
      TakeFraming(data[step.consumed]);
      if (!HasFailed()) ++step.consumed;
      continue;
    }
    const std::string_view rest = data.substr(step.consumed);
    const size_t run = static_cast<size_t>(std::min<uint64_t>({remaining_, rest.size(), most}));
    if (run == 0 || !step.payload.empty()) break;
    step.payload = rest.substr(0, run);
    step.consumed += run;
    remaining_ -= run;
    extension_debt_ -= std::min<uint64_t>(extension_debt_, run);
    if (remaining_ == 0) state_ = framing_ == Framing::kLength ? State::kDone : State::kPayloadCr;
  }
  return step;
}

void BodyReader::Fail(Refusal refusal) {
  refusal_ = refusal;
  state_ = State::kFailed;
}

void BodyReader::TakeFraming(char c) {
  switch (state_) {
    case State::kSize:
      if (base::IsAsciiHex(c)) return TakeSizeDigit(c);
      if (line_size_ == 0 || (c != ';' && c != '\r')) return Fail(Refusal::kBadChunk);
      state_ = c == ';' ? State::kExtension : State::kSizeLf;
      line_size_ = 0;
      return;
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (!IsTextOrTab(c) || ++line_size_ > kExtensionMost || ++extension_debt_ > kExtensionDebtMost) {
        Fail(Refusal::kBadChunk);
      }
      return;
    case State::kSizeLf:
      return c == '\n' ? BeginChunk() : Fail(Refusal::kBadChunk);
    case State::kPayloadCr:
      if (c != '\r') return Fail(Refusal::kBadChunk);
      state_ = State::kPayloadLf;
      return;
    case State::kPayloadLf:
      if (c != '\n') return Fail(Refusal::kBadChunk);
      state_ = State::kSize;
      line_size_ = 0;
      return;
    default:
      TakeTrailer(c);
      if (trailers_ != nullptr && trailer_count_ > 0) trailers_->push_back(c);
  }
}

void BodyReader::TakeSizeDigit(char c) {
  // Zeros count as well: nobody needs them, and they are bytes without payload.
  if (++line_size_ > kSizeDigitsMost) return Fail(Refusal::kBadChunk);
  const char lower = base::ToAsciiLower(c);
  const auto digit = static_cast<uint64_t>(base::IsAsciiDigit(c) ? c - '0' : lower - 'a' + 10);
  if (remaining_ > (kChunkMost - digit) / 16) return Fail(Refusal::kBadChunk);
  remaining_ = remaining_ * 16 + digit;
}

void BodyReader::BeginChunk() { state_ = remaining_ > 0 ? State::kPayload : State::kTrailerStart; }

void BodyReader::TakeTrailer(char c) {
  if (++trailer_size_ > kTrailerSizeMost) return Fail(Refusal::kBadTrailer);
  switch (state_) {
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kLastLf;
      } else if (!IsTokenChar(c) || ++trailer_count_ > kTrailerCountMost) {
        Fail(Refusal::kBadTrailer);
      } else {
        state_ = State::kTrailerName;
      }
      return;
    case State::kTrailerName:
      if (c == ':') {
        state_ = State::kTrailerValue;
      } else if (!IsTokenChar(c)) {
        Fail(Refusal::kBadTrailer);
      }
      return;
    case State::kTrailerValue:
      if (c == '\r') {
        state_ = State::kTrailerLf;
      } else if (!IsTextOrTab(c)) {
        Fail(Refusal::kBadTrailer);
      }
      return;
    case State::kTrailerLf:
      if (c != '\n') return Fail(Refusal::kBadTrailer);
      state_ = State::kTrailerStart;
      return;
    case State::kLastLf:
      if (c != '\n') return Fail(Refusal::kBadTrailer);
      state_ = State::kDone;
      return;
    default:
      return Fail(Refusal::kBadTrailer);
  }
}

size_t WriteChunkLine(uint64_t size, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  size_t digits = 1;
  for (uint64_t rest = size >> 4; rest > 0; rest >>= 4) ++digits;
  for (size_t i = digits; i > 0; --i) {
    out[i - 1] = kDigits[size & 15];
    size >>= 4;
  }
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace gatebook::http
