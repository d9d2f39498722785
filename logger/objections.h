// Objections: who has objected to statistics otherwise than by their browser, as the operator keeps it.
//
// The register is <journal>/objections (logger/register_file.h), a line each:
//
//   <id> session|network <bits> <digest, hex> <added, ms> <until, ms or 0> <note>
//
// with a keyed digest in place of the session or network. Workers are given an ObjectionList of it.
//
// Thread: ObjectionList is immutable, any thread; ObjectionRegister any, also several processes.
// Limits: kMost entries; a look-up of an address costs a digest for each length of network in the list
// (kMostLengths of them), none if there is none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logger/keyed_digest.h"
#include "logger/register_file.h"

namespace gatebook::logger {

class ObjectionKey : public DigestKey {
 public:
  explicit ObjectionKey(std::span<const uint8_t> session_key)
      : DigestKey(session_key, "gatebook objections, version 1") {}
};

struct Objection {
  enum class Kind : uint8_t { kSession, kNetwork };
  std::string id;  // letters, digits, '-'
  Kind kind = Kind::kSession;
  int bits = 0;  // kNetwork: leading bits of the mapped form
  KeyedDigest digest{};
  base::WallTime added{};
  base::WallTime until{};  // 0: until it is withdrawn
  std::string note;        // clean text

  bool operator==(const Objection&) const = default;
};

class ObjectionList {
 public:
  ObjectionList(ObjectionKey key, const std::vector<Objection>& objections, uint64_t number);

  bool Contains(const SessionId& session) const;
  bool Contains(const base::IpAddress& ip) const;
  size_t size() const { return digests_.size(); }
  // Of the loading: tells a list from those before it.
  uint64_t number() const { return number_; }

 private:
  bool Has(const KeyedDigest& digest) const;

  const ObjectionKey key_;
  std::vector<KeyedDigest> digests_;  // sorted
  std::vector<int> lengths_;          // of the networks, each once
  bool any_session_ = false;
  const uint64_t number_;
};

class ObjectionRegister {
 public:
  static constexpr size_t kMost = 10'000;
  static constexpr size_t kMostLengths = 16;
  static constexpr size_t kMostNote = 200;  // octets

  explicit ObjectionRegister(const std::string& journal_directory);

  // Those in force at `now`. Lines that are damaged are left out. An error: it can't be read (74).
  base::Result<std::vector<Objection>> Load(base::WallTime now) const;
  // The id of the entry that says so, which may have been there already. Errors: 73, 74; 1: it is full.
  base::Result<std::string> Add(const Objection& objection, base::WallTime now) const;
  // Removes the entry with that id, or with that digest. An error with 1: there is none.
  base::Status Remove(std::string_view id, const KeyedDigest* digest, base::WallTime now) const;

  const std::string& path() const { return file_.path(); }

 private:
  RegisterFile file_;
};

}  // namespace gatebook::logger
