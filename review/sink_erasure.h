// SinkErasure: takes the lines of one person out of the files of sinks.
//
// Closed files are written anew without them, and put in the place of the old ones. The file at a sink's path
// is closed first if no process writes it; one that does has closed it when it was told of the erasure
// (review/sinks.h), and writes nothing that is erased into the next.
//
// Lines of JSON are known by the visit's id, by the session, or by address and time; lines of `combined` by
// being what would be written of an erased visit, or by address and time. Files that were closed before the
// subject came, or begun later, are not read. What has gone to syslog or standard
// output is not ours any more: the result names those sinks.
//
// Thread: one, which it blocks. Borrows: the config. Ends: without effect.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "logger/visit_record.h"
#include "review/subject.h"

namespace gatebook::review {

struct SinkErasureResult {
  uint64_t lines = 0;
  uint64_t files = 0;                     // written anew
  std::vector<std::string> out_of_reach;  // names of sinks
};

class SinkErasure {
 public:
  // `visits`: those of the subject that are known, whole.
  SinkErasure(const config::Config& config, const Subject& subject,
              const std::vector<logger::StoredVisit>& visits);

  // How many lines there are of the subject.
  base::Result<uint64_t> Count() const;
  // Error: a file can't be read or written; those before it are done.
  base::Result<SinkErasureResult> Run() const;

 private:
  // By when it was written last, and by its oldest visit: most files need not be read.
  bool MayHold(const std::string& path, base::WallTime oldest) const;
  bool IsOfSubject(std::string_view line, const std::unordered_set<std::string>& combined) const;
  // What would be written of the visits by a sink that writes `combined`, without line ends.
  std::unordered_set<std::string> LinesOf(const config::Sink& sink) const;
  base::Result<uint64_t> CountIn(const std::string& path,
                                 const std::unordered_set<std::string>& combined) const;
  // A closed file.
  base::Status Rewrite(const std::string& path, const std::unordered_set<std::string>& combined,
                       SinkErasureResult* result) const;
  base::Status Look(bool only_count, SinkErasureResult* result) const;

  const config::Config& config_;
  const Subject& subject_;
  const std::vector<logger::StoredVisit>& visits_;
  std::unordered_set<std::string> ids_;
  std::string session_, ip_;
  base::WallTime from_;  // no visit of the subject arrived earlier
};

}  // namespace gatebook::review
