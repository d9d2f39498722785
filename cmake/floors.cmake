# One static library a floor. Sources are the folder's own *.cc, without nesting.

add_library(gatebook_options INTERFACE)
target_include_directories(gatebook_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(gatebook_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2
  -Wimplicit-fallthrough -Wundef -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 warns of "x" + std::string (PR105651)
  -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(gatebook_options INTERFACE GATEBOOK_VERSION="${PROJECT_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(gatebook_options INTERFACE _FORTIFY_SOURCE=2)
endif()

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
  foreach(floor ${floors})
    target_link_libraries(${library} ${scope} gatebook_${floor})
  endforeach()
endfunction()
