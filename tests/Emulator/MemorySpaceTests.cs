using System.Numerics;
using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>Local, shared, constant, parameter and global memory, generic addresses, and accesses of every width.</summary>
public unsafe class MemorySpaceTests
{
    [Theory]
    [InlineData("sm_70", true)]
    [InlineData("sm_90", false)]
    public void LocalArraysAreEachThreadsOwn(string architecture, bool old)
    {
        using DeviceProgram program = new("""
            struct Point { double x; short y; char z[3]; };
            extern "C" __global__ void locals(const int* keys, int* out)
            {
                int t = blockIdx.x * blockDim.x + threadIdx.x;
                int values[37]; unsigned char bytes[13]; Point points[5];
                for (int i = 0; i < 37; i++) values[i] = i * t;
                for (int i = 0; i < 13; i++) bytes[i] = (unsigned char)(t + i);
                for (int i = 0; i < 5; i++) { points[i].x = t * 0.5 + i; points[i].y = (short)(t - i); for (int j = 0; j < 3; j++) points[i].z[j] = (char)(i * 3 + j); }
                int k = keys[t];
                out[t] = values[k % 37] + bytes[k % 13] + (int)(2 * points[k % 5].x) + points[k % 5].y + points[k % 5].z[k % 3];
            }
            """, architecture, old);
        int[] keys = [.. Enumerable.Range(0, 128).Select(i => i * 71 % 997)];
        CudaDeviceMemory output = program.Allocate<int>(128);
        program.Launch("locals", 2, 64, program.Upload(keys), output);
        int Expected(int t, int k) => (k % 37 * t) + (byte)(t + (k % 13)) + t + (2 * (k % 5)) + t - (k % 5) + (k % 5 * 3) + (k % 3);
        Assert.Equal(keys.Select((k, t) => Expected(t, k)), program.Read<int>(output));
        Assert.True(program.Launches[0].Counters.LocalAccesses > 0);
    }

    [Fact]
    public void SharedMemoryOfBothSorts()
    {
        using DeviceProgram program = new("""
            __device__ int* pick(int* a, int* b, int which) { return which ? a : b; }
            extern "C" __global__ void both(int* out, int n)
            {
                __shared__ int fixed[64];
                __shared__ double wide[3];
                extern __shared__ __align__(16) unsigned char raw[];
                int* ints = (int*)raw; short* shorts = (short*)(ints + n); float4* quads = (float4*)(raw + ((n * 6 + 15) & ~15));
                int t = threadIdx.x;
                fixed[t] = t * 3;
                if (t < n) { ints[t] = t * 5; shorts[t] = (short)(t * 7); quads[t] = make_float4(t, t + 1, t + 2, t + 3); }
                if (t < 3) wide[t] = t + 0.25;
                __syncthreads();
                int r = (t + 1) % n, *p = pick(fixed, ints, t & 1);
                float4 q = quads[r];
                out[t] = p[r] + shorts[r] + (int)(q.x + q.y + q.z + q.w) + (int)(4 * wide[t % 3]);
            }
            """);
        CudaDeviceMemory output = program.Allocate<int>(64);
        const int N = 33;
        program.Launch("both", new Dim3(1), new Dim3(64), (((N * 6) + 15) & ~15) + (16 * N), output, N);
        int Expected(int t)
        {
            int r = (t + 1) % N;
            return (r * (t % 2 == 1 ? 3 : 5)) + (r * 7) + (4 * r) + 6 + (4 * (t % 3)) + 1;
        }

        Assert.Equal(Enumerable.Range(0, 64).Select(Expected), program.Read<int>(output));
    }

    [Fact]
    public void VariablesOfAModule()
    {
        using DeviceProgram program = new("""
            extern "C" {
            __constant__ float table[16]; __constant__ int offsets[4] = { 3, 1, 4, 1 }; __constant__ struct { double scale; short add; } setting;
            __device__ int counter = 7; __device__ float results[32]; __device__ const char* word = "emulator"; __device__ int* link = &counter;
            __global__ void use(int* letters)
            {
                int t = threadIdx.x;
                results[t] = table[(t + offsets[t & 3]) & 15] * (float)setting.scale + setting.add;
                if (t == 0) *link += 5;
                if (t < 8) letters[t] = word[t];
            }
            }
            """);
        void Set<T>(string name, params T[] values)
            where T : unmanaged
        {
            (ulong address, long bytes) = program.Module.Global(name);
            Assert.Equal(values.Length * sizeof(T), bytes);
            fixed (T* from = values)
            {
                program.Stream.CopyToDevice((nint)from, address, bytes);
            }
        }

        float[] table = [.. Enumerable.Range(0, 16).Select(i => i * i * 0.5f)];
        Set("table", table);
        byte[] setting = new byte[16];
        BitConverter.TryWriteBytes(setting, 1.5);
        BitConverter.TryWriteBytes(setting.AsSpan(8), (short)-20);
        Set("setting", setting);
        CudaDeviceMemory letters = program.Allocate<int>(8);
        program.Launch("use", 1, 32, letters);
        float[] results = new float[32];
        int counter = 0;
        fixed (float* to = results)
        {
            program.Stream.CopyToHost(program.Module.Global("results").Address, (nint)to, 128);
            program.Stream.CopyToHost(program.Module.Global("counter").Address, (nint)(&counter), 4);
            program.Stream.Synchronize();
        }

        int[] offsets = [3, 1, 4, 1];
        Assert.Equal(Enumerable.Range(0, 32).Select(t => (table[(t + offsets[t & 3]) & 15] * 1.5f) - 20), results);
        Assert.Equal(12, counter);
        Assert.Equal("emulator", string.Concat(program.Read<int>(letters).Select(c => (char)c)));
    }

    [Fact]
    public void VectorsOfEveryType()
    {
        (string Type, int Bytes, int Count)[] vectors =
        [
            ("char2", 1, 2),
            ("uchar4", 1, 4),
            ("short2", 2, 2),
            ("ushort4", 2, 4),
            ("int2", 4, 2),
            ("uint4", 4, 4),
            ("longlong2", 8, 2),
            ("float2", 4, 2),
            ("float4", 4, 4),
            ("double2", 8, 2),
        ];
        string source = string.Concat(
            vectors.Select(v =>
                $$"""
                    extern "C" __global__ void turn_{{v.Type}}(const {{v.Type}}* in, {{v.Type}}* out, int n)
                    {
                        __shared__ {{v.Type}} s[64];
                        int t = threadIdx.x;
                        if (t < n) s[t] = in[t];
                        __syncthreads();
                        if (t < n) { {{v.Type}} v = s[n - 1 - t]; {{(
                        v.Count == 2 ? "auto x = v.x; v.x = v.y; v.y = x;" : "auto x = v.x; v.x = v.w; v.w = x; x = v.y; v.y = v.z; v.z = x;"
                    )}} out[t] = v; }
                    }

            """));
        using DeviceProgram program = new(source);
        foreach ((string type, int bytes, int count) in vectors)
        {
            byte[] values = new byte[61 * bytes * count];
            new Random(3).NextBytes(values);
            CudaDeviceMemory output = program.Allocate<byte>(values.Length);
            program.Launch("turn_" + type, 1, 64, program.Upload(values), output, 61);

            // Vectors and their elements turned round: all elements in reverse order.
            byte[] expected = [.. values.Chunk(bytes).Reverse().SelectMany(e => e)];
            Assert.Equal(expected, program.Read<byte>(output));
            Assert.Equal(61 * bytes * count, program.Launches[^1].Counters.GlobalBytesRead);
        }
    }

    [Fact]
    public void GenericAddresses()
    {
        using DeviceProgram program = new("""
            __constant__ int constant = 1000;
            __device__ int global_value = 100;
            __device__ __noinline__ int space(const void* p)
            {
                unsigned g, s, l, c;
                asm("{ .reg .pred p; isspacep.global p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(g) : "l"(p));
                asm("{ .reg .pred p; isspacep.shared p, %1; selp.u32 %0, 2, 0, p; }" : "=r"(s) : "l"(p));
                asm("{ .reg .pred p; isspacep.local p, %1; selp.u32 %0, 4, 0, p; }" : "=r"(l) : "l"(p));
                asm("{ .reg .pred p; isspacep.const p, %1; selp.u32 %0, 8, 0, p; }" : "=r"(c) : "l"(p));
                return g | s | l | c;
            }
            extern "C" __global__ void generic(int* out, int k)
            {
                __shared__ int shared;
                int local[4] = { 1, 2, 3, 4 }, t = threadIdx.x;
                if (t == 0) shared = 10;
                __syncthreads();
                const int* places[4] = { &local[k & 3], &shared, &global_value, &constant };
                int sum = 0;
                for (int i = 0; i < 4; i++) sum += *places[(i + t) & 3];
                out[5 * t] = sum;
                for (int i = 0; i < 4; i++) out[5 * t + 1 + i] = space(places[i]);
                unsigned long long window; int back;
                asm volatile("{ .reg .u64 a; cvta.to.shared.u64 a, %2; mov.u64 %0, a; ld.shared.s32 %1, [a]; }" : "=l"(window), "=r"(back) : "l"(&shared));
                out[5 * t] += back;
                __syncthreads();
                atomicAdd((int*)places[1 + (t & 1)], 0);
            }
            """);
        CudaDeviceMemory output = program.Allocate<int>(5 * 32);
        program.Launch("generic", 1, 32, output, 2);
        Assert.Equal(Enumerable.Repeat<int[]>([1113 + 10, 4, 2, 1, 8], 32).SelectMany(x => x), program.Read<int>(output));
    }

    [Fact]
    public void CachedAndVolatileAccesses()
    {
        string[] loads =
        [
            "ld.global.ca",
            "ld.global.cg",
            "ld.global.cs",
            "ld.global.lu",
            "ld.global.cv",
            "ld.volatile.global",
            "ld.global.nc",
            "ld.global.L1::no_allocate",
            "ld.global.nc.L1::evict_last",
            "ld.global.L2::128B",
            "ld.relaxed.gpu.global",
            "ld.acquire.sys.global",
            "ld.volatile",
        ];
        string[] stores =
        [
            "st.global.wb",
            "st.global.cg",
            "st.global.cs",
            "st.global.wt",
            "st.volatile.global",
            "st.relaxed.gpu.global",
            "st.release.gpu.global",
            "st.global.L1::no_allocate",
            "st.volatile",
        ];
        string source =
            "extern \"C\" __global__ void all(const int* in, int* out) { int t = threadIdx.x, v, s = __ldg(in + t);\n"
            + string.Concat(loads.Select(l => $"    asm volatile(\"{l}.s32 %0, [%1];\" : \"=r\"(v) : \"l\"(in + t)); s += v;\n"))
            + string.Concat(
                stores.Select((l, k) => $"    asm volatile(\"{l}.s32 [%0], %1;\" :: \"l\"(out + {k} * 32 + t), \"r\"(s + {k}) : \"memory\");\n")
            )
            + "    asm volatile(\"prefetch.global.L2 [%0];\" :: \"l\"(in)); }\n";
        using DeviceProgram program = new(source);
        int[] values = [.. Enumerable.Range(0, 32).Select(i => i * 11)];
        CudaDeviceMemory output = program.Allocate<int>(32 * stores.Length);
        program.Launch("all", 1, 32, program.Upload(values), output);
        int[] got = program.Read<int>(output);
        Assert.Equal(Enumerable.Range(0, stores.Length).SelectMany(k => values.Select(v => (v * (loads.Length + 1)) + k)), got);
        Assert.Equal(loads.Length + 1, program.Launches[0].Counters.GlobalRequests - stores.Length);
    }

    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    private struct Odd
    {
        public byte First;
        public double Real;
        public short Small;
        public Vector4 Quad;
        public ulong Pointer;
    }

    [Fact]
    public void StructsAndUnionsByValue()
    {
        using DeviceProgram program = new("""
            struct Odd { unsigned char first; double real; short small; float quad[4]; int* pointer; };
            union Either { float f; unsigned u; unsigned char bytes[4]; };
            __device__ __noinline__ Odd doubled(Odd o, int by) { o.real *= by; for (int i = 0; i < 4; i++) o.quad[i] += by; o.small = -o.small; return o; }
            extern "C" __global__ void take(const Odd o, Either e, char tail)
            {
                int t = threadIdx.x;
                Odd twice = doubled(o, t);
                e.bytes[t & 3] ^= 0x80;
                o.pointer[t] = o.first + (int)twice.real + twice.small + (int)twice.quad[t & 3] + (int)(e.u >> 24) + tail;
            }
            """);
        CudaDeviceMemory output = program.Allocate<int>(32);
        Odd odd = new() { First = 200, Real = 1.5, Small = 300, Quad = new Vector4(1, 2, 3, 4), Pointer = output.Address };
        program.Launch("take", 1, 32, odd, 1.0f, (sbyte)-3);
        Assert.Equal(
            Enumerable.Range(0, 32).Select(t => 200 + (int)(1.5 * t) - 300 + 1 + (t & 3) + t + ((t & 3) == 3 ? 0xBF : 0x3F) - 3),
            program.Read<int>(output)
        );
    }

    [Fact]
    public void EndlessRecursionIsNamed()
    {
        using DeviceProgram program = new("""
            __device__ __noinline__ int odd(int n, int* p); 
            __device__ __noinline__ int even(int n, int* p) { return n == 0 ? 1 : odd(n - 1, p) ^ *p; }
            __device__ __noinline__ int odd(int n, int* p) { return n == 0 ? 0 : even(n - 1, p) ^ *p; }
            extern "C" __global__ void mutual(int* out, int n) { int zero = 0; out[threadIdx.x] = even(n + threadIdx.x, &zero); }
            """);
        CudaDeviceMemory output = program.Allocate<int>(32);
        program.Launch("mutual", 1, 32, output, 10);
        Assert.Equal(Enumerable.Range(0, 32).Select(t => (t + 1) % 2), program.Read<int>(output));
        Assert.Equal(ViolationKind.StackOverflow, program.Fails(() => program.Launch("mutual", 1, 32, output, 1 << 20)).Kind);
    }
}
