// ObjectPool: storage for objects that come and go with every request.
//
// Make() constructs in storage that a former object left, so that nothing is
// allocated in steady state; the returned pointer destroys and gives back. An object that can be renewed
// (`Renew(arguments)`, as its constructor) is not destroyed but rests, and keeps what memory it has of its
// own. Under AddressSanitizer free storage is poisoned, so that a use after that is seen as it would be with
// new and delete.
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
    void operator()(T* object) const { pool->Give(object); }
  };
  using Pointer = std::unique_ptr<T, Deleter>;

  ObjectPool() = default;
  ObjectPool(const ObjectPool&) = delete;
  ObjectPool& operator=(const ObjectPool&) = delete;
  ~ObjectPool() {
    for (T* storage : free_) {
      ASAN_UNPOISON_MEMORY_REGION(storage, sizeof(T));
      if constexpr (kRenews) storage->~T();
      Deallocate(storage);
    }
  }

  template <typename... Args>
  Pointer Make(Args&&... args) {
    if (free_.empty()) {
      void* const storage = ::operator new(sizeof(T), std::align_val_t(alignof(T)));
      return Pointer(new (storage) T(std::forward<Args>(args)...), Deleter{this});
    }
    T* const storage = free_.back();
    free_.pop_back();
    ASAN_UNPOISON_MEMORY_REGION(storage, sizeof(T));
    if constexpr (kRenews) {
      storage->Renew(std::forward<Args>(args)...);
      return Pointer(storage, Deleter{this});
    } else {
      return Pointer(new (storage) T(std::forward<Args>(args)...), Deleter{this});
    }
  }

 private:
  static constexpr size_t kMostFree = 256;
  static constexpr bool kRenews = requires { &T::Renew; };

  void Give(T* object) {
    const bool keep = free_.size() < kMostFree;
    if (!kRenews || !keep) object->~T();
    if (keep) {
      free_.push_back(object);
      ASAN_POISON_MEMORY_REGION(object, sizeof(T));
    } else {
      Deallocate(object);
    }
  }
  static void Deallocate(void* storage) { ::operator delete(storage, std::align_val_t(alignof(T))); }

  std::vector<T*> free_;  // their objects rest if they can be renewed, and are gone otherwise
};

}  // namespace gatebook::proxy
