using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Programs of other kinds: sorting, n-body, Mandelbrot, recursion, calls through pointers, switches, dynamic shared memory, printf, 16-bit floats,
/// device-side allocation.
/// </summary>
public class SampleProgramTests
{
    [Fact]
    public void BitonicSort()
    {
        using DeviceProgram program = new("""
            extern "C" __global__ void sort_block(int* a, int n)
            {
                extern __shared__ int s[];
                int t = threadIdx.x;
                s[t] = a[t]; s[t + blockDim.x] = a[t + blockDim.x];
                for (int size = 2; size <= n; size *= 2)
                    for (int stride = size / 2; stride > 0; stride /= 2) {
                        __syncthreads();
                        int i = 2 * t - (t & (stride - 1));
                        bool up = (i & size) == 0;
                        if ((s[i] > s[i + stride]) == up) { int x = s[i]; s[i] = s[i + stride]; s[i + stride] = x; }
                    }
                __syncthreads();
                a[t] = s[t]; a[t + blockDim.x] = s[t + blockDim.x];
            }
            extern "C" __global__ void sort_step(float* a, int j, int k)
            {
                int i = blockIdx.x * blockDim.x + threadIdx.x, other = i ^ j;
                if (other > i && (a[i] > a[other]) == ((i & k) == 0)) { float x = a[i]; a[i] = a[other]; a[other] = x; }
            }
            """);
        Random random = new(9);
        int[] values = [.. Enumerable.Range(0, 512).Select(_ => random.Next())];
        CudaDeviceMemory memory = program.Upload(values);
        program.Launch("sort_block", new Dim3(1), new Dim3(256), 512 * sizeof(int), memory, 512);
        Assert.Equal(values.Order(), program.Read<int>(memory));
        float[] floats = [.. Enumerable.Range(0, 2048).Select(_ => random.NextSingle())];
        CudaDeviceMemory global = program.Upload(floats);
        for (int k = 2; k <= floats.Length; k *= 2)
        {
            for (int j = k / 2; j > 0; j /= 2)
            {
                program.Launch("sort_step", 16, 128, global, j, k);
            }
        }

        Assert.Equal(floats.Order(), program.Read<float>(global));
    }

    [Fact]
    public void NBody()
    {
        using DeviceProgram program = new("""
            extern "C" __global__ void forces(const float4* p, float3* f, int n)
            {
                extern __shared__ float4 tile[];
                int i = blockIdx.x * blockDim.x + threadIdx.x;
                float4 me = p[i];
                float3 a = {0, 0, 0};
                for (int k = 0; k < n; k += blockDim.x) {
                    tile[threadIdx.x] = p[k + threadIdx.x];
                    __syncthreads();
            #pragma unroll 4
                    for (int j = 0; j < blockDim.x; j++) {
                        float4 o = tile[j];
                        float x = o.x - me.x, y = o.y - me.y, z = o.z - me.z, d = x * x + y * y + z * z + 0.01f, r = rsqrtf(d), w = o.w * r * r * r;
                        a.x += x * w; a.y += y * w; a.z += z * w;
                    }
                    __syncthreads();
                }
                f[i] = a;
            }
            """);
        Random random = new(10);
        const int Count = 256;
        float[] bodies = [.. Enumerable.Range(0, 4 * Count).Select(_ => random.NextSingle())];
        CudaDeviceMemory output = program.Allocate<float>(3 * Count);
        program.Launch("forces", new Dim3(Count / 64), new Dim3(64), 64 * 16, program.Upload(bodies), output, Count);
        float[] got = program.Read<float>(output);
        for (int i = 0; i < Count; i++)
        {
            double[] force = new double[3];
            for (int j = 0; j < Count; j++)
            {
                double[] d = [.. Enumerable.Range(0, 3).Select(c => (double)bodies[(4 * j) + c] - bodies[(4 * i) + c])];
                double w = bodies[(4 * j) + 3] / Math.Pow(d.Sum(x => x * x) + 0.01, 1.5);
                for (int c = 0; c < 3; c++)
                {
                    force[c] += d[c] * w;
                }
            }

            for (int c = 0; c < 3; c++)
            {
                Assert.Equal(force[c], got[(3 * i) + c], 1e-3 * (1 + Math.Abs(force[c])));
            }
        }
    }

    [Fact]
    public void Mandelbrot()
    {
        using DeviceProgram program = new("""
            extern "C" __global__ void mandelbrot(int* out, int w, int h, double x0, double y0, double step)
            {
                int i = blockIdx.x * blockDim.x + threadIdx.x, j = blockIdx.y * blockDim.y + threadIdx.y;
                if (i >= w || j >= h) return;
                double cx = x0 + i * step, cy = y0 + j * step, x = 0, y = 0;
                int n = 0;
                while (n < 200 && __dadd_rn(__dmul_rn(x, x), __dmul_rn(y, y)) <= 4) {
                    double t = __dadd_rn(__dsub_rn(__dmul_rn(x, x), __dmul_rn(y, y)), cx);
                    y = __dadd_rn(__dmul_rn(__dmul_rn(2, x), y), cy);
                    x = t;
                    n++;
                }
                out[j * w + i] = n;
            }
            """, compilerOptions: "-fmad=false");
        (int width, int height) = (61, 43);
        CudaDeviceMemory output = program.Allocate<int>(width * height);
        program.Launch("mandelbrot", new Dim3(4, 6), new Dim3(16, 8), 0, output, width, height, -2.0, -1.25, 0.05);
        int[] got = program.Read<int>(output);
        for (int k = 0; k < got.Length; k++)
        {
            (double cx, double cy) = (-2.0 + (k % width * 0.05), -1.25 + (k / width * 0.05));
            (double x, double y, int n) = (0, 0, 0);
            while (n < 200 && (x * x) + (y * y) <= 4)
            {
                (x, y) = ((x * x) - (y * y) + cx, (2 * x * y) + cy);
                n++;
            }

            Assert.Equal(n, got[k]);
        }

        Assert.True(program.Launches[0].Counters.DivergentBranches > 50);
    }

    [Fact]
    public void RecursionPointersAndSwitches()
    {
        using DeviceProgram program = new("""
            __device__ __noinline__ int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
            __device__ __noinline__ int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
            __device__ __noinline__ long long depth(int n, int* seen) { int mine[4]; mine[n & 3] = n; *seen += mine[n & 3]; return n == 0 ? 0 : 1 + depth(n - 1, seen); }
            typedef int (*op)(int, int);
            __device__ int plus(int a, int b) { return a + b; } __device__ int minus(int a, int b) { return a - b; } __device__ int times(int a, int b) { return a * b; }
            __device__ op ops[3] = { plus, minus, times };
            struct Shape { __device__ virtual float area() const = 0; };
            struct Square : Shape { float s; __device__ Square(float x) : s(x) {} __device__ float area() const override { return s * s; } };
            struct Circle : Shape { float r; __device__ Circle(float x) : r(x) {} __device__ float area() const override { return 3 * r * r; } };
            extern "C" __global__ void calls(int* f, int* a, long long* d, int* p, float* v)
            {
                int t = threadIdx.x, seen = 0;
                f[t] = fib(t % 11);
                a[t] = ackermann(t % 3, t % 4);
                d[t] = depth(t, &seen) * 1000 + seen;
                p[t] = ops[t % 3](t, 5);
                Square s(t); Circle c(t);
                const Shape* shape = t & 1 ? (const Shape*)&s : &c;
                v[t] = shape->area();
            }
            extern "C" __global__ void choose(const int* k, int* out, int n)
            {
                int i = threadIdx.x, r;
                if (i >= n) return;
                switch (k[i]) {
                    case 0: r = n * 3; break;  case 1: r = n / 3; break;  case 2: r = n % 7; break;  case 3: r = n ^ 21; break;
                    case 4: r = n << 3; break; case 5: r = -n; break;     case 6: r = n * n; break;  case 7: r = ~n; break;
                    case 8: r = n | 64; break; case 9: r = n & 12; break; case 10: r = n >> 2; break; case 11: r = 1000 - n; break;
                    default: r = -1;
                }
                out[i] = r;
            }
            """);
        CudaDeviceMemory f = program.Allocate<int>(64);
        CudaDeviceMemory a = program.Allocate<int>(64);
        CudaDeviceMemory d = program.Allocate<long>(64);
        CudaDeviceMemory p = program.Allocate<int>(64);
        CudaDeviceMemory v = program.Allocate<float>(64);
        program.Launch("calls", 1, 64, f, a, d, p, v);
        int Fib(int n) => n < 2 ? n : Fib(n - 1) + Fib(n - 2);
        int Ackermann(int m, int n) => m == 0 ? n + 1 : n == 0 ? Ackermann(m - 1, 1) : Ackermann(m - 1, Ackermann(m, n - 1));
        int[] each = [.. Enumerable.Range(0, 64)];
        Assert.Equal(each.Select(t => Fib(t % 11)), program.Read<int>(f));
        Assert.Equal(each.Select(t => Ackermann(t % 3, t % 4)), program.Read<int>(a));
        Assert.Equal(each.Select(t => (t * 1000L) + (t * (t + 1) / 2)), program.Read<long>(d));
        Assert.Equal(each.Select(t => t % 3 == 0 ? t + 5 : t % 3 == 1 ? t - 5 : t * 5), program.Read<int>(p));
        Assert.Equal(each.Select(t => (t % 2 == 1 ? 1f : 3f) * t * t), program.Read<float>(v));
        int[] keys = [.. each.Select(t => t % 14)];
        CudaDeviceMemory chosen = program.Allocate<int>(64);
        program.Launch("choose", 1, 64, program.Upload(keys), chosen, 50);
        const int N = 50;
        int[] results = [N * 3, N / 3, N % 7, N ^ 21, N << 3, -N, N * N, ~N, N | 64, N & 12, N >> 2, 1000 - N, -1, -1];
        Assert.Equal(keys[..N].Select(k => results[k]), program.Read<int>(chosen, N));
    }

    [Fact]
    public void Printf()
    {
        using StringWriter output = new() { NewLine = "\n" };
        using DeviceProgram program = new("""
            extern "C" __device__ int printf(const char*, ...);
            extern "C" __global__ void hello(int a)
            {
                if (threadIdx.x == 3) printf("t %d %5d|%-4d|%04x %u %lld %c %s %.3f %8.2e %g 100%%\n", threadIdx.x, a, 7, 255, 4000000000u, -5000000000ll, 'x', "text", 1.5f * a, 12345.678, 0.0001);
                if (threadIdx.x < 2) printf("lane %i %+.1f\n", threadIdx.x, threadIdx.x * 0.5);
            }
            """, options: new EmulatorOptions { Output = output });
        program.Launch("hello", 1, 32, 42);
        program.Stream.Synchronize();
        Assert.Contains(
            "t 3    42|7   |00ff 4000000000 -5000000000 x text 63.000 1.23e+04 0.0001 100%\n",
            output.ToString(),
            StringComparison.Ordinal
        );
        Assert.Contains("lane 0 +0.0\nlane 1 +0.5\n", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Assertions()
    {
        using DeviceProgram program = new("""
            extern "C" __global__ void check(const int* p) { if (p[threadIdx.x] < 0) __assertfail("p >= 0", "check.cu", 17, "check", 1); }
            """);
        int[] values = new int[32];
        values[13] = -1;
        Violation violation = program.Fails(() => program.Launch("check", 1, 32, program.Upload(values)));
        Assert.Equal((ViolationKind.Assertion, 13u), (violation.Kind, violation.Thread.X));
        Assert.Contains("«p >= 0» of check.cu:17", violation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void HalvesByInlinePtx()
    {
        using DeviceProgram program = new("""
            typedef unsigned short u16; typedef unsigned u32;
            __device__ u16 h(float x) { u16 r; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(x)); return r; }
            __device__ float f(u16 x) { float r; asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x)); return r; }
            extern "C" __global__ void halves(const float* a, const float* b, float* out, int n)
            {
                int i = threadIdx.x;
                if (i >= n) return;
                u16 x = h(a[i]), y = h(b[i]), s, p, m; u32 v = x | (u32)y << 16, w = y | (u32)x << 16, q;
                asm("add.f16 %0, %1, %2;" : "=h"(s) : "h"(x), "h"(y));
                asm("mul.f16 %0, %1, %2;" : "=h"(p) : "h"(x), "h"(y));
                asm("fma.rn.f16 %0, %1, %2, %1;" : "=h"(m) : "h"(x), "h"(y));
                asm("fma.rn.f16x2 %0, %1, %2, %2;" : "=r"(q) : "r"(v), "r"(w));
                out[5 * i] = f(s); out[5 * i + 1] = f(p); out[5 * i + 2] = f(m); out[5 * i + 3] = f((u16)q); out[5 * i + 4] = f((u16)(q >> 16));
            }
            """);
        float[] a = [1, 0.1f, -3.3f, 1e-6f, 60000, 0.333f, 2048, -0f, 5e-8f];
        float[] b = [2, 0.2f, 7.7f, 3e-6f, 60000, -0.333f, 1, 0f, 1f];
        CudaDeviceMemory output = program.Allocate<float>(5 * a.Length);
        program.Launch("halves", 1, 32, program.Upload(a), program.Upload(b), output, a.Length);
        float[] got = program.Read<float>(output);
        for (int i = 0; i < a.Length; i++)
        {
            double x = (double)(Half)a[i];
            double y = (double)(Half)b[i];
            Assert.Equal(
                [(float)(Half)(x + y), (float)(Half)(x * y), (float)(Half)((x * y) + x), (float)(Half)((x * y) + y), (float)(Half)((y * x) + x)],
                got[(5 * i)..((5 * i) + 5)]
            );
        }
    }

    [Fact]
    public void DeviceSideAllocation()
    {
        using DeviceProgram program = new("""
            extern "C" __global__ void lists(int* out)
            {
                int t = threadIdx.x, n = t % 5 + 1;
                int* p = new int[n];
                for (int i = 0; i < n; i++) p[i] = i + t;
                int sum = 0;
                for (int i = 0; i < n; i++) sum += p[i];
                delete[] p;
                out[t] = sum;
            }
            """);
        CudaDeviceMemory output = program.Allocate<int>(32);
        program.Launch("lists", 1, 32, output);
        Assert.Equal(Enumerable.Range(0, 32).Select(t => Enumerable.Range(0, (t % 5) + 1).Sum(i => i + t)), program.Read<int>(output));
    }
}
