// OwnPaths: the table of the paths that the edge answers itself, on every host, before any route is looked
// for.
//
// Only exact paths. What is not in the table is the upstreams', also beside and below what is.
// Thread: filled by the main thread, immutable then. Owns: its resources.
// Limits: a look-up of a path whose length none of ours has is a shift.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/own_resource.h"

namespace gatebook::proxy {

class OwnPaths {
 public:
  // Requires: the path is not there yet.
  void Add(std::string path, std::unique_ptr<const OwnResource> resource);
  // Null: the path is not ours.
  const OwnResource* Find(std::string_view path) const {
    return (lengths_ >> (path.size() % 64) & 1) == 0 ? nullptr : Look(path);
  }

 private:
  struct Row {
    std::string path;
    std::unique_ptr<const OwnResource> resource;
  };
  const OwnResource* Look(std::string_view path) const;

  std::vector<Row> rows_;
  uint64_t lengths_ = 0;  // bit n: a path has n octets, modulo 64
};

}  // namespace gatebook::proxy
