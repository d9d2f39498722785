# gatebook_embed(FLOOR HEADER FUNCTION FILE): the text of FILE as gatebook::FLOOR::FUNCTION(), which the
# floor's HEADER declares as a std::string_view.
function(gatebook_embed floor header function file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" text)
  string(FIND "${text}" ")~gatebook~" delimiter)
  if(NOT delimiter EQUAL -1)
    message(FATAL_ERROR "${file} contains the delimiter of its embedding")
  endif()
  set(source "${CMAKE_BINARY_DIR}/embedded/${floor}_${function}.cc")
  file(WRITE "${source}.new" "// Made of ${file} by cmake/embed.cmake.
#include \"${floor}/${header}\"

namespace gatebook::${floor} {

std::string_view ${function}() {
  static constexpr std::string_view kText = R\"~gatebook~(${text})~gatebook~\";
  return kText;
}

}  // namespace gatebook::${floor}
")
  file(COPY_FILE "${source}.new" "${source}" ONLY_IF_DIFFERENT)
  file(REMOVE "${source}.new")
  target_sources(gatebook_${floor} PRIVATE "${source}")
  # Every compiler takes more than the standard promises.
  set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
