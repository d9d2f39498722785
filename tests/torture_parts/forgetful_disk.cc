// forgetful_disk: keeps what would survive a power cut.
//
// kill -9 takes a process only; what it has written the kernel still has. A power cut takes all that no flush
// has covered. Preloaded into redis-server and gatebook (LD_PRELOAD), this lets fsync(), fdatasync() and
// msync() do their work and then notes in $GATEBOOK_FLUSHED what they have made durable; who cuts the power
// puts that in the files' place (tests/torture_parts/power.py):
//
//   *.incr.aof      Redis only appends: <name> holds the size that is flushed, as text
//   *.segment       the journal's mapped files: <name> holds the content that is flushed. A segment is made
//   and
//                   flushed as *.segment.new, which is the same file
//
// What is noted is what was there when the flush began: never more than it covered.
// Thread: any. Limits: files of 64 MiB.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

// Where what is flushed of the file at `path` is noted; empty: it does not matter to us.
std::string NoteOf(std::string path, const char* ending) {
  constexpr char kUnfinished[] = ".new";
  if (path.ends_with(kUnfinished)) path.resize(path.size() - std::strlen(kUnfinished));
  const char* const directory = std::getenv("GATEBOOK_FLUSHED");
  if (directory == nullptr || !path.ends_with(ending)) return {};
  return std::string(directory) + path.substr(path.rfind('/'));
}

std::string PathOf(int fd) {
  char path[4096];
  const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

void Write(const std::string& note, const void* bytes, size_t size, off_t at, off_t whole_size) {
  const int file = ::open(note.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  // A note that can't be taken would make the test believe in too much or too little.
  if (file < 0 || (whole_size != 0 && ::ftruncate(file, whole_size) != 0) ||
      ::pwrite(file, bytes, size, at) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  ::close(file);
}

struct Mapping {
  std::string path;
  uintptr_t begin = 0;
  off_t offset = 0, size = 0;
};
// What is mapped at `address`.
Mapping MappingOf(uintptr_t address) {
  FILE* const maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) std::abort();
  Mapping found;
  char line[4352];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    uintptr_t begin, end;
    long long offset;
    int path = 0;
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %llx %*s %*s %n", &begin, &end, &offset, &path) < 3)
      continue;
    if (address < begin || address >= end) continue;
    found = {std::string(line + path), begin, static_cast<off_t>(offset), static_cast<off_t>(end - begin)};
    if (found.path.ends_with('\n')) found.path.pop_back();
    break;
  }
  std::fclose(maps);
  return found;
}

// A file's content now, to be noted when a flush of it has succeeded.
class Content {
 public:
  explicit Content(int fd) {
    const std::string path = PathOf(fd);
    struct stat status {};
    if (path.empty() || ::fstat(fd, &status) != 0) return;
    note_ = NoteOf(path, ".incr.aof");
    if (!note_.empty()) {
      char text[32];
      bytes_.assign(
          text, text + std::snprintf(text, sizeof text, "%020lld\n", static_cast<long long>(status.st_size)));
      return;
    }
    note_ = NoteOf(path, ".segment");
    if (note_.empty()) return;
    if (status.st_size > (64 << 20)) std::abort();
    bytes_.resize(static_cast<size_t>(status.st_size));
    // It may have been opened for writing only.
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || ::pread(file, bytes_.data(), bytes_.size(), 0) != static_cast<ssize_t>(bytes_.size()))
      std::abort();
    ::close(file);
  }
  void Keep() const {
    if (!note_.empty()) Write(note_, bytes_.data(), bytes_.size(), 0, 0);
  }

 private:
  std::string note_;
  std::vector<char> bytes_;
};

int FlushFile(int fd, const char* call) {
  const auto real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, call));
  const Content content(fd);
  const int result = real(fd);
  const int error = errno;
  if (result == 0) content.Keep();
  errno = error;
  return result;
}

}  // namespace

extern "C" int fdatasync(int fd) { return FlushFile(fd, "fdatasync"); }
extern "C" int fsync(int fd) { return FlushFile(fd, "fsync"); }

extern "C" int msync(void* address, size_t size, int flags) {
  const auto real = reinterpret_cast<int (*)(void*, size_t, int)>(::dlsym(RTLD_NEXT, "msync"));
  const Mapping mapping = MappingOf(reinterpret_cast<uintptr_t>(address));
  const std::string note = NoteOf(mapping.path, ".segment");
  const auto* const bytes = static_cast<const char*>(address);
  const std::vector<char> content(bytes, note.empty() ? bytes : bytes + size);
  const int result = real(address, size, flags);
  const int error = errno;
  if (result == 0 && !note.empty()) {
    const auto at = static_cast<off_t>(reinterpret_cast<uintptr_t>(address) - mapping.begin) + mapping.offset;
    Write(note, content.data(), content.size(), at, mapping.offset + mapping.size);
  }
  errno = error;
  return result;
}
