namespace CoGrpo.CudaEmulator.Tool;

/// <summary>
/// Headers that programs for nvcc include and NVRTC lacks. Most of what they declare the compiler knows by itself; the rest stands here as far as
/// device code uses it.
/// </summary>
internal static class StandardHeaders
{
    private const string Once = "#pragma once\n";

    private const string Print = Once + "extern \"C\" __device__ int printf(const char*, ...);\n";

    private const string Assert = Once + """
        #ifdef NDEBUG
        #define assert(condition) ((void)0)
        #else
        #define assert(condition) ((condition) ? (void)0 : __assertfail(#condition, __FILE__, __LINE__, __PRETTY_FUNCTION__, sizeof(char)))
        #endif

        """;

    private const string Integers = Once + """
        typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long long int64_t;
        typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned int uint32_t; typedef unsigned long long uint64_t;
        typedef long long intptr_t; typedef unsigned long long uintptr_t;
        #define INT32_MAX 2147483647
        #define UINT32_MAX 4294967295u
        #define INT64_MAX 9223372036854775807ll
        #define UINT64_MAX 18446744073709551615ull

        """;

    private const string Limits = Once + """
        #define CHAR_BIT 8
        #define SHRT_MAX 32767
        #define INT_MAX 2147483647
        #define INT_MIN (-INT_MAX - 1)
        #define UINT_MAX 4294967295u
        #define LLONG_MAX 9223372036854775807ll
        #define LLONG_MIN (-LLONG_MAX - 1)
        #define ULLONG_MAX 18446744073709551615ull

        """;

    private const string Floats = Once + """
        #define FLT_MAX 3.402823466e+38f
        #define FLT_MIN 1.175494351e-38f
        #define FLT_EPSILON 1.192092896e-07f
        #define DBL_MAX 1.7976931348623158e+308
        #define DBL_MIN 2.2250738585072014e-308
        #define DBL_EPSILON 2.2204460492503131e-16

        """;

    private const string Constants = Once + """
        #ifndef M_PI
        #define M_PI 3.14159265358979323846
        #define M_E 2.71828182845904523536
        #define M_SQRT2 1.41421356237309504880
        #define INFINITY __int_as_float(0x7f800000)
        #define NAN __int_as_float(0x7fffffff)
        #endif

        """;

    /// <summary>All of them, by the name in the include directive.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["cuda_runtime.h"] = Once,
            ["cuda_runtime_api.h"] = Once,
            ["cuda.h"] = Once,
            ["device_launch_parameters.h"] = Once,
            ["device_functions.h"] = Once,
            ["vector_types.h"] = Once,
            ["sm_30_intrinsics.h"] = Once,
            ["stdlib.h"] = Once,
            ["cstdlib"] = Once,
            ["string.h"] = Once,
            ["cstring"] = Once,
            ["stddef.h"] = Once,
            ["cstddef"] = Once,
            ["stdio.h"] = Print,
            ["cstdio"] = Print,
            ["assert.h"] = Assert,
            ["cassert"] = Assert,
            ["stdint.h"] = Integers,
            ["cstdint"] = Integers,
            ["limits.h"] = Limits,
            ["climits"] = Limits,
            ["float.h"] = Floats,
            ["cfloat"] = Floats,
            ["math.h"] = Constants,
            ["cmath"] = Constants,
            ["math_constants.h"] = Constants,
        };
}
