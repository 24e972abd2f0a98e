using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Diagnostics;

/// <summary>Measures the rate of fused multiply-adds that stay in registers: the ceiling of every matrix product here.</summary>
public static class FmaPeak
{
    private const int Chains = 12;

    /// <summary>
    /// Billions of operations (a multiply-add counts two) per second of <paramref name="threads"/> threads together, best of three spans of time.
    /// </summary>
    public static double Measure(int threads, TimeSpan span)
    {
        Run(1, TimeSpan.FromMilliseconds(100));
        double best = 0;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            best = Math.Max(best, Run(threads, span / 3));
        }

        return best / 1e9;
    }

    private static double Run(int threads, TimeSpan span)
    {
        long[] rounds = new long[threads];
        float[] kept = new float[threads];
        Thread[] team = new Thread[threads];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < threads; i++)
        {
            int index = i;
            team[i] = new Thread(() =>
            {
                long count = 0;
                float sum = 0;
                while (Stopwatch.GetElapsedTime(start) < span)
                {
                    sum += Vector512.IsHardwareAccelerated ? Burst512(2000) : Burst256(2000);
                    count += 2000;
                }

                (rounds[index], kept[index]) = (count, sum);
            });
            team[i].Start();
        }

        foreach (Thread thread in team)
        {
            thread.Join();
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        int lanes = Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256<float>.Count;
        return 2.0 * lanes * Chains * rounds.Sum() / seconds + (float.IsNaN(kept.Sum()) ? 1 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Burst512(int rounds)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(0.001f);
        Vector512<float> a = y, b = x, c = y, d = x, e = y, f = x, g = y, h = x, i = y, j = x, k = y, l = x;
        for (int r = 0; r < rounds; r++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Burst256(int rounds)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(0.001f);
        Vector256<float> a = y, b = x, c = y, d = x, e = y, f = x, g = y, h = x, i = y, j = x, k = y, l = x;
        for (int r = 0; r < rounds; r++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
