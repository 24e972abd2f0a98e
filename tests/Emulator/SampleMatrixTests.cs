using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Matrices as samples treat them: products from naive to register blocks, matrix times vector, sparse rows, factorisations, conjugate gradients.
/// </summary>
public class SampleMatrixTests
{
    private const string Source = """
        extern "C" __global__ void product_naive(const float* a, const float* b, float* c, int m, int n, int k)
        {
            int col = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
            if (row >= m || col >= n) return;
            float sum = 0;
            for (int i = 0; i < k; i++) sum += a[row * k + i] * b[i * n + col];
            c[row * n + col] = sum;
        }

        // 64 x 64 of a block, 8 x 4 of a thread, the next tile fetched into registers meanwhile.
        extern "C" __global__ void __launch_bounds__(128, 2) product_blocked(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int n, int k)
        {
            const int T = 64, K = 16;
            __shared__ float sa[2][K][T + 4], sb[2][K][T];
            int t = threadIdx.x, tx = t % 16, ty = t / 16, m0 = blockIdx.y * T, n0 = blockIdx.x * T;
            float sum[8][4] = {}, ra[8]; float4 rb[2];
            auto fetch = [&](int k0) {
                #pragma unroll
                for (int i = 0; i < 8; i++) { int e = t + i * 128, row = m0 + e / K, col = k0 + e % K; ra[i] = row < m && col < k ? a[row * k + col] : 0.f; }
                #pragma unroll
                for (int i = 0; i < 2; i++) {
                    int e = t + i * 128, row = k0 + e / 16, col = n0 + e % 16 * 4;
                    rb[i] = row < k && col + 3 < n && n % 4 == 0 ? *(const float4*)(b + row * n + col)
                        : make_float4(row < k && col < n ? b[row * n + col] : 0, row < k && col + 1 < n ? b[row * n + col + 1] : 0, row < k && col + 2 < n ? b[row * n + col + 2] : 0, row < k && col + 3 < n ? b[row * n + col + 3] : 0);
                }
            };
            auto put = [&](int buffer) {
                #pragma unroll
                for (int i = 0; i < 8; i++) { int e = t + i * 128; sa[buffer][e % K][e / K] = ra[i]; }
                #pragma unroll
                for (int i = 0; i < 2; i++) { int e = t + i * 128; *(float4*)&sb[buffer][e / 16][e % 16 * 4] = rb[i]; }
            };
            fetch(0); put(0);
            __syncthreads();
            for (int k0 = 0, buffer = 0; k0 < k; k0 += K, buffer ^= 1) {
                if (k0 + K < k) fetch(k0 + K);
                #pragma unroll
                for (int i = 0; i < K; i++) {
                    float4 y = *(float4*)&sb[buffer][i][tx * 4], x0 = *(float4*)&sa[buffer][i][ty * 8], x1 = *(float4*)&sa[buffer][i][ty * 8 + 4];
                    float x[8] = { x0.x, x0.y, x0.z, x0.w, x1.x, x1.y, x1.z, x1.w };
                    #pragma unroll
                    for (int r = 0; r < 8; r++) { sum[r][0] += x[r] * y.x; sum[r][1] += x[r] * y.y; sum[r][2] += x[r] * y.z; sum[r][3] += x[r] * y.w; }
                }
                if (k0 + K < k) put(buffer ^ 1);
                __syncthreads();
            }
            for (int r = 0; r < 8; r++) for (int q = 0; q < 4; q++) { int row = m0 + ty * 8 + r, col = n0 + tx * 4 + q; if (row < m && col < n) c[row * n + col] = sum[r][q]; }
        }

        extern "C" __global__ void matvec4(const float4* __restrict__ a, const float4* __restrict__ x, float* y, int rows, int columns4)
        {
            int row = (blockIdx.x * blockDim.x + threadIdx.x) >> 5, lane = threadIdx.x & 31;
            if (row >= rows) return;
            float sum = 0;
            for (int i = lane; i < columns4; i += 32) { float4 u = a[row * columns4 + i], v = __ldg(x + i); sum += u.x * v.x + u.y * v.y + u.z * v.z + u.w * v.w; }
            for (int k = 16; k; k >>= 1) sum += __shfl_down_sync(~0u, sum, k);
            if (lane == 0) y[row] = sum;
        }

        extern "C" __global__ void sparse_rows(const int* starts, const int* columns, const double* values, const double* x, double* y, int n)
        {
            int row = blockIdx.x * blockDim.x + threadIdx.x;
            if (row >= n) return;
            double sum = 0;
            for (int i = starts[row]; i < starts[row + 1]; i++) sum += values[i] * x[columns[i]];
            y[row] = sum;
        }
        template <typename T> __device__ T block_sum(T v)
        {
            __shared__ T parts[32];
            for (int k = 16; k; k >>= 1) v += __shfl_xor_sync(~0u, v, k);
            __syncthreads();
            if ((threadIdx.x & 31) == 0) parts[threadIdx.x >> 5] = v;
            __syncthreads();
            v = threadIdx.x < blockDim.x >> 5 ? parts[threadIdx.x] : T(0);
            if (threadIdx.x < 32) for (int k = 16; k; k >>= 1) v += __shfl_xor_sync(~0u, v, k);
            if (threadIdx.x == 0) parts[0] = v;
            __syncthreads();
            return parts[0];
        }
        // Conjugate gradients of one block: everything in one kernel.
        extern "C" __global__ void conjugate_gradients(const int* starts, const int* columns, const double* values, const double* b, double* x, double* r, double* p, double* q, int n, int most, int* steps)
        {
            double rr = 0;
            for (int i = threadIdx.x; i < n; i += blockDim.x) { x[i] = 0; r[i] = p[i] = b[i]; rr += b[i] * b[i]; }
            rr = block_sum(rr);
            int s = 0;
            for (; s < most && rr > 1e-20; s++) {
                double pq = 0;
                for (int i = threadIdx.x; i < n; i += blockDim.x) {
                    double sum = 0;
                    for (int e = starts[i]; e < starts[i + 1]; e++) sum += values[e] * p[columns[e]];
                    q[i] = sum; pq += p[i] * sum;
                }
                pq = block_sum(pq);
                double alpha = rr / pq, next = 0;
                for (int i = threadIdx.x; i < n; i += blockDim.x) { x[i] += alpha * p[i]; r[i] -= alpha * q[i]; next += r[i] * r[i]; }
                next = block_sum(next);
                for (int i = threadIdx.x; i < n; i += blockDim.x) p[i] = r[i] + next / rr * p[i];
                rr = next;
                __syncthreads();
            }
            if (threadIdx.x == 0) *steps = s;
        }

        extern "C" __global__ void cholesky(double* a, int n)
        {
            for (int j = 0; j < n; j++) {
                __syncthreads();
                if (threadIdx.x == 0) a[j * n + j] = sqrt(a[j * n + j]);
                __syncthreads();
                for (int i = j + 1 + threadIdx.x; i < n; i += blockDim.x) a[i * n + j] /= a[j * n + j];
                __syncthreads();
                for (int i = j + 1 + threadIdx.x; i < n; i += blockDim.x) for (int k = j + 1; k <= i; k++) a[i * n + k] -= a[i * n + j] * a[k * n + j];
            }
        }

        extern "C" __global__ void floyd(int* d, int n, int k)
        {
            int j = blockIdx.x * blockDim.x + threadIdx.x, i = blockIdx.y;
            if (j >= n) return;
            int through = d[i * n + k] + d[k * n + j];
            if (through < d[i * n + j]) d[i * n + j] = through;
        }

        extern "C" __global__ void softmax_rows(const float* in, float* out, int n)
        {
            __shared__ float most[8], sums[8];
            int t = threadIdx.x, lane = t & 31, warp = t >> 5; const float* x = in + (size_t)blockIdx.x * n;
            float m = -1e30f, s = 0;
            for (int i = t; i < n; i += blockDim.x) { float v = x[i], w = fmaxf(m, v); s = s * __expf(m - w) + __expf(v - w); m = w; }
            for (int k = 16; k; k >>= 1) { float u = __shfl_xor_sync(~0u, m, k), v = __shfl_xor_sync(~0u, s, k), w = fmaxf(m, u); s = s * __expf(m - w) + v * __expf(u - w); m = w; }
            if (lane == 0) { most[warp] = m; sums[warp] = s; }
            __syncthreads();
            m = most[0]; for (int w = 1; w < 8; w++) m = fmaxf(m, most[w]);
            s = 0; for (int w = 0; w < 8; w++) s += sums[w] * expf(most[w] - m);
            for (int i = t; i < n; i += blockDim.x) out[(size_t)blockIdx.x * n + i] = expf(x[i] - m) / s;
        }
        """;

    private static float[] Small(int n, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, n).Select(_ => (float)random.Next(-8, 9))];
    }

    /// <summary>The matrix of the five-point stencil on a square, a little more than that on its diagonal.</summary>
    private static (int[] Starts, int[] Columns, double[] Values) Stencil(int side)
    {
        List<int> starts = [0];
        List<int> columns = [];
        List<double> values = [];
        for (int i = 0; i < side * side; i++)
        {
            (int x, int y) = (i % side, i / side);
            foreach ((int dx, int dy) in ((int, int)[])[(0, -1), (-1, 0), (0, 0), (1, 0), (0, 1)])
            {
                if (x + dx >= 0 && x + dx < side && y + dy >= 0 && y + dy < side)
                {
                    columns.Add(i + dx + (dy * side));
                    values.Add(dx == 0 && dy == 0 ? 4.5 : -1);
                }
            }

            starts.Add(columns.Count);
        }

        return ([.. starts], [.. columns], [.. values]);
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void Products(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        foreach ((int m, int n, int k) in ((int, int, int)[])[(64, 64, 16), (70, 92, 50), (33, 31, 17)])
        {
            float[] a = Small(m * k, 1);
            float[] b = Small(k * n, 2);
            float[] wanted = new float[m * n];
            for (int i = 0; i < m * n; i++)
            {
                wanted[i] = Enumerable.Range(0, k).Sum(j => a[(i / n * k) + j] * b[(j * n) + (i % n)]);
            }

            CudaDeviceMemory c = program.Allocate<float>(m * n);
            program.Launch(
                "product_naive",
                new Dim3((uint)(n + 15) / 16, (uint)(m + 7) / 8),
                new Dim3(16, 8),
                0,
                program.Upload(a),
                program.Upload(b),
                c,
                m,
                n,
                k
            );
            Assert.Equal(wanted, program.Read<float>(c));
            CudaDeviceMemory d = program.Allocate<float>(m * n);
            program.Launch(
                "product_blocked",
                new Dim3((uint)(n + 63) / 64, (uint)(m + 63) / 64),
                new Dim3(128),
                0,
                program.Upload(a),
                program.Upload(b),
                d,
                m,
                n,
                k
            );
            Assert.Equal(wanted, program.Read<float>(d));
        }
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void VectorsAndSparseRows(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        const int Rows = 37;
        const int Columns = 300;
        float[] a = Small(Rows * Columns, 3);
        float[] x = Small(Columns, 4);
        CudaDeviceMemory y = program.Allocate<float>(Rows);
        program.Launch("matvec4", 5, 256, program.Upload(a), program.Upload(x), y, Rows, Columns / 4);
        Assert.Equal(
            Enumerable.Range(0, Rows).Select(r => Enumerable.Range(0, Columns).Sum(c => a[(r * Columns) + c] * x[c])),
            program.Read<float>(y)
        );

        (int[] starts, int[] columns, double[] values) = Stencil(20);
        const int N = 400;
        double[] solution = [.. Small(N, 5).Select(v => (double)v)];
        CudaDeviceMemory s = program.Upload(starts);
        CudaDeviceMemory c = program.Upload(columns);
        CudaDeviceMemory v = program.Upload(values);
        CudaDeviceMemory b = program.Allocate<double>(N);
        program.Launch("sparse_rows", 4, 128, s, c, v, program.Upload(solution), b, N);
        Assert.Equal(
            Enumerable.Range(0, N).Select(r => Enumerable.Range(starts[r], starts[r + 1] - starts[r]).Sum(e => values[e] * solution[columns[e]])),
            program.Read<double>(b)
        );
        CudaDeviceMemory found = program.Allocate<double>(N);
        CudaDeviceMemory steps = program.Allocate<int>(1);
        program.Launch(
            "conjugate_gradients",
            1,
            128,
            s,
            c,
            v,
            b,
            found,
            program.Allocate<double>(N),
            program.Allocate<double>(N),
            program.Allocate<double>(N),
            N,
            200,
            steps
        );
        Assert.InRange(program.Read<int>(steps)[0], 10, 100);
        Assert.All(program.Read<double>(found).Zip(solution), p => Assert.Equal(p.Second, p.First, 1e-9));
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void FactorsPathsAndSoftmax(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        const int N = 24;
        double[] low = new double[N * N];
        for (int i = 0; i < N; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                low[(i * N) + j] = i == j ? i + 2 : ((i * 3) + j) % 5 - 2;
            }
        }

        double[] a = [.. Enumerable.Range(0, N * N).Select(e => Enumerable.Range(0, N).Sum(k => low[(e / N * N) + k] * low[(e % N * N) + k]))];
        CudaDeviceMemory factor = program.Upload(a);
        program.Launch("cholesky", 1, 32, factor, N);
        double[] got = program.Read<double>(factor);
        Assert.All(Enumerable.Range(0, N * N).Where(e => e % N <= e / N), e => Assert.Equal(low[e], got[e], 1e-8));

        int[] distances = [.. Enumerable.Range(0, N * N).Select(e => e / N == e % N ? 0 : (e * 37 % 101) + 1)];
        CudaDeviceMemory paths = program.Upload(distances);
        for (int k = 0; k < N; k++)
        {
            program.Launch("floyd", new Dim3(1, N), new Dim3(32), 0, paths, N, k);
            for (int e = 0; e < N * N; e++)
            {
                distances[e] = Math.Min(distances[e], distances[(e / N * N) + k] + distances[(k * N) + (e % N)]);
            }
        }

        Assert.Equal(distances, program.Read<int>(paths));

        float[] x = [.. Small(3 * 700, 6).Select((v, i) => v + (0.01f * i))];
        CudaDeviceMemory soft = program.Allocate<float>(x.Length);
        program.Launch("softmax_rows", 3, 256, program.Upload(x), soft, 700);
        float[] rows = program.Read<float>(soft);
        for (int r = 0; r < 3; r++)
        {
            double[] e = [.. x[(r * 700)..((r + 1) * 700)].Select(v => Math.Exp(v - 30.0))];
            Assert.All(Enumerable.Range(0, 700), i => Assert.Equal(e[i] / e.Sum(), rows[(r * 700) + i], 1e-5));
        }
    }
}
