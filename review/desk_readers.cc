#include "review/desk_readers.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pwd.h>

#include <algorithm>
#include <fstream>

#include "base/log.h"

namespace gatebook::review {
namespace {

constexpr size_t kLeastToken = 16;
constexpr size_t kMostLine = 1024;

std::array<uint8_t, 32> DigestOf(std::string_view text) {
  std::array<uint8_t, 32> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

base::Result<std::string> FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line) || line.size() > kMostLine) {
    return base::Error{fmt::format("{}: its first line can't be read", path), base::ExitCode::kConfig};
  }
  while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
  return line;
}

std::optional<uid_t> UserOf(const config::Reader& reader) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(reader.unix_user.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return found->pw_uid;
  }
  base::LogWarning("desk", "reader {}: there is no user {} on this machine", reader.name, reader.unix_user);
  return std::nullopt;
}

template <typename Matches>
const DeskReader* FindIn(const std::vector<DeskReader>& readers, Matches matches) {
  const auto found = std::find_if(readers.begin(), readers.end(), matches);
  return found == readers.end() ? nullptr : &*found;
}

}  // namespace

base::Result<std::shared_ptr<const DeskReaders>> DeskReaders::Load(
    const std::vector<config::Reader>& readers) {
  auto loaded = std::make_shared<DeskReaders>();
  for (const config::Reader& reader : readers) {
    if (loaded->OfName(reader.name) != nullptr) {
      return base::Error{fmt::format("two readers have the name {}", reader.name), base::ExitCode::kConfig};
    }
    DeskReader made{reader.name, reader.role, {}, {}, reader.certificate, {}};
    if (!reader.password_file.empty()) {
      const auto line = FirstLine(reader.password_file);
      if (!line.ok()) return line.error();
      const auto password = Password::Parse(*line);
      if (!password.ok()) {
        return base::Error{reader.password_file + ": " + password.error().message, base::ExitCode::kConfig};
      }
      made.password = *password;
    }
    if (!reader.token_file.empty()) {
      const auto line = FirstLine(reader.token_file);
      if (!line.ok()) return line.error();
      if (line->size() < kLeastToken) {
        return base::Error{fmt::format("{}: a token has at least {} octets", reader.token_file, kLeastToken),
                           base::ExitCode::kConfig};
      }
      if (const DeskReader* const other = loaded->OfToken(*line)) {
        return base::Error{
            fmt::format("{}: the token is that of the reader {}", reader.token_file, other->name),
            base::ExitCode::kConfig};
      }
      made.token = DigestOf(*line);
    }
    if (!reader.unix_user.empty()) {
      made.uid = UserOf(reader);
      loaded->has_users_ = true;
    }
    loaded->readers_.push_back(std::move(made));
  }
  return std::shared_ptr<const DeskReaders>(std::move(loaded));
}

bool DeskReaders::HasPasswords() const {
  return FindIn(readers_, [](const DeskReader& reader) { return reader.password.has_value(); }) != nullptr;
}

const DeskReader* DeskReaders::OfName(std::string_view name) const {
  return FindIn(readers_, [name](const DeskReader& reader) { return reader.name == name; });
}

const DeskReader* DeskReaders::OfUser(uid_t uid) const {
  return FindIn(readers_, [uid](const DeskReader& reader) { return reader.uid == uid; });
}

const DeskReader* DeskReaders::OfCertificate(std::string_view name) const {
  if (name.empty()) return nullptr;
  return FindIn(readers_, [name](const DeskReader& reader) { return reader.certificate == name; });
}

const DeskReader* DeskReaders::OfToken(std::string_view token) const {
  const auto digest = DigestOf(token);
  const DeskReader* found = nullptr;
  for (const DeskReader& reader : readers_) {
    if (reader.token && CRYPTO_memcmp(reader.token->data(), digest.data(), digest.size()) == 0)
      found = &reader;
  }
  return found;
}

}  // namespace gatebook::review
