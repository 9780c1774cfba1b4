# `cpack` in a build folder makes a Debian package of what `cmake --install` brings. With
# SOURCE_DATE_EPOCH set, the same program gives the same bytes. tools/release makes the rest.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "sb3lm developers <sb3lm@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compile language models into Scratch projects")
set(CPACK_PACKAGE_DESCRIPTION
    "sb3lm reads a language model's checkpoint and writes a Scratch 3
project: a chat that runs in ordinary blocks, without network or
extensions. It proves that the blocks compute the same numbers as the
model, runs and measures models in the terminal, and gets checkpoints
back out of projects.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
                                                GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/arrange_debian.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_SB3LM_DATE ${SB3LM_DATE})
include(CPack)
