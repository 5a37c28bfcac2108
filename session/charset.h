// MySQL's collation ids and what iconv calls their character sets.
#pragma once

#include <cstdint>

namespace darktap::session {

// iconv's name of the collation's character set; nullptr for UTF-8, binary and unknown ones, whose bytes stand as they are.
const char* iconv_charset(std::uint16_t collation);

}  // namespace darktap::session
