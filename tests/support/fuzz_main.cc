// Drives a fuzz target without libFuzzer: every file of the given directories as
// it is, then a bounded number of mutations of them.
//
// usage: <target> DIRECTORY... ; the mutations are the same in every run, so a
// failure here is a failure everywhere. The input in hand when the target dies is
// written to <target>.crash beside the working directory first.
//
// Limits: 20,000 mutations or 5 seconds, whichever comes first; inputs to 64 KiB.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMostMutations = 20'000;
constexpr auto kMostTime = std::chrono::seconds(5);
constexpr size_t kMostSize = 64 << 10;

const std::string* in_hand = nullptr;
const char* crash_file = nullptr;

void Run(const std::string& input) {
  in_hand = &input;
  // An exact copy on the heap, so that a sanitizer sees every byte read past its end.
  std::vector<uint8_t> copy(input.begin(), input.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

void OnAbort(int signal) {
  int fd = open(crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd >= 0 && in_hand) {
    if (write(fd, in_hand->data(), in_hand->size()) < 0) _exit(1);
  }
  std::signal(signal, SIG_DFL);
  raise(signal);
}

// Bytes that parsers have opinions on.
constexpr char kInteresting[] = "\r\n\0\t :;=%,\"\\/0fF9-\x7f\x80\xff{}[]";

std::string Mutate(std::string input, const std::vector<std::string>& corpus, std::mt19937& random) {
  auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  for (size_t times = 1 + below(4); times > 0; --times) {
    size_t at = below(input.size() + 1);
    switch (below(7)) {
      case 0:  // flip a bit
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < input.size()) input[at] = kInteresting[below(sizeof kInteresting)];
        break;
      case 2:
        input.insert(at, 1, kInteresting[below(sizeof kInteresting)]);
        break;
      case 3:
        input.erase(at, 1 + below(8));
        break;
      case 4:  // say something twice
        input.insert(at, input.substr(below(input.size() + 1), 1 + below(64)));
        break;
      case 5:  // cut short
        input.resize(at);
        break;
      case 6: {  // continue like another seed
        const std::string& other = corpus[below(corpus.size())];
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
    }
  }
  if (input.size() > kMostSize) input.resize(kMostSize);
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::string crash = std::filesystem::path(argv[0]).filename().string() + ".crash";
  crash_file = crash.c_str();
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) std::signal(signal, OnAbort);

  std::vector<std::string> corpus;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "no seeds; usage: %s DIRECTORY...\n", argv[0]);
    return 2;
  }
  // Directories list in no order; the same run everywhere needs one.
  std::sort(corpus.begin(), corpus.end());

  for (const std::string& seed : corpus) Run(seed);
  std::mt19937 random(20251123);
  const auto end = std::chrono::steady_clock::now() + kMostTime;
  int mutations = 0;
  while (mutations < kMostMutations && std::chrono::steady_clock::now() < end) {
    Run(Mutate(corpus[static_cast<size_t>(mutations) % corpus.size()], corpus, random));
    ++mutations;
  }
  std::printf("%zu seeds, %d mutations\n", corpus.size(), mutations);
  return 0;
}
