# What `cmake --install` leaves of the library: both kinds of it, the headers, and how pkg-config
# and find_package() find them.
include(CMakePackageConfigHelpers)

# A minor release may change the interface as long as the major one is 0: the soname says so.
set_target_properties(bulwark_shared PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    EXPORT_NAME bulwark)
set_target_properties(bulwark_static PROPERTIES EXPORT_NAME bulwark_static)

# Plugins need the headers alone: they bind to the functions of the daemon that loads them.
add_library(bulwark_plugin INTERFACE)
target_include_directories(bulwark_plugin INTERFACE
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(bulwark_plugin PROPERTIES EXPORT_NAME plugin)

set(BULWARK_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/bulwark)
install(TARGETS bulwark_shared bulwark_plugin EXPORT bulwarkTargets)
install(TARGETS bulwark_static EXPORT bulwarkStaticTargets)
install(DIRECTORY include/bulwark DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT bulwarkTargets NAMESPACE bulwark:: DESTINATION ${BULWARK_CMAKE_DIR})
install(EXPORT bulwarkStaticTargets NAMESPACE bulwark:: DESTINATION ${BULWARK_CMAKE_DIR})

configure_package_config_file(cmake/bulwarkConfig.cmake.in bulwarkConfig.cmake
    INSTALL_DESTINATION ${BULWARK_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/bulwarkConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bulwarkConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/bulwarkConfigVersion.cmake
        DESTINATION ${BULWARK_CMAKE_DIR})

# The files' own place tells the prefix, so that a tree that is moved, or installed below another
# root, still works.
file(RELATIVE_PATH BULWARK_PC_PREFIX
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(pc bulwark bulwark-plugin)
    configure_file(cmake/${pc}.pc.in ${pc}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
