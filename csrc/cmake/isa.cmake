# isa.cmake -- one object library per instruction set, all from csrc/kernels/isa_unit.cpp.
#
# The features a unit is compiled with must all be tested in csrc/dispatch/cpu_features.cpp.
#   name          flags                              run-time test
#   base          x86-64-v2                          SSE3 SSSE3 SSE4.1 SSE4.2 POPCNT CMPXCHG16B LAHF
#   avx2          x86-64-v3                          base + AVX AVX2 FMA F16C BMI1 BMI2 LZCNT MOVBE, XCR0 bits 1-2
#   avx512        x86-64-v4                          avx2 + AVX512 F DQ CD BW VL, XCR0 bits 5-7
#   avx512_vnni   x86-64-v4 + avx512vnni             avx512 + AVX512_VNNI
#   neon          aarch64 baseline                   none needed
#   neon_dot      armv8.2-a+dotprod                  HWCAP_ASIMDDP

function(fastcal_add_isa_unit name dialect)
  set(unit "kernels_${name}")
  add_library(${unit} OBJECT "${FASTCAL_CSRC}/kernels/isa_unit.cpp")
  target_include_directories(${unit} PRIVATE "${FASTCAL_CSRC}")
  target_compile_definitions(${unit} PRIVATE "FASTCAL_ISA=${name}" "FASTCAL_SIMD_${dialect}=1")
  # Kernels run on whole arrays under masked exceptions: no errno, no trap handlers. Contraction stays off (fastcal_options).
  target_compile_options(${unit} PRIVATE ${ARGN} -fno-exceptions -fno-rtti -fno-math-errno -fno-trapping-math)
  target_link_libraries(${unit} PRIVATE fastcal_options)
  # Without optimisation the tiny SIMD types cost 30x, and unsanitised debug kernels find nothing more.
  target_compile_options(${unit} PRIVATE $<$<CONFIG:Debug>:-O1>)
  # Link-time optimisation could move code between units.
  set_target_properties(${unit} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  target_sources(fastcal_core PRIVATE $<TARGET_OBJECTS:${unit}>)
endfunction()

function(fastcal_add_isa_units)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    fastcal_add_isa_unit(base SSE -march=x86-64-v2 -mtune=generic)
    fastcal_add_isa_unit(avx2 AVX2 -march=x86-64-v3 -mtune=generic)
    fastcal_add_isa_unit(avx512 AVX512 -march=x86-64-v4 -mtune=generic -mprefer-vector-width=512)
    fastcal_add_isa_unit(avx512_vnni AVX512 -march=x86-64-v4 -mavx512vnni -mtune=generic -mprefer-vector-width=512)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    fastcal_add_isa_unit(neon NEON)
    fastcal_add_isa_unit(neon_dot NEON -march=armv8.2-a+dotprod)
  else()
    message(FATAL_ERROR "fastcal has kernels for x86-64 and aarch64, not for ${CMAKE_SYSTEM_PROCESSOR}; "
                        "`pip install . -C wheel.cmake=false` installs the Numba backend alone")
  endif()
endfunction()
