#include "http/h2_stream.h"

#include <utility>

namespace gatebook::http {
namespace {

constexpr size_t kFreeFieldsMost = 16;

}  // namespace

std::unique_ptr<H2Stream> H2Pool::TakeStream() {
  ++taken_;
  if (streams_.empty()) return std::make_unique<H2Stream>();
  auto stream = std::move(streams_.back());
  streams_.pop_back();
  return stream;
}

void H2Pool::Give(std::unique_ptr<H2Stream> stream) {
  --taken_;
  if (streams_.size() >= kFreeMost) return;
  H2HeadText text = std::move(stream->text);
  *stream = H2Stream();
  if (text.size() <= kTextMost && text.text.capacity() <= kTextMost) {
    text.text.clear();
    text.fields.clear();
    stream->text = std::move(text);
  }
  streams_.push_back(std::move(stream));
}

std::unique_ptr<H2Fields> H2Pool::TakeFields() {
  if (fields_.empty()) return std::make_unique<H2Fields>();
  auto fields = std::move(fields_.back());
  fields_.pop_back();
  return fields;
}

void H2Pool::Give(std::unique_ptr<H2Fields> fields) {
  if (fields_.size() >= kFreeFieldsMost) return;
  fields->Trim(kTextMost);
  fields_.push_back(std::move(fields));
}

}  // namespace gatebook::http
