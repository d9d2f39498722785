// H2Client: a client of HTTP/2 that sends the frames it is told, right or wrong, and says what
// came back, a frame a line (see http::H2Listener).
//
// Thread: one at a time. Nothing waits longer than kPatience.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/http/h2_wire.h"
#include "tests/support/raw_client.h"

namespace gatebook::e2e {

class H2Client {
 public:
  // Connects, and says hello with `settings` (http::Setting).
  explicit H2Client(support::ClientOptions options, std::string_view settings = {})
      : client_(OverH2(std::move(options))) {
    client_.Send(std::string(http::kH2Preface) + http::Settings(settings));
  }

  bool Send(std::string_view bytes) { return client_.Send(bytes); }
  // Without a reset or a word of HTTP/2.
  void ShutdownWrite() { client_.ShutdownWrite(); }
  void Reset() { client_.Reset(); }

  // The next line that begins so, taken out of what came; empty: it did not come.
  std::string WaitFor(std::string_view begin) {
    while (true) {
      const auto found =
          std::ranges::find_if(lines_, [&](const std::string& line) { return line.starts_with(begin); });
      if (found != lines_.end()) {
        std::string line = *found;
        lines_.erase(found);
        return line;
      }
      if (!Hear()) return "";
    }
  }
  // The line that says how a GET ended: its head.
  std::string Get(int32_t stream, std::string path = "/") {
    Send(http::Headers(stream, http::Get(std::move(path))));
    return WaitFor("HEADERS " + std::to_string(stream));
  }
  // All lines until the server closes.
  std::string ReadToClose() {
    while (Hear()) {
    }
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    lines_.clear();
    return all;
  }
  // Until so many bytes of payload have come, of all streams; false: they did not.
  bool WaitForPayload(size_t size) {
    while (payload().size() < size) {
      if (!Hear()) return false;
    }
    return true;
  }
  const std::string& payload() const { return listener_.payload(); }

 private:
  static support::ClientOptions OverH2(support::ClientOptions options) {
    options.alpn = "\x02h2";
    return options;
  }

  bool Hear() {
    const std::string bytes = client_.ReadSome();
    if (bytes.empty()) return false;
    const std::string heard = listener_.Hear(bytes);
    for (size_t at = 0; at < heard.size();) {
      const size_t end = heard.find('\n', at);
      lines_.push_back(heard.substr(at, end - at));
      at = end + 1;
    }
    return true;
  }

  support::RawClient client_;
  http::H2Listener listener_;
  std::vector<std::string> lines_;
};

}  // namespace gatebook::e2e
