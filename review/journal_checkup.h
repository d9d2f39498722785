// ExamineJournal: the journal's directory and its disk, as they stand.
//
// Looks and changes nothing; makes nothing that isn't there.
// Thread: one, which it blocks: where no edge runs, all of the journal's files are read.
#pragma once

#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "review/checkup.h"

namespace gatebook::review {

// `edge_runs`: what waits is then the edge's to say.
void ExamineJournal(const config::Config& config, bool edge_runs, const base::Clock& clock, Checkup& checkup);

// Who this journal is (JournalDirectory::instance); empty if there is none, or it can't be read.
std::string InstanceOf(const std::string& directory);

}  // namespace gatebook::review
