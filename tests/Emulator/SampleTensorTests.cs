using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Products on tensor cores as samples write them: wmma from shared memory on every device, and three stages of asynchronous copies before mma on the
/// later ones.
/// </summary>
public class SampleTensorTests
{
    private static string List(int from, int count) => "{" + string.Join(",", Enumerable.Range(from, count).Select(i => "%" + i)) + "}";

    private static string Operands(string name, int count, string sort) =>
        string.Join(", ", Enumerable.Range(0, count).Select(i => $"\"{sort}\"({name}[{i}])"));

    /// <summary>
    /// Four warps make 64 x 64 of D = A B, both by rows, through padded tiles in shared memory; the shape of the warp's instruction is free.
    /// </summary>
    private static string WarpMatrices(int m, int n, string type)
    {
        bool integers = type is "s8" or "u8";
        int k = type == "tf32" ? 8 : 16;
        string element = integers ? (type == "s8" ? "signed char" : "unsigned char") : type == "tf32" ? "float" : "unsigned short";
        string sum = integers ? "int" : "float";
        (int a, int b) = type switch { "f16" => (8, 8), "bf16" => (m * k / 64, n * k / 64), "tf32" => (4, 4), _ => (m * k / 128, n * k / 128) };
        string shape = $"m{m}n{n}k{k}";
        string types = type switch
        {
            "f16" => "f32.f32",
            "tf32" => "f32.tf32.tf32.f32",
            "bf16" => "f32.bf16.bf16.f32",
            _ => $"s32.{type}.{type}.s32",
        };
        (string sumType, string sort) = integers ? ("s32", "r") : ("f32", "f");
        int pad = integers ? 16 : type == "tf32" ? 4 : 8;
        return $$"""
            typedef {{element}} E; typedef {{sum}} S;
            extern "C" __global__ void __launch_bounds__(128) product(const E* A, const E* B, S* D, int M, int N, int K)
            {
                __shared__ __align__(32) E sa[64][16 + {{pad}}], sb[16][64 + {{pad}}];
                const int TM = {{m}}, TN = {{n}}, TK = {{k}}, I = 32 / TM, J = 32 / TN;
                int t = threadIdx.x, warp = t >> 5, m0 = blockIdx.y * 64, n0 = blockIdx.x * 64, wm = (warp >> 1) * 32, wn = (warp & 1) * 32;
                S c[I][J][8];
                for (int i = 0; i < I; i++) for (int j = 0; j < J; j++) for (int e = 0; e < 8; e++) c[i][j][e] = 0;
                for (int k0 = 0; k0 < K; k0 += 16) {
                    for (int i = t; i < 64 * 16; i += 128) { int r = i / 16, q = i % 16; sa[r][q] = m0 + r < M && k0 + q < K ? A[(m0 + r) * K + k0 + q] : (E)0; }
                    for (int i = t; i < 16 * 64; i += 128) { int r = i / 64, q = i % 64; sb[r][q] = k0 + r < K && n0 + q < N ? B[(k0 + r) * N + n0 + q] : (E)0; }
                    __syncthreads();
                    #pragma unroll
                    for (int kk = 0; kk < 16; kk += TK)
                    #pragma unroll
                    for (int i = 0; i < I; i++)
                    #pragma unroll
                    for (int j = 0; j < J; j++) {
                        unsigned a[{{a}}], b[{{b}}];
                        asm volatile("wmma.load.a.sync.aligned.row.{{shape}}.{{type}} {{List(0, a)}}, [%{{a}}], %{{a + 1}};" : {{Operands(
                "a",
                a,
                "=r"
            )}} : "l"(&sa[wm + i * TM][kk]), "r"(16 + {{pad}}) : "memory");
                        asm volatile("wmma.load.b.sync.aligned.row.{{shape}}.{{type}} {{List(0, b)}}, [%{{b}}], %{{b + 1}};" : {{Operands(
                "b",
                b,
                "=r"
            )}} : "l"(&sb[kk][wn + j * TN]), "r"(64 + {{pad}}) : "memory");
                        S* d = c[i][j];
                        asm volatile("wmma.mma.sync.aligned.row.row.{{shape}}.{{types}} {{List(0, 8)}}, {{List(8, a)}}, {{List(8 + a, b)}}, {{List(
                0,
                8
            )}};" : {{Operands("d", 8, "+" + sort)}} : {{Operands("a", a, "r")}}, {{Operands("b", b, "r")}});
                    }
                    __syncthreads();
                }
                for (int i = 0; i < I; i++) for (int j = 0; j < J; j++) {
                    S* d = c[i][j]; int row = m0 + wm + i * TM, col = n0 + wn + j * TN;
                    if (row + TM <= M && col + TN <= N)
                        asm volatile("wmma.store.d.sync.aligned.row.{{shape}}.global.{{sumType}} [%0], {{List(
                1,
                8
            )}}, %9;" :: "l"(D + row * N + col), {{Operands("d", 8, sort)}}, "r"(N) : "memory");
                }
            }
            """;
    }

    private static int[] Numbers(int count, int seed, int least, int most)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(least, most + 1))];
    }

    private static CudaDeviceMemory Upload(DeviceProgram program, int[] values, string type) => type switch
    {
        "f16" => program.Upload([.. values.Select(v => BitConverter.HalfToUInt16Bits((Half)v))]),
        "bf16" => program.Upload([.. values.Select(v => (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16))]),
        "tf32" => program.Upload([.. values.Select(v => (float)v)]),
        _ => program.Upload([.. values.Select(v => (byte)v)]),
    };

    private static IEnumerable<int> Product(int[] a, int[] b, int m, int n, int k) =>
        Enumerable.Range(0, m * n).Select(e => Enumerable.Range(0, k).Sum(i => a[(e / n * k) + i] * b[(i * n) + (e % n)]));

    [Theory]
    [InlineData("sm_70", true, 16, 16, "f16")]
    [InlineData("sm_70", false, 32, 8, "f16")]
    [InlineData("sm_75", true, 8, 32, "f16")]
    [InlineData("sm_75", false, 16, 16, "s8")]
    [InlineData("sm_80", true, 16, 16, "bf16")]
    [InlineData("sm_86", false, 16, 16, "tf32")]
    [InlineData("sm_89", false, 8, 32, "u8")]
    [InlineData("sm_90", true, 32, 8, "bf16")]
    public void TiledWarpMatrices(string architecture, bool old, int tileRows, int tileColumns, string type)
    {
        using DeviceProgram program = new(WarpMatrices(tileRows, tileColumns, type), architecture, old);
        const int M = 96;
        const int N = 64;
        const int K = 40;
        bool positive = type == "u8";
        int[] a = Numbers(M * K, 1, positive ? 0 : -9, positive ? 250 : 9);
        int[] b = Numbers(K * N, 2, positive ? 0 : -9, positive ? 200 : 9);
        bool integers = positive || type == "s8";
        CudaDeviceMemory d = program.Allocate<int>(M * N);
        program.Launch("product", new Dim3(1, 2), new Dim3(128), 0, Upload(program, a, type), Upload(program, b, type), d, M, N, K);
        Assert.Equal(Product(a, b, M, N, K), integers ? program.Read<int>(d) : program.Read<float>(d).Select(x => (int)x));
        int depth = type == "tf32" ? 8 : 16;
        Assert.Equal(2L * 4 * 32 * 32 * 2 * 48, program.Launches[0].Counters.TensorFlops);
        Assert.Equal(8L * 32 * 32 * 48 / (tileRows * tileColumns * depth), program.Launches[0].Counters.TensorOperations);
    }

    // Both by rows; three buffers of asynchronous copies in dynamic shared memory, B turned by ldmatrix.trans.
    private const string Pipeline = """
        typedef unsigned u32; typedef unsigned short u16;
        const int STAGES = 3, ROW_A = 32 + 8, ROW_B = 64 + 8, STAGE = 64 * ROW_A + 32 * ROW_B;
        __device__ void copy(const u16* to, const u16* from) { asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((u32)__cvta_generic_to_shared(to)), "l"(from) : "memory"); }
        extern "C" __global__ void __launch_bounds__(128) pipeline(const u16* __restrict__ A, const u16* __restrict__ B, float* __restrict__ D, int M, int N, int K)
        {
            extern __shared__ __align__(16) u16 shared[];
            int t = threadIdx.x, lane = t & 31, warp = t >> 5, m0 = blockIdx.y * 64, n0 = blockIdx.x * 64, wm = (warp >> 1) * 32, wn = (warp & 1) * 32, steps = K / 32;
            float c[2][4][4] = {};
            auto fetch = [&](int step) {
                if (step < steps) {
                    u16* s = shared + step % STAGES * STAGE;
                    for (int i = t; i < 256; i += 128) {
                        copy(s + (i >> 2) * ROW_A + (i & 3) * 8, A + (size_t)(m0 + (i >> 2)) * K + step * 32 + (i & 3) * 8);
                        copy(s + 64 * ROW_A + (i >> 3) * ROW_B + (i & 7) * 8, B + (size_t)(step * 32 + (i >> 3)) * N + n0 + (i & 7) * 8);
                    }
                }
                asm volatile("cp.async.commit_group;" ::: "memory");
            };
            for (int s = 0; s < STAGES - 1; s++) fetch(s);
            for (int step = 0; step < steps; step++) {
                asm volatile("cp.async.wait_group %0;" :: "n"(STAGES - 2) : "memory");
                __syncthreads();
                fetch(step + STAGES - 1);
                const u16* sa = shared + step % STAGES * STAGE; const u16* sb = sa + 64 * ROW_A;
                #pragma unroll
                for (int kk = 0; kk < 32; kk += 16) {
                    u32 a[2][4], b[4][2];
                    for (int i = 0; i < 2; i++)
                        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(a[i][0]), "=r"(a[i][1]), "=r"(a[i][2]), "=r"(a[i][3])
                            : "r"((u32)__cvta_generic_to_shared(sa + (wm + i * 16 + (lane & 15)) * ROW_A + kk + (lane >> 4) * 8)) : "memory");
                    for (int j = 0; j < 4; j += 2)
                        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(b[j][0]), "=r"(b[j][1]), "=r"(b[j + 1][0]), "=r"(b[j + 1][1])
                            : "r"((u32)__cvta_generic_to_shared(sb + (kk + (lane & 15)) * ROW_B + wn + j * 8 + (lane >> 4) * 8)) : "memory");
                    for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++)
                        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[i][j][0]), "+f"(c[i][j][1]), "+f"(c[i][j][2]), "+f"(c[i][j][3])
                            : "r"(a[i][0]), "r"(a[i][1]), "r"(a[i][2]), "r"(a[i][3]), "r"(b[j][0]), "r"(b[j][1]));
                }
            }
            asm volatile("cp.async.wait_all;" ::: "memory");
            for (int i = 0; i < 2; i++) for (int j = 0; j < 4; j++) for (int h = 0; h < 2; h++)
                *(float2*)(D + (size_t)(m0 + wm + i * 16 + (lane >> 2) + 8 * h) * N + n0 + wn + j * 8 + 2 * (lane & 3)) = make_float2(c[i][j][2 * h], c[i][j][2 * h + 1]);
        }
        """;

    [Theory]
    [MemberData(nameof(SampleTargets.Ampere), MemberType = typeof(SampleTargets))]
    public void PipelinedProduct(string architecture, bool old)
    {
        using DeviceProgram program = new(Pipeline, architecture, old);
        const int M = 128;
        const int N = 128;
        const int K = 160;
        int[] a = Numbers(M * K, 3, -6, 6);
        int[] b = Numbers(K * N, 4, -6, 6);
        CudaDeviceMemory d = program.Allocate<float>(M * N);
        program.Launch(
            "pipeline",
            new Dim3(2, 2),
            new Dim3(128),
            3 * 2 * ((64 * 40) + (32 * 72)),
            Upload(program, a, "f16"),
            Upload(program, b, "f16"),
            d,
            M,
            N,
            K
        );
        Assert.Equal(Product(a, b, M, N, K), program.Read<float>(d).Select(x => (int)x));
        LaunchCounters counters = program.Launches[0].Counters;

        // The matrices are read without conflicts. Eight lanes copy two rows of A, 80 bytes apart, and so the second wraps round into the first one's banks.
        Assert.Equal(4L * 5 * 2 * 4 * 4, counters.BankConflicts);
        Assert.Equal(2L * M * N * K, counters.TensorFlops);
        Assert.Equal(4L * 5 * 2 * ((64 * 32) + (32 * 64)), counters.AsyncCopyBytes);
        Assert.Equal(counters.IdealSectorsRead, counters.GlobalSectorsRead);
    }

    [Fact]
    public void AStageTooFewIsFound()
    {
        // One buffer less: a copy is begun into the buffer that the slower warps still read.
        using DeviceProgram program = new(Pipeline.Replace("step % STAGES * STAGE", "step % (STAGES - 1) * STAGE", StringComparison.Ordinal));
        CudaDeviceMemory d = program.Allocate<float>(64 * 64);
        int[] numbers = Numbers(64 * 160, 5, -6, 6);
        Violation violation = program.Fails(() =>
            program.Launch(
                "pipeline",
                new Dim3(1, 1),
                new Dim3(128),
                3 * 2 * ((64 * 40) + (32 * 72)),
                Upload(program, numbers, "f16"),
                Upload(program, numbers, "f16"),
                d,
                64,
                64,
                160
            )
        );
        Assert.True(violation.Kind is ViolationKind.Race or ViolationKind.AsyncCopyInFlight, violation.ToString());
    }
}
