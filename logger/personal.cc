// How a token is told from a word.
//
// A secret in a path is random text; a slug ("how-to-call-abroad") is language.
// Walk over the pairs of neighbouring characters. A pair that language seldom has
// (letter beside digit, small letter before a capital, two consonants that do not
// go together, capitals among small letters) counts 2 or 3, any other letter pair
// takes 1 away; a run whose best stretch (Kadane) reaches 12 is a token. So is one in
// which the odd pairs, however scattered, are three tenths of the length: chance makes
// them everywhere, also where hyphens cut the stretches short. Measured, of
// random base64url pass 0.13 % at 16 characters, 0.02 % at 22 (128 bits) and some 1 in
// 100,000 at 32; of small letters and figures 1.7 % at 16. Of 33,000 names of files with 16
// characters or more 2.7 % are taken: digests, and strings of acronyms.
// Hexadecimal text has its own rule, since its letters are few, and so has "eyJ",
// which is how every JWT begins (base64 of '{"').
// Rejected: entropy of the character counts, which says little of 20 characters;
// a bare length limit, which takes the slugs too; lists of known token prefixes,
// which are never whole.
#include "logger/personal.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace gatebook::logger {
namespace {

using base::IsAsciiAlpha;
using base::IsAsciiDigit;
using base::IsAsciiHex;

constexpr int kSurprise = 12;            // sum from which on a run is a token
constexpr size_t kSurprisingTenths = 3;  // of a run, wherever they stand, make it a token too
constexpr size_t kLongestWord = 40;      // letters without a break; beyond: a token
constexpr size_t kLongestCapitals = 20;
constexpr size_t kMostSeparators = 4;  // between two digits of one number

enum CharClass : uint8_t { kOther = 0, kLower = 1, kUpper = 2, kDigit = 3, kJoiner = 4 };

constexpr auto kClassOf = [] {
  std::array<uint8_t, 256> table{};
  for (size_t c = 'a'; c <= 'z'; ++c) table[c] = kLower;
  for (size_t c = 'A'; c <= 'Z'; ++c) table[c] = kUpper;
  for (size_t c = '0'; c <= '9'; ++c) table[c] = kDigit;
  for (const char c : {'-', '_', '+', '/', '~'}) table[static_cast<uint8_t>(c)] = kJoiner;
  return table;
}();
constexpr uint8_t ClassOf(char c) { return kClassOf[static_cast<uint8_t>(c)]; }

// For each letter, the letters that follow it in English, Finnish or German words
// (every vowel may stand beside everything but q).
constexpr auto kFollowers = [] {
  constexpr std::string_view kConsonants[26] = {"bcdfghjklmnprstvwxz",
                                                "bljrst",
                                                "chklrst",
                                                "dgjlmnrsvw",
                                                "bcdfghjklmnprstvwxz",
                                                "flrst",
                                                "ghlnrst",
                                                "djklmnrstv",
                                                "bcdfghjklmnprstvwxz",
                                                "",
                                                "klnrstv",
                                                "bcdfghjklmnpstvz",
                                                "bfmnps",
                                                "cdfghjklnprstvz",
                                                "bcdfghjklmnprstvwxz",
                                                "fhlnprst",
                                                "",
                                                "bcdfghjklmnprstvwz",
                                                "chklmnpqstvw",
                                                "chklmnrstwz",
                                                "bcdfghjklmnprstvwxz",
                                                "r",
                                                "hklnrs",
                                                "cpt",
                                                "bcdfghjklmnprstvwxz",
                                                "z"};
  std::array<uint32_t, 26> table{};
  for (size_t first = 0; first < 26; ++first) {
    for (const char c : kConsonants[first]) table[first] |= 1U << (c - 'a');
    for (const char c : {'a', 'e', 'i', 'o', 'u', 'y'}) table[first] |= 1U << (c - 'a');
  }
  table['q' - 'a'] = 1U << ('u' - 'a');
  for (const char c : {'a', 'e', 'i', 'o', 'u'}) table[static_cast<size_t>(c - 'a')] |= 1U << ('q' - 'a');
  return table;
}();

// What a pair of characters says: positive for random text, negative for language.
constexpr int8_t WeighPair(char a, char b) {
  const uint8_t first = ClassOf(a);
  const uint8_t second = ClassOf(b);
  if (first == kOther || second == kOther) return 0;
  if (first == kJoiner || second == kJoiner) return -1;
  if (first == kDigit && second == kDigit) return 0;
  if (first == kDigit || second == kDigit) return 3;
  if (first == kLower && second == kUpper) return 3;
  const auto index = static_cast<size_t>(base::ToAsciiLower(a) - 'a');
  return (kFollowers[index] >> (base::ToAsciiLower(b) - 'a') & 1) == 0 ? 3 : -1;
}

constexpr auto kPairWeights = [] {
  std::array<std::array<int8_t, 128>, 128> table{};
  for (size_t a = 0; a < 128; ++a) {
    for (size_t b = 0; b < 128; ++b) table[a][b] = WeighPair(static_cast<char>(a), static_cast<char>(b));
  }
  return table;
}();

// Weight of run[i - 1] and run[i], where run[i - 1] is a capital: two capitals in a row are an acronym
// by themselves, and chance when small letters stand near.
int WeightAfterCapital(std::string_view run, size_t i) {
  const int weight = kPairWeights[static_cast<size_t>(run[i - 1])][static_cast<size_t>(run[i])];
  if (weight > 0) return weight;
  if (ClassOf(run[i]) == kLower) return i >= 2 && ClassOf(run[i - 2]) == kUpper ? 2 : weight;
  if (ClassOf(run[i]) != kUpper) return weight;
  const std::string_view near = run.substr(i >= 4 ? i - 4 : 0, 8);
  return std::any_of(near.begin(), near.end(), [](char c) { return ClassOf(c) == kLower; }) ? 2 : weight;
}

// Requires: characters of tokens only, which are ASCII.
bool IsSurprisingRun(std::string_view run) {
  int sum = 0;
  size_t surprises = 0;
  size_t letters = 0;   // in a row
  size_t capitals = 0;  // or digits, in a row
  uint8_t before = kJoiner;
  for (size_t i = 0; i < run.size(); ++i) {
    const uint8_t is = ClassOf(run[i]);
    letters = is == kLower || is == kUpper ? letters + 1 : 0;
    capitals = is == kUpper || (is == kDigit && capitals != 0) ? capitals + 1 : 0;
    if (i != 0) {
      const int weight = before == kUpper
                             ? WeightAfterCapital(run, i)
                             : kPairWeights[static_cast<size_t>(run[i - 1])][static_cast<size_t>(run[i])];
      if (weight > 0) ++surprises;
      sum = std::max(sum + weight, 0);
    }
    if (sum >= kSurprise || letters > kLongestWord || capitals > kLongestCapitals) return true;
    before = is;
  }
  return surprises * 10 >= run.size() * kSurprisingTenths;
}

// Sixteen hexadecimal digits in neighbouring words of hexadecimal digits only
// (digests, UUIDs), with at least one letter and one figure among them.
bool IsHexRun(std::string_view run) {
  size_t digits = 0;  // in neighbouring words so far
  bool has_letter = false;
  bool has_figure = false;
  bool word_is_hex = true;
  for (const char c : run) {
    if (ClassOf(c) == kJoiner) {
      word_is_hex = true;
      continue;
    }
    if (!word_is_hex) continue;
    if (!IsAsciiHex(c)) {
      word_is_hex = has_letter = has_figure = false;
      digits = 0;
      continue;
    }
    ++digits;
    (IsAsciiDigit(c) ? has_figure : has_letter) = true;
    if (digits >= kLeastToken && has_letter && has_figure) return true;
  }
  return false;
}

void Mark(std::span<Personal> marks, size_t begin, size_t end, Personal as) {
  std::fill(marks.begin() + static_cast<ptrdiff_t>(begin), marks.begin() + static_cast<ptrdiff_t>(end), as);
}

bool MarkTokens(std::string_view text, std::span<Personal> marks) {
  bool any = false;
  for (size_t at = 0; at < text.size();) {
    if (ClassOf(text[at]) == kOther) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && ClassOf(text[end]) != kOther) ++end;
    const std::string_view run = text.substr(at, end - at);
    const bool jwt = run.size() >= kLeastToken && run.starts_with("eyJ");
    if (jwt || (run.size() >= kLeastToken && (IsHexRun(run) || IsSurprisingRun(run)))) {
      while (jwt && end < text.size() && (ClassOf(text[end]) != kOther || text[end] == '.')) ++end;
      while (end < text.size() && text[end] == '=') ++end;  // padding
      Mark(marks, at, end, Personal::kToken);
      any = true;
    }
    at = end;
  }
  return any;
}

// What may stand in an unquoted local part as mail systems really have it (RFC 5321 §4.1.2, RFC 6531).
constexpr bool IsLocalPart(char c) {
  return static_cast<uint8_t>(c) >= 0x80 || IsAsciiAlpha(c) || IsAsciiDigit(c) ||
         std::string_view(".!#$%&'*+-=?^_`{|}~").find(c) != std::string_view::npos;
}
constexpr bool IsDomainPart(char c) {
  return static_cast<uint8_t>(c) >= 0x80 || IsAsciiAlpha(c) || IsAsciiDigit(c) || c == '.' || c == '-' ||
         c == '_';
}

bool MarkEmails(std::string_view text, std::span<Personal> marks) {
  bool any = false;
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    size_t begin = at;
    if (begin > 0 && text[begin - 1] == '"') {  // "john doe"@example.com
      const size_t quote = begin >= 2 ? text.rfind('"', begin - 2) : std::string_view::npos;
      begin = quote == std::string_view::npos ? 0 : quote;
    } else {
      while (begin > 0 && IsLocalPart(text[begin - 1])) --begin;
    }
    size_t end = at + 1;
    bool named = false;  // "pkg@1.2.3" is a version
    while (end < text.size() && IsDomainPart(text[end])) {
      named = named || IsAsciiAlpha(text[end]) || static_cast<uint8_t>(text[end]) >= 0x80;
      ++end;
    }
    if (end == at + 1 && end < text.size() && text[end] == '[') {  // john@[192.0.2.1]
      const size_t bracket = text.find(']', end);
      end = bracket == std::string_view::npos ? text.size() : bracket + 1;
      named = true;
    }
    if (begin == at || !named) continue;
    Mark(marks, begin, end, Personal::kEmail);
    any = true;
  }
  return any;
}

constexpr bool IsNumberSeparator(char c) {
  return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/' || c == '_' || c == '+' ||
         c == '[' || c == ']' || c == '\t';
}

// A day as ISO 8601 writes it, which is worth keeping and no number anybody dials.
bool IsDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (!IsAsciiDigit(text[i])) return false;
  }
  const auto two = [&](size_t i) { return (text[i] - '0') * 10 + text[i + 1] - '0'; };
  return (two(0) == 19 || two(0) == 20) && two(5) >= 1 && two(5) <= 12 && two(8) >= 1 && two(8) <= 31;
}

bool MarkNumbers(std::string_view text, std::span<Personal> marks) {
  const auto is_digit = [&](size_t i) { return IsAsciiDigit(text[i]) && marks[i] == Personal::kNo; };
  bool any = false;
  for (size_t at = 0; at < text.size();) {
    if (!is_digit(at)) {
      ++at;
      continue;
    }
    size_t digits = 0;
    size_t end = at;  // after the last digit
    for (size_t next = at; next < text.size();) {
      if (is_digit(next)) {
        ++digits;
        end = ++next;
      } else if (next - end < kMostSeparators && IsNumberSeparator(text[next])) {
        ++next;
      } else {
        break;
      }
    }
    size_t begin = at;
    bool plus = false;
    while (begin > 0 && at - begin < 3 && marks[begin - 1] == Personal::kNo &&
           (text[begin - 1] == '+' || text[begin - 1] == '(')) {
      --begin;
      plus = plus || text[begin] == '+';
    }
    if (begin > 0 && IsAsciiAlpha(text[begin - 1])) {  // "room+12345": the plus joins words there
      begin = at;
      plus = false;
    }
    const size_t least = plus ? kLeastDigitsPlus : kLeastDigits;
    if (digits >= least && !IsDate(text.substr(at, end - at))) {
      Mark(marks, begin, end, Personal::kNumber);
      any = true;
    }
    at = end;
  }
  return any;
}

}  // namespace

bool MarkPersonal(std::string_view text, std::span<Personal> marks) {
  Mark(marks, 0, text.size(), Personal::kNo);
  bool any = text.size() >= kLeastToken && MarkTokens(text, marks);
  any = MarkEmails(text, marks) || any;
  return MarkNumbers(text, marks) || any;
}

}  // namespace gatebook::logger
