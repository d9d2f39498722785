// ObjectPool: storage for objects that come and go with every request.
//
// Make() constructs in storage that a former object left, so that nothing is
// allocated in steady state; the returned pointer destroys and gives back.
// Under AddressSanitizer free storage is poisoned, so that a use after that is
// seen as it would be with new and delete.
//
// Thread: one. Must outlive its objects.
// Limits: keeps at most `kMostFree` free pieces of storage.
#pragma once

#include <sanitizer/asan_interface.h>  // its macros are empty without the sanitizer

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
    for (void* storage : free_) {
      ASAN_UNPOISON_MEMORY_REGION(storage, sizeof(T));
      Deallocate(storage);
    }
  }

  template <typename... Args>
  Pointer Make(Args&&... args) {
    void* storage;
    if (free_.empty()) {
      storage = ::operator new(sizeof(T), std::align_val_t(alignof(T)));
    } else {
      storage = free_.back();
      free_.pop_back();
      ASAN_UNPOISON_MEMORY_REGION(storage, sizeof(T));
    }
    return Pointer(new (storage) T(std::forward<Args>(args)...), Deleter{this});
  }

 private:
  static constexpr size_t kMostFree = 256;

  void Give(void* storage) {
    if (free_.size() < kMostFree) {
      free_.push_back(storage);
      ASAN_POISON_MEMORY_REGION(storage, sizeof(T));
    } else {
      Deallocate(storage);
    }
  }
  static void Deallocate(void* storage) { ::operator delete(storage, std::align_val_t(alignof(T))); }

  std::vector<void*> free_;
};

}  // namespace gatebook::proxy
