// ServerLoad: how many connections a worker has to one server, whoever holds them.
//
// Each connection holds a Slot for as long as it lives, in the pool, in an exchange or on
// its way to be destroyed.
//
// Thread: the worker's. Owned by: its slots and its server together, so that a slot may outlive the pool.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace gatebook::proxy {

class ServerLoad {
 public:
  // `on_room` is called when a slot was given back, until Detach().
  explicit ServerLoad(std::function<void()> on_room) : on_room_(std::move(on_room)) {}
  void Detach() { on_room_ = nullptr; }
  uint32_t open() const { return open_; }

  class Slot {
   public:
    explicit Slot(std::shared_ptr<ServerLoad> load) : load_(std::move(load)) { ++load_->open_; }
    ~Slot() {
      --load_->open_;
      if (load_->on_room_) load_->on_room_();
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

   private:
    std::shared_ptr<ServerLoad> load_;
  };

 private:
  std::function<void()> on_room_;
  uint32_t open_ = 0;
};

}  // namespace gatebook::proxy
