# What `cmake --install` brings beside the program: manual, completions of shells, licences.
include(GNUInstallDirs)
set(made ${CMAKE_BINARY_DIR}/reference)
file(MAKE_DIRECTORY ${made})

# The program has these in it, and their licences want to be told.
set(notices "")
foreach(package libcli11-dev libdeflate-dev libfmt-dev libhwy-dev liblzma-dev libzstd-dev
                nlohmann-json3-dev zlib1g-dev)
  if(EXISTS /usr/share/doc/${package}/copyright)
    file(READ /usr/share/doc/${package}/copyright notice)
    string(APPEND notices "==== ${package}\n\n${notice}\n")
  endif()
endforeach()
file(WRITE ${made}/libraries.txt "${notices}")

install(TARGETS sb3lm)
install(FILES README.md LICENSE CHANGELOG.md ${made}/libraries.txt
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(CMAKE_CROSSCOMPILING)
  return()  # what follows is made by a program, and the native build has it
endif()
include(cmake/package.cmake)

file(GLOB reference_sources CONFIGURE_DEPENDS tools/reference/*.cc)
add_executable(sb3lm_reference ${reference_sources} tools/options.cc tools/option_kinds.cc
                               tools/option_help.cc tools/console.cc tools/outputs.cc)
target_link_libraries(sb3lm_reference PRIVATE synth import runtime_ref)
target_compile_definitions(sb3lm_reference PRIVATE SB3LM_VERSION="${PROJECT_VERSION}"
                                                   SB3LM_DATE="${SB3LM_DATE}")
add_custom_command(
  OUTPUT ${made}/sb3lm.1.gz ${made}/sb3lm.1 ${made}/sb3lm.bash ${made}/_sb3lm ${made}/sb3lm.fish
  COMMAND sb3lm_reference ${made}
  COMMAND gzip -9nkf ${made}/sb3lm.1
  DEPENDS sb3lm_reference
  VERBATIM)
add_custom_target(reference ALL DEPENDS ${made}/sb3lm.1.gz)
install(FILES ${made}/sb3lm.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/sb3lm.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME sb3lm)
install(FILES ${made}/sb3lm.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${made}/_sb3lm DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
