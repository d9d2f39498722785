// ObjectPool: storage for objects that come and go with every request.
//
// Make() constructs in storage that a former object left, so that nothing is
// allocated in steady state; the returned pointer destroys and gives back.
//
// Thread: one. Must outlive its objects.
// Limits: keeps at most `kMostFree` free pieces of storage.
#pragma once

#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace gatebook::proxy {

template <typename T>
class ObjectPool {
 public:
  struct Deleter {
    ObjectPool* pool;
    void operator()(T* object) const {
      object->~T();
      pool->Give(object);
    }
  };
  using Pointer = std::unique_ptr<T, Deleter>;

  ObjectPool() = default;
  ObjectPool(const ObjectPool&) = delete;
  ObjectPool& operator=(const ObjectPool&) = delete;
  ~ObjectPool() {
    for (void* storage : free_) Deallocate(storage);
  }

  template <typename... Args>
  Pointer Make(Args&&... args) {
    void* storage;
    if (free_.empty()) {
      storage = ::operator new(sizeof(T), std::align_val_t(alignof(T)));
    } else {
      storage = free_.back();
      free_.pop_back();
    }
    return Pointer(new (storage) T(std::forward<Args>(args)...), Deleter{this});
  }

 private:
  static constexpr size_t kMostFree = 256;

  void Give(void* storage) {
    if (free_.size() < kMostFree) {
      free_.push_back(storage);
    } else {
      Deallocate(storage);
    }
  }
  static void Deallocate(void* storage) { ::operator delete(storage, std::align_val_t(alignof(T))); }

  std::vector<void*> free_;
};

}  // namespace gatebook::proxy
