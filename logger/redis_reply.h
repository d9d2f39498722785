// RedisReply and RedisReader: what Redis answers, read by hiredis's redisReader
// into memory that is bounded and used again.
//
// A Redis server is not believed: a reply that announces more elements or holds
// more bytes than the limit ends the reading with an error (CVE-2021-32765 is an
// announced array size that was multiplied before it was checked).
//
// Thread: one. Owns: the reader and an arena in which the current reply stands.
// Limits: `most_bytes` of unread input, and of the arena, a reply.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct redisReader;
struct redisReadTask;

namespace gatebook::logger {

// Views into the reader, valid until its next Next().
struct RedisReply {
  enum class Type { kNil, kStatus, kError, kInteger, kString, kArray };
  Type type = Type::kNil;
  int64_t integer = 0;
  std::string_view text;  // of a status, error or string
  std::span<RedisReply> elements;

  bool IsError() const { return type == Type::kError; }
};

class RedisReader {
 public:
  explicit RedisReader(size_t most_bytes);
  ~RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  // False when the input is longer than the limit; error() says so.
  [[nodiscard]] bool Feed(std::string_view bytes);
  // The next whole reply; null when there is none yet or the input is damaged.
  const RedisReply* Next();
  // Empty while all is well. After an error only Reset() is left to do.
  const std::string& error() const { return error_; }
  // Forgets everything: for a new connection.
  void Reset();

 private:
  friend struct RedisReaderCallbacks;
  struct FreeReader {
    void operator()(redisReader* reader) const;
  };

  RedisReply* Place(const redisReadTask* task);
  void* Allocate(size_t bytes, size_t alignment);

  size_t most_bytes_;
  size_t arena_bytes_ = 0;
  std::pmr::unsynchronized_pool_resource pool_;
  std::optional<std::pmr::monotonic_buffer_resource> arena_;
  std::unique_ptr<redisReader, FreeReader> reader_;
  RedisReply root_;
  bool delivered_ = false;  // the caller holds root_
  std::string error_;
};

}  // namespace gatebook::logger
