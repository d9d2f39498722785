// ErasuresInForce: what of the register of erasures the recorder goes by, read again when the file has
// changed.
//
// Thread: the recorder's. Owns: the register and the list. Ends: without effect.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "logger/erasures.h"
#include "logger/journal_reader.h"

namespace gatebook::logger {

class ErasuresInForce {
 public:
  // Before the first Read(); without it nothing is in force.
  void Set(ErasureRegister erasures, ErasureKey key);
  // Reads the register if its file has changed, or always. True if something is in force that may be new. If
  // it can't be read, what was in force stays, and IsReadable() is false.
  bool Read(base::WallTime now, bool always = false);
  bool IsReadable() const { return readable_; }
  // Whether it is a visit that must not be delivered.
  bool Contains(const Record& record) const;
  // Null: none.
  const std::shared_ptr<const ErasureList>& list() const { return list_; }

 private:
  std::optional<ErasureRegister> register_;
  std::optional<ErasureKey> key_;
  std::shared_ptr<const ErasureList> list_;  // null: none in force
  std::filesystem::file_time_type read_{};
  bool readable_ = true;
};

}  // namespace gatebook::logger
