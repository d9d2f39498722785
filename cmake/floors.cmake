# One static library a floor. Sources are the folder's own *.cc, without nesting.

add_library(gatebook_options INTERFACE)
target_include_directories(gatebook_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(gatebook_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2
  -Wimplicit-fallthrough -Wundef -Werror -pthread
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 warns of "x" + std::string (PR105651)
  -fno-omit-frame-pointer -fstack-protector-strong)
# hiredis asks for _FILE_OFFSET_BITS and RE2 for -pthread; a header that is parsed once is parsed in one way.
target_compile_definitions(gatebook_options INTERFACE GATEBOOK_VERSION="${PROJECT_VERSION}" _FILE_OFFSET_BITS=64)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(gatebook_options INTERFACE _FORTIFY_SOURCE=2)
endif()

# What nearly every file includes is parsed once, not in each: half of the time of a build. A file still
# includes what it uses; what is not of the standard library (but fmt) stays out, as it has its one home.
set(gatebook_common_headers
  <algorithm> <array> <atomic> <cerrno> <charconv> <chrono> <cstddef> <cstdint> <cstring> <deque> <filesystem> <fstream>
  <functional> <map> <memory> <mutex> <optional> <random> <span> <string> <string_view> <thread> <unordered_map> <utility>
  <vector> <fmt/format.h>)

# gatebook_floor(NAME "floors it may include" LIBS library...)
function(gatebook_floor name floors)
  cmake_parse_arguments(PARSE_ARGV 2 FLOOR "" "" "LIBS")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  set(library gatebook_${name})
  if(sources)
    add_library(${library} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${library} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${library} ${scope} gatebook_options ${FLOOR_LIBS})
  if(name STREQUAL "base")
    target_precompile_headers(${library} PRIVATE ${gatebook_common_headers})
  elseif(sources)
    target_precompile_headers(${library} REUSE_FROM gatebook_base)
  endif()
  foreach(floor ${floors})
    target_link_libraries(${library} ${scope} gatebook_${floor})
  endforeach()
endfunction()
