// SinkOutbox: what a sink has made ready and not yet got rid of: whole messages, the first perhaps in part.
//
// Thread: the sink's. Owns: the messages.
// Limits: IsFull() at 256 messages or 256 KiB; one message more may be in it.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "review/told_visit.h"

namespace gatebook::review {

class SinkOutbox {
 public:
  struct Message {
    std::string bytes;
    ToldVisitPtr visit;
  };

  void Add(Message message);
  bool IsEmpty() const { return messages_.empty(); }
  bool IsFull() const;
  size_t size() const { return messages_.size(); }

  // Requires: !IsEmpty(). What is left of the first.
  std::string_view Front() const { return std::string_view(messages_.front().bytes).substr(done_); }
  const Message& front() const { return messages_.front(); }
  bool HasBegun() const { return done_ != 0; }  // part of the first is gone
  const Message& at(size_t index) const { return messages_[index]; }

  // Fills `into` from the front, at most `most_messages` messages; returns how many vectors.
  size_t Vectors(std::span<iovec> into, size_t most_messages) const;
  // So many bytes are gone. Returns how many messages are through with them.
  size_t Consume(size_t bytes);
  // The first begins again: what was taken of it is lost.
  void Rewind() { done_ = 0; }
  void DropFront();
  // Takes out what is erased, but for a first that has begun. Returns how many.
  size_t Erase(const logger::ErasureList& erasures);

 private:
  std::deque<Message> messages_;
  size_t bytes_ = 0;
  size_t done_ = 0;  // of the first
};

}  // namespace gatebook::review
