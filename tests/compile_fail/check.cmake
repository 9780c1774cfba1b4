# Builds one file twice: as it is, which must compile, and with BAD defined, which must not. The
# first build shows that nothing but the line under BAD is at fault.
# cmake -DCOMPILER=g++ -DSOURCE=file.cc -DINCLUDES=a,b -P check.cmake
string(REPLACE "," ";" includes "${INCLUDES}")
list(TRANSFORM includes PREPEND "-I")
set(command ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror ${includes} ${SOURCE})

execute_process(COMMAND ${command} RESULT_VARIABLE good ERROR_VARIABLE errors)
if(NOT good EQUAL 0)
  message(FATAL_ERROR "${SOURCE} does not compile without BAD:\n${errors}")
endif()
execute_process(COMMAND ${command} -DBAD RESULT_VARIABLE bad ERROR_VARIABLE errors)
if(bad EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles with BAD")
endif()
get_filename_component(name ${SOURCE} NAME)
if(NOT errors MATCHES "${name}")
  message(FATAL_ERROR "${SOURCE}: the compiler failed elsewhere:\n${errors}")
endif()
