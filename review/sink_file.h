// SinkFile: visits in a file, which is closed and begun anew in time, and destroyed in time.
//
// A closed file is called <path>.<time of its oldest visit> (review/sink_files.h), so that whoever comes
// later knows when it must go, without opening it. A file holds visits of at most a *span* of arrivals:
// rotate_every, or a quarter of what is kept if that is shorter. So a line is destroyed no later than `keep`
// after its visit arrived, and less than a span earlier. Older files at this path, also those of an earlier
// process, are looked for every few seconds.
//
// The file is locked (flock) while it is written: a second process that is told to write there waits, and
// whoever rewrites closed files (review/sink_erasure.h) leaves it alone. A path that is a FIFO or a device is
// written and never renamed.
//
// Thread: the loop's. Owns: the descriptor. Ends: closes the file; it goes on by the next process.
// Limits: one file more than rotate_size, if a line is longer. What is destroyed is by the clock that is
// believed (base/guarded_clock.h): one that leaps ahead destroys nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "net/socket_event.h"
#include "review/sink_writer.h"

namespace gatebook::review {

class SinkFile final : public SinkWriter, private net::SocketEvent::Handler {
 public:
  // An error: the file can't be opened for writing now.
  static base::Result<std::unique_ptr<SinkWriter>> Make(const Parts& parts);

  void Start() override;
  Progress Write(SinkOutbox& outbox) override;
  void Housekeep() override;
  void Reopen(SinkOutbox& outbox) override;
  void CloseFile(SinkOutbox& outbox) override;

 private:
  explicit SinkFile(const Parts& parts);
  void OnReady(bool readable, bool writable) override;

  bool Open();
  // What an earlier process left in the file: its times, and a line that it did not end.
  bool TakeUp();
  bool IsSameFile() const;
  void Close();
  // Whether the file must be closed before a visit of `arrival` with so many bytes.
  bool IsFullFor(base::WallTime arrival, size_t bytes) const;
  bool IsSpanOver() const;
  // Under its name of a closed file. False: it could not be renamed.
  bool Rotate();
  // How many messages of the front may be written before the file must be closed.
  size_t Fitting(const SinkOutbox& outbox, size_t most) const;
  void Note(base::WallTime arrival);
  void DestroyOld();

  const std::chrono::milliseconds span_;
  base::UniqueFd fd_;
  net::SocketEvent event_;  // of what is no regular file
  bool is_regular_ = false;
  uint64_t size_ = 0;
  std::optional<base::WallTime> oldest_, youngest_;  // arrivals in it
  base::WallTime begun_{};                           // when its first line was written
  int seconds_ = 0;                                  // since old files were looked for
};

}  // namespace gatebook::review
