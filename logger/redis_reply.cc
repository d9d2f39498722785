#include "logger/redis_reply.h"

#include <hiredis/read.h>

#include <cstring>
#include <new>

#include "base/check.h"

namespace gatebook::logger {

// hiredis builds replies through these; each returns null to refuse, upon which
// hiredis reports that it is out of memory and reads no further.
struct RedisReaderCallbacks {
  static RedisReader& Self(const redisReadTask* task) { return *static_cast<RedisReader*>(task->privdata); }

  static void* String(const redisReadTask* task, char* text, size_t length) {
    RedisReader& self = Self(task);
    auto* copy = static_cast<char*>(self.Allocate(length, 1));
    if (copy == nullptr && length != 0) return nullptr;
    if (length != 0) std::memcpy(copy, text, length);
    RedisReply* reply = self.Place(task);
    reply->type = task->type == REDIS_REPLY_ERROR    ? RedisReply::Type::kError
                  : task->type == REDIS_REPLY_STATUS ? RedisReply::Type::kStatus
                                                     : RedisReply::Type::kString;
    reply->text = std::string_view(copy, length);
    return reply;
  }
  static void* Array(const redisReadTask* task, int elements) {
    RedisReader& self = Self(task);
    const auto count = static_cast<size_t>(elements);
    if (elements < 0 || count > self.most_bytes_ / sizeof(RedisReply)) return nullptr;
    void* memory = self.Allocate(count * sizeof(RedisReply), alignof(RedisReply));
    if (memory == nullptr && count != 0) return nullptr;
    auto* first = static_cast<RedisReply*>(memory);
    for (size_t i = 0; i < count; ++i) new (first + i) RedisReply();
    RedisReply* reply = self.Place(task);
    reply->type = RedisReply::Type::kArray;
    reply->elements = std::span<RedisReply>(first, count);
    return reply;
  }
  static void* Integer(const redisReadTask* task, long long value) {
    RedisReply* reply = Self(task).Place(task);
    reply->type = RedisReply::Type::kInteger;
    reply->integer = value;
    return reply;
  }
  static void* Nil(const redisReadTask* task) { return Self(task).Place(task); }
  static void Free(void*) {}  // the arena is emptied as a whole
};

namespace {

redisReplyObjectFunctions kFunctions = {&RedisReaderCallbacks::String, &RedisReaderCallbacks::Array,
                                        &RedisReaderCallbacks::Integer, &RedisReaderCallbacks::Nil,
                                        &RedisReaderCallbacks::Free};

}  // namespace

RedisReader::RedisReader(size_t most_bytes) : most_bytes_(most_bytes) { Reset(); }

RedisReader::~RedisReader() = default;

void RedisReader::FreeReader::operator()(redisReader* reader) const { redisReaderFree(reader); }

void RedisReader::Reset() {
  reader_.reset(redisReaderCreateWithFunctions(&kFunctions));
  CHECK(reader_ != nullptr);
  reader_->privdata = this;
  arena_.emplace(4096, &pool_);
  arena_bytes_ = 0;
  root_ = RedisReply();
  delivered_ = false;
  error_.clear();
}

bool RedisReader::Feed(std::string_view bytes) {
  if (!error_.empty()) return false;
  if (reader_->len - reader_->pos + bytes.size() > most_bytes_) {
    error_ = "a reply is longer than " + std::to_string(most_bytes_) + " bytes";
    return false;
  }
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) == REDIS_OK) return true;
  error_ = reader_->errstr;
  return false;
}

const RedisReply* RedisReader::Next() {
  if (!error_.empty()) return nullptr;
  if (delivered_) {
    arena_->release();
    arena_bytes_ = 0;
    root_ = RedisReply();
    delivered_ = false;
  }
  void* reply = nullptr;
  if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
    error_ = reader_->err == REDIS_ERR_OOM
                 ? "a reply is larger than " + std::to_string(most_bytes_) + " bytes"
                 : std::string(reader_->errstr);
    if (error_.empty()) error_ = "unreadable reply";
    return nullptr;
  }
  if (reply == nullptr) return nullptr;
  delivered_ = true;
  return &root_;
}

RedisReply* RedisReader::Place(const redisReadTask* task) {
  RedisReply* place = &root_;
  if (task->parent != nullptr) {
    place = &static_cast<RedisReply*>(task->parent->obj)->elements[static_cast<size_t>(task->idx)];
  }
  *place = RedisReply();
  return place;
}

void* RedisReader::Allocate(size_t bytes, size_t alignment) {
  if (bytes == 0) return nullptr;
  if (bytes > most_bytes_ - arena_bytes_) return nullptr;
  arena_bytes_ += bytes;
  return arena_->allocate(bytes, alignment);
}

}  // namespace gatebook::logger
