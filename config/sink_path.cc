#include "config/sink_path.h"

namespace gatebook::config {

std::string SinkPath(const Sink& sink) {
  return sink.path.empty() ? "/var/log/gatebook/" + sink.name + ".log" : sink.path;
}

}  // namespace gatebook::config
