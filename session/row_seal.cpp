#include "session/row_seal.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

#include "base/expected.h"

namespace darktap::session {

namespace {

constexpr std::size_t tag_bytes = 16;
using Tag = std::array<std::byte, tag_bytes>;

[[noreturn]] void fail(FailureKind kind, const std::string& path, const std::string& problem) {
  throw Failure(kind, path + ": " + problem);
}

// One use of the key must never be taken for another.
enum class Use : std::uint8_t { text_row = 0, binary_row = 1, ordered = 2, multiset = 3, sum = 4, key_id = 5 };

class SipHash {
 public:
  explicit SipHash(const SealKey& key) : key_(key.bytes()) {
    if (context_ == nullptr) throw Failure(FailureKind::environment, "sealing rows: this machine's OpenSSL has no SipHash; use one of 3.0 or later with its default provider");
  }
  ~SipHash() {
    EVP_MAC_CTX_free(context_);
    EVP_MAC_free(algorithm_);
  }
  SipHash(const SipHash&) = delete;
  SipHash& operator=(const SipHash&) = delete;

  Tag tag(Use use, Bytes bytes) {
    std::size_t size = tag_bytes;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
    Tag tag;
    auto prefix = static_cast<unsigned char>(use);
    std::size_t written = 0;
    bool done = EVP_MAC_init(context_, key_.data(), key_.size(), parameters) == 1 && EVP_MAC_update(context_, &prefix, 1) == 1 &&
                EVP_MAC_update(context_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == 1 &&
                EVP_MAC_final(context_, reinterpret_cast<unsigned char*>(tag.data()), &written, tag.size()) == 1;
    if (!done || written != tag_bytes) throw std::logic_error("SipHash failed");
    return tag;
  }

 private:
  std::array<std::uint8_t, 16> key_;
  EVP_MAC* algorithm_ = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  EVP_MAC_CTX* context_ = algorithm_ == nullptr ? nullptr : EVP_MAC_CTX_new(algorithm_);
};

}  // namespace

struct RowSeal::State {
  SipHash hash;

  explicit State(const SealKey& key) : hash(key) {}

  Tag row(mysql::RowFormat format, Bytes bytes) { return hash.tag(format == mysql::RowFormat::text ? Use::text_row : Use::binary_row, bytes); }

  mysql::RowDigests digests(const mysql::RowDigests& d) {
    auto of = [&](Use use, std::uint64_t high, std::uint64_t low) {
      const std::array<std::uint64_t, 3> values{high, low, d.rows};
      const Tag both = hash.tag(use, std::as_bytes(std::span(values)));
      ByteReader halves{Bytes(both)};
      std::uint64_t first = halves.u64le(), second = halves.u64le();
      return std::pair(first, second);
    };
    mysql::RowDigests sealed;
    sealed.rows = d.rows;
    std::tie(sealed.ordered_high, sealed.ordered_low) = of(Use::ordered, d.ordered_high, d.ordered_low);
    std::tie(sealed.multiset_high, sealed.multiset_low) = of(Use::multiset, d.multiset_high, d.multiset_low);
    sealed.sum64 = of(Use::sum, 0, d.sum64).first;
    return sealed;
  }

  bool open(mysql::ResultSet& sealed, const mysql::ResultSet& other) {
    if (sealed.format != other.format || other.content == mysql::ResultSet::Content::sealed) return false;
    mysql::ResultSet opened = sealed;
    opened.content = mysql::ResultSet::Content::readable;
    if (sealed.digests().same_order(digests(other.digests()))) {
      opened.rows = other.rows;
      opened.streamed = other.streamed;
      sealed = std::move(opened);
      return true;
    }
    if (!sealed.all_rows_kept() || !other.all_rows_kept()) return false;
    std::unordered_map<std::string, std::size_t> rows;
    for (std::size_t i = 0; i < other.rows.size(); ++i) {
      const Tag key_of_row = row(other.format, other.rows.row(i));
      rows.emplace(std::string(as_text(key_of_row)), i);
    }
    opened.rows = {};
    opened.streamed.reset();
    for (std::size_t i = 0; i < sealed.rows.size(); ++i) {
      auto found = rows.find(std::string(as_text(sealed.rows.row(i))));
      if (found == rows.end()) return false;
      opened.add(other.rows.row(found->second));
    }
    sealed = std::move(opened);
    return true;
  }
};

RowSeal::RowSeal(const SealKey& key) : state_(std::make_unique<State>(key)) {}
RowSeal::~RowSeal() = default;
RowSeal::RowSeal(RowSeal&&) noexcept = default;

void RowSeal::seal(mysql::Answer& answer) {
  for (mysql::Result& result : answer.results) {
    if (auto* set = std::get_if<mysql::ResultSet>(&result)) {
      set->streamed = state_->digests(set->digests());
      mysql::RowBatch sealed;
      for (std::size_t i = 0; i < set->rows.size(); ++i) {
        const Tag tag = state_->row(set->format, set->rows.row(i));
        sealed.add(tag);
      }
      set->rows = std::move(sealed);
      set->content = mysql::ResultSet::Content::sealed;
    } else if (auto* error = std::get_if<mysql::ServerError>(&result)) {
      error->message = "(left out: the recording holds digests)";
    }
  }
}

RowSeal::Opened RowSeal::open(mysql::Answer& answer, const mysql::Answer& other) {
  for (std::size_t i = 0; i < answer.results.size(); ++i) {
    auto* set = std::get_if<mysql::ResultSet>(&answer.results[i]);
    if (set == nullptr || set->content == mysql::ResultSet::Content::readable) continue;
    const auto* from = i < other.results.size() ? std::get_if<mysql::ResultSet>(&other.results[i]) : nullptr;
    if (from == nullptr || !state_->open(*set, *from)) return Opened::not_all;
  }
  return Opened::all;
}

bool is_sealed(const mysql::Answer& answer) {
  return std::any_of(answer.results.begin(), answer.results.end(), [](const mysql::Result& result) {
    const auto* set = std::get_if<mysql::ResultSet>(&result);
    return set != nullptr && set->content == mysql::ResultSet::Content::sealed;
  });
}

SealKey SealKey::load(const std::string& path) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(FailureKind::environment, path, std::string("can't open the key of the recording: ") + std::strerror(errno) + "; name it with --key FILE");
  struct stat info{};
  std::array<char, 64> text{};
  ssize_t size = ::fstat(file, &info) == 0 ? ::read(file, text.data(), text.size()) : -1;
  ::close(file);
  if (size < 0) fail(FailureKind::environment, path, std::string("can't read the key of the recording: ") + std::strerror(errno));
  if ((info.st_mode & 077) != 0) fail(FailureKind::usage, path, "the key can be used by others than its owner; chmod 600 it");
  std::string_view digits(text.data(), static_cast<std::size_t>(size));
  while (!digits.empty() && digits.back() == '\n') digits.remove_suffix(1);
  SealKey key;
  if (digits.size() != 32 || digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    fail(FailureKind::usage, path, "is no key: expected 32 lower-case hexadecimal digits; name the file that capture --rows digest made");
  }
  auto value = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  for (std::size_t i = 0; i < key.bytes_.size(); ++i) key.bytes_[i] = static_cast<std::uint8_t>(value(digits[2 * i]) << 4 | value(digits[2 * i + 1]));
  return key;
}

SealKey SealKey::load_or_make(const std::string& path) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) fail(FailureKind::usage, path, "is not a regular file; a key is never kept behind a link, name another file");
    return load(path);
  }
  if (file < 0) fail(FailureKind::environment, path, std::string("can't make the key of the recording: ") + std::strerror(errno) + "; name a file in a folder that you may write to with --key");
  SealKey key;
  bool made = RAND_bytes(key.bytes_.data(), static_cast<int>(key.bytes_.size())) == 1;
  std::string text = to_hex(std::as_bytes(std::span(key.bytes_))) + "\n";
  made = made && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!made) {
    ::unlink(path.c_str());
    fail(FailureKind::environment, path, std::string("can't make the key of the recording: ") + std::strerror(errno));
  }
  return key;
}

std::uint64_t SealKey::id() const {
  const Tag tag = SipHash(*this).tag(Use::key_id, {});
  ByteReader reader{Bytes(tag)};
  return reader.u64le();
}

}  // namespace darktap::session
