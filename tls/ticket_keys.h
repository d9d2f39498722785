// TicketKeys: the secrets under which session tickets (RFC 5077, RFC 8446 §4.6.1)
// are sealed, shared by all workers and changed by time.
//
// A ticket is all that the server remembers, so who learns its key reads every
// connection resumed from it. Keys are random, live in memory only and are
// forgotten after two rotations: one as current, one to open what the last one
// sealed. A restart forgets them too; clients then do a full handshake.
//
// Thread: Refresh() from any thread; it takes a lock only when the keys have
// changed since the caller's copy, twice a rotation or so.
// Ends: keys are wiped.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/result.h"

namespace gatebook::tls {

struct TicketKey {
  std::array<uint8_t, 16> name{};  // stands in clear in front of the ticket
  std::array<uint8_t, 32> cipher_key{};
  std::array<uint8_t, 32> mac_key{};
  bool usable = false;

  TicketKey() = default;
  TicketKey(const TicketKey&) = default;
  TicketKey& operator=(const TicketKey&) = default;
  ~TicketKey();
};

// One worker's copy.
struct TicketKeyPair {
  uint64_t generation = 0;  // 0: nothing copied yet
  TicketKey current;        // seals
  TicketKey previous;       // opens only
};

class TicketKeys {
 public:
  // Error: no randomness. `clock` must outlive the keys.
  static base::Result<std::shared_ptr<TicketKeys>> Make(std::chrono::milliseconds rotation,
                                                        const base::Clock& clock);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // Rotates if it is time and brings `copy` up to date. Keys that can't be made are
  // not usable: no tickets until the next rotation.
  void Refresh(TicketKeyPair& copy);

  std::chrono::milliseconds rotation() const { return rotation_; }

 private:
  TicketKeys(std::chrono::milliseconds rotation, const base::Clock& clock)
      : rotation_(rotation), clock_(clock) {}
  void Rotate(base::SteadyTime now);

  const std::chrono::milliseconds rotation_;
  const base::Clock& clock_;
  std::atomic<base::SteadyTime> next_rotation_{};
  std::atomic<uint64_t> generation_{0};
  std::mutex mutex_;
  TicketKeyPair keys_;  // guarded by mutex_
};

}  // namespace gatebook::tls
