# The store's numbered schema files become part of the binary: an installed darktap needs no data folder.
file(GLOB schema_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/store/schema/*.sql)
set(schema_source ${CMAKE_BINARY_DIR}/generated/store_schema.cpp)
add_custom_command(OUTPUT ${schema_source}
  COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}/store/schema -DGLOB=*.sql -DOUT=${schema_source} -DHEADER=schema.h
          -DFUNCTION=darktap::store::schema_files -DTYPE=darktap::store::SchemaFile -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${schema_files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "Embedding the store's schema" VERBATIM)
target_sources(darktap_store PRIVATE ${schema_source})
target_include_directories(darktap_store PRIVATE ${PROJECT_SOURCE_DIR}/store)
