# Writes OUT: the text of each of FILES (paths below ROOT) as a row of a C++ table, and the function
# that HEADER declares as FUNCTION to look them up.
set(rows "")
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" text)
  string(APPEND rows "    {\"${file}\", R\"==(${text})==\"},\n")
endforeach()
file(WRITE "${OUT}" "// Made by sb3_templates/embed.cmake.
#include \"${HEADER}\"

#include \"base/error.h\"

namespace sb3lm {
namespace {
struct File {
  std::string_view name, text;
};
constexpr File kFiles[] = {
${rows}};
}  // namespace

std::string_view ${FUNCTION}(std::string_view name) {
  for (const File& file : kFiles) {
    if (file.name == name) return file.text;
  }
  fail(Fault::bug, \"internal error: no file '{}' is built in\", name);
}
}  // namespace sb3lm
")
