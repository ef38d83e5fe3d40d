# SPDX-License-Identifier: Apache-2.0
# The project's own CMake functions.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(INFEROMETER_PLUGIN_DIRECTORY ${PROJECT_BINARY_DIR}/lib/inferometer)

# Programs in a build tree find the project's engines with nothing activated; an installed copy has no such file.
file(WRITE ${INFEROMETER_PLUGIN_DIRECTORY}/build_tree_python "${PROJECT_SOURCE_DIR}/.venv\n")

add_library(inferometer_options INTERFACE)
target_compile_options(inferometer_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  -Wno-missing-field-initializers
  $<$<BOOL:${INFEROMETER_WERROR}>:-Werror>
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_link_options(inferometer_options INTERFACE -Wl,-z,defs)
if(INFEROMETER_SANITIZE)
  target_compile_options(inferometer_options INTERFACE
    -fsanitize=${INFEROMETER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(inferometer_options INTERFACE -fsanitize=${INFEROMETER_SANITIZE})
  target_compile_definitions(inferometer_options INTERFACE INFEROMETER_SANITIZED=1)
endif()
target_include_directories(inferometer_options INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(inferometer_options INTERFACE dlpack::dlpack)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # The C header has no C++ flags to obey; old-style casts and the like don't exist there.
  set(INFEROMETER_C_WARNINGS -Wall -Wextra -Wpedantic)
endif()

# inferometer_precompiled(NAME HEADERS ... LINKS ...): what nearly every source file reads, parsed once: half of a build is headers of JSON, fmt and GoogleTest otherwise.
# The lint preset does without, so a forgotten include does not stay hidden.
function(inferometer_precompiled name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINKS" ${ARGN})
  file(WRITE ${PROJECT_BINARY_DIR}/precompiled/${name}.cpp "")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/precompiled/${name}.cpp)
  target_link_libraries(${name} PRIVATE inferometer_options ${ARG_LINKS} fmt::fmt nlohmann_json::nlohmann_json)
  target_precompile_headers(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/base/json.hpp <fmt/format.h> ${ARG_HEADERS})
endfunction()

# inferometer_library(NAME SOURCES ... LINKS ...): a static, hidden library of one folder under src/.
function(inferometer_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC inferometer_options ${ARG_LINKS} fmt::fmt nlohmann_json::nlohmann_json)
  if(NOT TARGET inferometer_headers)
    inferometer_precompiled(inferometer_headers)
  endif()
  target_precompile_headers(${name} REUSE_FROM inferometer_headers)
endfunction()

# inferometer_test(NAME SOURCES ... LINKS ... LABELS ... TIMEOUT n): a GoogleTest program, which is one ctest; cases that are skipped within
# it count as passed. One whose main ends with 77 is a skipped ctest.
function(inferometer_test name)
  if(NOT INFEROMETER_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE inferometer_options ${ARG_LINKS} GTest::gtest_main GTest::gmock fmt::fmt
                        nlohmann_json::nlohmann_json)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(NOT TARGET inferometer_test_headers)
    inferometer_precompiled(inferometer_test_headers HEADERS <gtest/gtest.h> <gmock/gmock.h> LINKS GTest::gtest GTest::gmock)
  endif()
  # -fPIC, as the libraries: precompiled headers are only taken by code compiled alike.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_precompile_headers(${name} REUSE_FROM inferometer_test_headers)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" SKIP_RETURN_CODE 77)
endfunction()

# inferometer_judged_engines(VARIABLE): those whose answers can be right or wrong. Null makes its outputs up; under sanitizers
# engines with a library of their own are left out: what they do inside isn't ours to check.
function(inferometer_judged_engines variable)
  set(engines ${INFEROMETER_ENGINES})
  list(REMOVE_ITEM engines null)
  foreach(engine IN LISTS engines)
    if(INFEROMETER_SANITIZE AND EXISTS ${PROJECT_SOURCE_DIR}/engines/${engine}/wheels.lock)
      list(REMOVE_ITEM engines ${engine})
    endif()
  endforeach()
  set(${variable} ${engines} PARENT_SCOPE)
endfunction()

set_property(GLOBAL PROPERTY INFEROMETER_ENGINE_ROWS "")

# inferometer_engine_missing(NAME REASON): the engine's SDK is not here. One line in the summary instead of an error, and a
# plugin that says so at run time, so that `engines` lists every engine folder. REASON is plain text without quotes.
function(inferometer_engine_missing name reason)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/missing_engine.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/missing_engine.cpp @ONLY)
  add_engine_plugin(${name} SOURCES ${CMAKE_CURRENT_BINARY_DIR}/missing_engine.cpp MISSING "${reason}")
endfunction()

# add_engine_plugin(NAME SOURCES ... LINKS ...): inferometer_engine_<NAME>.so with exactly one exported symbol.
function(add_engine_plugin name)
  cmake_parse_arguments(ARG "" "MISSING" "SOURCES;LINKS" ${ARGN})
  set(target inferometer_engine_${name})
  add_library(${target} MODULE ${ARG_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${INFEROMETER_PLUGIN_DIRECTORY}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/plugin.map)
  target_link_libraries(${target} PRIVATE inferometer_options inferometer_base ${ARG_LINKS})
  target_link_options(${target} PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/plugin.map)
  install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/inferometer)
  if(ARG_MISSING)
    set_property(GLOBAL APPEND PROPERTY INFEROMETER_ENGINE_ROWS "${name}: not built, ${ARG_MISSING}")
  else()
    set_property(GLOBAL APPEND PROPERTY INFEROMETER_ENGINE_ROWS "${name}: built")
  endif()
  set_property(GLOBAL APPEND PROPERTY INFEROMETER_PLUGIN_TARGETS ${target})
endfunction()

function(inferometer_engine_summary)
  get_property(rows GLOBAL PROPERTY INFEROMETER_ENGINE_ROWS)
  message(STATUS "Engines:")
  foreach(row IN LISTS rows)
    message(STATUS "  ${row}")
  endforeach()
  # The order of engine=auto.
  list(JOIN INFEROMETER_ENGINES "\n" lines)
  file(WRITE ${INFEROMETER_PLUGIN_DIRECTORY}/engines.txt "${lines}\n")
  install(FILES ${INFEROMETER_PLUGIN_DIRECTORY}/engines.txt DESTINATION ${CMAKE_INSTALL_LIBDIR}/inferometer)
endfunction()
