using System.Numerics;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// What the language allows beyond the usual: jumps into loops, lambdas, bit fields, operators, variadic templates, wide integers, byte-wise
/// intrinsics.
/// </summary>
public class SampleLanguageTests
{
    private const string Source = """
        typedef unsigned u32; typedef unsigned long long u64; typedef long long s64;

        // Duff's device: a switch into the middle of a loop.
        extern "C" __global__ void duff(const int* in, int* out, int stride)
        {
            int t = threadIdx.x, count = t + 1, n = (count + 7) / 8; const int* from = in + t * stride; int sum = 0;
            switch (count % 8) {
            case 0: do { sum = sum * 3 + *from++;
            case 7:      sum = sum * 3 + *from++;
            case 6:      sum = sum * 3 + *from++;
            case 5:      sum = sum * 3 + *from++;
            case 4:      sum = sum * 3 + *from++;
            case 3:      sum = sum * 3 + *from++;
            case 2:      sum = sum * 3 + *from++;
            case 1:      sum = sum * 3 + *from++;
                    } while (--n > 0);
            }
            out[t] = sum;
        }

        // A loop with two entries, left by goto from inside another.
        extern "C" __global__ void tangle(int* out, int k)
        {
            int t = threadIdx.x, a = t, steps = 0;
            if (t % 3 == 1) goto second;
        first:
            a = a * 5 + 1 + k; steps++;
            if ((a & 7) == 3) goto end;
        second:
            a = a * 3 + 2; steps += 100;
            for (int i = 0; i < 5; i++) for (int j = 0; j < i; j++) if (((a + i * j + t) & 15) == 9) { a += i; goto end; }
            if (steps < 2000) goto first;
        end:
            out[2 * t] = a; out[2 * t + 1] = steps;
        }

        struct Bits { u32 a : 3; int b : 7; u32 c : 12; u64 d : 40; bool e : 1; };
        template <typename... T> __device__ int total(T... v) { int s = 0; int dummy[] = { (s += v, 0)... }; (void)dummy; return s; }
        template <int N> struct Fib { static constexpr int value = Fib<N - 1>::value + Fib<N - 2>::value; };
        template <> struct Fib<0> { static constexpr int value = 0; }; template <> struct Fib<1> { static constexpr int value = 1; };
        struct Complex { float re, im; __device__ Complex operator*(Complex o) const { return { re * o.re - im * o.im, re * o.im + im * o.re }; } __device__ Complex& operator+=(Complex o) { re += o.re; im += o.im; return *this; } };
        enum class Mode : unsigned char { Add = 1, Twist = 200 };
        namespace inner { __device__ int hidden[4] = { 11, 22, 33, 44 }; template <class F> __device__ int twice(F f, int x) { return f(f(x)); } }
        extern "C" __global__ void features(int* out, Mode mode)
        {
            int t = threadIdx.x, k = 3;
            Bits b; b.a = t; b.b = t - 16; b.c = t * 100; b.d = (u64)t << 33 | t; b.e = t & 1;
            out[8 * t] = b.a + b.b + b.c + (int)(b.d >> 33) + (int)(b.d & 0xff) + b.e;
            out[8 * t + 1] = total(t, 2, (short)3, t * 4LL, '\5');
            out[8 * t + 2] = Fib<20>::value + inner::hidden[t & 3];
            Complex z = { 1, 0 }, w = { 0, 1 }, sum = { 0, 0 };
            for (int i = 0; i < t; i++) { z = z * w; sum += z; }
            out[8 * t + 3] = (int)sum.re * 10 + (int)sum.im;
            out[8 * t + 4] = inner::twice([=](int x) { return x * k + t; }, t);
            out[8 * t + 5] = mode == Mode::Twist ? (t & 4 ? -t : t) : 0;
            struct Halving { __device__ static int count(int n) { return n <= 0 ? 0 : 1 + count(n / 2); } };
            out[8 * t + 6] = Halving::count(t);
            int once = 0; bool p = t > 5 && (once++, t > 10) || (once += 2, t == 3);
            out[8 * t + 7] = p * 100 + once;
        }

        extern "C" __global__ void wide(const s64* a, const s64* b, s64* out, int n)
        {
            int i = threadIdx.x;
            if (i >= n) return;
            s64 x = a[i], y = b[i]; s64* o = out + 8 * i;
            o[0] = y ? x / y : 0; o[1] = y ? x % y : 0;
            o[2] = y ? (u64)x / (u64)y : 0; o[3] = y ? (u64)x % (u64)y : 0;
            o[4] = __umul64hi(x, y); o[5] = __mul64hi(x, y); o[6] = x * y; o[7] = (x << (y & 63)) ^ (x >> (y & 63)) ^ (s64)((u64)x >> (y & 63));
        }

        extern "C" __global__ void intrinsics(const u32* a, const u32* b, u32* out, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i >= n) return;
            u32 x = a[i], y = b[i], * o = out + 24 * i;
            o[0] = __brev(x); o[1] = __clz(x); o[2] = __ffs(x); o[3] = __popc(x); o[4] = __popcll((u64)x << 20 | y); o[5] = __byte_perm(x, y, 0x3615);
            o[6] = __funnelshift_l(x, y, x & 31); o[7] = __funnelshift_r(x, y, 9); o[8] = __sad(x, y, 5); o[9] = __usad(x, y, 5); o[10] = __umulhi(x, y); o[11] = __mul24(x, y); o[12] = __hadd(x, y); o[13] = __urhadd(x, y);
            asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(o[14]) : "r"(x), "r"(y), "r"(7)); asm("dp4a.u32.u32 %0, %1, %2, %3;" : "=r"(o[15]) : "r"(x), "r"(y), "r"(7)); o[16] = __vadd4(x, y); o[17] = __vabsdiffu4(x, y); o[18] = __vmaxs2(x, y); o[19] = __vcmpgtu4(x, y); o[20] = __vsadu4(x, y);
            o[21] = __ffsll((u64)x << 32); o[22] = __clzll(y); asm("dp2a.lo.s32.s32 %0, %1, %2, %3;" : "=r"(o[23]) : "r"(x), "r"(y), "r"(1));
        }
        """;

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void JumpsOfEverySort(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        int[] numbers = [.. Enumerable.Range(0, 32 * 40).Select(i => i * 31 % 17)];
        CudaDeviceMemory output = program.Allocate<int>(32);
        program.Launch("duff", 1, 32, program.Upload(numbers), output, 40);
        Assert.Equal(
            Enumerable.Range(0, 32).Select(t => Enumerable.Range(0, t + 1).Aggregate(0, (s, i) => unchecked((s * 3) + numbers[(t * 40) + i]))),
            program.Read<int>(output)
        );

        output = program.Allocate<int>(128);
        program.Launch("tangle", 1, 64, output, 4);
        Assert.Equal(Enumerable.Range(0, 64).SelectMany(t => Tangle(t, 4)), program.Read<int>(output));
    }

    private static int[] Tangle(int t, int k)
    {
        int a = t;
        int steps = 0;
        bool skip = t % 3 == 1;
        while (true)
        {
            if (!skip)
            {
                a = unchecked((a * 5) + 1 + k);
                steps++;
                if ((a & 7) == 3)
                {
                    return [a, steps];
                }
            }

            skip = false;
            a = unchecked((a * 3) + 2);
            steps += 100;
            for (int i = 0; i < 5; i++)
            {
                for (int j = 0; j < i; j++)
                {
                    if (((a + (i * j) + t) & 15) == 9)
                    {
                        return [a + i, steps];
                    }
                }
            }

            if (steps >= 2000)
            {
                return [a, steps];
            }
        }
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void FeaturesOfTheLanguage(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        CudaDeviceMemory output = program.Allocate<int>(8 * 32);
        program.Launch("features", 1, 32, output, (byte)200);
        int[] hidden = [11, 22, 33, 44];
        (int, int)[] turns = [(0, 0), (0, 1), (-1, 1), (-1, 0)];
        int[] Expected(int t)
        {
            int once = t > 5 ? 1 : 0;
            bool p = t > 10;
            if (!p)
            {
                once += 2;
                p = t == 3;
            }

            return
            [
                (t & 7) + t - 16 + (t * 100 & 4095) + (t & 127) + t + (t & 1),
                t + 2 + 3 + (4 * t) + 5,
                6765 + hidden[t & 3],
                (turns[t % 4].Item1 * 10) + turns[t % 4].Item2,
                (((t * 3) + t) * 3) + t,
                (t & 4) != 0 ? -t : t,
                t == 0 ? 0 : BitOperations.Log2((uint)t) + 1,
                (p ? 100 : 0) + once,
            ];
        }

        Assert.Equal(Enumerable.Range(0, 32).SelectMany(Expected), program.Read<int>(output));
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void WideIntegers(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        long[] a =
        [
            0,
            1,
            -1,
            7,
            -7,
            long.MaxValue,
            long.MinValue + 1,
            1L << 32,
            123456789012345678,
            -987654321987654321,
            4294967295,
            10,
            1L << 62,
            -3,
        ];
        long[] b = [3, -1, 5, -2, 3, 10, 7, 3, 1000003, -12345678901, 4294967295, 4294967297, 3, long.MaxValue];
        CudaDeviceMemory output = program.Allocate<long>(8 * a.Length);
        program.Launch("wide", 1, 32, program.Upload(a), program.Upload(b), output, a.Length);
        Assert.Equal(
            a.Zip(b)
                .SelectMany(p =>
                    (long[])
                        [
                            p.First / p.Second,
                            p.First % p.Second,
                            (long)((ulong)p.First / (ulong)p.Second),
                            (long)((ulong)p.First % (ulong)p.Second),
                            (long)(((UInt128)(ulong)p.First * (ulong)p.Second) >> 64),
                            (long)(((Int128)p.First * p.Second) >> 64),
                            unchecked(p.First * p.Second),
                            (p.First << (int)(p.Second & 63)) ^ (p.First >> (int)(p.Second & 63)) ^ (p.First >>> (int)(p.Second & 63)),
                        ]
                ),
            program.Read<long>(output)
        );
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void IntegersOf128Bits(string architecture, bool old)
    {
        using DeviceProgram program = new("""
            typedef unsigned __int128 U; typedef __int128 I; typedef unsigned long long u64;
            __device__ void put(u64* o, U v) { o[0] = (u64)v; o[1] = (u64)(v >> 64); }
            extern "C" __global__ void wider(const u64* a, const u64* b, u64* out, int n)
            {
                int i = threadIdx.x;
                if (i >= n) return;
                U x = (U)a[2 * i + 1] << 64 | a[2 * i], y = (U)b[2 * i + 1] << 64 | b[2 * i]; u64* o = out + 14 * i;
                put(o, x / y); put(o + 2, x % y); put(o + 4, (U)((I)x / (I)y)); put(o + 6, (U)((I)x % (I)y)); put(o + 8, x * y); put(o + 10, x - y); put(o + 12, (x >> (int)(y & 127)) ^ (x << (int)(y & 127)));
            }
            """, architecture, old, null, "-device-int128");
        Random random = new(2);
        UInt128 Next(int i) =>
            i % 3 == 0 ? (ulong)random.NextInt64() : new UInt128((ulong)random.NextInt64() >> random.Next(64), (ulong)random.NextInt64() * 2);
        UInt128[] a =
        [
            .. Enumerable.Range(0, 64).Select(i => Next(i + 1)),
            UInt128.MaxValue,
            UInt128.One << 127,
            UInt128.One << 100,
            5,
            UInt128.MaxValue,
        ];
        UInt128[] b = [.. Enumerable.Range(0, 64).Select(i => Next(i) + 1), 3, UInt128.MaxValue, 8, UInt128.One << 64, UInt128.MaxValue - 1];
        ulong[] Halves(IEnumerable<UInt128> values) => [.. values.SelectMany(v => new[] { (ulong)v, (ulong)(v >> 64) })];
        CudaDeviceMemory output = program.Allocate<ulong>(14 * a.Length);
        program.Launch("wider", 1, 96, program.Upload(Halves(a)), program.Upload(Halves(b)), output, a.Length);
        Assert.Equal(Halves(a.Zip(b).SelectMany(p =>
        {
            (UInt128 x, UInt128 y) = p;
            Int128 sx = unchecked((Int128)x);
            Int128 sy = unchecked((Int128)y);

                        // The least number over -1 has no quotient in C# either; it is its own.
                        (Int128 quotient, Int128 rest) = sy == -1 ? (unchecked(-sx), 0) : (sx / sy, sx % sy);
                        return (UInt128[])
                            [
                                x / y,
                                x % y,
                                unchecked((UInt128)quotient),
                                unchecked((UInt128)rest),
                                unchecked(x * y),
                                unchecked(x - y),
                                (x >> (int)(y & 127)) ^ (x << (int)(y & 127)),
                            ];
                    })
            ),
            program.Read<ulong>(output)
        );
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void Intrinsics(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        Random random = new(1);
        uint[] a = [0, 1, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x80FF7F01, .. Enumerable.Range(0, 80).Select(_ => (uint)random.NextInt64(1L << 32))];
        uint[] b = [0, 0xFFFFFFFF, 1, 0x80000000, 2, 0x017F80FF, .. Enumerable.Range(0, 80).Select(_ => (uint)random.NextInt64(1L << 32))];
        CudaDeviceMemory output = program.Allocate<uint>(24 * a.Length);
        program.Launch("intrinsics", 3, 32, program.Upload(a), program.Upload(b), output, a.Length);
        uint[] got = program.Read<uint>(output);
        for (int i = 0; i < a.Length; i++)
        {
            (uint x, uint y) = (a[i], b[i]);
            byte[] u = BitConverter.GetBytes(x);
            byte[] v = BitConverter.GetBytes(y);
            byte[] both = [.. u, .. v];
            uint Bytes(Func<byte, byte, int> f) => BitConverter.ToUInt32([.. u.Zip(v, (p, q) => (byte)f(p, q))]);
            short Half(uint w, int h) => (short)(w >> (16 * h));
            long Low24(uint w) => (int)(w << 8) >> 8;
            Assert.Equal(
                [
                    (uint)Convert.ToInt64(new string([.. Convert.ToString(x, 2).PadLeft(32, '0').Reverse()]), 2),
                    (uint)BitOperations.LeadingZeroCount(x),
                    x == 0 ? 0 : (uint)BitOperations.TrailingZeroCount(x) + 1,
                    (uint)BitOperations.PopCount(x),
                    (uint)BitOperations.PopCount(((ulong)x << 20) | y),
                    BitConverter.ToUInt32([both[5], both[1], both[6], both[3]]),
                    (uint)(((((ulong)y << 32) | x) << (int)(x & 31)) >> 32),
                    (uint)((((ulong)y << 32) | x) >> 9),
                    (uint)(Math.Abs((long)(int)x - (int)y) + 5),
                    (uint)(Math.Abs((long)x - y) + 5),
                    (uint)((ulong)x * y >> 32),
                    (uint)(Low24(x) * Low24(y)),
                    (uint)(((long)(int)x + (int)y) >> 1),
                    (uint)(((ulong)x + y + 1) >> 1),
                    (uint)(u.Zip(v, (p, q) => (sbyte)p * (sbyte)q).Sum() + 7),
                    (uint)(u.Zip(v, (p, q) => p * q).Sum() + 7),
                    Bytes((p, q) => p + q),
                    Bytes((p, q) => Math.Abs(p - q)),
                    (ushort)Math.Max(Half(x, 0), Half(y, 0)) | ((uint)(ushort)Math.Max(Half(x, 1), Half(y, 1)) << 16),
                    Bytes((p, q) => p > q ? 255 : 0),
                    (uint)u.Zip(v, (p, q) => Math.Abs(p - q)).Sum(),
                    x == 0 ? 0 : (uint)BitOperations.TrailingZeroCount(x) + 33,
                    (uint)BitOperations.LeadingZeroCount((ulong)y),
                    (uint)((Half(x, 0) * (sbyte)v[0]) + (Half(x, 1) * (sbyte)v[1]) + 1),
                ],
                got[(24 * i)..((24 * i) + 24)]
            );
        }
    }
}
