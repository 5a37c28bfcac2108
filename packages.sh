# The distribution's packages that darktap needs, and how to get what is missing. Sourced by ./test and ./demo.
#
# The names are the same on Debian 12, Debian 13 and Ubuntu 24.04, but for the browser: Ubuntu has Chromium as a snap only,
# so a chromium or google-chrome that is there is used, and without one the browser tests are skipped, with the reason.
#
# The lab needs mariadb-server-core, never mariadb-server: that one starts a service on port 3306. Spider's plugin is
# unpacked from its package into the build folder for the same reason (tests/lab/server.py).

packages_build="g++ cmake ninja-build pkg-config ccache libpcap-dev libmariadb-dev zlib1g-dev libzstd-dev libxxhash-dev \
libssl-dev libsqlite3-dev libboost-dev libexpected-dev libcli11-dev nlohmann-json3-dev catch2 librapidcheck-dev"
packages_page="nodejs npm ca-certificates"
packages_lab="mariadb-server-core mariadb-client-core python3 python3-pymysql python3-mysqldb sysbench"
packages_fuzz="clang-19 libclang-rt-19-dev llvm-19"
packages_browser="chromium"

has_node() {
  command -v npm >/dev/null && [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 18 ]
}

find_browser() {
  command -v chromium || command -v chromium-browser || command -v google-chrome || true
}

packages_of() {  # GROUP... -> the names, without those that something on this machine stands in for
  local group
  for group in "$@"; do
    case $group in
      page) has_node || echo $packages_page ;;
      browser) [ -n "$(find_browser)" ] || grep -q '^ID=ubuntu' /etc/os-release || echo $packages_browser ;;
      *) local list=packages_$group; echo ${!list} ;;
    esac
  done
}

missing_packages() {  # GROUP... -> the names that are not installed
  local name
  for name in $(packages_of "$@"); do
    dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^.i' || echo "$name"
  done
}

# Installs what is missing of the groups: lists it, asks on a terminal unless told yes, and never removes a package.
ensure_packages() {  # yes|ask GROUP...
  local answer=$1 missing
  shift
  if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian or Ubuntu: taking for granted that the counterparts of these are installed:" $(packages_of "$@")
    return
  fi
  missing=$(missing_packages "$@" | sort -u)
  [ -n "$missing" ] || return 0
  echo "Missing packages:" $missing
  local as_root=""
  [ "$(id -u)" = 0 ] || as_root=sudo
  local remedy="$as_root apt-get install --no-install-recommends"
  if [ "$answer" != yes ]; then
    if ! [ -t 0 ]; then
      echo "Install them with: ${remedy# }" $missing "  (or run this with --yes)" >&2
      exit 2
    fi
    read -r -p "Install them now with ${remedy# }? [y/N] " answer
    case $answer in [yY]*) ;; *) echo "Nothing was installed." >&2; exit 2 ;; esac
  fi
  if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
    echo "Neither root nor sudo: as root, run apt-get install --no-install-recommends" $missing >&2
    exit 2
  fi
  $as_root apt-get update -q
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --no-remove $missing
}
