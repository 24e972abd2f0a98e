using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Programs on matrices and grids: tiled products, transposition with its bank conflicts, stencils with halos, convolution from constant memory.
/// </summary>
public class SampleGridTests
{
    private const string Source = """
        template <typename T, int N>
        __device__ void multiply(const T* A, const T* B, T* C, int m, int n, int k)
        {
            __shared__ T a[N][N], b[N][N];
            int tx = threadIdx.x, ty = threadIdx.y, row = blockIdx.y * N + ty, col = blockIdx.x * N + tx;
            T sum = 0;
            for (int i = 0; i < k; i += N) {
                a[ty][tx] = row < m && i + tx < k ? A[row * k + i + tx] : T(0);
                b[ty][tx] = i + ty < k && col < n ? B[(i + ty) * n + col] : T(0);
                __syncthreads();
        #pragma unroll
                for (int j = 0; j < N; j++) sum += a[ty][j] * b[j][tx];
                __syncthreads();
            }
            if (row < m && col < n) C[row * n + col] = sum;
        }
        extern "C" __global__ void multiply_f32(const float* A, const float* B, float* C, int m, int n, int k) { multiply<float, 16>(A, B, C, m, n, k); }
        extern "C" __global__ void multiply_f64(const double* A, const double* B, double* C, int m, int n, int k) { multiply<double, 16>(A, B, C, m, n, k); }

        template <int PAD>
        __device__ void transpose(const float* in, float* out, int w, int h)
        {
            __shared__ float t[32][32 + PAD];
            int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
            for (int j = 0; j < 32; j += 8) t[threadIdx.y + j][threadIdx.x] = in[(y + j) * w + x];
            __syncthreads();
            x = blockIdx.y * 32 + threadIdx.x; y = blockIdx.x * 32 + threadIdx.y;
            for (int j = 0; j < 32; j += 8) out[(y + j) * h + x] = t[threadIdx.x][threadIdx.y + j];
        }
        extern "C" __global__ void transpose_naive(const float* in, float* out, int w, int h)
        {
            int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
            for (int j = 0; j < 32; j += 8) out[x * h + y + j] = in[(y + j) * w + x];
        }
        extern "C" __global__ void transpose_plain(const float* in, float* out, int w, int h) { transpose<0>(in, out, w, h); }
        extern "C" __global__ void transpose_padded(const float* in, float* out, int w, int h) { transpose<1>(in, out, w, h); }

        __constant__ float taps[9];
        extern "C" __global__ void convolve_rows(const float* in, float* out, int w, int h)
        {
            __shared__ float s[4][32 + 8];
            int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 4 + threadIdx.y;
            for (int i = threadIdx.x; i < 40; i += 32) { int c = blockIdx.x * 32 + i - 4; s[threadIdx.y][i] = c >= 0 && c < w && y < h ? in[y * w + c] : 0; }
            __syncthreads();
            if (x >= w || y >= h) return;
            float sum = 0;
            for (int k = 0; k < 9; k++) sum += taps[k] * s[threadIdx.y][threadIdx.x + k];
            out[y * w + x] = sum;
        }

        extern "C" __global__ void laplace(const float* in, float* out, int w, int h)
        {
            __shared__ float s[10][18];
            int tx = threadIdx.x, ty = threadIdx.y, x = blockIdx.x * 16 + tx, y = blockIdx.y * 8 + ty;
            auto at = [&](int i, int j) { i = min(max(i, 0), w - 1); j = min(max(j, 0), h - 1); return in[j * w + i]; };
            s[ty + 1][tx + 1] = at(x, y);
            if (tx == 0) s[ty + 1][0] = at(x - 1, y);
            if (tx == 15) s[ty + 1][17] = at(x + 1, y);
            if (ty == 0) s[0][tx + 1] = at(x, y - 1);
            if (ty == 7) s[9][tx + 1] = at(x, y + 1);
            __syncthreads();
            if (x < w && y < h) out[y * w + x] = s[ty][tx + 1] + s[ty + 2][tx + 1] + s[ty + 1][tx] + s[ty + 1][tx + 2] - 4 * s[ty + 1][tx + 1];
        }

        // Marches along z with the planes before and after in registers.
        extern "C" __global__ void march(const float* in, float* out, int nx, int ny, int nz)
        {
            __shared__ float s[8 + 4][8 + 4];
            int tx = threadIdx.x + 2, ty = threadIdx.y + 2, x = blockIdx.x * 8 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y, plane = nx * ny;
            bool inside = x < nx && y < ny;
            int p = inside ? y * nx + x : 0;
            float behind2 = 0, behind = 0, here = inside ? in[p] : 0, ahead = inside && nz > 1 ? in[p + plane] : 0, ahead2 = inside && nz > 2 ? in[p + 2 * plane] : 0;
            for (int z = 0; z < nz; z++) {
                __syncthreads();
                s[ty][tx] = here;
                if (threadIdx.x < 2) { s[ty][tx - 2] = x >= 2 && y < ny ? in[z * plane + y * nx + x - 2] : 0; s[ty][tx + 8] = x + 8 < nx && y < ny ? in[z * plane + y * nx + x + 8] : 0; }
                if (threadIdx.y < 2) { s[ty - 2][tx] = y >= 2 && x < nx ? in[z * plane + (y - 2) * nx + x] : 0; s[ty + 8][tx] = y + 8 < ny && x < nx ? in[z * plane + (y + 8) * nx + x] : 0; }
                __syncthreads();
                if (inside) out[z * plane + p] = 2 * here + behind2 + behind + ahead + ahead2 + s[ty][tx - 2] + s[ty][tx - 1] + s[ty][tx + 1] + s[ty][tx + 2] + s[ty - 2][tx] + s[ty - 1][tx] + s[ty + 1][tx] + s[ty + 2][tx];
                behind2 = behind; behind = here; here = ahead; ahead = ahead2; ahead2 = inside && z + 3 < nz ? in[(z + 3) * plane + p] : 0;
            }
        }

        extern "C" __global__ void life(const unsigned char* in, unsigned char* out, int w, int h)
        {
            int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
            if (x >= w || y >= h) return;
            int n = 0;
            for (int j = -1; j <= 1; j++) for (int i = -1; i <= 1; i++) if (i | j) n += in[((y + j + h) % h) * w + (x + i + w) % w];
            out[y * w + x] = n == 3 || (n == 2 && in[y * w + x]);
        }
        """;

    private static float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => (float)((i * 29 % 23) - 11))];

    [Theory]
    [InlineData(64, 48, 32)]
    [InlineData(37, 41, 53)]
    public void TiledProducts(int m, int n, int k)
    {
        using DeviceProgram program = new(Source);
        float[] a = Values(m * k);
        float[] b = Values(k * n);
        Dim3 grid = new((uint)(n + 15) / 16, (uint)(m + 15) / 16);
        CudaDeviceMemory single = program.Allocate<float>(m * n);
        CudaDeviceMemory real = program.Allocate<double>(m * n);
        program.Launch("multiply_f32", grid, new Dim3(16, 16), 0, program.Upload(a), program.Upload(b), single, m, n, k);
        program.Launch(
            "multiply_f64",
            grid,
            new Dim3(16, 16),
            0,
            program.Upload([.. a.Select(v => (double)v)]),
            program.Upload([.. b.Select(v => (double)v)]),
            real,
            m,
            n,
            k
        );
        float[] expected = [.. Enumerable.Range(0, m * n).Select(i => Enumerable.Range(0, k).Sum(j => a[(i / n * k) + j] * b[(j * n) + (i % n)]))];
        Assert.Equal(expected, program.Read<float>(single));
        Assert.Equal([.. expected.Select(v => (double)v)], program.Read<double>(real));
        Assert.All(program.Launches, launch => Assert.Equal(0, launch.Counters.BankConflicts));
    }

    [Theory]
    [InlineData("transpose_naive", 0, 32)]
    [InlineData("transpose_plain", 31, 4)]
    [InlineData("transpose_padded", 0, 4)]
    public void TranspositionAndItsTraffic(string kernel, int conflictsPerLoad, int sectorsPerStore)
    {
        using DeviceProgram program = new(Source);
        const int Width = 96;
        const int Height = 64;
        float[] a = Values(Width * Height);
        CudaDeviceMemory output = program.Allocate<float>(a.Length);
        program.Launch(kernel, new Dim3(Width / 32, Height / 32), new Dim3(32, 8), 0, program.Upload(a), output, Width, Height);
        float[] got = program.Read<float>(output);
        for (int i = 0; i < got.Length; i++)
        {
            Assert.Equal(a[(i % Height * Width) + (i / Height)], got[i]);
        }

        LaunchCounters counters = program.Launches[0].Counters;
        const int Accesses = Width * Height / 32;
        Assert.Equal(conflictsPerLoad * Accesses, counters.BankConflicts);
        Assert.Equal(sectorsPerStore * Accesses, counters.GlobalSectorsWritten);
        Assert.Equal(4 * Accesses, counters.GlobalSectorsRead);
        Assert.Equal(4 * Accesses, counters.IdealSectorsWritten);
        Assert.Equal(4 * a.Length, counters.GlobalBytesRead);
    }

    [Fact]
    public void ConstantMemory()
    {
        using DeviceProgram program = new(Source);
        const int Width = 75;
        const int Height = 9;
        float[] a = Values(Width * Height);
        float[] taps = [1, 2, 3, 4, 5, 4, 3, 2, -1];
        (ulong address, long bytes) = program.Module.Global("taps");
        Assert.Equal(36, bytes);
        CudaDeviceMemory staged = program.Upload(taps);
        program.Stream.Copy(staged.Address, address, bytes);
        CudaDeviceMemory output = program.Allocate<float>(a.Length);
        program.Launch("convolve_rows", new Dim3(3, 3), new Dim3(32, 4), 0, program.Upload(a), output, Width, Height);
        float[] got = program.Read<float>(output);
        for (int i = 0; i < got.Length; i++)
        {
            (int y, int x) = (i / Width, i % Width);
            Assert.Equal(Enumerable.Range(0, 9).Sum(k => x + k - 4 is >= 0 and < Width ? taps[k] * a[(y * Width) + x + k - 4] : 0), got[i]);
        }
    }

    [Fact]
    public void Stencils()
    {
        using DeviceProgram program = new(Source);
        const int Width = 45;
        const int Height = 27;
        float[] a = Values(Width * Height);
        CudaDeviceMemory output = program.Allocate<float>(a.Length);
        program.Launch("laplace", new Dim3(3, 4), new Dim3(16, 8), 0, program.Upload(a), output, Width, Height);
        float At(int x, int y) => a[(Math.Clamp(y, 0, Height - 1) * Width) + Math.Clamp(x, 0, Width - 1)];
        float[] got = program.Read<float>(output);
        for (int i = 0; i < got.Length; i++)
        {
            (int y, int x) = (i / Width, i % Width);
            Assert.Equal(At(x, y - 1) + At(x, y + 1) + At(x - 1, y) + At(x + 1, y) - (4 * At(x, y)), got[i]);
        }

        (int nx, int ny, int nz) = (19, 13, 7);
        float[] volume = Values(nx * ny * nz);
        CudaDeviceMemory marched = program.Allocate<float>(volume.Length);
        program.Launch("march", new Dim3(3, 2), new Dim3(8, 8), 0, program.Upload(volume), marched, nx, ny, nz);
        float In(int x, int y, int z) => x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz ? 0 : volume[(((z * ny) + y) * nx) + x];
        float[] cubes = program.Read<float>(marched);
        for (int i = 0; i < cubes.Length; i++)
        {
            (int x, int y, int z) = (i % nx, i / nx % ny, i / nx / ny);
            float expected = 2 * In(x, y, z);
            foreach (int k in (int[])[-2, -1, 1, 2])
            {
                expected += In(x + k, y, z) + In(x, y + k, z) + In(x, y, z + k);
            }

            Assert.Equal(expected, cubes[i]);
        }
    }

    [Fact]
    public void Life()
    {
        using DeviceProgram program = new(Source, old: true);
        const int Width = 37;
        const int Height = 21;
        byte[] cells = [.. Enumerable.Range(0, Width * Height).Select(i => (byte)(i * 2654435761L >> 7 & 1))];
        CudaDeviceMemory first = program.Upload(cells);
        CudaDeviceMemory second = program.Allocate<byte>(cells.Length);
        for (int step = 0; step < 4; step++)
        {
            program.Launch("life", new Dim3(3, 6), new Dim3(16, 4), 0, step % 2 == 0 ? first : second, step % 2 == 0 ? second : first, Width, Height);
            cells =
            [
                .. Enumerable
                    .Range(0, cells.Length)
                    .Select(i =>
                    {
                        int alive = Enumerable
                            .Range(0, 9)
                            .Where(k => k != 4)
                            .Sum(k => cells[(((i / Width) + (k / 3) - 1 + Height) % Height * Width) + (((i % Width) + (k % 3) - 1 + Width) % Width)]);
                        return (byte)(alive == 3 || (alive == 2 && cells[i] == 1) ? 1 : 0);
                    }),
            ];
        }

        Assert.Equal(cells, program.Read<byte>(first));
    }
}
