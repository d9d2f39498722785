// JournalGuard: a disk that fails under a mapped file costs pages, and not the process.
//
// A store into a mapped page that the disk can't give or take (it broke, was pulled out, turned read-only,
// the file was cut) is a SIGBUS to the thread that stores, which may be a worker. While a guard stands over
// the mapping, such a page is replaced by one in memory with what could be read of it; the store happens
// there, and `hit` is set. What is written there can still be read through the mapping, and dies with the
// process.
//
// Thread: making and destroying: one at a time with the mapping; hits on any thread, at any instruction.
// Owns: a row of a table that the signal's handler reads. Borrows: the mapping, `hit`.
// Ends: destroying must come before the mapping goes. Signals that no guard covers do what they did before.
// Limits: 8,192 guards; beyond, mappings go unguarded.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gatebook::logger {

class JournalGuard {
 public:
  JournalGuard(char* data, uint64_t size, std::atomic<bool>& hit);
  ~JournalGuard();
  JournalGuard(const JournalGuard&) = delete;
  JournalGuard& operator=(const JournalGuard&) = delete;

 private:
  size_t row_;
};

}  // namespace gatebook::logger
