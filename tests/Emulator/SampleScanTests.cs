using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Prefix sums as CUDA programs do them: within a block (Hillis-Steele, Blelloch), by shuffles, and over many blocks in one pass with decoupled
/// look-back.
/// </summary>
public class SampleScanTests
{
    private const string Source = """
        extern "C" __global__ void hillis_steele(const int* in, int* out, int n)
        {
            extern __shared__ int s[];
            int t = threadIdx.x, from = 0, to = 1;
            s[t] = t < n ? in[t] : 0;
            __syncthreads();
            for (int k = 1; k < blockDim.x; k *= 2) {
                s[to * blockDim.x + t] = s[from * blockDim.x + t] + (t >= k ? s[from * blockDim.x + t - k] : 0);
                from = 1 - from; to = 1 - to;
                __syncthreads();
            }
            if (t < n) out[t] = s[from * blockDim.x + t];
        }

        #define PAD(i) ((i) + ((i) >> 5))
        extern "C" __global__ void blelloch(const int* in, int* out, int n)
        {
            __shared__ int s[PAD(512) + 1];
            int t = threadIdx.x, offset = 1;
            s[PAD(t)] = t < n ? in[t] : 0;
            s[PAD(t + 256)] = t + 256 < n ? in[t + 256] : 0;
            for (int d = 256; d > 0; d >>= 1) {
                __syncthreads();
                if (t < d) s[PAD(offset * (2 * t + 2) - 1)] += s[PAD(offset * (2 * t + 1) - 1)];
                offset *= 2;
            }
            if (t == 0) s[PAD(511)] = 0;
            for (int d = 1; d < 512; d *= 2) {
                offset >>= 1;
                __syncthreads();
                if (t < d) {
                    int a = PAD(offset * (2 * t + 1) - 1), b = PAD(offset * (2 * t + 2) - 1), x = s[a];
                    s[a] = s[b];
                    s[b] += x;
                }
            }
            __syncthreads();
            if (t < n) out[t] = s[PAD(t)];
            if (t + 256 < n) out[t + 256] = s[PAD(t + 256)];
        }

        __device__ int warp_scan(int v, int lane)
        {
            for (int k = 1; k < 32; k *= 2) { int u = __shfl_up_sync(0xffffffff, v, k); if (lane >= k) v += u; }
            return v;
        }

        __device__ int block_scan(int v, int* sums)
        {
            int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
            v = warp_scan(v, lane);
            if (lane == 31) sums[warp] = v;
            __syncthreads();
            if (warp == 0) sums[lane] = warp_scan(lane < blockDim.x / 32 ? sums[lane] : 0, lane);
            __syncthreads();
            return v + (warp > 0 ? sums[warp - 1] : 0);
        }

        extern "C" __global__ void shuffles(const int* in, int* out, int n)
        {
            __shared__ int sums[32];
            int t = threadIdx.x, v = block_scan(t < n ? in[t] : 0, sums);
            if (t < n) out[t] = v;
        }

        // One pass over any number of blocks: state of a block in one 64-bit word, flag above the value.
        extern "C" __global__ void look_back(const int* in, int* out, volatile unsigned long long* state, unsigned* ticket, int n)
        {
            __shared__ int sums[32];
            __shared__ int base;
            __shared__ unsigned block;
            if (threadIdx.x == 0) block = atomicAdd(ticket, 1);
            __syncthreads();
            int i = block * blockDim.x + threadIdx.x;
            int v = block_scan(i < n ? in[i] : 0, sums);
            int total = sums[blockDim.x / 32 - 1];
            if (threadIdx.x == 0) {
                state[block] = (block == 0 ? 2ull << 32 : 1ull << 32) | (unsigned)total;
                int before = 0;
                for (int b = (int)block - 1; b >= 0;) {
                    unsigned long long s = state[b];
                    if (s >> 32 == 0) continue;
                    before += (int)(unsigned)s;
                    if (s >> 32 == 2) break;
                    b--;
                }
                if (block > 0) state[block] = 2ull << 32 | (unsigned)(before + total);
                base = before;
            }
            __syncthreads();
            if (i < n) out[i] = v + base;
        }

        // The same with values and flags in words of their own, ordered by fences.
        extern "C" __global__ void look_back_fenced(const int* in, int* out, int* aggregate, int* inclusive, volatile int* flag, int n)
        {
            __shared__ int sums[32];
            __shared__ int base;
            int block = blockIdx.x, i = block * blockDim.x + threadIdx.x;
            int v = block_scan(i < n ? in[i] : 0, sums);
            int total = sums[blockDim.x / 32 - 1];
            if (threadIdx.x == 0) {
                if (block == 0) { inclusive[0] = total; __threadfence(); flag[0] = 2; base = 0; }
                else {
                    aggregate[block] = total;
                    __threadfence();
                    flag[block] = 1;
                    int before = 0;
                    for (int b = block - 1;; b--) {
                        int f;
                        while ((f = flag[b]) == 0) { }
                        __threadfence();
                        if (f == 2) { before += inclusive[b]; break; }
                        before += aggregate[b];
                    }
                    inclusive[block] = before + total;
                    __threadfence();
                    flag[block] = 2;
                    base = before;
                }
            }
            __syncthreads();
            if (i < n) out[i] = v + base;
        }
        """;

    private static int[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 31 % 17) - 5)];

    private static int[] Inclusive(int[] numbers)
    {
        int sum = 0;
        return [.. numbers.Select(n => sum += n)];
    }

    [Theory]
    [InlineData("hillis_steele", 256, 250)]
    [InlineData("hillis_steele", 64, 64)]
    [InlineData("shuffles", 256, 199)]
    [InlineData("shuffles", 1024, 1024)]
    public void InclusiveInABlock(string kernel, int threads, int count)
    {
        using DeviceProgram program = new(Source);
        int[] numbers = Numbers(count);
        CudaDeviceMemory output = program.Allocate<int>(count);
        program.Launch(kernel, new Dim3(1), new Dim3((uint)threads), 2 * threads * sizeof(int), program.Upload(numbers), output, count);
        Assert.Equal(Inclusive(numbers), program.Read<int>(output));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(300)]
    public void ExclusiveInABlock(int count)
    {
        using DeviceProgram program = new(Source);
        int[] numbers = Numbers(count);
        CudaDeviceMemory output = program.Allocate<int>(count);
        program.Launch("blelloch", 1, 256, program.Upload(numbers), output, count);
        Assert.Equal([0, .. Inclusive(numbers)[..^1]], program.Read<int>(output));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(2, true)]
    public void DecoupledLookBack(int workers, bool old)
    {
        using DeviceProgram program = new(Source, old: old, options: new() { Workers = workers });
        const int Count = 20_000;
        int[] numbers = Numbers(Count);
        int blocks = (Count + 127) / 128;
        CudaDeviceMemory input = program.Upload(numbers);
        CudaDeviceMemory output = program.Allocate<int>(Count);
        program.Launch("look_back", blocks, 128, input, output, program.Upload(new ulong[blocks]), program.Upload(0u), Count);
        Assert.Equal(Inclusive(numbers), program.Read<int>(output));
        CudaDeviceMemory second = program.Allocate<int>(Count);
        program.Launch(
            "look_back_fenced",
            blocks,
            128,
            input,
            second,
            program.Allocate<int>(blocks),
            program.Allocate<int>(blocks),
            program.Upload(new int[blocks]),
            Count
        );
        Assert.Equal(Inclusive(numbers), program.Read<int>(second));
    }
}
