using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Sums over large arrays in the ways that CUDA's samples do them, from divergent branches to warp shuffles and the last block's turn.
/// </summary>
public class SampleReductionTests
{
    private const string Source = """
        extern "C" __global__ void reduce0(const int* in, int* out, unsigned n)
        {
            extern __shared__ int s[];
            unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
            s[t] = i < n ? in[i] : 0;
            __syncthreads();
            for (unsigned k = 1; k < blockDim.x; k *= 2) {
                if (t % (2 * k) == 0) s[t] += s[t + k];
                __syncthreads();
            }
            if (t == 0) out[blockIdx.x] = s[0];
        }

        extern "C" __global__ void reduce1(const int* in, int* out, unsigned n)
        {
            extern __shared__ int s[];
            unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
            s[t] = i < n ? in[i] : 0;
            __syncthreads();
            for (unsigned k = 1; k < blockDim.x; k *= 2) {
                unsigned j = 2 * k * t;
                if (j < blockDim.x) s[j] += s[j + k];
                __syncthreads();
            }
            if (t == 0) out[blockIdx.x] = s[0];
        }

        __device__ void warp_tail(volatile int* s, unsigned t)
        {
            s[t] += s[t + 32]; s[t] += s[t + 16]; s[t] += s[t + 8]; s[t] += s[t + 4]; s[t] += s[t + 2]; s[t] += s[t + 1];
        }

        extern "C" __global__ void reduce2(const int* in, int* out, unsigned n)
        {
            extern __shared__ int s[];
            unsigned t = threadIdx.x, i = blockIdx.x * blockDim.x * 2 + t;
            s[t] = (i < n ? in[i] : 0) + (i + blockDim.x < n ? in[i + blockDim.x] : 0);
            __syncthreads();
            for (unsigned k = blockDim.x / 2; k > 32; k >>= 1) {
                if (t < k) s[t] += s[t + k];
                __syncthreads();
            }
            if (t < 32) warp_tail(s, t);
            if (t == 0) out[blockIdx.x] = s[0];
        }

        template <unsigned B>
        __device__ void reduce3_body(const int* in, int* out, unsigned n)
        {
            __shared__ int s[B];
            unsigned t = threadIdx.x;
            int sum = 0;
            for (unsigned i = blockIdx.x * B + t; i < n; i += B * gridDim.x) sum += in[i];
            s[t] = sum;
            __syncthreads();
            if (B >= 256) { if (t < 128) s[t] = sum = sum + s[t + 128]; __syncthreads(); }
            if (B >= 128) { if (t < 64) s[t] = sum = sum + s[t + 64]; __syncthreads(); }
            if (t < 32) {
                if (B >= 64) sum += s[t + 32];
                for (int k = 16; k > 0; k /= 2) sum += __shfl_down_sync(0xffffffff, sum, k);
            }
            if (t == 0) out[blockIdx.x] = sum;
        }
        extern "C" __global__ void reduce3(const int* in, int* out, unsigned n) { reduce3_body<256>(in, out, n); }

        __device__ int warp_sum(int v) { for (int k = 16; k > 0; k >>= 1) v += __shfl_xor_sync(0xffffffff, v, k); return v; }
        extern "C" __global__ void reduce4(const int* in, int* out, unsigned n)
        {
            __shared__ int parts[32];
            int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, sum = 0;
            for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) sum += in[i];
            sum = warp_sum(sum);
            if (lane == 0) parts[warp] = sum;
            __syncthreads();
            sum = threadIdx.x < blockDim.x / 32 ? parts[lane] : 0;
            if (warp == 0) sum = warp_sum(sum);
            if (threadIdx.x == 0) atomicAdd(out, sum);
        }

        __device__ unsigned tickets = 0;
        extern "C" __global__ void reduce5(const int* in, volatile int* parts, int* out, unsigned n)
        {
            __shared__ int s[256];
            __shared__ bool last;
            unsigned t = threadIdx.x;
            int sum = 0;
            for (unsigned i = blockIdx.x * 256 + t; i < n; i += 256 * gridDim.x) sum += in[i];
            s[t] = sum;
            __syncthreads();
            for (int k = 128; k > 0; k >>= 1) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
            if (t == 0) {
                parts[blockIdx.x] = s[0];
                __threadfence();
                last = atomicInc(&tickets, gridDim.x) == gridDim.x - 1;
            }
            __syncthreads();
            if (last) {
                sum = 0;
                for (unsigned i = t; i < gridDim.x; i += 256) sum += parts[i];
                s[t] = sum;
                __syncthreads();
                for (int k = 128; k > 0; k >>= 1) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
                if (t == 0) { out[0] = s[0]; tickets = 0; }
            }
        }

        extern "C" __global__ void reduce6(const int* in, int* parts, int* out, unsigned n)
        {
            __shared__ int s[256];
            __shared__ bool last;
            unsigned t = threadIdx.x;
            int sum = 0;
            for (unsigned i = blockIdx.x * 256 + t; i < n; i += 256 * gridDim.x) sum += in[i];
            s[t] = sum;
            __syncthreads();
            for (int k = 128; k > 0; k >>= 1) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
            if (t == 0) parts[blockIdx.x] = s[0];
            __threadfence();
            if (t == 0) last = atomicInc(&tickets, gridDim.x) == gridDim.x - 1;
            __syncthreads();
            if (last) {
                sum = 0;
                for (unsigned i = t; i < gridDim.x; i += 256) sum += parts[i];
                s[t] = sum;
                __syncthreads();
                for (int k = 128; k > 0; k >>= 1) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
                if (t == 0) { out[0] = s[0]; tickets = 0; }
            }
        }
        """;

    private static int[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 7919 % 1000) - 300)];

    [Theory]
    [InlineData("reduce0", 1, 5000, false)]
    [InlineData("reduce1", 1, 5000, false)]
    [InlineData("reduce2", 2, 5000, false)]
    [InlineData("reduce3", 3, 10007, false)]
    [InlineData("reduce3", 3, 10007, true)]
    public void BlockSums(string kernel, int perThread, int count, bool old)
    {
        using DeviceProgram program = new(Source, old: old);
        int[] numbers = Numbers(count);
        int blocks = (count + (256 * perThread) - 1) / (256 * perThread);
        CudaDeviceMemory input = program.Upload(numbers);
        CudaDeviceMemory output = program.Allocate<int>(blocks);
        program.Launch(kernel, new Dim3((uint)blocks), new Dim3(256), 256 * sizeof(int), input, output, (uint)count);
        Assert.Equal(numbers.Sum(), program.Read<int>(output).Sum());
    }

    [Fact]
    public void ShufflesAndAtomics()
    {
        using DeviceProgram program = new(Source);
        int[] numbers = Numbers(20000);
        CudaDeviceMemory input = program.Upload(numbers);
        CudaDeviceMemory output = program.Upload(0);
        program.Launch("reduce4", 9, 192, input, output, (uint)numbers.Length);
        Assert.Equal(numbers.Sum(), program.Read<int>(output)[0]);
    }

    [Theory]
    [InlineData("reduce5")]
    [InlineData("reduce6")]
    public void LastBlockAddsUp(string kernel)
    {
        using DeviceProgram program = new(Source);
        int[] numbers = Numbers(50000);
        CudaDeviceMemory input = program.Upload(numbers);
        CudaDeviceMemory parts = program.Allocate<int>(40);
        CudaDeviceMemory output = program.Allocate<int>(1);
        for (int repetition = 0; repetition < 3; repetition++)
        {
            program.Launch(kernel, 40, 256, input, parts, output, (uint)numbers.Length);
            Assert.Equal(numbers.Sum(), program.Read<int>(output)[0]);
        }
    }
}
