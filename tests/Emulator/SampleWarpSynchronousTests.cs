using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// The last warp of old reductions, which adds up without barriers. With volatile accesses or __syncwarp it is accepted; plain accesses are a race on
/// every device that these programs can be compiled for, where nothing promises that lanes go in step.
/// </summary>
public class SampleWarpSynchronousTests
{
    private const string Source = """
        #if TAIL == 0
        #define SHARED volatile
        #define STEP(k) s[t] += s[t + k];
        #elif TAIL == 1
        #define SHARED
        #define STEP(k) { T v = s[t + k]; __syncwarp(); s[t] += v; __syncwarp(); }
        #elif TAIL == 2
        #define SHARED
        #define STEP(k) s[t] += s[t + k];
        #else
        #define SHARED
        #define STEP(k) s[t] += s[t + k]; __syncwarp();
        #endif
        template <class T, unsigned B> __device__ __forceinline__ void tail(SHARED T* s, unsigned t)
        {
            if (B >= 64) STEP(32)
            if (B >= 32) STEP(16)
            if (B >= 16) STEP(8)
            if (B >= 8) STEP(4)
            if (B >= 4) STEP(2)
            if (B >= 2) STEP(1)
        }
        // The sixth version of the well-known series: everything unrolled by the size of the block.
        template <class T, unsigned B> __device__ void reduce6(const T* in, T* out, unsigned n)
        {
            extern __shared__ __align__(8) unsigned char raw[];
            T* s = (T*)raw;
            unsigned t = threadIdx.x, i = blockIdx.x * (B * 2) + t, grid = B * 2 * gridDim.x;
            T sum = 0;
            while (i < n) { sum += in[i]; if (i + B < n) sum += in[i + B]; i += grid; }
            s[t] = sum;
            if (t < 32) s[t + B] = 0;
            __syncthreads();
            if (B >= 512) { if (t < 256) s[t] += s[t + 256]; __syncthreads(); }
            if (B >= 256) { if (t < 128) s[t] += s[t + 128]; __syncthreads(); }
            if (B >= 128) { if (t < 64) s[t] += s[t + 64]; __syncthreads(); }
            if (t < 32) tail<T, B>(s, t);
            if (t == 0) out[blockIdx.x] = s[0];
        }
        #define MAKE(B) extern "C" __global__ void ints##B(const int* in, int* out, unsigned n) { reduce6<int, B>(in, out, n); } extern "C" __global__ void doubles##B(const double* in, double* out, unsigned n) { reduce6<double, B>(in, out, n); }
        MAKE(32) MAKE(64) MAKE(128) MAKE(256) MAKE(512)
        """;

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void OfEverySize(string architecture, bool old)
    {
        int[] numbers = [.. Enumerable.Range(0, 5003).Select(i => (i * 7919 % 2001) - 900)];
        foreach (int kind in (int[])[0, 1])
        {
            using DeviceProgram program = new(Source, architecture, old, null, $"-DTAIL={kind}");
            CudaDeviceMemory ints = program.Upload(numbers);
            CudaDeviceMemory doubles = program.Upload([.. numbers.Select(n => n * 0.5)]);
            foreach (int block in (int[])[32, 64, 128, 256, 512])
            {
                CudaDeviceMemory sums = program.Allocate<int>(3);
                program.Launch($"ints{block}", new Dim3(3), new Dim3((uint)block), (block + 32) * 4, ints, sums, numbers.Length);
                Assert.Equal(numbers.Sum(), program.Read<int>(sums).Sum());
                CudaDeviceMemory halves = program.Allocate<double>(3);
                program.Launch($"doubles{block}", new Dim3(3), new Dim3((uint)block), (block + 32) * 8, doubles, halves, numbers.Length);
                Assert.Equal(numbers.Sum() * 0.5, program.Read<double>(halves).Sum());
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void PlainAccessesRace(int kind)
    {
        // Even a __syncwarp after each step leaves the read of one lane and the write of another in the same step.
        using DeviceProgram program = new(Source, "sm_75", false, null, $"-DTAIL={kind}");
        CudaDeviceMemory sums = program.Allocate<int>(1);
        Violation violation = program.Fails(() =>
            program.Launch("ints64", new Dim3(1), new Dim3(64), 96 * 4, program.Upload(new int[128]), sums, 128)
        );
        Assert.Equal(ViolationKind.Race, violation.Kind);
        Assert.Contains("__syncwarp()", violation.Text, StringComparison.Ordinal);
    }
}
