# Files as bytes in the binary. Run with -P at build time:
#   cmake -DROOT=folder -DOUT=file.cpp -DHEADER=schema.h -DFUNCTION=darktap::store::schema_files -DTYPE=darktap::store::SchemaFile
#         [-DGLOB=*.sql] -P embed.cmake
# Writes `std::span<const TYPE> FUNCTION()` over {relative path, bytes}, sorted by path. TYPE is an aggregate of two views.
if(NOT GLOB)
  set(GLOB "*")
endif()
file(GLOB_RECURSE files RELATIVE ${ROOT} "${ROOT}/${GLOB}")
list(SORT files)
set(data "")
set(table "")
set(index 0)
foreach(file IN LISTS files)
  file(READ "${ROOT}/${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  file(SIZE "${ROOT}/${file}" size)
  string(APPEND data "const unsigned char file_${index}[] = {\n${bytes}0x00};\n")
  string(APPEND table "    {\"${file}\", {reinterpret_cast<const char*>(file_${index}), ${size}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
if(index EQUAL 0)
  message(FATAL_ERROR "nothing to embed in ${ROOT}")
endif()
file(WRITE ${OUT} "#include \"${HEADER}\"\n\nnamespace {\n${data}const ${TYPE} table[] = {\n${table}};\n}  // namespace\n\n"
  "std::span<const ${TYPE}> ${FUNCTION}() { return table; }\n")
