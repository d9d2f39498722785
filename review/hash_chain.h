// HashChain: a file of lines that can't be changed afterwards unnoticed; what the retention ledger and the
// audit log have in common.
//
// A line is a JSON object that begins with its number ("n") and ends in the digest of the line before it
// ("previous") and of itself ("chain"): SHA-256 over the line's text up to `,"chain"`. So nobody changes,
// removes or inserts a line without changing every later digest; and who has seen the last digest somewhere
// else can tell a chain that was made anew or cut off.
//
// A chain may lose its oldest lines: the first that stays is then believed in what it says of the one before.
//
// Thread: any; one writer at a time, also among processes (flock). Blocks on the disk.
// Limits: a line of 16 KiB as a rule; the whole file is held while it is read.
#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gatebook::review {

class HashChain {
 public:
  enum class Begins {
    kAtOne,      // with line 1
    kSomewhere,  // with any: older ones may have been destroyed
  };
  struct Line {
    uint64_t number = 0;
    std::string chain;              // hexadecimal
    std::string_view text;          // the whole line, without its end
    nlohmann::ordered_json object;  // discarded if it is none, or not what its digest says
    bool is_whole() const { return object.is_object(); }
  };
  // What somebody makes of a line; false if it isn't what it should be, which is a break like any other.
  using Take = std::function<bool(const Line&)>;

  // `called`: "the ledger", for errors.
  HashChain(std::string path, std::string called, Begins begins)
      : path_(std::move(path)), called_(std::move(called)), begins_(begins) {}

  // Gives every line to `take`, in order, also behind a break: the chain is looked at from there on. Says
  // where it breaks first, as a sentence; empty: it holds. Nothing is written yet: no lines. An error (74):
  // there is a file and it can't be read.
  base::Result<std::string> Read(const Take& take) const;

  struct Written {
    uint64_t number = 0;
    std::string chain;
    std::string text;
  };
  // On the disk when it returns: a line of `facts`. What was cut short by a power cut before is left as it
  // is, and shows as a break. Errors: 73, 74; then nothing is written.
  base::Result<Written> Append(const nlohmann::ordered_json& facts) const;

  // Destroys the lines from the beginning on for which `is_old` holds; how many. Should none remain, one of
  // `instead` takes their place, so that the numbers go on. Requires: Begins::kSomewhere. Errors: 73, 74;
  // then nothing is destroyed.
  base::Result<uint64_t> DestroyWhile(const std::function<bool(const Line&)>& is_old,
                                      const nlohmann::ordered_json& instead) const;

  const std::string& path() const { return path_; }

 private:
  std::string Walk(std::string_view text, const Take& take) const;
  // Opened, and locked against other writers. `flags` of open(2).
  base::Result<base::UniqueFd> Lock(int flags) const;
  base::Status Replace(int old, std::string_view text) const;
  base::Error Failure(const char* what, base::ExitCode code) const;

  const std::string path_;
  const std::string called_;
  const Begins begins_;
};

}  // namespace gatebook::review
