# The triage page: npm ci and vite build in ${CMAKE_BINARY_DIR}/web_ui (the source stays clean), then embedded into the
# web room. npm is asked again only where the lock file changed, so a second build needs no network.
find_program(DARKTAP_NODE NAMES node nodejs)
find_program(DARKTAP_NPM npm)
set(node_version "none")
if(DARKTAP_NODE)
  execute_process(COMMAND ${DARKTAP_NODE} --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REPLACE "v" "" node_version "${node_version}")
endif()
if(NOT DARKTAP_NPM OR NOT DARKTAP_NODE OR node_version VERSION_LESS 18)
  message(FATAL_ERROR "The triage page needs Node 18 or newer and npm (found node: ${node_version}, npm: ${DARKTAP_NPM}); "
                      "install them, or build without the page: -DDARKTAP_UI=OFF")
endif()

set(ui_source ${PROJECT_SOURCE_DIR}/web/ui)
set(ui_build ${CMAKE_BINARY_DIR}/web_ui)
set(ui_packages ${ui_source}/package.json ${ui_source}/package-lock.json ${ui_source}/.npmrc)
file(GLOB_RECURSE ui_files CONFIGURE_DEPENDS ${ui_source}/src/* ${ui_source}/public/* ${ui_source}/test/*)
list(APPEND ui_files ${ui_source}/index.html ${ui_source}/tsconfig.json ${ui_source}/vite.config.ts)

set(ui_installed ${ui_build}/installed.stamp)
add_custom_command(OUTPUT ${ui_installed}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${ui_build}
  COMMAND ${CMAKE_COMMAND} -E copy ${ui_packages} ${ui_build}
  COMMAND ${CMAKE_COMMAND} -E chdir ${ui_build} ${DARKTAP_NPM} ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${ui_installed}
  DEPENDS ${ui_packages} COMMENT "Installing the triage page's packages (npm ci)" VERBATIM)

set(ui_built ${ui_build}/built.stamp)
add_custom_command(OUTPUT ${ui_built}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${ui_build}/src ${ui_build}/public ${ui_build}/test ${ui_build}/dist
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${ui_source}/src ${ui_build}/src
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${ui_source}/public ${ui_build}/public
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${ui_source}/test ${ui_build}/test
  COMMAND ${CMAKE_COMMAND} -E copy ${ui_source}/index.html ${ui_source}/tsconfig.json ${ui_source}/vite.config.ts ${ui_build}
  COMMAND ${CMAKE_COMMAND} -E chdir ${ui_build} ${DARKTAP_NODE} node_modules/typescript/bin/tsc --noEmit
  COMMAND ${CMAKE_COMMAND} -E chdir ${ui_build} ${DARKTAP_NODE} node_modules/vite/bin/vite.js build --logLevel warn
  COMMAND ${CMAKE_COMMAND} -E touch ${ui_built}
  DEPENDS ${ui_installed} ${ui_files} COMMENT "Building the triage page (tsc, vite)" VERBATIM)

set(ui_embedded ${CMAKE_BINARY_DIR}/generated/web_assets.cpp)
add_custom_command(OUTPUT ${ui_embedded}
  COMMAND ${CMAKE_COMMAND} -DROOT=${ui_build}/dist -DOUT=${ui_embedded} -DHEADER=assets.h
          -DFUNCTION=darktap::web::assets -DTYPE=darktap::web::Asset -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${ui_built} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake COMMENT "Embedding the triage page" VERBATIM)
target_sources(darktap_web PRIVATE ${ui_embedded})
target_include_directories(darktap_web PRIVATE ${PROJECT_SOURCE_DIR}/web)
