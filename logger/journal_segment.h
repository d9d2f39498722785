// JournalSegment: one mapped file of a journal, shared by three threads.
//
// The worker that took it writes records and publishes how far; the recorder
// reads up to there, stores how far it has delivered and erases that; the keeper makes it,
// flushes it and, when the recorder has retired it, unmaps and unlinks it.
// A worker never touches a segment again once it has linked the next.
//
// Thread: as said at each member. Owns the mapping, not the file's existence.
// Limits: kLeastSegment to kMostSegment bytes when made; what is opened is read whatever its size.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "logger/journal_directory.h"
#include "logger/journal_format.h"
#include "logger/journal_guard.h"

namespace gatebook::logger {

class JournalSegment {
 public:
  // A new file with all of its blocks, its pages present and `last` stamped as the id to go on from.
  // A full disk is an error here, so that it is never a signal to who writes into the mapping.
  static base::Result<std::unique_ptr<JournalSegment>> Create(JournalDirectory& directory,
                                                              const SegmentIdentity& identity, uint64_t size,
                                                              const RecordId& last, bool durable);
  // Maps what a former process left. An error says what is wrong with it.
  static base::Result<std::unique_ptr<JournalSegment>> Open(JournalDirectory& directory,
                                                            const std::string& name);
  ~JournalSegment();
  JournalSegment(const JournalSegment&) = delete;
  JournalSegment& operator=(const JournalSegment&) = delete;

  const std::string& name() const { return name_; }
  const FileKey& file() const { return file_; }
  // Keeper: unlinks it from the directory it was made in. False, with errno.
  bool Remove(const JournalDisk& disk) const { return disk.Unlink(home_->get(), name_); }
  const SegmentIdentity& identity() const { return identity_; }
  char* data() const { return data_; }
  uint64_t size() const { return size_; }
  std::string_view bytes() const { return {data_, size_}; }

  // Worker: records now reach to `end` and hold `visits` visits. seq_cst: see Doorbell.
  void Publish(uint64_t end, uint32_t visits) noexcept {
    visits_.store(visits, std::memory_order_relaxed);
    published_.store(end, std::memory_order_seq_cst);
  }
  uint64_t published() const noexcept { return published_.load(std::memory_order_seq_cst); }
  uint32_t visits() const noexcept { return visits_.load(std::memory_order_relaxed); }

  // Recovery, before others know of it: what was found in it. `start`: where delivery goes on.
  void SetFound(uint64_t end, uint32_t visits, uint64_t start, uint32_t start_visits);
  uint64_t start() const { return start_; }
  uint32_t start_visits() const { return start_visits_; }

  // Whether a former process wrote it: what it holds is final.
  bool is_recovered() const { return recovered_; }
  // Before reading a segment of a former process: the pages that the disk can't give, and that would be a
  // signal to read, become zeros, which are damage to who reads them. How many there were.
  uint64_t BlankUnreadable(const JournalDisk& disk);

  // What is written here from now on would be lost at a restart, so the worker goes on to the next segment as
  // soon as there is one: the file has no name any more (the keeper has found), or the disk has failed under
  // it.
  void Abandon() noexcept { abandoned_.store(true, std::memory_order_relaxed); }
  bool is_abandoned() const noexcept { return abandoned_.load(std::memory_order_relaxed); }
  // Keeper: it was said why.
  void SetTold() { told_ = true; }
  bool is_told() const { return told_; }

  // Keeper: brings published records up to `end` to the disk, with the first of them also the header.
  // False, with errno.
  bool Flush(const JournalDisk& disk, uint64_t end);
  uint64_t flushed() const { return flushed_; }
  // Keeper: brings the header to the disk unless its opening is there. False, with errno.
  bool FlushOpening(const JournalDisk& disk);

  // Erasing what is delivered, in an order that a power cut can't turn round: the recorder has said in the
  // header that all before `end` is delivered, and asks; the keeper brings the header to the disk, and says
  // so; the recorder erases. Otherwise zeros could reach the disk before the word that explains them.
  void AskToErase(uint64_t end) noexcept { erase_asked_.store(end, std::memory_order_release); }
  uint64_t erase_asked() const noexcept { return erase_asked_.load(std::memory_order_acquire); }
  // Keeper: false, with errno, if the disk did not take the header.
  bool AllowErasing(const JournalDisk& disk);
  uint64_t erase_allowed() const noexcept { return erase_allowed_.load(std::memory_order_acquire); }
  // Recorder: zeros up to what is allowed.
  void Erase() noexcept;

  std::atomic<JournalSegment*> next{nullptr};  // set by the worker, once, when this one is full
  std::atomic<bool> retired{false};            // set by the recorder: nobody but the keeper needs it any more

 private:
  JournalSegment(const JournalDirectory& directory, std::string name, const FileKey& file,
                 SegmentIdentity identity, char* data, uint64_t size);

  const JournalHome home_;
  const std::string name_;
  const FileKey file_;
  const SegmentIdentity identity_;
  char* const data_;
  const uint64_t size_;
  uint64_t start_ = kSegmentHeaderBytes;
  uint32_t start_visits_ = 0;
  bool recovered_ = false;
  uint64_t flushed_ = 0;
  bool flush_failed_ = false;
  bool told_ = false;
  bool opening_flushed_ = false;           // as the worker or the recorder wrote it
  uint64_t erased_ = kSegmentHeaderBytes;  // recorder
  std::atomic<uint64_t> erase_asked_{kSegmentHeaderBytes};
  std::atomic<uint64_t> erase_allowed_{kSegmentHeaderBytes};
  alignas(64) std::atomic<uint64_t> published_{kSegmentHeaderBytes};
  std::atomic<uint32_t> visits_{0};
  std::atomic<bool> abandoned_{false};
  std::optional<JournalGuard> guard_;
};

}  // namespace gatebook::logger
