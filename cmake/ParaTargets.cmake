# How everything that is built here is compiled, users' programs such as the examples among it.
# Contraction would make the bits of a result depend on the instruction set. gcc's -O2 alone leaves loops
# whose length is not known when compiling scalar, which is what every kernel is.
add_library(para_codegen INTERFACE)
target_compile_options(para_codegen INTERFACE
    -ffp-contract=off
    $<$<AND:$<CONFIG:Release>,$<C_COMPILER_ID:GNU>>:-ftree-vectorize -fvect-cost-model=dynamic>
    $<$<BOOL:${PARA_WARNINGS_AS_ERRORS}>:-Werror>)
if(PARA_SANITIZE)
    target_compile_options(para_codegen INTERFACE
        -fsanitize=${PARA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(para_codegen INTERFACE -fsanitize=${PARA_SANITIZE})
endif()

# And para's own sources: language level and warnings.
add_library(para_flags INTERFACE)
target_link_libraries(para_flags INTERFACE para_codegen)
target_compile_features(para_flags INTERFACE c_std_17)
target_compile_definitions(para_flags INTERFACE _GNU_SOURCE)
# A task that ends its thread is cleaned up after, as by C++.
target_compile_options(para_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fexceptions>)
# See base/assert.h. Not by NDEBUG, which a build without a type does not define.
if(PARA_SANITIZE)
    target_compile_definitions(para_flags INTERFACE PARA__ASSERTIONS)
else()
    target_compile_definitions(para_flags INTERFACE $<$<CONFIG:Debug>:PARA__ASSERTIONS>)
endif()
target_compile_options(para_flags INTERFACE
    -Wall -Wextra -Wshadow -Wpointer-arith -Wvla -Wundef
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)

# para_test(NAME <name> SOURCES <file>... [LABELS short|medium|long] [INTERNAL] [TIMEOUT <seconds>]
#           [LIBS <target>...])
# Builds test_<name> and registers it as test <name>. INTERNAL tests see what the library does not
# export. Sources ending in .cpp are C++17. A sanitizer or an emulator slows a test down, so it gets more
# time then.
function(para_test)
    cmake_parse_arguments(PARSE_ARGV 0 T "INTERNAL" "NAME;TIMEOUT" "SOURCES;LABELS;LIBS")
    if(NOT T_NAME OR NOT T_SOURCES OR T_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "para_test: NAME and SOURCES are needed; not understood: ${T_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT T_LABELS)
        set(T_LABELS short)
    endif()
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 60)
    endif()
    if(PARA_SANITIZE OR CMAKE_CROSSCOMPILING)
        math(EXPR T_TIMEOUT "5 * ${T_TIMEOUT}")
    endif()
    if(T_INTERNAL)
        set(library para_internal)
    else()
        set(library para::para)
    endif()
    add_executable(test_${T_NAME} ${T_SOURCES})
    target_link_libraries(test_${T_NAME} PRIVATE para_flags ${library} PkgConfig::CMOCKA Threads::Threads ${T_LIBS})
    add_test(NAME ${T_NAME} COMMAND test_${T_NAME})
    set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT})
endfunction()
