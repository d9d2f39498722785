#include "tls/certificate_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_directory.h"
#include "tests/support/test_certificates.h"

namespace gatebook::tls {
namespace {

using namespace std::chrono_literals;
using support::CertificateText;
using support::KeyKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CertificateStoreTest : public testing::Test {
 protected:
  void Add(const std::string& chain, const std::string& key) {
    const std::string number = std::to_string(files_.size());
    files_.push_back({directory_.Write("chain" + number, chain), directory_.Write("key" + number, key)});
    ::chmod(files_.back().key.c_str(), 0600);
  }
  void Add(const CertificateText& text) { Add(text.chain, text.key); }

  base::Result<std::shared_ptr<const CertificateStore>> Load() {
    warnings_.clear();
    return CertificateStore::Load(files_, base::Clock::System().WallNow(), warnings_);
  }
  std::string ErrorOfLoad() {
    const auto store = Load();
    EXPECT_EQ(ERR_peek_error(), 0U);
    return store.ok() ? "" : store.error().message;
  }

  support::TempDirectory directory_;
  support::TestAuthority authority_;
  std::vector<config::Certificate> files_;
  std::vector<std::string> warnings_;
};

TEST_F(CertificateStoreTest, ReadsNamesFromTheAlternativesOnly) {
  Add(authority_.Issue({.dns_names = {"A.example", "*.b.example", "x*.c.example", "*"},
                        .ip_addresses = {"10.0.0.1"},
                        .common_name = "common.example"}));
  const auto store = Load();
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_THAT((*store)->certificates()[0].names, ElementsAre("a.example", "*.b.example"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(CertificateStoreTest, OneSetHoldsACertificateOfEachKeyType) {
  Add(authority_.Issue({.dns_names = {"a.example"}}));
  Add(authority_.Issue({.dns_names = {"a.example", "b.example"}, .kind = KeyKind::kRsa}));
  Add(authority_.Issue({.dns_names = {"a.example"}}));
  const auto loaded = Load();
  ASSERT_TRUE(loaded.ok());
  const CertificateStore& store = **loaded;
  EXPECT_THAT(store.sets()[store.Find("a.example")], ElementsAre(0, 1)) << "the first of a type wins";
  EXPECT_THAT(store.sets()[store.Find("b.example")], ElementsAre(1));
  EXPECT_EQ(store.Find("c.example"), 0U);
  EXPECT_THAT(store.sets()[0], ElementsAre(0, 1));
}

TEST_F(CertificateStoreTest, AWildcardStandsForOneLabel) {
  Add(authority_.Issue({.dns_names = {"default.example"}}));
  Add(authority_.Issue({.dns_names = {"*.a.example"}}));
  const auto loaded = Load();
  ASSERT_TRUE(loaded.ok());
  const CertificateStore& store = **loaded;
  EXPECT_NE(store.Find("x.a.example"), 0U);
  for (const char* name : {"a.example", "x.y.a.example", ".a.example", "", ".", "*", "x.a.example."}) {
    EXPECT_EQ(store.Find(name), 0U) << name;
  }
}

TEST_F(CertificateStoreTest, WarnsOfTimesAndNames) {
  Add(authority_.Issue({.dns_names = {"a.example"}, .begins = 1h}));
  Add(authority_.Issue({.dns_names = {"b.example"}, .begins = -2h, .ends = -1h}));
  Add(authority_.Issue({}));
  ASSERT_TRUE(Load().ok());
  EXPECT_THAT(warnings_,
              ElementsAre(HasSubstr("not valid before"), HasSubstr("expired"), HasSubstr("names no host")));
}

TEST_F(CertificateStoreTest, WarnsOfAChainInDisorderAndOfAKeyForAll) {
  const support::TestAuthority other("other");
  const CertificateText text = authority_.Issue({.dns_names = {"a.example"}});
  Add(text.chain + authority_.certificate(), text.key);
  ASSERT_TRUE(Load().ok());
  EXPECT_THAT(warnings_, IsEmpty());
  Add(text.chain + other.certificate(), text.key);
  ::chmod(files_.back().key.c_str(), 0644);
  ASSERT_TRUE(Load().ok());
  EXPECT_THAT(warnings_, testing::UnorderedElementsAre(HasSubstr("not in order"), HasSubstr("every user")));
}

TEST_F(CertificateStoreTest, SaysWhatIsWrongWithAFile) {
  const CertificateText good = authority_.Issue({.dns_names = {"a.example"}});
  const CertificateText other = authority_.Issue({.dns_names = {"a.example"}});
  files_ = {{"/nonexistent/chain", "/nonexistent/key"}};
  EXPECT_THAT(ErrorOfLoad(), HasSubstr("/nonexistent/chain: No such file"));
  const std::vector<std::pair<CertificateText, const char*>> cases = {
      {{good.chain, other.key}, "is not the key of the first certificate"},
      {{"", good.key}, "holds no PEM certificate"},
      {{good.key, good.key}, "holds no PEM certificate"},
      {{good.chain.substr(0, 200), good.key}, "is not a readable PEM certificate chain"},
      {{good.chain, "nothing"}, "holds no readable PEM private key"},
      {{std::string(70000, 'x'), good.key}, "larger than 64 KiB"},
  };
  for (const auto& [text, message] : cases) {
    files_.clear();
    Add(text);
    EXPECT_THAT(ErrorOfLoad(), HasSubstr(message));
  }
}

TEST_F(CertificateStoreTest, EveryCutOfTheFilesIsRefusedOrWhole) {
  const CertificateText good = authority_.Issue({.dns_names = {"a.example"}});
  for (size_t size = 0; size + 1 < good.chain.size(); size += 13) {
    files_.clear();
    Add(good.chain.substr(0, size), good.key);
    EXPECT_NE(ErrorOfLoad(), "") << size;
  }
  for (size_t size = 0; size + 1 < good.key.size(); size += 13) {
    files_.clear();
    Add(good.chain, good.key.substr(0, size));
    EXPECT_NE(ErrorOfLoad(), "") << size;
  }
}

}  // namespace
}  // namespace gatebook::tls
