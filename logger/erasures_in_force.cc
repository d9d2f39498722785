#include "logger/erasures_in_force.h"

#include <utility>

#include "base/log.h"

namespace gatebook::logger {

void ErasuresInForce::Set(ErasureRegister erasures, ErasureKey key) {
  register_.emplace(std::move(erasures));
  key_.emplace(key);
}

bool ErasuresInForce::Read(base::WallTime now, bool always) {
  if (!register_) return false;
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(register_->path(), error);
  if (!always && !error && changed == read_) return false;
  const auto loaded = register_->Load(now);
  if (readable_ && !loaded.ok()) {
    base::LogError("recorder", "{}; what was in force stays in force", loaded.error().message);
  }
  readable_ = loaded.ok();
  if (!readable_) return false;
  read_ = error ? std::filesystem::file_time_type{} : changed;
  if (loaded->empty()) {
    list_.reset();
    return false;
  }
  list_ = std::make_shared<const ErasureList>(*key_, *loaded);
  return true;
}

bool ErasuresInForce::Contains(const Record& record) const {
  return list_ && record.type == RecordType::kVisit && list_->Contains(record.visit);
}

}  // namespace gatebook::logger
