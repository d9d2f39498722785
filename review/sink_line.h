// SinkLine: what a sink writes of a visit: whether at all, which fields of it, in which form.
//
// Thread: one. Owns: the query.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "review/query.h"
#include "review/told_visit.h"

namespace gatebook::review {

class SinkLine {
 public:
  // An error: sink.where is no query, or sink.facility none of RFC 5424.
  static base::Result<SinkLine> Make(const config::Sink& sink, std::string edge,
                                     std::chrono::milliseconds keep);

  // False: it is not for this sink, or so old that it would have to be destroyed at once. Appends what is
  // to be written, framed as the sink's kind wants it.
  bool Append(const ToldVisit& told, base::WallTime now, std::string* to) const;

 private:
  SinkLine(const config::Sink& sink, std::string edge, std::chrono::milliseconds keep, Query where);
  void Frame(const logger::StoredVisit& visit, std::string line, std::string* to) const;

  config::SinkKind kind_;
  config::SinkFormat format_;
  config::SinkAddresses addresses_;
  bool counted_;  // octets (RFC 6587)
  unsigned facility_ = 0;
  config::VisitFieldSet fields_;
  std::string edge_;
  std::chrono::milliseconds keep_;
  Query where_;
  std::string syslog_names_;  // HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA
};

// Empties the optional fields that are not among `fields`.
void KeepFields(logger::StoredVisit* visit, const config::VisitFieldSet& fields);
// A visit in a sink's form, one line with its end; masks are the caller's.
void AppendLine(std::string& line, const logger::StoredVisit& visit, config::SinkFormat format);
// As sink.fields and sink.addresses say.
void MaskFor(const config::Sink& sink, logger::StoredVisit* visit);

}  // namespace gatebook::review
