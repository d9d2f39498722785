#include "review/sink_outbox.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostMessages = 256;
constexpr size_t kMostBytes = 256 << 10;

}  // namespace

void SinkOutbox::Add(Message message) {
  bytes_ += message.bytes.size();
  messages_.push_back(std::move(message));
}

bool SinkOutbox::IsFull() const { return messages_.size() >= kMostMessages || bytes_ >= kMostBytes; }

size_t SinkOutbox::Vectors(std::span<iovec> into, size_t most_messages) const {
  const size_t count = std::min({into.size(), most_messages, messages_.size()});
  for (size_t i = 0; i < count; ++i) {
    const size_t from = i == 0 ? done_ : 0;
    // writev takes what it does not change by a pointer that could.
    into[i] = {const_cast<char*>(messages_[i].bytes.data()) + from, messages_[i].bytes.size() - from};
  }
  return count;
}

size_t SinkOutbox::Consume(size_t bytes) {
  size_t through = 0;
  while (bytes > 0) {
    CHECK(!messages_.empty());
    const size_t left = messages_.front().bytes.size() - done_;
    if (bytes < left) {
      done_ += bytes;
      break;
    }
    bytes -= left;
    DropFront();
    ++through;
  }
  return through;
}

void SinkOutbox::DropFront() {
  bytes_ -= messages_.front().bytes.size();
  messages_.pop_front();
  done_ = 0;
}

size_t SinkOutbox::Erase(const logger::ErasureList& erasures) {
  const size_t before = messages_.size();
  size_t index = 0;
  std::erase_if(messages_, [&](const Message& message) {
    if (index++ == 0 && done_ != 0) return false;
    if (!IsErased(*message.visit, erasures)) return false;
    bytes_ -= message.bytes.size();
    return true;
  });
  return before - messages_.size();
}

}  // namespace gatebook::review
