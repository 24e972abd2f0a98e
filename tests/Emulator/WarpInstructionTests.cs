using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>Shuffles, votes, matches, reductions of a warp, named barriers, reductions at barriers, separated lanes that meet again.</summary>
public class WarpInstructionTests
{
    private const string Source = """
        extern "C" __global__ void shuffles(const int* in, int* out, int width, int by)
        {
            int t = threadIdx.x, v = in[t];
            out[t] = __shfl_up_sync(~0u, v, by, width);
            out[32 + t] = __shfl_down_sync(~0u, v, by, width);
            out[64 + t] = __shfl_xor_sync(~0u, v, by, width);
            out[96 + t] = __shfl_sync(~0u, v, by + t, width);
            long long w = ((long long)v << 32) | (unsigned)(v * 7);
            out[128 + t] = (int)(__shfl_xor_sync(~0u, w, 3) >> 32);
            int good;
            asm volatile("{ .reg .pred p; shfl.sync.down.b32 %0|p, %1, 5, 31, -1; selp.b32 %0, %0, -1, p; }" : "=r"(good) : "r"(v));
            out[160 + t] = good;
        }

        extern "C" __global__ void votes(const int* in, unsigned* out)
        {
            int t = threadIdx.x, v = in[t];
            out[t] = __ballot_sync(~0u, v > 3);
            out[32 + t] = __all_sync(~0u, v >= 0) | __all_sync(~0u, v > 3) << 1 | __any_sync(~0u, v > 100) << 2 | __any_sync(~0u, v == 5) << 3;
            int uni; asm volatile("{ .reg .pred p, q; setp.gt.s32 p, %1, 1000; vote.sync.uni.pred q, p, -1; selp.b32 %0, 1, 0, q; }" : "=r"(uni) : "r"(v));
            out[64 + t] = uni;
            out[96 + t] = __match_any_sync(~0u, v & 3);
            int same; out[128 + t] = __match_all_sync(~0u, v >> 20, &same) + same;
            out[160 + t] = __match_all_sync(~0u, v & 1, &same) + same;
            out[192 + t] = t < 20 ? __ballot_sync(0xfffffu, v & 1) : 0;
        }

        extern "C" __global__ void reductions(const int* in, int* out)
        {
            int t = threadIdx.x, v = in[t];
            out[t] = __reduce_add_sync(~0u, v); out[32 + t] = __reduce_min_sync(~0u, v); out[64 + t] = __reduce_max_sync(~0u, v);
            out[96 + t] = __reduce_and_sync(~0u, (unsigned)v | 16); out[128 + t] = __reduce_or_sync(~0u, (unsigned)v); out[160 + t] = __reduce_xor_sync(~0u, (unsigned)v);
            out[192 + t] = __reduce_add_sync(t & 1 ? 0xaaaaaaaau : 0x55555555u, v);
        }

        extern "C" __global__ void barriers(int* out, int n)
        {
            int t = threadIdx.x;
            out[t] = __syncthreads_count(t < n) * 4 + __syncthreads_and(t < n) * 2 + __syncthreads_or(t == n);
            __shared__ int box[64];
            // Two warps hand numbers to two others through named barriers.
            if (t < 64) { for (int i = 0; i < 4; i++) { asm volatile("bar.sync 1, 128;" ::: "memory"); box[t] = t * 10 + i; asm volatile("bar.arrive 2, 128;" ::: "memory"); } }
            else { int sum = 0; for (int i = 0; i < 4; i++) { asm volatile("bar.arrive 1, 128;" ::: "memory"); asm volatile("bar.sync 2, 128;" ::: "memory"); sum += box[t - 64]; } out[t + 64] = sum; }
        }

        extern "C" __global__ void paths(const int* in, int* out, int n)
        {
            int t = blockIdx.x * blockDim.x + threadIdx.x;
            if (t >= n) return;
            int v = in[t], r = 0;
            if (v % 2) { if (v % 3) r += 1; else { r += 10; if (v % 5 == 0) { out[t] = 1000; return; } } }
            else for (int i = 0; i < v % 7; i++) { if (i == 4) continue; r += i; if (r > 8) break; }
            r += __popc(__activemask()) > 0;
            for (int i = v; i > 1; i = i % 2 ? 3 * i + 1 : i / 2) r++;
            out[t] = r;
        }

        extern "C" __global__ void partial(int* out)
        {
            __shared__ int s[64];
            int t = threadIdx.x, half = t & 16;
            // Each half of the warp exchanges on its own, with its own mask.
            unsigned mask = 0xffffu << half;
            s[t] = t;
            __syncwarp(mask);
            int v = s[t ^ 5];
            __syncwarp(mask);
            s[t] = v + 1;
            __syncwarp(mask);
            out[t] = s[t ^ 3];
            __syncwarp(mask);
            if (t < 8) { s[t] = t; __syncwarp(0xffu); out[t] += s[7 - t]; }
        }

        extern "C" __global__ void lane_to_lane(int* out)
        {
            volatile __shared__ int flag, value;
            int t = threadIdx.x;
            if (t == 0) { flag = 0; value = 0; }
            __syncwarp();
            // Lane 5 waits for what lane 9 does on another path.
            if (t == 5) { while (flag == 0) { } out[0] = value; }
            else if (t == 9) { value = 77; __threadfence_block(); flag = 1; }
        }

        extern "C" __global__ void registers(unsigned* out)
        {
            unsigned v[8], t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z), n = blockDim.x * blockDim.y * blockDim.z;
            unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
            asm("mov.u32 %0, %%laneid;" : "=r"(v[0])); asm("mov.u32 %0, %%warpid;" : "=r"(v[1])); asm("mov.u32 %0, %%lanemask_lt;" : "=r"(v[2])); asm("mov.u32 %0, %%lanemask_ge;" : "=r"(v[3]));
            asm("mov.u32 %0, %%nctaid.y;" : "=r"(v[4])); asm("mov.u32 %0, %%dynamic_smem_size;" : "=r"(v[5])); asm("mov.u32 %0, %%nwarpid;" : "=r"(v[6])); asm("mov.u32 %0, %%lanemask_eq;" : "=r"(v[7]));
            long long a = clock64(); for (int i = 0; i < 8; i++) out[(block * n + t) * 9 + i] = v[i];
            out[(block * n + t) * 9 + 8] = clock64() > a;
        }
        """;

    private static readonly int[] Values = [.. Enumerable.Range(0, 32).Select(i => (i * 7) % 11)];

    [Theory]
    [InlineData(32, 3)]
    [InlineData(8, 1)]
    [InlineData(16, 9)]
    public void Shuffles(int width, int by)
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Allocate<int>(192);
        program.Launch("shuffles", 1, 32, program.Upload(Values), output, width, by);
        int[] got = program.Read<int>(output);
        for (int t = 0; t < 32; t++)
        {
            int segment = t / width * width;
            Assert.Equal(Values[t - by >= segment ? t - by : t], got[t]);
            Assert.Equal(Values[t + by < segment + width ? t + by : t], got[32 + t]);
            Assert.Equal(Values[(t ^ by) < segment + width ? t ^ by : t], got[64 + t]);
            Assert.Equal(Values[segment + ((by + t) % width)], got[96 + t]);
            Assert.Equal(Values[t ^ 3], got[128 + t]);
            Assert.Equal(t + 5 < 32 ? Values[t + 5] : -1, got[160 + t]);
        }
    }

    [Fact]
    public void VotesAndMatches()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Allocate<uint>(224);
        program.Launch("votes", 1, 32, program.Upload(Values), output);
        uint[] got = program.Read<uint>(output);
        uint Mask(Func<int, bool> f) => Enumerable.Range(0, 32).Aggregate(0u, (m, i) => m | (f(i) ? 1u << i : 0));
        for (int t = 0; t < 32; t++)
        {
            Assert.Equal(Mask(i => Values[i] > 3), got[t]);
            Assert.Equal(1u | 8, got[32 + t]);
            Assert.Equal(1u, got[64 + t]);
            Assert.Equal(Mask(i => (Values[i] & 3) == (Values[t] & 3)), got[96 + t]);
            Assert.Equal(0u, got[128 + t]);
            Assert.Equal(0u, got[160 + t]);
            Assert.Equal(t < 20 ? Mask(i => i < 20 && (Values[i] & 1) == 1) : 0, got[192 + t]);
        }
    }

    [Fact]
    public void Reductions()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Allocate<int>(224);
        program.Launch("reductions", 1, 32, program.Upload(Values), output);
        int[] got = program.Read<int>(output);
        int[] expected =
        [
            Values.Sum(),
            Values.Min(),
            Values.Max(),
            Values.Aggregate(-1, (x, v) => x & (v | 16)),
            Values.Aggregate(0, (x, v) => x | v),
            Values.Aggregate(0, (x, v) => x ^ v),
        ];
        for (int t = 0; t < 32; t++)
        {
            for (int k = 0; k < 6; k++)
            {
                Assert.Equal(expected[k], got[(32 * k) + t]);
            }

            Assert.Equal(Values.Where((_, i) => i % 2 == t % 2).Sum(), got[192 + t]);
        }
    }

    [Fact]
    public void Barriers()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Upload(new int[192]);
        program.Launch("barriers", 1, 128, output, 50);
        int[] got = program.Read<int>(output);
        Assert.All(got[..128], value => Assert.Equal((50 * 4) + 1, value));
        Assert.Equal([.. Enumerable.Range(0, 64).Select(t => (40 * t) + 6)], got[128..]);
    }

    [Fact]
    public void PathsSeparateAndMeet()
    {
        using DeviceProgram program = new(Source);
        int[] values = [.. Enumerable.Range(0, 500).Select(i => (i * 37) % 97)];
        CudaDeviceMemory output = program.Allocate<int>(500);
        program.Launch("paths", 4, 128, program.Upload(values), output, 500);
        int Path(int v)
        {
            int r = 0;
            if (v % 2 != 0)
            {
                if (v % 3 != 0)
                {
                    r++;
                }
                else
                {
                    r += 10;
                    if (v % 5 == 0)
                    {
                        return 1000;
                    }
                }
            }
            else
            {
                for (int i = 0; i < v % 7; i++)
                {
                    if (i == 4)
                    {
                        continue;
                    }

                    r += i;
                    if (r > 8)
                    {
                        break;
                    }
                }
            }

            r++;
            for (int i = v; i > 1; i = i % 2 != 0 ? (3 * i) + 1 : i / 2)
            {
                r++;
            }

            return r;
        }

        Assert.Equal(values.Select(Path), program.Read<int>(output));
        Assert.True(program.Launches[0].Counters.DivergentBranches > 0);
    }

    [Fact]
    public void PartsOfAWarp()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Allocate<int>(32);
        program.Launch("partial", 1, 32, output);
        Assert.Equal([.. Enumerable.Range(0, 32).Select(t => (t ^ 3 ^ 5) + 1 + (t < 8 ? 7 - t : 0))], program.Read<int>(output));
        CudaDeviceMemory handed = program.Allocate<int>(1);
        program.Launch("lane_to_lane", 1, 32, handed);
        Assert.Equal([77], program.Read<int>(handed));
    }

    [Fact]
    public void SpecialRegisters()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Allocate<uint>(6 * 60 * 9);
        program.Launch("registers", new Dim3(2, 3), new Dim3(5, 4, 3), 40, output);
        uint[] got = program.Read<uint>(output);
        for (int i = 0; i < 6 * 60; i++)
        {
            uint t = (uint)i % 60;
            uint lane = t % 32;
            Assert.Equal([lane, t / 32, (1u << (int)lane) - 1, ~((1u << (int)lane) - 1), 3, 40, 2, 1u << (int)lane, 1], got[(9 * i)..((9 * i) + 9)]);
        }

    }
}
