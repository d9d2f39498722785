#include "proxy/own_paths.h"

#include "base/check.h"

namespace gatebook::proxy {

void OwnPaths::Add(std::string path, std::unique_ptr<const OwnResource> resource) {
  CHECK(Look(path) == nullptr);
  lengths_ |= uint64_t{1} << (path.size() % 64);
  rows_.push_back({std::move(path), std::move(resource)});
}

const OwnResource* OwnPaths::Look(std::string_view path) const {
  for (const Row& row : rows_) {
    if (row.path == path) return row.resource.get();
  }
  return nullptr;
}

}  // namespace gatebook::proxy
