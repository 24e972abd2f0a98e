using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>Images, signals, texts and random numbers: convolutions, stencils, transforms, hashes, searches, Monte Carlo.</summary>
public class SampleSignalTests
{
    private const string Source = """
        typedef unsigned u32; typedef unsigned char u8; typedef unsigned long long u64;
        #define R 4
        __constant__ float taps[2 * R + 1];
        extern "C" __global__ void convolve_rows(const float* in, float* out, int w, int h)
        {
            __shared__ float s[4][32 + 2 * R];
            int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 4 + threadIdx.y;
            for (int i = threadIdx.x; i < 32 + 2 * R; i += 32) { int sx = blockIdx.x * 32 + i - R; s[threadIdx.y][i] = y < h && sx >= 0 && sx < w ? in[y * w + sx] : 0; }
            __syncthreads();
            if (x >= w || y >= h) return;
            float sum = 0;
            #pragma unroll
            for (int k = -R; k <= R; k++) sum += taps[R - k] * s[threadIdx.y][threadIdx.x + R + k];
            out[y * w + x] = sum;
        }

        // Seven points in space, planes held in registers while walking along z.
        extern "C" __global__ void stencil3(const float* __restrict__ in, float* __restrict__ out, int nx, int ny, int nz)
        {
            __shared__ float s[10][18];
            int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y, tx = threadIdx.x + 1, ty = threadIdx.y + 1;
            bool inside = x < nx && y < ny; size_t plane = (size_t)nx * ny, at = (size_t)y * nx + x;
            auto value = [&](int i, int j, int k) { return i >= 0 && i < nx && j >= 0 && j < ny && k >= 0 && k < nz ? in[k * plane + (size_t)j * nx + i] : 0.f; };
            float behind = 0, here = value(x, y, 0), ahead = value(x, y, 1);
            for (int z = 0; z < nz; z++) {
                __syncthreads();
                s[ty][tx] = here;
                if (threadIdx.x == 0) s[ty][0] = value(x - 1, y, z);
                if (threadIdx.x == 15) s[ty][17] = value(x + 1, y, z);
                if (threadIdx.y == 0) s[0][tx] = value(x, y - 1, z);
                if (threadIdx.y == 7) s[9][tx] = value(x, y + 1, z);
                __syncthreads();
                if (inside) out[z * plane + at] = behind + ahead + s[ty][tx - 1] + s[ty][tx + 1] + s[ty - 1][tx] + s[ty + 1][tx] - 6 * here;
                behind = here; here = ahead; ahead = value(x, y, z + 2);
            }
        }

        extern "C" __global__ void sobel(const uchar4* in, u8* out, int w, int h)
        {
            int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
            if (x >= w) return;
            auto grey = [&](int i, int j) { uchar4 p = in[min(max(j, 0), h - 1) * w + min(max(i, 0), w - 1)]; return (77 * p.x + 150 * p.y + 29 * p.z) >> 8; };
            int gx = 0, gy = 0;
            for (int k = -1; k <= 1; k++) { int f = 2 - k * k; gx += f * (grey(x + 1, y + k) - grey(x - 1, y + k)); gy += f * (grey(x + k, y + 1) - grey(x + k, y - 1)); }
            out[y * w + x] = (u8)min(255, abs(gx) + abs(gy));
        }

        extern "C" __global__ void fft256(float2* data)
        {
            __shared__ float2 s[256];
            int t = threadIdx.x; float2* d = data + 256 * blockIdx.x;
            s[__brev(t) >> 24] = d[t]; s[__brev(t + 128) >> 24] = d[t + 128];
            for (int half = 1; half < 256; half <<= 1) {
                __syncthreads();
                int k = t & (half - 1), i = ((t - k) << 1) + k; float sn, cs;
                sincosf(-3.14159265358979f * k / half, &sn, &cs);
                float2 a = s[i], b = s[i + half], v = make_float2(b.x * cs - b.y * sn, b.x * sn + b.y * cs);
                s[i] = make_float2(a.x + v.x, a.y + v.y); s[i + half] = make_float2(a.x - v.x, a.y - v.y);
            }
            __syncthreads();
            d[t] = s[t]; d[t + 128] = s[t + 128];
        }

        extern "C" __global__ void walsh(float* d)
        {
            float v = d[threadIdx.x];
            #pragma unroll
            for (int k = 1; k < 32; k <<= 1) { float u = __shfl_xor_sync(~0u, v, k); v = threadIdx.x & k ? u - v : u + v; }
            d[threadIdx.x] = v;
        }

        extern "C" __global__ void pi(u64* hits, int each, u64 seed)
        {
            u64 x = seed + 0x9E3779B97F4A7C15ull * (blockIdx.x * blockDim.x + threadIdx.x + 1); int mine = 0;
            for (int i = 0; i < each; i++) {
                x = x * 6364136223846793005ull + 1442695040888963407ull; float a = (u32)(x >> 32) * 2.3283064365386963e-10f;
                x = x * 6364136223846793005ull + 1442695040888963407ull; float b = (u32)(x >> 32) * 2.3283064365386963e-10f;
                mine += a * a + b * b < 1.0f;
            }
            for (int k = 16; k; k >>= 1) mine += __shfl_down_sync(~0u, mine, k);
            if ((threadIdx.x & 31) == 0) atomicAdd(hits, (u64)mine);
        }

        __device__ float cnd(float d) { return 0.5f * erfcf(-d * 0.70710678f); }
        extern "C" __global__ void black_scholes(float* call, float* put, const float* s, const float* x, const float* t, float r, float v, int n)
        {
            for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) {
                float root = sqrtf(t[i]), d1 = (logf(s[i] / x[i]) + (r + 0.5f * v * v) * t[i]) / (v * root), d2 = d1 - v * root, e = expf(-r * t[i]);
                call[i] = s[i] * cnd(d1) - x[i] * e * cnd(d2);
                put[i] = x[i] * e * cnd(-d2) - s[i] * cnd(-d1);
            }
        }

        __constant__ u32 K[64];
        extern "C" __global__ void sha256(const u8* texts, const int* lengths, u32* out, int stride)
        {
            int t = blockIdx.x * blockDim.x + threadIdx.x, n = lengths[t]; const u8* m = texts + t * stride;
            u32 h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 }, w[64];
            for (int chunk = 0; chunk * 64 < n + 9; chunk++) {
                for (int i = 0; i < 16; i++) {
                    u32 word = 0;
                    for (int j = 0; j < 4; j++) { int p = chunk * 64 + i * 4 + j; word = word << 8 | (p < n ? m[p] : p == n ? 0x80 : 0); }
                    w[i] = word;
                }
                if (chunk * 64 + 64 >= n + 9) { w[14] = 0; w[15] = n * 8; }
                for (int i = 16; i < 64; i++) {
                    u32 a = w[i - 15], b = w[i - 2];
                    w[i] = w[i - 16] + (__funnelshift_r(a, a, 7) ^ __funnelshift_r(a, a, 18) ^ a >> 3) + w[i - 7] + (__funnelshift_r(b, b, 17) ^ __funnelshift_r(b, b, 19) ^ b >> 10);
                }
                u32 v[8];
                for (int i = 0; i < 8; i++) v[i] = h[i];
                for (int i = 0; i < 64; i++) {
                    u32 e = v[4], a = v[0];
                    u32 t1 = v[7] + ((e >> 6 | e << 26) ^ (e >> 11 | e << 21) ^ (e >> 25 | e << 7)) + (e & v[5] ^ ~e & v[6]) + K[i] + w[i];
                    u32 t2 = ((a >> 2 | a << 30) ^ (a >> 13 | a << 19) ^ (a >> 22 | a << 10)) + (a & v[1] ^ a & v[2] ^ v[1] & v[2]);
                    for (int j = 7; j > 0; j--) v[j] = v[j - 1];
                    v[4] += t1; v[0] = t1 + t2;
                }
                for (int i = 0; i < 8; i++) h[i] += v[i];
            }
            for (int i = 0; i < 8; i++) out[8 * t + i] = h[i];
        }

        extern "C" __global__ void search(const char* text, int n, const char* word, int m, int* found, int* count)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x, k = 0;
            if (i + m > n) return;
            while (k < m && text[i + k] == word[k]) k++;
            if (k == m) found[atomicAdd(count, 1)] = i;
        }

        // Distance of two words; the threads walk along the diagonals.
        extern "C" __global__ void levenshtein(const char* a, int n, const char* b, int m, int* out)
        {
            __shared__ int d[3][130];
            int t = threadIdx.x;
            for (int sum = 0; sum <= n + m; sum++) {
                int j = sum - t;
                if (t <= n && j >= 0 && j <= m) {
                    int best = t == 0 ? j : j == 0 ? t : min(min(d[(sum + 2) % 3][t - 1], d[(sum + 2) % 3][t]) + 1, d[(sum + 1) % 3][t - 1] + (a[t - 1] != b[j - 1]));
                    d[sum % 3][t] = best;
                    if (t == n && j == m) *out = best;
                }
                __syncthreads();
            }
        }
        """;

    private static float[] Noise(int n, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, n).Select(_ => (float)random.Next(-20, 21))];
    }

    private static unsafe void Set<T>(DeviceProgram program, string name, T[] values)
        where T : unmanaged
    {
        fixed (T* from = values)
        {
            program.Stream.CopyToDevice((nint)from, program.Module.Global(name).Address, (long)values.Length * sizeof(T));
        }
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void Images(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        const int W = 75;
        const int H = 13;
        float[] image = Noise(W * H, 1);
        float[] taps = [1, 2, 3, 4, 5, -4, 3, -2, 1];
        Set(program, "taps", taps);
        CudaDeviceMemory output = program.Allocate<float>(W * H);
        program.Launch("convolve_rows", new Dim3(3, 4), new Dim3(32, 4), 0, program.Upload(image), output, W, H);
        Assert.Equal(
            Enumerable
                .Range(0, W * H)
                .Select(e => Enumerable.Range(-4, 9).Where(k => (e % W) + k is >= 0 and < W).Sum(k => taps[4 - k] * image[e + k])),
            program.Read<float>(output)
        );

        const int Z = 6;
        float[] space = Noise(W * H * Z, 2);
        float At(int x, int y, int z) => x is >= 0 and < W && y is >= 0 and < H && z is >= 0 and < Z ? space[(((z * H) + y) * W) + x] : 0;
        output = program.Allocate<float>(space.Length);
        program.Launch("stencil3", new Dim3(5, 2), new Dim3(16, 8), 0, program.Upload(space), output, W, H, Z);
        Assert.Equal(Enumerable.Range(0, space.Length).Select(e =>
        {
            (int x, int y, int z) = (e % W, e / W % H, e / W / H);
            return At(x - 1, y, z) + At(x + 1, y, z) + At(x, y - 1, z) + At(x, y + 1, z) + At(x, y, z - 1) + At(x, y, z + 1) - (6 * At(x, y, z));
        }), program.Read<float>(output));

        byte[] pixels = new byte[4 * W * H];
        new Random(3).NextBytes(pixels);
        output = program.Allocate<byte>(W * H);
        program.Launch("sobel", new Dim3(2, H), new Dim3(64), 0, program.Upload(pixels), output, W, H);
        int Grey(int x, int y)
        {
            int p = 4 * ((Math.Clamp(y, 0, H - 1) * W) + Math.Clamp(x, 0, W - 1));
            return ((77 * pixels[p]) + (150 * pixels[p + 1]) + (29 * pixels[p + 2])) >> 8;
        }

        Assert.Equal(
            Enumerable
                .Range(0, W * H)
                .Select(e =>
                {
                    (int x, int y) = (e % W, e / W);
                    int[] k = [-1, 0, 1];
                    return (byte)
                        Math.Min(
                            255,
                            Math.Abs(k.Sum(i => (2 - (i * i)) * (Grey(x + 1, y + i) - Grey(x - 1, y + i))))
                                + Math.Abs(k.Sum(i => (2 - (i * i)) * (Grey(x + i, y + 1) - Grey(x + i, y - 1))))
                        );
                }),
            program.Read<byte>(output)
        );
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void Transforms(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        float[] signal = Noise(2 * 512, 4);
        CudaDeviceMemory data = program.Upload(signal);
        program.Launch("fft256", 2, 128, data);
        float[] spectrum = program.Read<float>(data);
        for (int b = 0; b < 2; b++)
        {
            for (int k = 0; k < 256; k += 5)
            {
                Complex wanted = Complex.Zero;
                for (int i = 0; i < 256; i++)
                {
                    wanted +=
                        new Complex(signal[(512 * b) + (2 * i)], signal[(512 * b) + (2 * i) + 1])
                        * Complex.FromPolarCoordinates(1, -2 * Math.PI * k * i / 256);
                }

                Assert.Equal(wanted.Real, spectrum[(512 * b) + (2 * k)], 2e-3);
                Assert.Equal(wanted.Imaginary, spectrum[(512 * b) + (2 * k) + 1], 2e-3);
            }
        }

        data = program.Upload(signal[..32]);
        program.Launch("walsh", 1, 32, data);
        Assert.Equal(
            Enumerable
                .Range(0, 32)
                .Select(k => Enumerable.Range(0, 32).Sum(i => (BitOperations.PopCount((uint)(i & k)) & 1) == 0 ? signal[i] : -signal[i])),
            program.Read<float>(data)
        );
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void ChanceAndPrices(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        CudaDeviceMemory hits = program.Upload(0UL);
        program.Launch("pi", 8, 64, hits, 200, 42UL);
        ulong wanted = 0;
        for (ulong thread = 1; thread <= 512; thread++)
        {
            ulong state = unchecked(42 + (0x9E3779B97F4A7C15 * thread));
            float Next()
            {
                state = unchecked((state * 6364136223846793005) + 1442695040888963407);
                return (uint)(state >> 32) * 2.3283064365386963e-10f;
            }

            for (int i = 0; i < 200; i++)
            {
                float a = Next();
                float b = Next();

                // The compiler contracts the sum of squares.
                wanted += MathF.FusedMultiplyAdd(a, a, b * b) < 1 ? 1UL : 0;
            }
        }

        Assert.Equal(wanted, program.Read<ulong>(hits)[0]);
        float[] s = [.. Enumerable.Range(0, 100).Select(i => 5 + (0.25f * i))];
        float[] x = [.. Enumerable.Range(0, 100).Select(i => 1 + (i * 37 % 100f))];
        float[] t = [.. Enumerable.Range(0, 100).Select(i => 0.25f + (i % 10))];
        CudaDeviceMemory call = program.Allocate<float>(100);
        CudaDeviceMemory put = program.Allocate<float>(100);
        program.Launch("black_scholes", 2, 32, call, put, program.Upload(s), program.Upload(x), program.Upload(t), 0.02f, 0.3f, 100);
        float[] calls = program.Read<float>(call);
        float[] puts = program.Read<float>(put);
        for (int i = 0; i < 100; i++)
        {
            // Put and call differ by what the share is worth over the strike; prices lie between their bounds.
            double strike = x[i] * Math.Exp(-0.02 * t[i]);
            Assert.Equal(s[i] - strike, calls[i] - puts[i], 1e-4);
            Assert.InRange(calls[i], Math.Max(0, s[i] - strike) - 1e-4, s[i]);
        }
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void Texts(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        string[] texts =
        [
            .. Enumerable.Range(0, 32).Select(i => string.Concat(Enumerable.Range(0, i * 5).Select(k => (char)('a' + ((k * i) % 26))))),
        ];
        byte[] bytes = new byte[32 * 160];
        for (int i = 0; i < 32; i++)
        {
            Encoding.ASCII.GetBytes(texts[i]).CopyTo(bytes, i * 160);
        }

        // The fractions of the cube roots of the first primes.
        double[] primes = [.. Enumerable.Range(2, 310).Where(n => Enumerable.Range(2, n - 2).All(d => n % d != 0)).Take(64).Select(p => (double)p)];
        Set(program, "K", [.. primes.Select(p => (uint)((Math.Cbrt(p) % 1) * 4294967296.0))]);
        CudaDeviceMemory hashes = program.Allocate<uint>(256);
        program.Launch("sha256", 1, 32, program.Upload(bytes), program.Upload([.. texts.Select(x => x.Length)]), hashes, 160);
        Assert.Equal(
            texts.SelectMany(x => SHA256.HashData(Encoding.ASCII.GetBytes(x)).Chunk(4)).Select(c => BitConverter.ToUInt32([.. c.Reverse()])),
            program.Read<uint>(hashes)
        );

        string hay = string.Concat(Enumerable.Range(0, 400).Select(i => "aabab"[i * 7 % 11 % 5]));
        CudaDeviceMemory text = program.Upload(Encoding.ASCII.GetBytes(hay));
        CudaDeviceMemory found = program.Allocate<int>(400);
        CudaDeviceMemory count = program.Upload(0);
        program.Launch("search", 4, 128, text, hay.Length, program.Upload(Encoding.ASCII.GetBytes("aba")), 3, found, count);
        int[] wanted = [.. Enumerable.Range(0, 398).Where(i => hay.AsSpan(i, 3).SequenceEqual("aba"))];
        Assert.NotEmpty(wanted);
        Assert.Equal(wanted, program.Read<int>(found, program.Read<int>(count)[0]).Order());

        string a = "intentionally emulated";
        string b = "execution accelerated";
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                d[i, j] =
                    i == 0 ? j
                    : j == 0 ? i
                    : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            }
        }

        CudaDeviceMemory distance = program.Allocate<int>(1);
        program.Launch(
            "levenshtein",
            1,
            32,
            program.Upload(Encoding.ASCII.GetBytes(a)),
            a.Length,
            program.Upload(Encoding.ASCII.GetBytes(b)),
            b.Length,
            distance
        );
        Assert.Equal(d[a.Length, b.Length], program.Read<int>(distance)[0]);
    }
}
