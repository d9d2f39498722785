// Erasures: what a person wished to have erased, so that nothing brings it back.
//
// Visits that wait in a journal, or are held there until Redis has them on its disk, would return after
// they were erased from Redis. So an erasure is first written into a register beside the segments,
// <journal>/erasures (logger/register_file.h): a line each, with a keyed digest in place of the session or
// address. Who delivers looks there (logger/recorder.h) and drops what is in it. A line is void when nothing
// that it covers may exist any more: its last arrival + retention.
//
// Thread: ErasureKey and ErasureList are values, any; ErasureRegister any, also several processes (flock).
// Limits: an arrival later than every erasure is told without a digest being made.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logger/keyed_digest.h"
#include "logger/register_file.h"

namespace gatebook::logger {

using ErasureDigest = KeyedDigest;

class ErasureKey : public DigestKey {
 public:
  explicit ErasureKey(std::span<const uint8_t> session_key)
      : DigestKey(session_key, "gatebook erasures, version 1") {}
};

struct Erasure {
  enum class Kind : uint8_t { kSession, kAddress };
  std::string id;  // of its receipt: letters, digits, '-', '_'
  Kind kind = Kind::kSession;
  ErasureDigest digest{};
  base::WallTime since{};  // of the arrivals: since <= arrival < until
  base::WallTime until{};

  bool operator==(const Erasure&) const = default;
};

class ErasureList {
 public:
  ErasureList(ErasureKey key, const std::vector<Erasure>& erasures);

  bool Contains(const Visit& visit) const;
  size_t size() const { return windows_.size(); }

 private:
  struct Window {
    base::WallTime since;
    base::WallTime until;
  };
  using Windows = std::multimap<std::pair<Erasure::Kind, ErasureDigest>, Window>;
  bool Covers(Erasure::Kind kind, const ErasureDigest& digest, base::WallTime arrival) const;

  const ErasureKey key_;
  Windows windows_;
  std::array<base::WallTime, 2> latest_{};  // by kind
};

class ErasureRegister {
 public:
  ErasureRegister(const std::string& journal_directory, std::chrono::milliseconds retention);

  // Those still in force at `now`; none if there is no file. Lines that are damaged are left out.
  // An error: there is a file and it can't be read (74).
  base::Result<std::vector<Erasure>> Load(base::WallTime now) const;
  // On the disk when it returns. Takes the chance to strike out what is void. Errors: 73, 74; there
  // must be a journal.
  base::Status Add(const Erasure& erasure, base::WallTime now) const;

  // Strikes out what is void; nothing is written if nothing is. Errors as of Add.
  base::Status StrikeOut(base::WallTime now) const;

  const std::string& path() const { return file_.path(); }

 private:
  std::vector<Erasure> InForce(std::string_view text, base::WallTime now) const;

  RegisterFile file_;
  std::chrono::milliseconds retention_;
};

}  // namespace gatebook::logger
