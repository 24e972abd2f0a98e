using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Threads that wait for each other: lanes of a warp, warps at named barriers, blocks in any order; clocks; and waits that never end.
/// </summary>
public class SampleSchedulingTests
{
    private const string Source = """
        typedef unsigned u32; typedef unsigned long long u64;

        // Each lane waits for its neighbour's flag: the last one starts the chain.
        extern "C" __global__ void chain_of_lanes(volatile int* flags, int* out)
        {
            int t = threadIdx.x;
            if (t < 31) { while (flags[t + 1] == 0) { } }
            __threadfence();
            out[t] = t < 31 ? *(volatile int*)(out + t + 1) + t : 1000;
            __threadfence();
            flags[t] = 1;
        }

        // Each block waits for the one after it.
        extern "C" __global__ void chain_of_blocks(volatile int* flags, volatile int* out)
        {
            int b = blockIdx.x;
            if (threadIdx.x == 0) {
                if (b + 1 < gridDim.x) while (flags[b + 1] == 0) { }
                __threadfence();
                out[b] = b + 1 < gridDim.x ? out[b + 1] * 3 + b : 7;
                __threadfence();
                flags[b] = 1;
            }
        }

        // Four warps make, four use; two named barriers per buffer.
        __device__ void sync(int id, int n) { asm volatile("bar.sync %0, %1;" :: "r"(id), "r"(n) : "memory"); }
        __device__ void arrive(int id, int n) { asm volatile("bar.arrive %0, %1;" :: "r"(id), "r"(n) : "memory"); }
        extern "C" __global__ void producers(const int* in, int* out, int rounds)
        {
            __shared__ int buffer[2][128];
            int t = threadIdx.x;
            if (t < 128) {
                for (int r = 0; r < rounds; r++) {
                    if (r >= 2) sync(3 + (r & 1), 256);
                    buffer[r & 1][t] = in[r * 128 + t] * 2;
                    arrive(1 + (r & 1), 256);
                }
            } else {
                int u = t - 128, sum = 0;
                for (int r = 0; r < rounds; r++) {
                    sync(1 + (r & 1), 256);
                    sum += buffer[r & 1][127 - u];
                    if (r + 2 < rounds) arrive(3 + (r & 1), 256);
                }
                out[u] = sum;
            }
        }

        extern "C" __global__ void counting_barriers(const int* in, int* out)
        {
            int t = threadIdx.x, v = in[t];
            out[4 * t] = __syncthreads_count(v > 0); out[4 * t + 1] = __syncthreads_and(v > -50); out[4 * t + 2] = __syncthreads_or(v == 77);
            if (v < 0) return;
            __syncthreads();
            out[4 * t + 3] = 5;
        }

        // Tiles of four to sixteen lanes, each on its own path.
        extern "C" __global__ void tiles(const int* in, int* out)
        {
            int t = threadIdx.x, lane = t & 31, size = 4 << (t / 32), v = in[t]; u32 mask = (size == 32 ? ~0u : (1u << size) - 1) << (lane & ~(size - 1));
            if ((lane / size) & 1) for (int k = size / 2; k; k >>= 1) v += __shfl_xor_sync(mask, v, k, size);
            else for (int k = 1; k < size; k <<= 1) { int u = __shfl_up_sync(mask, v, k, size); if ((lane & (size - 1)) >= k) v += u; }
            __syncwarp();
            out[t] = v;
        }

        extern "C" __global__ void clocks(u64* out)
        {
            u64 a = clock64(), g, h; u32 c = clock();
            asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(g));
            __nanosleep(100);
            u64 until = clock64() + 500; int spins = 0;
            while (clock64() < until) spins++;
            asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(h));
            if (threadIdx.x == 0) { out[0] = clock64() - a; out[1] = (u32)clock() - c; out[2] = h - g; out[3] = spins; }
        }

        extern "C" __global__ void mbarriers(const float4* in, float* out)
        {
            __shared__ alignas(16) float4 data[64]; __shared__ alignas(8) u64 bar;
            int t = threadIdx.x; u32 at = (u32)__cvta_generic_to_shared(&bar), to = (u32)__cvta_generic_to_shared(&data[t]);
            if (t == 0) asm volatile("mbarrier.init.shared.b64 [%0], 64;" :: "r"(at) : "memory");
            __syncthreads();
            asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" :: "r"(to), "l"(in + t) : "memory");
            asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" :: "r"(at) : "memory");
            u32 done = 0;
            while (!done) asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], 0; selp.u32 %0, 1, 0, p; }" : "=r"(done) : "r"(at) : "memory");
            float4 v = data[63 - t];
            out[t] = v.x + v.y * 10 + v.z * 100 + v.w * 1000;
        }

        extern "C" __global__ void never(volatile int* flag) { while (*flag == 0) { } }
        extern "C" __global__ void crossed(int* out)
        {
            if (threadIdx.x < 32) { sync(1, 64); sync(2, 64); } else { sync(2, 64); sync(1, 64); }
            out[threadIdx.x] = 1;
        }
        """;

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void WaitsThatEnd(string architecture, bool old)
    {
        string source = architecture is "sm_70" or "sm_75"
            ? Source
                .Replace("extern \"C\" __global__ void mbarriers", "#if 0\nextern \"C\" __global__ void mbarriers", StringComparison.Ordinal)
                .Replace("extern \"C\" __global__ void never", "#endif\nextern \"C\" __global__ void never", StringComparison.Ordinal)
            : Source;
        using DeviceProgram program = new(source, architecture, old);
        CudaDeviceMemory output = program.Allocate<int>(32);
        program.Launch("chain_of_lanes", 1, 32, program.Upload(new int[32]), output);
        Assert.Equal(Enumerable.Range(0, 32).Select(t => 1000 + Enumerable.Range(t, 31 - t).Sum()), program.Read<int>(output));

        output = program.Allocate<int>(13);
        program.Launch("chain_of_blocks", 13, 32, program.Upload(new int[13]), output);
        int[] blocks = program.Read<int>(output);
        Assert.Equal(7, blocks[12]);
        Assert.All(Enumerable.Range(0, 12), b => Assert.Equal((blocks[b + 1] * 3) + b, blocks[b]));

        int[] numbers = [.. Enumerable.Range(0, 9 * 128).Select(i => i * 13 % 101)];
        output = program.Allocate<int>(128);
        program.Launch("producers", 1, 256, program.Upload(numbers), output, 9);
        Assert.Equal(
            Enumerable.Range(0, 128).Select(u => Enumerable.Range(0, 9).Sum(r => 2 * numbers[(r * 128) + 127 - u])),
            program.Read<int>(output)
        );

        int[] signs = [.. Enumerable.Range(0, 96).Select(i => i % 5 == 0 ? -i : i)];
        output = program.Upload(new int[4 * 96]);
        program.Launch("counting_barriers", 1, 96, program.Upload(signs), output);
        Assert.Equal(signs.SelectMany(v => (int[])[signs.Count(w => w > 0), 0, 1, v < 0 ? 0 : 5]), program.Read<int>(output));

        int[] lanes = [.. Enumerable.Range(0, 96).Select(i => i * i % 23)];
        output = program.Allocate<int>(96);
        program.Launch("tiles", 1, 96, program.Upload(lanes), output);
        Assert.Equal(Enumerable.Range(0, 96).Select(t =>
        {
            int size = 4 << (t / 32);
            int first = t / size * size;
            return (t % 32 / size) % 2 == 1 ? lanes[first..(first + size)].Sum() : lanes[first..(t + 1)].Sum();
        }), program.Read<int>(output));

        output = program.Allocate<ulong>(4);
        program.Launch("clocks", 1, 64, output);
        ulong[] times = program.Read<ulong>(output);
        Assert.True(
            times[0] is >= 500 and < 100_000 && times[1] is >= 500 and < 100_000 && times[2] < 10_000_000_000 && times[3] > 0,
            string.Join(' ', times)
        );

        if (source == Source)
        {
            float[] quads = [.. Enumerable.Range(0, 256).Select(i => (float)(i % 10))];
            output = program.Allocate<float>(64);
            program.Launch("mbarriers", 1, 64, program.Upload(quads), output);
            Assert.Equal(
                Enumerable
                    .Range(0, 64)
                    .Select(t => 63 - t)
                    .Select(t => quads[4 * t] + (10 * quads[(4 * t) + 1]) + (100 * quads[(4 * t) + 2]) + (1000 * quads[(4 * t) + 3])),
                program.Read<float>(output)
            );
        }
    }

    [Theory]
    [InlineData("never", ViolationKind.InstructionLimit)]
    [InlineData("crossed", ViolationKind.DivergentBarrier)]
    public void WaitsThatDoNot(string kernel, ViolationKind kind)
    {
        using DeviceProgram program = new(Source, options: new EmulatorOptions { InstructionLimit = 200_000 });
        Assert.Equal(kind, program.Fails(() => program.Launch(kernel, 2, 64, program.Upload(new int[64]))).Kind);
    }
}
