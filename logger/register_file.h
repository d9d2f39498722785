// RegisterFile: a small text file beside the journal's segments that commands write and the running edge
// reads.
//
// It is only ever replaced whole, on the disk when that returns, 0600, and belongs to whom the directory
// belongs to, whoever (often root) runs the command. One writer at a time (flock on the directory); readers
// need no lock.
//
// Thread: any; also several processes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gatebook::logger {

class RegisterFile {
 public:
  RegisterFile(const std::string& directory, std::string_view name);

  // Empty if there is none. An error: it can't be read (74).
  base::Result<std::string> Read() const;
  // Replaces the text by what `next` makes of it; an error of `next`'s changes nothing. Errors of its own:
  // 73, 74; the directory must be there.
  using Next = std::function<base::Result<std::string>(std::string text)>;
  base::Status Change(const Next& next) const;

  const std::string& path() const { return path_; }

 private:
  base::Error Failure(const char* what, base::ExitCode code) const;

  std::string directory_;
  std::string path_;
};

// Takes the next line off the front of `text`, without its end. Requires: !text.empty().
std::string_view TakeLine(std::string_view& text);

}  // namespace gatebook::logger
