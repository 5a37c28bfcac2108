#include "client/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

namespace darktap::client {
namespace {

constexpr std::size_t file_limit = 1U << 20;  // an option file is a few lines; more is some other file

std::string_view trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Quotes and backslashes as the mysql client reads them: \b \t \n \r \\ \s, either quote around the whole value.
std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
    value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      out += value[i];
      continue;
    }
    char escaped = value[++i];
    switch (escaped) {
      case 'b': out += '\b'; break;
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 's': out += ' '; break;
      case '\\': case '"': case '\'': out += escaped; break;
      default: out += '\\'; out += escaped;
    }
  }
  return out;
}

using Options = std::map<std::string, std::string>;

Options group_of(std::string_view text, std::string_view wanted) {
  Options options;
  bool in_group = false;
  while (!text.empty()) {
    auto end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      auto close = line.find(']');
      in_group = close != std::string_view::npos && trimmed(line.substr(1, close - 1)) == wanted;
      continue;
    }
    if (!in_group) continue;
    auto equals = line.find('=');
    std::string key(trimmed(line.substr(0, equals)));
    for (char& c : key)
      if (c == '_') c = '-';
    options[key] = equals == std::string_view::npos ? "" : unquoted(trimmed(line.substr(equals + 1)));
  }
  return options;
}

// A line that belongs to no group: then it is no option file, and what was meant would be left out in silence.
std::optional<std::size_t> line_without_group(std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == ';' || line[0] == '!') continue;
    if (line[0] == '[' && line.find(']') != std::string_view::npos) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

Expected<std::string, std::string> read_private_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Unexpected(path + ": can't be read: " + std::strerror(errno) + "; check --defaults-file");
  struct stat facts{};
  std::string problem, text;
  if (::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    problem = path + ": not a plain file; check --defaults-file";
  } else if ((facts.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH)) != 0) {
    problem = path + ": others can read or change this file with passwords; run chmod 600 " + path;
  } else {
    char chunk[4096];
    for (;;) {
      ssize_t got = ::read(fd, chunk, sizeof chunk);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) problem = path + ": can't be read: " + std::strerror(errno);
      if (got <= 0) break;
      text.append(chunk, static_cast<std::size_t>(got));
      if (text.size() > file_limit) {
        problem = path + ": larger than an option file is; check --defaults-file";
        break;
      }
    }
  }
  ::close(fd);
  if (auto line = problem.empty() ? line_without_group(text) : std::nullopt)
    problem = path + ": line " + std::to_string(*line) + " stands in no group; an option file has lines such as [darktap-target] and password=…, check --defaults-file";
  if (!problem.empty()) return Unexpected(problem);
  return text;
}

std::string* tls_text(TlsOptions& tls, std::string_view key) {
  if (key == "ssl-ca") return &tls.ca;
  if (key == "ssl-capath") return &tls.capath;
  if (key == "ssl-cert") return &tls.cert;
  if (key == "ssl-key") return &tls.key;
  if (key == "ssl-cipher") return &tls.cipher;
  if (key == "tls-version") return &tls.version;
  return nullptr;
}

const char* password_variable(Role role) {
  switch (role) {
    case Role::target: return "DARKTAP_TARGET_PASSWORD";
    case Role::reference: return "DARKTAP_REFERENCE_PASSWORD";
    case Role::source: return "DARKTAP_SOURCE_PASSWORD";
  }
  return "";
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::target: return "target";
    case Role::reference: return "reference";
    case Role::source: return "source";
  }
  return "";
}

Expected<Login, std::string> read_login(Role role, const ServerUrl& url, const std::optional<std::string>& defaults_file) {
  Login login{url, ""};
  bool has_password = false, has_mode = false;
  std::string group = "darktap-" + std::string(to_string(role));
  if (defaults_file) {
    auto text = read_private_file(*defaults_file);
    if (!text) return Unexpected(text.error());
    for (auto& [key, value] : group_of(*text, group)) {
      if (key == "user") {
        if (login.url.user.empty()) login.url.user = value;
      } else if (key == "password") {
        login.password = value;
        has_password = true;
      } else if (key == "ssl-mode") {
        auto mode = parse_tls_mode(value);
        if (!mode) return Unexpected(*defaults_file + ": [" + group + "] ssl-mode: " + value + " is not one of disabled, preferred, required, verify_identity");
        login.tls.mode = *mode;
        has_mode = true;
      } else if (key == "compress") {
        if (value != "" && value != "1" && value != "0") return Unexpected(*defaults_file + ": [" + group + "] compress: " + value + " is not 0 or 1");
        login.compression = value == "0" ? Compression::off : Compression::where_possible;
      } else if (std::string* tls_option = tls_text(login.tls, key)) {
        *tls_option = value;
        if (!has_mode) login.tls.mode = TlsOptions::Mode::required;
      } else {
        return Unexpected(*defaults_file + ": [" + group + "] " + key + " is not understood; user, password, compress, ssl-mode, ssl-ca, ssl-capath, ssl-cert, ssl-key, ssl-cipher and tls-version are");
      }
    }
  }
  if (!has_password)
    if (const char* password = std::getenv(password_variable(role))) login.password = password;
  if (login.url.user.empty())
    return Unexpected("mysql://" + address_of(url) + ": no user is named; write mysql://user@" + address_of(url) + "/" + url.schema +
                      " or user= in the [" + group + "] group of --defaults-file");
  return login;
}

Expected<Login, std::string> read_login_as(const std::string& user, const Login& target, const std::optional<std::string>& defaults_file) {
  Login login = target;
  if (user == target.url.user) return login;
  login.url.user = user;
  login.password.clear();
  const std::string group = "darktap-target-" + user;
  if (defaults_file) {
    auto text = read_private_file(*defaults_file);
    if (!text) return Unexpected(text.error());
    bool has_password = false;
    for (auto& [key, value] : group_of(*text, group)) {
      if (key != "password") return Unexpected(*defaults_file + ": [" + group + "] " + key + " is not understood; password is");
      login.password = value;
      has_password = true;
    }
    if (has_password) return login;
  }
  std::string variable = "DARKTAP_TARGET_PASSWORD_";
  for (unsigned char c : user) variable += std::isalnum(c) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  if (const char* password = std::getenv(variable.c_str())) login.password = password;
  return login;
}

}  // namespace darktap::client
