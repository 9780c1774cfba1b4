# Before the package is made of the folder with what was installed: where Debian wants things to lie,
# and its own papers.
set(share ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
set(doc ${share}/doc/${CPACK_PACKAGE_NAME})
set(copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${CPACK_PACKAGE_NAME}

Files: *
Copyright: ${CPACK_SB3LM_DATE} sb3lm developers
License: Apache-2.0
 The whole text is in /usr/share/common-licenses/Apache-2.0.
Comment: libraries.txt.gz has the notices of the libraries in the program.
")
string(REGEX REPLACE "(Copyright: [0-9]+)[-0-9]+" "\\1" copyright "${copyright}")
file(WRITE ${doc}/copyright "${copyright}")
file(REMOVE ${doc}/LICENSE)

execute_process(COMMAND env LC_ALL=C date -u -R -d ${CPACK_SB3LM_DATE} OUTPUT_VARIABLE date
                COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${doc}/changelog.Debian
     "${CPACK_PACKAGE_NAME} (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * See changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}")
file(RENAME ${doc}/CHANGELOG.md ${doc}/changelog)
file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
execute_process(COMMAND gzip -9n ${doc}/changelog ${doc}/changelog.Debian ${doc}/libraries.txt
                COMMAND_ERROR_IS_FATAL ANY)

# It runs on any release, whatever libraries that has.
file(WRITE ${share}/lintian/overrides/${CPACK_PACKAGE_NAME}
     "sb3lm: statically-linked-binary\nsb3lm: embedded-library\n")
