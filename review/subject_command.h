// The commands `gatebook subject export|erase`, without their command line.
//
// Thread: one, which they block. Output goes to `out`, complaints to standard error.
// An export shows what is hidden elsewhere: it is written into the audit log first (review/reveal.h).
// They return the exit code: 0 done, 1 nothing is stored of this subject, or they may not see it, 2 a bad
// option, 69 Redis is unreachable, 73, 74 the audit log, `out` or the register can't be written.
#pragma once

#include <cstdio>
#include <string>

#include "review/reveal.h"
#include "review/subject.h"

namespace gatebook::review {

struct SubjectOptions {
  std::string session = {};  // this or ip
  std::string ip = {};
  std::string since = {};   // with ip; "2h" (ago), or a time of RFC 3339
  std::string until = {};   // likewise; empty: now
  std::string reason = {};  // required with ip
  Login login = Login::OfThisProcess();
};

// An error says the right form, with kUsage.
base::Result<Subject> ParseSubject(const SubjectOptions& options, base::WallTime now);

int RunSubjectExport(const config::Config& config, SubjectRights rights, const Subject& subject,
                     const SubjectOptions& options, std::FILE* out);
// Prints the receipt.
int RunSubjectErase(SubjectRights rights, const Subject& subject, const std::string& reason,
                    const SubjectRights::TellEdge& tell, std::FILE* out);

}  // namespace gatebook::review
