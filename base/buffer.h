// Buffer: a contiguous run of bytes, filled at the end and drained at the front;
// its storage comes from a BufferPool and goes back as soon as it is empty and
// released.
//
// Thread: a pool and its buffers belong to one thread. The pool must outlive them.
// Limits: 4 GiB a buffer; a pool keeps at most 256 small and 64 large free blocks; what is beyond
// is given back to the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace gatebook::base {

class BufferPool {
 public:
  static constexpr size_t kSmall = 16 * 1024 + 512;  // a whole TLS record and a head beside it
  static constexpr size_t kLarge = 64 * 1024 + 512;

  std::unique_ptr<char[]> Take(size_t capacity);
  void Give(std::unique_ptr<char[]> block, size_t capacity);
  // Blocks that are with buffers now.
  size_t taken() const { return taken_; }

 private:
  std::vector<std::unique_ptr<char[]>> small_;
  std::vector<std::unique_ptr<char[]>> large_;
  size_t taken_ = 0;
};

class Buffer {
 public:
  explicit Buffer(BufferPool& pool) : pool_(&pool) {}
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { Release(); }

  std::string_view data() const { return {storage_.get() + begin_, end_ - begin_}; }
  bool IsEmpty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }

  // Makes room for at least `bytes` more; what stands in it may move.
  void Reserve(size_t bytes);
  // The room behind the data; Commit() what was filled.
  std::span<char> room() { return {storage_.get() + end_, capacity_ - end_}; }
  void Commit(size_t bytes) { end_ += static_cast<uint32_t>(bytes); }
  void Append(std::string_view bytes) {
    if (capacity_ - end_ < bytes.size()) Reserve(bytes.size());
    // memcpy from or to a null pointer is undefined even for nothing.
    if (!bytes.empty()) std::memcpy(storage_.get() + end_, bytes.data(), bytes.size());
    Commit(bytes.size());
  }
  // Drops bytes off the front. What stays does not move.
  void Consume(size_t bytes);
  // Keeps the first `bytes`.
  void Truncate(size_t bytes) { end_ = begin_ + static_cast<uint32_t>(bytes); }
  // Drops everything and gives the storage back.
  void Release();
  // Gives the storage back if there is nothing in it.
  void ReleaseIfEmpty() {
    if (IsEmpty()) Release();
  }

 private:
  BufferPool* pool_ = nullptr;
  std::unique_ptr<char[]> storage_;
  uint32_t capacity_ = 0;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
};

}  // namespace gatebook::base
