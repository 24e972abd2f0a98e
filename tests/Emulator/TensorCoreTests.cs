using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Matrix instructions against products computed here: every shape that is executed, ldmatrix and its relatives, asynchronous copies, a whole
/// tensor-core matrix product.
/// </summary>
public class TensorCoreTests
{
    private const string Prelude = """
        typedef unsigned u32; typedef unsigned short u16;
        __device__ u16 bf(float x) { u16 r; asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r) : "f"(x)); return r; }
        __device__ u16 hf(float x) { u16 r; asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(x)); return r; }
        __device__ u32 pack(u16 a, u16 b) { return a | ((u32)b << 16); }

        """;

    // One warp multiplies A [16,K] by B [K,8]; fragments are taken straight from memory by the layout that PTX documents.
    private const string Fragments = Prelude + """
        #define MMA16(NAME, TYPE, CV) \
        extern "C" __global__ void NAME(const float* A, const float* B, const float* C, float* D) { \
            int l = threadIdx.x, g = l >> 2, t = l & 3; \
            u32 a[4], b[2]; float c[4]; \
            for (int r = 0; r < 4; r++) { int row = g + 8 * (r & 1), k = 2 * t + 8 * (r >> 1); a[r] = pack(CV(A[row * 16 + k]), CV(A[row * 16 + k + 1])); } \
            for (int r = 0; r < 2; r++) { int k = 2 * t + 8 * r; b[r] = pack(CV(B[k * 8 + g]), CV(B[(k + 1) * 8 + g])); } \
            for (int i = 0; i < 4; i++) c[i] = C[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)]; \
            asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." TYPE "." TYPE ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
                : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1])); \
            for (int i = 0; i < 4; i++) D[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = c[i]; }
        MMA16(mma_bf16, "bf16", bf)
        MMA16(mma_f16, "f16", hf)

        extern "C" __global__ void mma_bf16_k8(const float* A, const float* B, const float* C, float* D) {
            int l = threadIdx.x, g = l >> 2, t = l & 3;
            u32 a[2], b; float c[4];
            for (int r = 0; r < 2; r++) a[r] = pack(bf(A[(g + 8 * r) * 8 + 2 * t]), bf(A[(g + 8 * r) * 8 + 2 * t + 1]));
            b = pack(bf(B[2 * t * 8 + g]), bf(B[(2 * t + 1) * 8 + g]));
            for (int i = 0; i < 4; i++) c[i] = C[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(b));
            for (int i = 0; i < 4; i++) D[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = c[i];
        }

        extern "C" __global__ void mma_f16_sums(const float* A, const float* B, const float* C, float* D) {
            int l = threadIdx.x, g = l >> 2, t = l & 3;
            u32 a[4], b[2], c[2];
            for (int r = 0; r < 4; r++) { int row = g + 8 * (r & 1), k = 2 * t + 8 * (r >> 1); a[r] = pack(hf(A[row * 16 + k]), hf(A[row * 16 + k + 1])); }
            for (int r = 0; r < 2; r++) { int k = 2 * t + 8 * r; b[r] = pack(hf(B[k * 8 + g]), hf(B[(k + 1) * 8 + g])); }
            for (int r = 0; r < 2; r++) c[r] = pack(hf(C[(g + 8 * r) * 8 + 2 * t]), hf(C[(g + 8 * r) * 8 + 2 * t + 1]));
            asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1}, {%2,%3,%4,%5}, {%6,%7}, {%0,%1};"
                : "+r"(c[0]), "+r"(c[1]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
            for (int r = 0; r < 2; r++) for (int h = 0; h < 2; h++) {
                float x; u16 v = (u16)(c[r] >> (16 * h)); asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(v)); D[(g + 8 * r) * 8 + 2 * t + h] = x; }
        }

        extern "C" __global__ void mma_tf32(const float* A, const float* B, const float* C, float* D) {
            int l = threadIdx.x, g = l >> 2, t = l & 3;
            u32 a[4], b[2]; float c[4];
            for (int r = 0; r < 4; r++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(a[r]) : "f"(A[(g + 8 * (r & 1)) * 8 + t + 4 * (r >> 1)]));
            for (int r = 0; r < 2; r++) asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(b[r]) : "f"(B[(t + 4 * r) * 8 + g]));
            for (int i = 0; i < 4; i++) c[i] = C[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
            for (int i = 0; i < 4; i++) D[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = c[i];
        }

        extern "C" __global__ void mma_s8(const float* A, const float* B, const float* C, float* D) {
            int l = threadIdx.x, g = l >> 2, t = l & 3;
            u32 a[4], b[2]; int c[4];
            for (int r = 0; r < 4; r++) { a[r] = 0; for (int s = 0; s < 4; s++) a[r] |= ((u32)(int)A[(g + 8 * (r & 1)) * 32 + 4 * t + s + 16 * (r >> 1)] & 255) << (8 * s); }
            for (int r = 0; r < 2; r++) { b[r] = 0; for (int s = 0; s < 4; s++) b[r] |= ((u32)(int)B[(4 * t + s + 16 * r) * 8 + g] & 255) << (8 * s); }
            for (int i = 0; i < 4; i++) c[i] = (int)C[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
            asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
            for (int i = 0; i < 4; i++) D[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = c[i];
        }

        extern "C" __global__ void mma_f64(const float* A, const float* B, const float* C, float* D) {
            int l = threadIdx.x, g = l >> 2, t = l & 3;
            double a = A[g * 4 + t], b = B[t * 8 + g], c0 = C[g * 8 + 2 * t], c1 = C[g * 8 + 2 * t + 1];
            asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};" : "+d"(c0), "+d"(c1) : "d"(a), "d"(b));
            D[g * 8 + 2 * t] = c0; D[g * 8 + 2 * t + 1] = c1;
        }
        """;

    public static TheoryData<string, int, int, double> Shapes =>
        new()
        {
            { "mma_bf16", 16, 16, 1 << 8 },
            { "mma_f16", 16, 16, 1 << 11 },
            { "mma_bf16_k8", 16, 8, 1 << 8 },
            { "mma_f16_sums", 16, 16, 1 << 11 },
            { "mma_tf32", 16, 8, 1 << 11 },
            { "mma_s8", 16, 32, 0 },
            { "mma_f64", 8, 4, 1 << 24 },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void OneInstruction(string kernel, int rows, int depth, double precision)
    {
        using DeviceProgram program = new(Fragments);
        Random random = new(5);

        // Values that every format holds exactly, so that the product is exact too: small integers, or for the sake of rounding one of many bits.
        float[] a = [.. Enumerable.Range(0, rows * depth).Select(_ => (float)random.Next(-8, 9))];
        float[] b = [.. Enumerable.Range(0, depth * 8).Select(_ => (float)random.Next(-8, 9))];
        float[] c = [.. Enumerable.Range(0, rows * 8).Select(_ => (float)random.Next(-100, 101))];
        a[3] = precision == 0 ? 127 : (float)precision - 1;
        CudaDeviceMemory result = program.Allocate<float>(rows * 8);
        program.Launch(kernel, 1, 32, program.Upload(a), program.Upload(b), program.Upload(c), result);
        float[] got = program.Read<float>(result);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                double wanted = c[(row * 8) + column] + Enumerable.Range(0, depth).Sum(k => (double)a[(row * depth) + k] * b[(k * 8) + column]);
                wanted = kernel == "mma_f16_sums" ? (double)(Half)wanted : wanted;
                Assert.Equal((float)wanted, got[(row * 8) + column]);
            }
        }

        Assert.Equal(1, program.Launches[0].Counters.TensorOperations);
        Assert.Equal(2L * rows * 8 * depth, program.Launches[0].Counters.TensorFlops);
    }

    [Theory]
    [InlineData("row", "col")]
    [InlineData("col", "row")]
    [InlineData("row", "row")]
    [InlineData("col", "col")]
    public void VoltaQuads(string layoutA, string layoutB)
    {
        // Every quad multiplies another pair of 8 x 4 and 4 x 8 matrices.
        string source = Prelude + $$"""
            extern "C" __global__ void quads(const float* A, const float* B, float* D) {
                int l = threadIdx.x, q = (l >> 2) & 3, m = l & 3, u = l < 16 ? 0 : 4;
                u32 a[2], b[2]; float c[8] = {};
                u16 x[4], y[4];
                for (int i = 0; i < 4; i++) {
                    int row = {{(layoutA == "row" ? "m + u" : "i + u")}}, k = {{(layoutA == "row" ? "i" : "m")}};
                    int col = {{(layoutB == "row" ? "i + u" : "m + u")}}, j = {{(layoutB == "row" ? "m" : "i")}};
                    x[i] = hf(A[q * 32 + row * 4 + k]); y[i] = hf(B[q * 32 + j * 8 + col]);
                }
                a[0] = pack(x[0], x[1]); a[1] = pack(x[2], x[3]); b[0] = pack(y[0], y[1]); b[1] = pack(y[2], y[3]);
                asm volatile("mma.sync.aligned.m8n8k4.{{layoutA}}.{{layoutB}}.f32.f16.f16.f32 {%0,%1,%2,%3,%4,%5,%6,%7}, {%8,%9}, {%10,%11}, {%0,%1,%2,%3,%4,%5,%6,%7};"
                    : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]) : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(b[1]));
                for (int i = 0; i < 8; i++) D[q * 64 + ((m & 1) + (i & 2) + u) * 8 + (i & 4) + (m & 2) + (i & 1)] = c[i];
            }
            """;
        using DeviceProgram program = new(source, "sm_70");
        Random random = new(6);
        float[] a = [.. Enumerable.Range(0, 128).Select(_ => (float)random.Next(-9, 10))];
        float[] b = [.. Enumerable.Range(0, 128).Select(_ => (float)random.Next(-9, 10))];
        CudaDeviceMemory result = program.Allocate<float>(256);
        program.Launch("quads", 1, 32, program.Upload(a), program.Upload(b), result);
        float[] got = program.Read<float>(result);
        for (int i = 0; i < 256; i++)
        {
            (int q, int row, int column) = (i / 64, i / 8 % 8, i % 8);
            Assert.Equal(Enumerable.Range(0, 4).Sum(k => a[(q * 32) + (row * 4) + k] * b[(q * 32) + (k * 8) + column]), got[i]);
        }
    }

    [Fact]
    public void MatrixLoadsAndStores()
    {
        const string Source = """
            extern "C" __global__ void mats(const unsigned short* in, unsigned* out) {
                __shared__ __align__(16) unsigned short s[4 * 64], z[4 * 64];
                int l = threadIdx.x;
                for (int i = l; i < 256; i += 32) s[i] = in[i];
                __syncwarp();
                unsigned at = (unsigned)__cvta_generic_to_shared(s + 8 * l), to = (unsigned)__cvta_generic_to_shared(z + 8 * l), r[4], m;
                asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
                for (int i = 0; i < 4; i++) out[i * 32 + l] = r[i];
                asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(m) : "r"(r[1]));
                out[9 * 32 + l] = m;
                asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};" :: "r"(to), "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]) : "memory");
                __syncwarp();
                for (int i = l; i < 128; i += 32) out[10 * 32 + i] = ((unsigned*)z)[i];
                asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
                for (int i = 0; i < 4; i++) out[(4 + i) * 32 + l] = r[i];
                asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r[0]) : "r"(at + 128) : "memory");
                out[8 * 32 + l] = r[0];
            }
            """;
        using DeviceProgram program = new(Source, "sm_90");
        ushort[] input = [.. Enumerable.Range(0, 256).Select(i => (ushort)(i * 257))];
        CudaDeviceMemory result = program.Allocate<uint>(14 * 32);
        program.Launch("mats", 1, 32, program.Upload(input), result);
        uint[] got = program.Read<uint>(result);
        uint Element(int matrix, int row, int column) => input[(matrix * 64) + (row * 8) + column];
        for (int lane = 0; lane < 32; lane++)
        {
            (int g, int t) = (lane >> 2, lane & 3);
            for (int m = 0; m < 4; m++)
            {
                uint pair = Element(m, g, 2 * t) | (Element(m, g, (2 * t) + 1) << 16);
                Assert.Equal(pair, got[(m * 32) + lane]);
                Assert.Equal(Element(m, 2 * t, g) | (Element(m, (2 * t) + 1, g) << 16), got[((4 + m) * 32) + lane]);
                Assert.Equal(pair, got[(10 * 32) + (m * 32) + (4 * g) + t]);
            }

            Assert.Equal(Element(1, g, 2 * t) | (Element(1, g, (2 * t) + 1) << 16), got[(8 * 32) + lane]);
            Assert.Equal(Element(1, 2 * t, g) | (Element(1, (2 * t) + 1, g) << 16), got[(9 * 32) + lane]);
        }
    }

    // D [M,N] = A [M,K] times B [N,K] transposed: tiles of 64 x 64 x 32, four warps, asynchronous copies into two buffers, ldmatrix from swizzled rows.
    private const string Product = Prelude + """
        __device__ void copy16(unsigned to, const void* from, int bytes) { asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"(to), "l"(from), "r"(bytes) : "memory"); }
        __device__ int place(int row, int chunk) { return row * 32 + ((chunk ^ ((row >> 1) & 3)) << 3); }
        extern "C" __global__ void __launch_bounds__(128) product(const u16* A, const u16* B, float* D, int M, int N, int K)
        {
            __shared__ __align__(16) u16 sa[2][64 * 32], sb[2][64 * 32];
            int t = threadIdx.x, lane = t & 31, warp = t >> 5, m0 = blockIdx.y * 64, n0 = blockIdx.x * 64;
            float c[2][4][4] = {};
            auto load = [&](int buffer, int k0) {
                for (int i = t; i < 64 * 4; i += 128) {
                    int row = i >> 2, chunk = i & 3;
                    bool ina = m0 + row < M && k0 + chunk * 8 < K, inb = n0 + row < N && k0 + chunk * 8 < K;
                    copy16((unsigned)__cvta_generic_to_shared(sa[buffer] + place(row, chunk)), A + (ina ? (size_t)(m0 + row) * K + k0 + chunk * 8 : 0), ina ? 16 : 0);
                    copy16((unsigned)__cvta_generic_to_shared(sb[buffer] + place(row, chunk)), B + (inb ? (size_t)(n0 + row) * K + k0 + chunk * 8 : 0), inb ? 16 : 0);
                }
                asm volatile("cp.async.commit_group;" ::: "memory");
            };
            load(0, 0);
            int steps = (K + 31) / 32, wm = (warp >> 1) * 32, wn = (warp & 1) * 32;
            for (int s = 0; s < steps; s++) {
                if (s + 1 < steps) { load((s + 1) & 1, (s + 1) * 32); asm volatile("cp.async.wait_group 1;" ::: "memory"); }
                else asm volatile("cp.async.wait_group 0;" ::: "memory");
                __syncthreads();
                for (int k = 0; k < 2; k++) {
                    u32 a[2][4], b[4][2];
                    for (int i = 0; i < 2; i++) {
                        int row = wm + i * 16 + (lane & 15), chunk = k * 2 + (lane >> 4);
                        unsigned at = (unsigned)__cvta_generic_to_shared(sa[s & 1] + place(row, chunk));
                        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(a[i][0]), "=r"(a[i][1]), "=r"(a[i][2]), "=r"(a[i][3]) : "r"(at) : "memory");
                    }
                    for (int j = 0; j < 4; j += 2) {
                        int row = wn + j * 8 + (lane & 7) + ((lane >> 4) << 3), chunk = k * 2 + ((lane >> 3) & 1);
                        unsigned at = (unsigned)__cvta_generic_to_shared(sb[s & 1] + place(row, chunk));
                        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(b[j][0]), "=r"(b[j][1]), "=r"(b[j + 1][0]), "=r"(b[j + 1][1]) : "r"(at) : "memory");
                    }
                    for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++)
                        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                            : "+f"(c[i][j][0]), "+f"(c[i][j][1]), "+f"(c[i][j][2]), "+f"(c[i][j][3])
                            : "r"(a[i][0]), "r"(a[i][1]), "r"(a[i][2]), "r"(a[i][3]), "r"(b[j][0]), "r"(b[j][1]));
                }
                __syncthreads();
            }
            for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++) for (int e = 0; e < 4; e++) {
                int row = m0 + wm + i * 16 + (lane >> 2) + 8 * (e >> 1), col = n0 + wn + j * 8 + 2 * (lane & 3) + (e & 1);
                if (row < M && col < N) D[(size_t)row * N + col] = c[i][j][e];
            }
        }
        """;

    [Theory]
    [InlineData(128, 64, 96, "sm_80", false)]
    [InlineData(77, 83, 40, "sm_86", false)]
    [InlineData(64, 64, 32, "sm_80", true)]
    public void DoubleBufferedProduct(int m, int n, int k, string architecture, bool old)
    {
        using DeviceProgram program = new(Product, architecture, old);
        Random random = new(7);
        float[] a = [.. Enumerable.Range(0, m * k).Select(_ => (float)random.Next(-4, 5))];
        float[] b = [.. Enumerable.Range(0, n * k).Select(_ => (float)random.Next(-4, 5))];
        ushort[] Bits(float[] values) => [.. values.Select(v => (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16))];
        CudaDeviceMemory result = program.Allocate<float>(m * n);
        program.Launch(
            "product",
            new Dim3((uint)(n + 63) / 64, (uint)(m + 63) / 64),
            new Dim3(128),
            0,
            program.Upload(Bits(a)),
            program.Upload(Bits(b)),
            result,
            m,
            n,
            k
        );
        float[] got = program.Read<float>(result);
        for (int row = 0; row < m; row++)
        {
            for (int column = 0; column < n; column++)
            {
                float wanted = 0;
                for (int i = 0; i < k; i++)
                {
                    wanted += a[(row * k) + i] * b[(column * k) + i];
                }

                Assert.Equal(wanted, got[(row * n) + column]);
            }
        }

        LaunchCounters counters = program.Launches[0].Counters;
        Assert.Equal(0, counters.BankConflicts);
        Assert.Equal((long)((m + 63) / 64) * ((n + 63) / 64) * ((k + 31) / 32) * 4 * 16, counters.TensorOperations);
    }

    [Theory]
    [InlineData("row", "col", "f16")]
    [InlineData("col", "row", "f16")]
    [InlineData("row", "row", "bf16")]
    public void WarpMatrices(string layoutA, string layoutB, string type)
    {
        int count = type == "f16" ? 8 : 4;
        string Registers(string name, int n, string sort) => string.Join(", ", Enumerable.Range(0, n).Select(i => $"\"{sort}\"({name}[{i}])"));
        string Places(int from, int n) => "{" + string.Join(",", Enumerable.Range(from, n).Select(i => "%" + i)) + "}";
        string types = type == "f16" ? "f32.f32" : "f32.bf16.bf16.f32";
        string source = $$"""
            extern "C" __global__ void wmma(const unsigned short* A, const unsigned short* B, const float* C, float* D) {
                unsigned a[8], b[8]; float c[8];
                asm volatile("wmma.load.a.sync.aligned.{{layoutA}}.m16n16k16.global.{{type}} {{Places(0, count)}}, [%{{count}}], %{{count
                + 1}};" : {{Registers("a", count, "=r")}} : "l"(A), "r"(16) : "memory");
                asm volatile("wmma.load.b.sync.aligned.{{layoutB}}.m16n16k16.global.{{type}} {{Places(0, count)}}, [%{{count}}], %{{count
                + 1}};" : {{Registers("b", count, "=r")}} : "l"(B), "r"(16) : "memory");
                asm volatile("wmma.load.c.sync.aligned.row.m16n16k16.global.f32 {{Places(0, 8)}}, [%8], %9;" : {{Registers(
                "c",
                8,
                "=f"
            )}} : "l"(C), "r"(16) : "memory");
                asm volatile("wmma.mma.sync.aligned.{{layoutA}}.{{layoutB}}.m16n16k16.{{types}} {{Places(0, 8)}}, {{Places(8, count)}}, {{Places(
                8 + count,
                count
            )}}, {{Places(0, 8)}};"
                    : {{Registers("c", 8, "+f")}} : {{Registers("a", count, "r")}}, {{Registers("b", count, "r")}});
                asm volatile("wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%0], {{Places(1, 8)}}, %9;" :: "l"(D), {{Registers(
                "c",
                8,
                "f"
            )}}, "r"(16) : "memory");
            }
            """;
        using DeviceProgram program = new(source);
        Random random = new(8);
        float[] a = [.. Enumerable.Range(0, 256).Select(_ => (float)random.Next(-9, 10))];
        float[] b = [.. Enumerable.Range(0, 256).Select(_ => (float)random.Next(-9, 10))];
        float[] c = [.. Enumerable.Range(0, 256).Select(_ => (float)random.Next(-9, 10))];
        ushort[] Bits(float[] values) =>
            [.. values.Select(v => type == "f16" ? BitConverter.HalfToUInt16Bits((Half)v) : (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16))];
        CudaDeviceMemory result = program.Allocate<float>(256);
        program.Launch("wmma", 1, 32, program.Upload(Bits(a)), program.Upload(Bits(b)), program.Upload(c), result);
        float[] got = program.Read<float>(result);
        for (int i = 0; i < 256; i++)
        {
            (int row, int column) = (i / 16, i % 16);
            float wanted =
                c[i]
                + Enumerable
                    .Range(0, 16)
                    .Sum(k => a[layoutA == "row" ? (row * 16) + k : (k * 16) + row] * b[layoutB == "row" ? (k * 16) + column : (column * 16) + k]);
            Assert.Equal(wanted, got[i]);
        }
    }
}
