#include "tls/ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

namespace gatebook::tls {
namespace {

TicketKey MakeKey() {
  TicketKey key;
  key.usable = RAND_bytes(key.name.data(), key.name.size()) == 1 &&
               RAND_priv_bytes(key.cipher_key.data(), key.cipher_key.size()) == 1 &&
               RAND_priv_bytes(key.mac_key.data(), key.mac_key.size()) == 1;
  if (!key.usable) ERR_clear_error();
  return key;
}

}  // namespace

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher_key.data(), cipher_key.size());
  OPENSSL_cleanse(mac_key.data(), mac_key.size());
}

base::Result<std::shared_ptr<TicketKeys>> TicketKeys::Make(std::chrono::milliseconds rotation,
                                                           const base::Clock& clock) {
  std::shared_ptr<TicketKeys> keys(new TicketKeys(rotation, clock));
  const std::lock_guard lock(keys->mutex_);
  keys->Rotate(clock.SteadyNow());
  if (!keys->keys_.current.usable)
    return base::Error{"cannot make ticket keys: the system gives no randomness"};
  return keys;
}

void TicketKeys::Refresh(TicketKeyPair& copy) {
  const base::SteadyTime now = clock_.SteadyNow();
  if (now < next_rotation_.load(std::memory_order_acquire) &&
      copy.generation == generation_.load(std::memory_order_acquire)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (now >= next_rotation_.load(std::memory_order_relaxed)) Rotate(now);
  copy = keys_;
}

// Requires the lock.
void TicketKeys::Rotate(base::SteadyTime now) {
  // Nobody may have asked for long. A key that has been due for a whole rotation is
  // too old even to open.
  const bool current_is_old = now - next_rotation_.load(std::memory_order_relaxed) >= rotation_;
  keys_.previous = current_is_old ? TicketKey() : keys_.current;
  keys_.current = MakeKey();
  keys_.generation++;
  next_rotation_.store(now + rotation_, std::memory_order_release);
  generation_.store(keys_.generation, std::memory_order_release);
}

}  // namespace gatebook::tls
