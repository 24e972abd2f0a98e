using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>Histograms, locks, compare-and-swap loops, warp-aggregated counters, barriers of the whole grid.</summary>
public class SampleAtomicTests
{
    private const string Source = """
        typedef unsigned char u8; typedef unsigned u32; typedef unsigned long long u64;

        extern "C" __global__ void histogram_global(const u8* in, u32* bins, int n)
        {
            for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) atomicAdd(&bins[in[i]], 1u);
        }

        extern "C" __global__ void histogram_shared(const u8* in, u32* bins, int n)
        {
            __shared__ u32 h[256];
            for (int i = threadIdx.x; i < 256; i += blockDim.x) h[i] = 0;
            __syncthreads();
            for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) atomicAdd(&h[in[i]], 1u);
            __syncthreads();
            for (int i = threadIdx.x; i < 256; i += blockDim.x) if (h[i]) atomicAdd(&bins[i], h[i]);
        }

        // Private counters of one byte per thread, as in the 64-bin histogram sample.
        extern "C" __global__ void histogram_bytes(const u8* in, u32* bins, int n)
        {
            __shared__ u8 h[64 * 64];
            int t = threadIdx.x;
            for (int i = 0; i < 16; i++) ((u32*)h)[t + i * 64] = 0;
            __syncthreads();
            u8* mine = h + t;
            for (int i = t; i < n && i < 64 * 255; i += 64) mine[(in[i] >> 2) * 64]++;
            __syncthreads();
            u32 sum = 0;
            for (int i = 0; i < 64; i++) sum += h[t * 64 + ((i + t) & 63)];
            bins[t] = sum;
        }

        __device__ double add_double(double* p, double v)
        {
            u64* a = (u64*)p;
            u64 old = *a, assumed;
            do { assumed = old; old = atomicCAS(a, assumed, __double_as_longlong(v + __longlong_as_double(assumed))); } while (assumed != old);
            return __longlong_as_double(old);
        }
        __device__ float max_float(float* p, float v)
        {
            int* a = (int*)p;
            int old = *a, assumed;
            do { assumed = old; if (__int_as_float(assumed) >= v) break; old = atomicCAS(a, assumed, __float_as_int(v)); } while (assumed != old);
            return __int_as_float(old);
        }
        extern "C" __global__ void loops(const double* x, double* sum, float* most, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i < n) { add_double(sum, x[i]); max_float(most, (float)x[i]); }
        }

        extern "C" __global__ void mutex_per_block(int* lock, int* counter, int* order)
        {
            __shared__ int slot;
            if (threadIdx.x == 0) {
                while (atomicCAS(lock, 0, 1) != 0) { }
                __threadfence();
                slot = *counter;
                *counter = slot + 1;
                __threadfence();
                atomicExch(lock, 0);
            }
            __syncthreads();
            if (threadIdx.x == 0) order[slot] = blockIdx.x;
        }

        // Every lane of a warp wants the same lock: lanes must make progress while others spin.
        extern "C" __global__ void mutex_per_thread(int* lock, int* counter)
        {
            bool done = false;
            while (!done) {
                if (atomicCAS(lock, 0, 1) == 0) {
                    __threadfence();
                    *counter += 1;
                    __threadfence();
                    atomicExch(lock, 0);
                    done = true;
                }
            }
        }
        extern "C" __global__ void mutex_spinning_lanes(int* lock, int* counter)
        {
            while (atomicCAS(lock, 0, 1) != 0) { }
            __threadfence();
            *counter += 1;
            __threadfence();
            atomicExch(lock, 0);
        }

        extern "C" __global__ void aggregated(const int* in, int* out, int* count, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i < n && in[i] > 0) {
                unsigned active = __activemask();
                int leader = __ffs(active) - 1, rank = __popc(active & ((1u << (threadIdx.x & 31)) - 1)), base = 0;
                if ((threadIdx.x & 31) == leader) base = atomicAdd(count, __popc(active));
                base = __shfl_sync(active, base, leader);
                out[base + rank] = in[i];
            }
        }

        extern "C" __global__ void matched(const int* keys, int* sums, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i >= n) return;
            unsigned peers = __match_any_sync(__activemask(), keys[i]);
            if ((threadIdx.x & 31) == __ffs(peers) - 1) atomicAdd(&sums[keys[i]], __popc(peers));
        }

        // A barrier of the whole grid, and a stencil that steps through it.
        __device__ void grid_barrier(volatile u32* arrived, u32 wanted)
        {
            __syncthreads();
            if (threadIdx.x == 0) {
                __threadfence();
                atomicAdd((u32*)arrived, 1);
                while (*arrived < wanted) { }
                __threadfence();
            }
            __syncthreads();
        }
        extern "C" __global__ void grid_steps(float* a, float* b, u32* arrived, int n, int steps)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            for (int s = 0; s < steps; s++) {
                float* from = s & 1 ? b : a; float* to = s & 1 ? a : b;
                if (i < n) to[i] = (from[i > 0 ? i - 1 : i] + from[i] + from[i < n - 1 ? i + 1 : i]) * 0.25f;
                grid_barrier(arrived, gridDim.x * (s + 1));
            }
        }

        extern "C" __global__ void every_kind(u32* u, int* s, u64* l, float* f, double* d)
        {
            int t = threadIdx.x;
            atomicAdd(&u[0], 3u); atomicSub(&u[1], 1u); atomicMin(&u[2], 100u - t); atomicMax(&u[3], 7u * t); atomicAnd(&u[4], ~(1u << (t & 31))); atomicOr(&u[5], 1u << (t & 31)); atomicXor(&u[6], t);
            atomicInc(&u[7], 9u); atomicDec(&u[8], 9u); atomicExch(&u[9], 5u); atomicCAS(&u[10], t, t + 1);
            atomicMin(&s[0], -t); atomicMax(&s[1], t - 10); atomicAdd(&s[2], -t);
            atomicAdd(&l[0], (u64)t << 33); atomicMax(&l[1], (u64)t << 40); atomicMin(&l[2], ~(u64)t); atomicAnd(&l[3], ~(1ull << t)); atomicOr(&l[4], 1ull << t); atomicXor(&l[5], (u64)t << 20); atomicExch(&l[6], 8ull);
            atomicAdd(&f[0], 0.5f); atomicAdd(&d[0], 0.25);
        }
        """;

    [Theory]
    [InlineData("histogram_global", 7, 192)]
    [InlineData("histogram_shared", 7, 192)]
    public void Histograms(string kernel, int grid, int block)
    {
        using DeviceProgram program = new(Source);
        byte[] bytes = new byte[30_001];
        new Random(3).NextBytes(bytes);
        CudaDeviceMemory bins = program.Upload(new uint[256]);
        program.Launch(kernel, grid, block, program.Upload(bytes), bins, bytes.Length);
        Assert.Equal([.. Enumerable.Range(0, 256).Select(b => (uint)bytes.Count(x => x == b))], program.Read<uint>(bins));
        Assert.True(program.Launches[0].Counters.Atomics >= bytes.Length);
    }

    [Fact]
    public void ByteCounters()
    {
        using DeviceProgram program = new(Source);
        byte[] bytes = new byte[5000];
        new Random(4).NextBytes(bytes);
        CudaDeviceMemory bins = program.Allocate<uint>(64);
        program.Launch("histogram_bytes", 1, 64, program.Upload(bytes), bins, bytes.Length);
        Assert.Equal([.. Enumerable.Range(0, 64).Select(b => (uint)bytes.Count(x => x >> 2 == b))], program.Read<uint>(bins));
    }

    [Fact]
    public void CompareAndSwapLoops()
    {
        using DeviceProgram program = new(Source);
        double[] values = [.. Enumerable.Range(0, 500).Select(i => (double)((i * 37) % 101))];
        CudaDeviceMemory sum = program.Upload(0.0);
        CudaDeviceMemory most = program.Upload(-1f);
        program.Launch("loops", 4, 128, program.Upload(values), sum, most, values.Length);
        Assert.Equal(values.Sum(), program.Read<double>(sum)[0]);
        Assert.Equal(100f, program.Read<float>(most)[0]);
    }

    [Fact]
    public void Locks()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory counter = program.Upload(0);
        CudaDeviceMemory order = program.Allocate<int>(50);
        program.Launch("mutex_per_block", 50, 64, program.Upload(0), counter, order);
        Assert.Equal(50, program.Read<int>(counter)[0]);
        Assert.Equal([.. Enumerable.Range(0, 50)], program.Read<int>(order).Order());
        foreach (string kernel in (string[])["mutex_per_thread", "mutex_spinning_lanes"])
        {
            CudaDeviceMemory each = program.Upload(0);
            program.Launch(kernel, 3, 64, program.Upload(0), each);
            Assert.Equal(192, program.Read<int>(each)[0]);
        }
    }

    [Fact]
    public void WarpAggregation()
    {
        using DeviceProgram program = new(Source);
        int[] values = [.. Enumerable.Range(0, 1000).Select(i => (i * 73 % 19) - 8)];
        CudaDeviceMemory count = program.Upload(0);
        CudaDeviceMemory output = program.Upload(new int[1000]);
        program.Launch("aggregated", 8, 128, program.Upload(values), output, count, values.Length);
        int kept = program.Read<int>(count)[0];
        Assert.Equal(values.Where(v => v > 0).Order(), program.Read<int>(output)[..kept].Order());

        int[] keys = [.. values.Select(v => v & 7)];
        CudaDeviceMemory sums = program.Upload(new int[8]);
        program.Launch("matched", 8, 128, program.Upload(keys), sums, keys.Length);
        Assert.Equal([.. Enumerable.Range(0, 8).Select(k => keys.Count(x => x == k))], program.Read<int>(sums));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void GridBarrier(int workers)
    {
        using DeviceProgram program = new(Source, options: new() { Workers = workers });
        const int Count = 600;
        const int Steps = 6;
        float[] a = [.. Enumerable.Range(0, Count).Select(i => (float)(i % 10))];
        float[] expected = [.. a];
        for (int s = 0; s < Steps; s++)
        {
            expected =
            [
                .. Enumerable.Range(0, Count).Select(i => (expected[i > 0 ? i - 1 : i] + expected[i] + expected[i < Count - 1 ? i + 1 : i]) * 0.25f),
            ];
        }

        CudaDeviceMemory first = program.Upload(a);
        program.Launch("grid_steps", 10, 64, first, program.Allocate<float>(Count), program.Upload(0u), Count, Steps);
        Assert.Equal(expected, program.Read<float>(first));
    }

    [Fact]
    public void EveryKind()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory u = program.Upload<uint>(10, 100, 1000, 3, uint.MaxValue, 0, 0, 0, 0, 0, 0);
        CudaDeviceMemory s = program.Upload(5, -50, 0);
        CudaDeviceMemory l = program.Upload<ulong>(0, 0, ulong.MaxValue, ulong.MaxValue, 0, 0, 0);
        CudaDeviceMemory f = program.Upload(1f);
        CudaDeviceMemory d = program.Upload(1.0);
        program.Launch("every_kind", 1, 64, u, s, l, f, d);
        uint xor = Enumerable.Range(0, 64).Aggregate(0u, (x, t) => x ^ (uint)t);
        ulong shifted = Enumerable.Range(0, 64).Aggregate(0UL, (x, t) => x ^ ((ulong)t << 20));
        Assert.Equal([10 + (3 * 64), 100 - 64, 37, 7 * 63, 0, uint.MaxValue, xor, 64 % 10, 6, 5, 64], program.Read<uint>(u));
        Assert.Equal([-63, 53, -(63 * 64 / 2)], program.Read<int>(s));
        Assert.Equal([(ulong)(63 * 64 / 2) << 33, 63UL << 40, ~63UL, 0, ulong.MaxValue, shifted, 8], program.Read<ulong>(l));
        Assert.Equal(33f, program.Read<float>(f)[0]);
        Assert.Equal(17.0, program.Read<double>(d)[0]);
    }
}
