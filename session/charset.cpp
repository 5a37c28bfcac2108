#include "charset.h"

#include <array>

namespace darktap::session {

namespace {

constexpr const char* as_it_is = nullptr;

// Ids 1 to 99, from information_schema.COLLATIONS; MySQL's latin1 is Windows-1252.
constexpr std::array<const char*, 100> low_ids = {
    as_it_is, "BIG5", "ISO-8859-2", "DEC-MCS", "CP850", "CP1252", "HP-ROMAN8", "KOI8-R", "CP1252", "ISO-8859-2",
    as_it_is, "ASCII", "EUC-JP", "SHIFT_JIS", "CP1251", "CP1252", "ISO-8859-8", as_it_is, "TIS-620", "EUC-KR",
    "ISO-8859-13", "ISO-8859-2", "KOI8-U", "CP1251", "GB2312", "ISO-8859-7", "CP1250", "ISO-8859-2", "GBK", "CP1257",
    "ISO-8859-9", "CP1252", "ARMSCII-8", as_it_is, "CP1250", "UCS-2BE", "CP866", as_it_is, "MAC-CENTRALEUROPE", "MACINTOSH",
    "CP852", "ISO-8859-13", "ISO-8859-13", "MAC-CENTRALEUROPE", "CP1250", as_it_is, as_it_is, "CP1252", "CP1252", "CP1252",
    "CP1251", "CP1251", "CP1251", "MACINTOSH", "UTF-16BE", "UTF-16BE", "UTF-16LE", "CP1256", "CP1257", "CP1257",
    "UTF-32BE", "UTF-32BE", "UTF-16LE", as_it_is, "ARMSCII-8", "ASCII", "CP1250", "CP1256", "CP866", "DEC-MCS",
    "ISO-8859-7", "ISO-8859-8", "HP-ROMAN8", as_it_is, "KOI8-R", "KOI8-U", as_it_is, "ISO-8859-2", "ISO-8859-9", "ISO-8859-13",
    "CP850", "CP852", as_it_is, as_it_is, "BIG5", "EUC-KR", "GB2312", "GBK", "SHIFT_JIS", "TIS-620",
    "UCS-2BE", "EUC-JP", "GEORGIAN-PS", "GEORGIAN-PS", "CP1252", "CP932", "CP932", "EUC-JP-MS", "EUC-JP-MS", "CP1250"};

}  // namespace

const char* iconv_charset(std::uint16_t collation) {
  // MariaDB adds 1024 for the NOPAD variant of an older collation; 2048 and up are its UCA 14 families, 256 a character set.
  if (collation >= 2560 && collation < 2816) return "UCS-2BE";
  if (collation >= 2816 && collation < 3072) return "UTF-16BE";
  if (collation >= 3072 && collation < 3328) return "UTF-32BE";
  if (collation >= 2048) return as_it_is;
  if (collation >= 1024) collation = static_cast<std::uint16_t>(collation - 1024);
  if (collation < low_ids.size()) return low_ids[collation];
  if (collation >= 101 && collation <= 124) return "UTF-16BE";
  if ((collation >= 128 && collation <= 151) || collation == 159) return "UCS-2BE";
  if (collation >= 160 && collation <= 183) return "UTF-32BE";
  if (collation >= 248 && collation <= 250) return "GB18030";
  return as_it_is;
}

}  // namespace darktap::session
