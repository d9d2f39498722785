#include "tls/socket_bio.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace gatebook::tls {

const BIO_METHOD* SocketBio::Method() {
  static const BioMethodPtr method = [] {
    BioMethodPtr made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatebook"));
    CHECK(made != nullptr && BIO_meth_set_read_ex(made.get(), &SocketBio::OnRead) == 1 &&
          BIO_meth_set_write_ex(made.get(), &SocketBio::OnWrite) == 1 &&
          BIO_meth_set_ctrl(made.get(), &SocketBio::OnControl) == 1);
    return made;
  }();
  return method.get();
}

BIO* SocketBio::Make() {
  BIO* bio = BIO_new(Method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

int SocketBio::OnRead(BIO* bio, char* into, size_t size, size_t* got) {
  auto* me = static_cast<SocketBio*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *got = 0;
  const int done = me->Receive({into, size}, *got);
  if (done == 0 && !me->broken_ && !me->at_end_) BIO_set_retry_read(bio);
  return done;
}

int SocketBio::Receive(std::span<char> into, size_t& got) {
  if (broken_ || at_end_) return 0;
  if (IsTooQuiet()) {
    broken_ = true;
    return 0;
  }
  while (!drained_) {
    const ssize_t count = ::recv(fd_, into.data(), into.size(), 0);
    if (count > 0) {
      got = static_cast<size_t>(count);
      quiet_bytes_ += static_cast<uint32_t>(count);
      // Less than asked for: nothing more is there, unless a FIN or a reset came with it.
      if (got < into.size() && !event_.peer_closed() && !unwritable_) drained_ = true;
      return 1;
    }
    if (count == 0) {
      // The failed send was given the socket's error, so that this looks like a good end, and is none.
      (unwritable_ ? broken_ : at_end_) = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      drained_ = true;
    } else if (errno == EINTR) {
      continue;
    } else {
      broken_ = true;
    }
    return 0;
  }
  return 0;
}

int SocketBio::OnWrite(BIO* bio, const char* bytes, size_t size, size_t* put) {
  auto* me = static_cast<SocketBio*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *put = 0;
  if (!me->Take({bytes, size})) {
    if (!me->IsUnwritable()) BIO_set_retry_write(bio);
    return 0;
  }
  *put = size;
  return 1;
}

bool SocketBio::Take(std::string_view record) {
  if (IsUnwritable()) return false;
  if (last_record_) {
    Send(record, 0);
    return !IsUnwritable();
  }
  const auto fits = [&] {
    return scratch_.size + record.size() <= scratch_.bytes.size() &&
           unsent_size() + scratch_.size + record.size() <= kMostUnsent;
  };
  if (!fits()) Send();
  if (IsUnwritable() || !fits()) return false;
  std::memcpy(scratch_.bytes.data() + scratch_.size, record.data(), record.size());
  scratch_.size += record.size();
  return true;
}

long SocketBio::OnControl(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;  // whoever called OpenSSL sends what the call left in the scratch
    case BIO_CTRL_EOF:
      return static_cast<SocketBio*>(BIO_get_data(bio))->at_end_ ? 1 : 0;
    default:
      return 0;
  }
}

void SocketBio::OnWritable() {
  if (!blocked_) return;
  blocked_ = false;
  Send();
}

void SocketBio::Defer() {
  unsent_.append(scratch_.bytes.data(), scratch_.size);
  scratch_.size = 0;
}

void SocketBio::SendBeforeFin() { Send({}, MSG_MORE); }

void SocketBio::Send(std::string_view last, int flags) {
  const std::array<std::string_view, 3> parts = {std::string_view(unsent_).substr(unsent_at_),
                                                 std::string_view(scratch_.bytes.data(), scratch_.size),
                                                 last};
  std::array<iovec, 3> vectors{};
  msghdr message{};
  message.msg_iov = vectors.data();
  size_t size = 0;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    vectors[message.msg_iovlen++] = {const_cast<char*>(part.data()), part.size()};
    size += part.size();
  }
  size_t sent = 0;
  while (size > 0 && !blocked_ && !IsUnwritable()) {
    const ssize_t done = ::sendmsg(fd_, &message, MSG_NOSIGNAL | flags);
    if (done >= 0) {
      sent = static_cast<size_t>(done);
      blocked_ = sent < size;
      break;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      blocked_ = true;
    } else if (errno != EINTR) {
      unwritable_ = true;
      drained_ = false;  // a reset that came in one edge with data: that is still to be read
    }
  }
  Keep(parts, sent);
  scratch_.size = 0;
}

void SocketBio::Keep(const std::array<std::string_view, 3>& parts, size_t sent) {
  const size_t from_unsent = std::min(sent, parts[0].size());
  sent -= from_unsent;
  unsent_at_ += static_cast<uint32_t>(from_unsent);
  if (unsent_at_ == unsent_.size() || IsUnwritable()) {
    if (unsent_.capacity() > 0) std::string().swap(unsent_);
    unsent_at_ = 0;
  }
  if (IsUnwritable()) return;
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t skip = std::min(sent, parts[i].size());
    sent -= skip;
    unsent_.append(parts[i].substr(skip));
  }
}

}  // namespace gatebook::tls
