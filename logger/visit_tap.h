// VisitTap: who hears of visits beside Redis.
//
// The recorder tells of each visit as soon as its name is known, before Redis gets it, in the order of each
// journal, and of the closings of those that were written open. Whether Redis is there or not: while it is
// away as many are read ahead as may wait for names (logger/recorder.h), and those behind are told when it is
// back. What is given to Redis again after a lost connection is not told again; what was still in the journal
// when the process ended is, by the next one, under the same id. Never told: what is over, and what is
// erased.
//
// Thread: the recorder's, which waits meanwhile: whoever hears copies what it needs and returns.
// Borrows: records, names and places are the recorder's, valid during the call.
#pragma once

#include <memory>

#include "logger/journal_reader.h"
#include "logger/visit.h"

namespace gatebook::logger {

class ErasureList;

class VisitTap {
 public:
  // Whether anybody wants to hear at all now: what is not heard is not told later.
  virtual bool IsListening() const = 0;
  virtual void OnVisit(const Record& record, const Name& name, const Place& place) = 0;
  virtual void OnClosing(const Record& record) = 0;
  // Nothing more for now.
  virtual void OnToldAll() = 0;
  // More may be erased from now on: what was told and is not written yet is not to be.
  virtual void OnErasures(std::shared_ptr<const ErasureList> erasures) = 0;

 protected:
  ~VisitTap() = default;
};

}  // namespace gatebook::logger
