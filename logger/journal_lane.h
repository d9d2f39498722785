// JournalLane: what the writer, the reader and the keeper of one worker's journal share.
//
// A chain of segments from the oldest that is not delivered to the one being
// written, and a spare that the keeper has ready for when that one is full.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "logger/journal_segment.h"

namespace gatebook::logger {

struct JournalLane {
  uint32_t worker = 0;
  bool has_writer = false;  // false: left by a worker that exists no more

  // Where the reader begins, and which link the writer sets when it takes its first segment.
  std::atomic<JournalSegment*> first{nullptr};
  std::atomic<JournalSegment*>* end_of_chain = &first;

  // Set by the keeper, taken by the writer.
  std::atomic<JournalSegment*> spare{nullptr};
  std::atomic<bool> is_full{false};  // why there is no spare: max_size

  // Flushing. Asked by the writer, answered by the keeper.
  std::atomic<bool> flush_asked{false};
  std::atomic<bool> flush_failing{false};
  std::atomic<JournalPosition> flushed{0};
  std::mutex callback_mutex;
  std::function<void()> on_flushed;  // guarded by callback_mutex

  // Keeper only: every segment of the lane in order of sequence, the spare at the end.
  std::vector<std::unique_ptr<JournalSegment>> segments;
  uint32_t next_sequence = 1;
};

}  // namespace gatebook::logger
