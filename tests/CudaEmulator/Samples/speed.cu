// Kernels by which the emulator's speed is measured; docs/emulator.md has the commands.

// Arithmetic alone: two multiply-adds and their loop.
extern "C" __global__ void compute(float* out, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float x = i * 0.001f, y = 0.5f;
    for (int k = 0; k < n; k++) {
        y = y * x + 0.25f;
        x = x * 0.999f + y * 0.001f;
    }
    out[i] = x + y;
}

// Shared memory and barriers: the textbook product of square matrices, n a multiple of 16.
extern "C" __global__ void product(const float* a, const float* b, float* c, int n)
{
    __shared__ float sa[16][16], sb[16][16];
    int tx = threadIdx.x, ty = threadIdx.y, row = blockIdx.y * 16 + ty, column = blockIdx.x * 16 + tx;
    float sum = 0;
    for (int k = 0; k < n; k += 16) {
        sa[ty][tx] = a[row * n + k + tx];
        sb[ty][tx] = b[(k + ty) * n + column];
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += sa[ty][i] * sb[i][tx];
        __syncthreads();
    }
    c[row * n + column] = sum;
}

// Global memory: two loads and a store for one multiply-add.
extern "C" __global__ void stream(const float* a, const float* b, float* c, int n)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) c[i] = a[i] + 3 * b[i];
}

// Every lane on a path of its own length: trip counts from 0 to 31.
extern "C" __global__ void divergent(const float* in, float* out, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float x = in[i % n];
    for (int k = 0; k < (i & 31) * 8; k++) x = (i + k) & 1 ? x * 0.5f + 1 : x - 0.25f;
    out[i] = x;
}

// Tensor cores: bf16 products of registers.
extern "C" __global__ void tensor(float* out, int n)
{
    unsigned a = 0x3f803f80u + threadIdx.x, b = 0x3f803f80u;
    float c[4] = {};
    for (int k = 0; k < n; k++)
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%4,%4,%4}, {%5,%5}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a), "r"(b));
    out[blockIdx.x * blockDim.x + threadIdx.x] = c[0] + c[1] + c[2] + c[3];
}
