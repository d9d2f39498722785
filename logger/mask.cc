#include "logger/mask.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"
#include "logger/personal.h"
#include "logger/text.h"
#include "logger/visit.h"

namespace gatebook::logger {
namespace {

constexpr size_t kMostPart = 1024;  // octets of one segment or value
constexpr size_t kLongestEscape = 12;

enum : uint8_t { kIsDigit = 1, kIsToken = 2, kIsSlash = 4, kIsSpecial = 8, kIsAlpha = 16 };

constexpr auto kClasses = [] {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < table.size(); ++c) {
    const char as_char = static_cast<char>(c);
    if (c < 0x20 || c >= 0x7f || as_char == '%' || as_char == '@') table[c] |= kIsSpecial;
    if (base::IsAsciiDigit(as_char)) table[c] |= kIsDigit;
    if (base::IsAsciiDigit(as_char) || base::IsAsciiAlpha(as_char)) table[c] |= kIsToken;
    if (base::IsAsciiAlpha(as_char)) table[c] |= kIsAlpha;
  }
  for (const char c : {'-', '_', '+', '~'}) table[static_cast<uint8_t>(c)] |= kIsToken;
  table['/'] |= kIsSlash;
  return table;
}();

// False only if nothing in `text` can be personal or unclean. Most paths end here.
bool IsWorthALook(std::string_view text) {
  size_t digits = 0;  // in this segment
  size_t run = 0;     // of token characters
  for (const char c : text) {
    const uint8_t is = kClasses[static_cast<uint8_t>(c)];
    digits = (is & kIsSlash) != 0 ? 0 : digits + (is & kIsDigit);
    run = (is & kIsToken) != 0 ? run + 1 : 0;
    if ((is & kIsSpecial) != 0 || digits >= kLeastDigitsPlus || run >= kLeastToken) return true;
  }
  return false;
}

constexpr std::string_view TextOf(Personal kind) {
  switch (kind) {
    case Personal::kNumber:
      return "{number}";
    case Personal::kEmail:
      return "{email}";
    case Personal::kToken:
      return "{token}";
    case Personal::kNo:
      break;
  }
  return "";
}

// How the unmasked rest of a decoded part is written.
enum class Rest { kEncoded, kText, kAgent };  // kAgent: as kText, and versions are no numbers

// Appends to a bounded text. Once something did not fit nothing more is taken.
class Writer {
 public:
  Writer(std::span<char> out, size_t most) : out_(out.first(std::min(most, out.size()))) {}

  void Put(std::string_view text) {
    if (full_ || text.size() > out_.size() - size_) {
      full_ = true;
      return;
    }
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void PutClean(std::string_view raw) {
    if (full_) return;
    const std::span<char> room = out_.subspan(size_);
    const std::string_view clean = CleanText(raw, room.size(), room);
    if (clean.data() != room.data()) std::memcpy(room.data(), clean.data(), clean.size());
    size_ += clean.size();
    // Cleaning never shortens; and where it lengthened, a cut shows only in how little room is left.
    full_ = clean.size() < raw.size() || (clean.size() > raw.size() && out_.size() - size_ < kLongestEscape);
  }
  void PutEncoded(char c) {
    constexpr std::string_view kPlain = "-._~!$'()*,:+";
    if (base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || kPlain.find(c) != std::string_view::npos) {
      Put({&c, 1});
      return;
    }
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto octet = static_cast<uint8_t>(c);
    const char encoded[] = {'%', kDigits[octet >> 4], kDigits[octet & 15]};
    Put({encoded, sizeof encoded});
  }
  // Takes back what was written since `size`.
  void Rewind(size_t size) { size_ = size; }
  bool full() const { return full_; }
  size_t size() const { return size_; }
  std::string_view text() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  size_t size_ = 0;
  bool full_ = false;
};

bool HoldsNumber(std::string_view masked) {
  if (masked.size() > kMostPart) return true;
  char buffer[kMostPart];
  Personal marks[kMostPart];
  const std::string_view text = Unfold(masked, buffer);
  return MarkPersonal(text, marks) &&
         std::find(marks, marks + text.size(), Personal::kNumber) != marks + text.size();
}

// In "Gecko/20100101" a number is a version.
constexpr bool MayBeginNumber(char before) { return before != '/' && before != '_' && before != '.'; }

// Of a marked stretch that begins with a version: takes the mark back from that, and from the rest unless it
// is a number by itself.
void UnmarkVersion(std::string_view text, std::span<Personal> marks) {
  const size_t version = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view rest = text.substr(version);
  const auto digits = static_cast<size_t>(std::count_if(rest.begin(), rest.end(), base::IsAsciiDigit));
  const size_t least = rest.find('+') == std::string_view::npos ? kLeastDigits : kLeastDigitsPlus;
  const size_t unmarked = digits >= least ? version : text.size();
  std::fill_n(marks.begin(), unmarked, Personal::kNo);
}

// False: no mark is left.
bool KeepNoVersions(std::string_view text, std::span<Personal> marks) {
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && marks[end] == marks[at]) ++end;
    if (marks[at] == Personal::kNumber && at > 0 && base::IsAsciiDigit(text[at]) &&
        !MayBeginNumber(text[at - 1])) {
      UnmarkVersion(text.substr(at, end - at), marks.subspan(at, end - at));
    }
    at = end;
  }
  return std::any_of(marks.begin(), marks.begin() + static_cast<ptrdiff_t>(text.size()),
                     [](Personal mark) { return mark != Personal::kNo; });
}

// One segment or value.
void MaskPart(std::string_view raw, Rest rest, Writer& writer) {
  if (raw.size() > kMostPart) {
    writer.Put(TextOf(Personal::kToken));
    return;
  }
  char buffer[kMostPart];
  Personal marks[kMostPart];
  const std::string_view text = Unfold(raw, buffer);
  if (!MarkPersonal(text, marks) || (rest == Rest::kAgent && !KeepNoVersions(text, marks))) {
    writer.PutClean(raw);
    return;
  }
  const size_t before = writer.size();
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && marks[end] == marks[at]) ++end;
    if (marks[at] != Personal::kNo) {
      writer.Put(TextOf(marks[at]));
    } else if (rest != Rest::kEncoded) {
      writer.PutClean(text.substr(at, end - at));
    } else {
      for (size_t i = at; i < end; ++i) writer.PutEncoded(text[i]);
    }
    at = end;
  }
  // Digits that belonged to something else may be a number of their own beside its mask.
  if (rest != Rest::kAgent && !writer.full() && HoldsNumber(writer.text().substr(before))) {
    writer.Rewind(before);
    writer.Put(TextOf(Personal::kNumber));
  }
}

// Most agents end here: they have versions, and no word of 16 characters.
bool IsAgentWorthALook(std::string_view agent) {
  size_t digits = 0;  // of a number that is no version
  size_t run = 0;     // of token characters
  char before = ' ';
  for (const char c : agent) {
    const uint8_t is = kClasses[static_cast<uint8_t>(c)];
    if (is == (kIsToken | kIsAlpha)) {  // most are letters
      digits = 0;
      if (++run >= kLeastToken) return true;
      before = c;
      continue;
    }
    const bool goes_on = digits > 0 && (is & kIsSlash) == 0 && (is & kIsToken) != 0;
    if ((is & kIsDigit) != 0) {
      if (digits > 0 || (MayBeginNumber(before) && !base::IsAsciiDigit(before))) ++digits;
    } else if (!goes_on && c != ' ' && c != '.' && c != '(' && c != ')') {
      digits = 0;
    }
    run = (is & kIsToken) != 0 ? run + 1 : 0;
    if ((is & kIsSpecial) != 0 || c == '+' || digits >= kLeastDigits || run >= kLeastToken) return true;
    before = c;
  }
  return false;
}

}  // namespace

std::string_view MaskPath(std::string_view raw_path, std::span<char> out) {
  if (!IsWorthALook(raw_path)) return raw_path.substr(0, kMostPath);
  Writer writer(out, kMostPath);
  for (size_t at = 0; at <= raw_path.size() && !writer.full();) {
    const size_t end = std::min(raw_path.find('/', at), raw_path.size());
    const std::string_view segment = raw_path.substr(at, end - at);
    if (IsWorthALook(segment)) {
      MaskPart(segment, Rest::kEncoded, writer);
    } else {
      writer.PutClean(segment);
    }
    if (end < raw_path.size()) writer.Put("/");
    at = end + 1;
  }
  return writer.text();
}

std::string_view FilterQuery(std::string_view raw_query, std::span<const std::string> allow,
                             std::span<char> out) {
  Writer writer(out, kMostQuery);
  for (size_t at = 0; at < raw_query.size() && !allow.empty();) {
    const size_t end = std::min(raw_query.find_first_of("&;", at), raw_query.size());
    const std::string_view pair = raw_query.substr(at, end - at);
    at = end + 1;
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    if (std::find(allow.begin(), allow.end(), name) == allow.end()) continue;
    const size_t before = writer.size();
    if (before != 0) writer.Put("&");
    writer.PutClean(name);
    if (equals < pair.size()) {
      writer.Put("=");
      const std::string_view value = pair.substr(equals + 1);
      if (IsWorthALook(value)) {
        MaskPart(value, Rest::kEncoded, writer);
      } else {
        writer.PutClean(value);
      }
    }
    if (writer.full()) {
      writer.Rewind(before);
      break;
    }
  }
  return writer.text();
}

std::string_view MaskValue(std::string_view decoded, size_t most, std::span<char> out) {
  if (!IsWorthALook(decoded)) return decoded.substr(0, most);
  Writer writer(out, most);
  MaskPart(decoded, Rest::kText, writer);
  return writer.text();
}

std::string_view MaskAgent(std::string_view raw, size_t most, std::span<char> out) {
  raw = raw.substr(0, kMostPart);  // what is recorded of it ends long before
  if (!IsAgentWorthALook(raw)) return raw.substr(0, most);
  Writer writer(out, most);
  MaskPart(raw, Rest::kAgent, writer);
  return writer.text();
}

}  // namespace gatebook::logger
