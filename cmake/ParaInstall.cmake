# Installs the library so that find_package(para) and pkg-config find it, wherever the tree is moved to.
# Where PARA_INSTALL is off, as by default in a parent project, only `cmake --install --component para`
# does so. The rules are there all the same: a parent that exports a library of its own, linked with para,
# needs para in an export set.
include(CMakePackageConfigHelpers)
set(PARA_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/para)
set(PARA_COMPONENT COMPONENT para)
if(NOT PARA_INSTALL)
    list(APPEND PARA_COMPONENT EXCLUDE_FROM_ALL)
endif()

set(PARA_LIBRARIES para)
if(TARGET para_openmp)
    list(APPEND PARA_LIBRARIES para_openmp)
endif()
install(TARGETS ${PARA_LIBRARIES} EXPORT paraTargets
    RUNTIME ${PARA_COMPONENT} LIBRARY ${PARA_COMPONENT} ARCHIVE ${PARA_COMPONENT})
install(DIRECTORY include/para DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${PARA_COMPONENT})
install(EXPORT paraTargets NAMESPACE para:: DESTINATION ${PARA_CMAKE_DIR} ${PARA_COMPONENT})
export(EXPORT paraTargets NAMESPACE para::)

configure_package_config_file(cmake/paraConfig.cmake.in paraConfig.cmake
    INSTALL_DESTINATION ${PARA_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(paraConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/paraConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/paraConfigVersion.cmake
        DESTINATION ${PARA_CMAKE_DIR} ${PARA_COMPONENT})

# APPEND leaves a directory that was configured as absolute as it is.
set(PC_DIR ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PC_PREFIX ${PC_DIR} ${CMAKE_INSTALL_PREFIX})
cmake_path(APPEND PC_LIBDIR "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND PC_INCLUDEDIR "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
set(PC_PRIVATE "-pthread -lm -ldl")
set(PC_NEEDED "")
if(NOT BUILD_SHARED_LIBS) # there is nothing else to link with: --static is not needed to say so
    set(PC_NEEDED " ${PC_PRIVATE}")
    set(PC_PRIVATE "")
endif()
configure_file(cmake/para.pc.in para.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/para.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${PARA_COMPONENT})
if(TARGET para_openmp)
    configure_file(cmake/para-openmp.pc.in para-openmp.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/para-openmp.pc
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${PARA_COMPONENT})
endif()
