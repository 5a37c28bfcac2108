#include "charsets.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace darktap::mysql {

namespace {

// Collation numbers as both server families give them out (their sql/share/charsets/Index.xml and ctype-*.cc); runs of one
// character set are one line, its default collation stands beside it.
struct Run {
  std::uint16_t first, last;
  std::string_view character_set;
};
constexpr std::array runs{
    Run{1, 1, "big5"},        Run{2, 2, "latin2"},      Run{3, 3, "dec8"},        Run{4, 4, "cp850"},       Run{5, 5, "latin1"},
    Run{6, 6, "hp8"},         Run{7, 7, "koi8r"},       Run{8, 8, "latin1"},      Run{9, 9, "latin2"},      Run{10, 10, "swe7"},
    Run{11, 11, "ascii"},     Run{12, 12, "ujis"},      Run{13, 13, "sjis"},      Run{14, 14, "cp1251"},    Run{15, 15, "latin1"},
    Run{16, 16, "hebrew"},    Run{18, 18, "tis620"},    Run{19, 19, "euckr"},     Run{20, 20, "latin7"},    Run{21, 21, "latin2"},
    Run{22, 22, "koi8u"},     Run{23, 23, "cp1251"},    Run{24, 24, "gb2312"},    Run{25, 25, "greek"},     Run{26, 26, "cp1250"},
    Run{27, 27, "latin2"},    Run{28, 28, "gbk"},       Run{29, 29, "cp1257"},    Run{30, 30, "latin5"},    Run{31, 31, "latin1"},
    Run{32, 32, "armscii8"},  Run{33, 33, "utf8mb3"},   Run{34, 34, "cp1250"},    Run{35, 35, "ucs2"},      Run{36, 36, "cp866"},
    Run{37, 37, "keybcs2"},   Run{38, 38, "macce"},     Run{39, 39, "macroman"},  Run{40, 40, "cp852"},     Run{41, 42, "latin7"},
    Run{43, 43, "macce"},     Run{44, 44, "cp1250"},    Run{45, 46, "utf8mb4"},   Run{47, 49, "latin1"},    Run{50, 52, "cp1251"},
    Run{53, 53, "macroman"},  Run{54, 55, "utf16"},     Run{56, 56, "utf16le"},   Run{57, 57, "cp1256"},    Run{58, 59, "cp1257"},
    Run{60, 61, "utf32"},     Run{62, 62, "utf16le"},   Run{63, 63, "binary"},    Run{64, 64, "armscii8"},  Run{65, 65, "ascii"},
    Run{66, 66, "cp1250"},    Run{67, 67, "cp1256"},    Run{68, 68, "cp866"},     Run{69, 69, "dec8"},      Run{70, 70, "greek"},
    Run{71, 71, "hebrew"},    Run{72, 72, "hp8"},       Run{73, 73, "keybcs2"},   Run{74, 74, "koi8r"},     Run{75, 75, "koi8u"},
    Run{76, 76, "utf8mb3"},   Run{77, 77, "latin2"},    Run{78, 78, "latin5"},    Run{79, 79, "latin7"},    Run{80, 80, "cp850"},
    Run{81, 81, "cp852"},     Run{82, 82, "swe7"},      Run{83, 83, "utf8mb3"},   Run{84, 84, "big5"},      Run{85, 85, "euckr"},
    Run{86, 86, "gb2312"},    Run{87, 87, "gbk"},       Run{88, 88, "sjis"},      Run{89, 89, "tis620"},    Run{90, 90, "ucs2"},
    Run{91, 91, "ujis"},      Run{92, 93, "geostd8"},   Run{94, 94, "latin1"},    Run{95, 96, "cp932"},     Run{97, 98, "eucjpms"},
    Run{99, 99, "cp1250"},    Run{101, 124, "utf16"},   Run{128, 151, "ucs2"},    Run{159, 159, "ucs2"},    Run{160, 183, "utf32"},
    Run{192, 215, "utf8mb3"}, Run{223, 223, "utf8mb3"}, Run{224, 247, "utf8mb4"}, Run{248, 250, "gb18030"}, Run{255, 323, "utf8mb4"},
    Run{576, 578, "utf8mb3"}, Run{608, 610, "utf8mb4"}, Run{640, 642, "ucs2"},    Run{672, 674, "utf16"},   Run{736, 738, "utf32"},
    Run{2048, 2303, "utf8mb3"}, Run{2304, 2559, "utf8mb4"}, Run{2560, 2815, "ucs2"}, Run{2816, 3071, "utf16"}, Run{3072, 3327, "utf32"},
};
constexpr std::uint16_t nopad_offset = 1024;  // MariaDB's NO PAD twins of the old collations

struct Default {
  std::string_view name;
  std::uint16_t collation;
};
constexpr std::array defaults{
    Default{"big5", 1},      Default{"dec8", 3},     Default{"cp850", 4},   Default{"hp8", 6},       Default{"koi8r", 7},     Default{"latin1", 8},
    Default{"latin2", 9},    Default{"swe7", 10},    Default{"ascii", 11},  Default{"ujis", 12},     Default{"sjis", 13},     Default{"hebrew", 16},
    Default{"tis620", 18},   Default{"euckr", 19},   Default{"koi8u", 22},  Default{"gb2312", 24},   Default{"greek", 25},    Default{"cp1250", 26},
    Default{"gbk", 28},      Default{"latin5", 30},  Default{"armscii8", 32}, Default{"utf8", 33},   Default{"utf8mb3", 33},  Default{"ucs2", 35},
    Default{"cp866", 36},    Default{"keybcs2", 37}, Default{"macce", 38},  Default{"macroman", 39}, Default{"cp852", 40},    Default{"latin7", 41},
    Default{"utf8mb4", 45},  Default{"cp1251", 51},  Default{"utf16", 54},  Default{"utf16le", 56},  Default{"cp1256", 57},   Default{"cp1257", 59},
    Default{"utf32", 60},    Default{"binary", 63},  Default{"geostd8", 92}, Default{"cp932", 95},   Default{"eucjpms", 97},  Default{"gb18030", 248},
};

// Collations that applications name in SET NAMES … COLLATE.
constexpr std::array collations{
    Default{"latin1_swedish_ci", 8},     Default{"latin1_general_ci", 48},    Default{"latin1_general_cs", 49},   Default{"latin1_bin", 47},
    Default{"utf8_general_ci", 33},      Default{"utf8mb3_general_ci", 33},   Default{"utf8_bin", 83},            Default{"utf8mb3_bin", 83},
    Default{"utf8_unicode_ci", 192},     Default{"utf8mb3_unicode_ci", 192},  Default{"utf8mb4_general_ci", 45},  Default{"utf8mb4_bin", 46},
    Default{"utf8mb4_unicode_ci", 224},  Default{"utf8mb4_unicode_520_ci", 246}, Default{"utf8mb4_0900_ai_ci", 255}, Default{"utf8mb4_0900_as_cs", 278},
    Default{"utf8mb4_0900_as_ci", 305},  Default{"utf8mb4_0900_bin", 309},    Default{"binary", 63},              Default{"ascii_general_ci", 11},
    Default{"ascii_bin", 65},            Default{"cp1251_general_ci", 51},    Default{"gbk_chinese_ci", 28},      Default{"sjis_japanese_ci", 13},
};

template <class Table>
std::uint16_t find_in(const Table& table, std::string_view name) {
  std::string wanted = lower(name);
  auto found = std::find_if(table.begin(), table.end(), [&](const Default& entry) { return entry.name == wanted; });
  return found == table.end() ? std::uint16_t{0} : found->collation;
}

}  // namespace

std::uint16_t default_collation(std::string_view character_set) { return find_in(defaults, character_set); }

std::uint16_t collation_by_name(std::string_view collation) { return find_in(collations, collation); }

std::string_view character_set_of(std::uint16_t collation) {
  if (collation >= nopad_offset && collation < 2 * nopad_offset) collation = static_cast<std::uint16_t>(collation - nopad_offset);
  auto found = std::find_if(runs.begin(), runs.end(), [&](const Run& run) { return run.first <= collation && collation <= run.last; });
  return found == runs.end() ? std::string_view() : found->character_set;
}

}  // namespace darktap::mysql
