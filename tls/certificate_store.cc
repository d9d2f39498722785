#include "tls/certificate_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/ascii.h"
#include "base/unique_fd.h"

namespace gatebook::tls {
namespace {

constexpr size_t kMostFileSize = 64 * 1024;
constexpr size_t kMostChain = 10;

base::Error ConfigError(std::string message) { return {std::move(message), base::ExitCode::kConfig}; }

// The bytes of a secret file are wiped when they go.
struct FileBytes {
  std::string text;
  mode_t mode = 0;
  FileBytes() = default;
  FileBytes(FileBytes&&) = default;
  ~FileBytes() { OPENSSL_cleanse(text.data(), text.size()); }
};

base::Result<FileBytes> ReadFile(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.IsValid() || fstat(fd.get(), &info) != 0) {
    return ConfigError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  FileBytes file;
  file.mode = info.st_mode;
  file.text.resize(kMostFileSize + 1);
  size_t size = 0;
  while (size < file.text.size()) {
    const ssize_t got = ::read(fd.get(), file.text.data() + size, file.text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ConfigError(fmt::format("{}: {}", path, std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kMostFileSize) return ConfigError(fmt::format("{}: is larger than 64 KiB", path));
  file.text.resize(size);
  return file;
}

BioPtr OpenText(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int RefusePassphrase(char*, int, int, void*) { return -1; }

base::Status ReadChain(const std::string& path, const std::string& text, LoadedCertificate& certificate) {
  const BioPtr bio = OpenText(text);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, RefusePassphrase, nullptr)) {
    X509Ptr owned(one);
    if (!certificate.leaf) {
      certificate.leaf = std::move(owned);
    } else {
      certificate.chain.push_back(std::move(owned));
    }
    if (certificate.chain.size() >= kMostChain) {
      return ConfigError(fmt::format("{}: holds more than {} certificates", path, kMostChain));
    }
  }
  // The end of the file is told as "no start line"; anything else is damage.
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const std::string reason = TakeError();
  if (!at_end)
    return ConfigError(fmt::format("{}: is not a readable PEM certificate chain: {}", path, reason));
  if (!certificate.leaf) return ConfigError(fmt::format("{}: holds no PEM certificate", path));
  return {};
}

std::vector<std::string> NamesOf(const X509* leaf) {
  std::vector<std::string> names;
  auto* alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    std::string text =
        base::ToAsciiLower(std::string_view(data, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName))));
    // "*" is allowed as the whole first label and nowhere else.
    const size_t star = text.find('*');
    const bool wildcard = text.starts_with("*.") && text.size() > 2 && text.find('*', 1) == std::string::npos;
    if (text.empty() || text.find('\0') != std::string::npos || (star != std::string::npos && !wildcard))
      continue;
    names.push_back(std::move(text));
  }
  GENERAL_NAMES_free(alternatives);
  ERR_clear_error();
  return names;
}

std::string ToText(const ASN1_TIME* time) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print_ex(bio.get(), time, ASN1_DTFLGS_ISO8601);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

void Judge(const std::string& path, const LoadedCertificate& certificate, base::WallTime now,
           std::vector<std::string>& warnings) {
  time_t seconds = std::chrono::system_clock::to_time_t(now);
  const X509* leaf = certificate.leaf.get();
  if (X509_cmp_time(X509_get0_notBefore(leaf), &seconds) > 0) {
    warnings.push_back(fmt::format("{}: is not valid before {}", path, ToText(X509_get0_notBefore(leaf))));
  }
  if (X509_cmp_time(X509_get0_notAfter(leaf), &seconds) < 0) {
    warnings.push_back(fmt::format("{}: has expired at {}", path, ToText(X509_get0_notAfter(leaf))));
  }
  if (certificate.names.empty()) {
    warnings.push_back(fmt::format("{}: names no host (no DNS subject alternative name)", path));
  }
  const X509* below = leaf;
  for (const X509Ptr& above : certificate.chain) {
    if (X509_NAME_cmp(X509_get_issuer_name(below), X509_get_subject_name(above.get())) != 0) {
      warnings.push_back(
          fmt::format("{}: its certificates are not in order, each after the one it signed", path));
      break;
    }
    below = above.get();
  }
}

base::Result<LoadedCertificate> LoadOne(const config::Certificate& files, base::WallTime now,
                                        std::vector<std::string>& warnings) {
  LoadedCertificate certificate;
  const auto chain = ReadFile(files.chain);
  if (!chain) return chain.error();
  if (const auto read = ReadChain(files.chain, chain->text, certificate); !read) return read.error();

  const auto key = ReadFile(files.key);
  if (!key) return key.error();
  certificate.key.reset(
      PEM_read_bio_PrivateKey(OpenText(key->text).get(), nullptr, RefusePassphrase, nullptr));
  if (!certificate.key) {
    return ConfigError(fmt::format("{}: holds no readable PEM private key without a passphrase: {}",
                                   files.key, TakeError()));
  }
  if (X509_check_private_key(certificate.leaf.get(), certificate.key.get()) != 1) {
    ERR_clear_error();
    return ConfigError(
        fmt::format("{}: is not the key of the first certificate in {}", files.key, files.chain));
  }
  if ((key->mode & (S_IROTH | S_IWOTH)) != 0) {
    warnings.push_back(
        fmt::format("{}: every user of this machine may read or write this private key", files.key));
  }
  certificate.key_type = EVP_PKEY_get_base_id(certificate.key.get());
  unsigned int size = 0;
  if (X509_digest(certificate.leaf.get(), EVP_sha256(), certificate.fingerprint.data(), &size) != 1) {
    return ConfigError(fmt::format("{}: {}", files.chain, TakeError()));
  }
  certificate.names = NamesOf(certificate.leaf.get());
  Judge(files.chain, certificate, now, warnings);
  return certificate;
}

}  // namespace

base::WallTime NotAfter(const LoadedCertificate& certificate) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.leaf.get()), &utc) != 1) return {};
  return std::chrono::time_point_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::from_time_t(timegm(&utc)));
}

base::Result<std::shared_ptr<const CertificateStore>> CertificateStore::Load(
    const std::vector<config::Certificate>& files, base::WallTime now, std::vector<std::string>& warnings) {
  if (files.empty()) return ConfigError("no certificate is configured");
  std::shared_ptr<CertificateStore> store(new CertificateStore);
  for (const config::Certificate& file : files) {
    auto certificate = LoadOne(file, now, warnings);
    if (!certificate) return certificate.error();
    store->certificates_.push_back(std::move(*certificate));
  }
  store->Index();
  return std::shared_ptr<const CertificateStore>(std::move(store));
}

size_t CertificateStore::SetOf(const Set& set) {
  const auto found = std::find(sets_.begin(), sets_.end(), set);
  if (found != sets_.end()) return static_cast<size_t>(found - sets_.begin());
  sets_.push_back(set);
  return sets_.size() - 1;
}

void CertificateStore::Index() {
  const auto add = [this](Set& set, size_t index) {
    const int type = certificates_[index].key_type;
    for (const size_t other : set) {
      if (certificates_[other].key_type == type) return;
    }
    set.push_back(index);
  };
  std::map<std::string, Set, std::less<>> by_name;
  for (size_t i = 0; i < certificates_.size(); ++i) {
    for (const std::string& name : certificates_[i].names) add(by_name[name], i);
  }
  for (auto& [name, set] : by_name) {
    const size_t dot = name.find('.');
    if (name.front() == '*' || dot == std::string::npos) continue;
    const auto wildcard = by_name.find(std::string("*").append(name, dot));
    if (wildcard == by_name.end()) continue;
    for (const size_t index : wildcard->second) add(set, index);
  }
  // The default: the first certificate, with the key types it lacks from those that share its first name.
  Set first{0};
  if (!certificates_[0].names.empty()) {
    for (const size_t index : by_name[certificates_[0].names[0]]) add(first, index);
  }
  std::sort(first.begin(), first.end());
  SetOf(first);
  for (auto& [name, set] : by_name) {
    std::sort(set.begin(), set.end());
    if (name.front() == '*') {
      wildcard_[name.substr(1)] = SetOf(set);
    } else {
      exact_[name] = SetOf(set);
    }
  }
}

size_t CertificateStore::Find(std::string_view server_name) const {
  if (const auto found = exact_.find(server_name); found != exact_.end()) return found->second;
  const size_t dot = server_name.find('.');
  if (dot == std::string_view::npos || dot == 0) return 0;
  const auto found = wildcard_.find(server_name.substr(dot));
  return found == wildcard_.end() ? 0 : found->second;
}

}  // namespace gatebook::tls
