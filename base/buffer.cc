#include "base/buffer.h"

#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"

namespace gatebook::base {
namespace {

constexpr size_t kMostSmall = 256;
constexpr size_t kMostLarge = 64;

}  // namespace

std::unique_ptr<char[]> BufferPool::Take(size_t capacity) {
  ++taken_;
  auto* free = capacity == kSmall ? &small_ : capacity == kLarge ? &large_ : nullptr;
  if (free != nullptr && !free->empty()) {
    auto block = std::move(free->back());
    free->pop_back();
    return block;
  }
  return std::unique_ptr<char[]>(new char[capacity]);  // not zeroed
}

void BufferPool::Give(std::unique_ptr<char[]> block, size_t capacity) {
  --taken_;
  if (capacity == kSmall && small_.size() < kMostSmall) {
    small_.push_back(std::move(block));
  } else if (capacity == kLarge && large_.size() < kMostLarge) {
    large_.push_back(std::move(block));
  }
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  Release();
  pool_ = other.pool_;
  storage_ = std::move(other.storage_);
  capacity_ = std::exchange(other.capacity_, 0);
  begin_ = std::exchange(other.begin_, 0);
  end_ = std::exchange(other.end_, 0);
  return *this;
}

void Buffer::Reserve(size_t bytes) {
  if (capacity_ - end_ >= bytes) return;
  const size_t held = size();
  if (begin_ > 0 && capacity_ - held >= bytes) {
    std::memmove(storage_.get(), storage_.get() + begin_, held);
  } else {
    const size_t needed = held + bytes;
    size_t capacity = needed <= BufferPool::kSmall ? BufferPool::kSmall : BufferPool::kLarge;
    while (capacity < needed) capacity *= 2;
    CHECK(capacity <= std::numeric_limits<uint32_t>::max());
    auto storage = pool_->Take(capacity);
    if (held > 0) std::memcpy(storage.get(), storage_.get() + begin_, held);
    if (storage_) pool_->Give(std::move(storage_), capacity_);
    storage_ = std::move(storage);
    capacity_ = static_cast<uint32_t>(capacity);
  }
  begin_ = 0;
  end_ = static_cast<uint32_t>(held);
}

void Buffer::Consume(size_t bytes) {
  CHECK(bytes <= size());
  begin_ += static_cast<uint32_t>(bytes);
  if (begin_ == end_) begin_ = end_ = 0;
}

void Buffer::Release() {
  if (storage_) pool_->Give(std::move(storage_), capacity_);
  storage_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

}  // namespace gatebook::base
