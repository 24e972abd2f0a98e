using System.Runtime.Intrinsics;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.Remask"/>
    /// <remarks>A confidence that is not a number ranks with -∞.</remarks>
    public void Remask(in RemaskOperands operands, NoiseAddress noise, int steps, CountRule rule, int maskToken)
    {
        Require.Remask(operands, noise);
        int images = operands.Canvas.Shape[0];
        int positions = operands.Canvas.Shape[1];
        nint* scratch = stackalloc nint[_team.Count];
        WorkerScratch(scratch, 2 * (nuint)GuidedRow.Padded(positions) * sizeof(uint));
        RemaskArguments a = new()
        {
            Scratch = scratch,
            Operands = operands,
            Positions = positions,
            Key = *(ulong*)noise.Key.Address,
            Step = noise.Step,
            Steps = steps,
            Rule = rule,
            MaskToken = maskToken,
        };
        _team.For(images, &RemaskImages, &a, Math.Max(1, 2048 / Math.Max(1, positions)));
    }

    private static void RemaskImages(void* state, int start, int end, int worker)
    {
        RemaskArguments* a = (RemaskArguments*)state;
        int n = a->Positions;
        uint* keys = (uint*)a->Scratch[worker];
        uint* selection = keys + GuidedRow.Padded(n);
        for (int b = start; b < end; b++)
        {
            long first = (long)b * n;
            int* canvas = a->Operands.Canvas.I32 + first;
            int* candidates = a->Operands.Candidates.I32 + first;
            float* logProb = a->Operands.LogProb.F32 + first;
            int* decodedStep = a->Operands.DecodedStep.I32 + first;
            float* decodedLogProb = a->Operands.DecodedLogProb.F32 + first;
            ScheduleAction action = ((ScheduleAction*)a->Operands.Actions.Address)[b];
            int masked = 0;
            for (int i = 0; i < n; i++)
            {
                masked += canvas[i] == a->MaskToken ? 1 : 0;
            }

            double share = action.Remask * ((double*)a->Operands.StartShare.Address)[b];
            int keep = a->Rule == CountRule.Double
                ? RemaskCount.Of(n, share, masked, a->Step, a->Steps)
                : RemaskCount.OfSingle(n, (float)share, masked, a->Step, a->Steps);
            if (keep >= masked)
            {
                continue;
            }

            uint threshold = 0;
            int ties = 0;
            if (keep > 0)
            {
                RemaskKeys(
                    a->Operands.Confidence.F32 + first,
                    (float)action.RemaskTemperature,
                    n,
                    a->Key,
                    (uint)a->Step,
                    (uint)a->Operands.Trajectories.I32[b],
                    keys
                );
                int count = 0;
                for (int i = 0; i < n; i++)
                {
                    selection[count] = keys[i];
                    count += canvas[i] == a->MaskToken ? 1 : 0;
                }

                threshold = Select(selection, masked, keep, out ties);
            }

            for (int i = 0; i < n; i++)
            {
                if (canvas[i] != a->MaskToken)
                {
                    continue;
                }

                if (keep > 0 && (keys[i] < threshold || (keys[i] == threshold && ties-- > 0)))
                {
                    continue;
                }

                canvas[i] = candidates[i];
                decodedStep[i] = a->Step;
                decodedLogProb[i] = logProb[i];
            }
        }
    }

    /// <summary>confidence + τ·Gumbel of every position as integers in the order of the numbers.</summary>
    private static void RemaskKeys(float* confidence, float temperature, int n, ulong key, uint step, uint trajectory, uint* keys)
    {
        Vector512<float> scale = Vector512.Create(temperature);
        int padded = GuidedRow.Padded(n);
        float* scores = (float*)keys;
        new ReadOnlySpan<float>(confidence, n).CopyTo(new Span<float>(scores, n));
        new Span<float>(scores + n, padded - n).Clear();
        for (int i = 0; i < padded; i += SimdPhilox.WordsPerCall)
        {
            Vector512<float> s0 = Vector512.Load(scores + i);
            Vector512<float> s1 = Vector512.Load(scores + i + 16);
            Vector512<float> s2 = Vector512.Load(scores + i + 32);
            Vector512<float> s3 = Vector512.Load(scores + i + 48);
            if (temperature != 0f)
            {
                SimdPhilox.Words64(key, (uint)i / 4, 0, step, trajectory, out Vector512<uint> w0, out Vector512<uint> w1, out Vector512<uint> w2,
                    out Vector512<uint> w3);
                s0 = Vector512.FusedMultiplyAdd(scale, Gumbel.FromBits(w0), s0);
                s1 = Vector512.FusedMultiplyAdd(scale, Gumbel.FromBits(w1), s1);
                s2 = Vector512.FusedMultiplyAdd(scale, Gumbel.FromBits(w2), s2);
                s3 = Vector512.FusedMultiplyAdd(scale, Gumbel.FromBits(w3), s3);
            }

            OrderedBits(s0).Store(keys + i);
            OrderedBits(s1).Store(keys + i + 16);
            OrderedBits(s2).Store(keys + i + 32);
            OrderedBits(s3).Store(keys + i + 48);
        }
    }

    private static Vector512<uint> OrderedBits(Vector512<float> x)
    {
        Vector512<float> number = Vector512.ConditionalSelect(Vector512.Equals(x, x), x, Vector512.Create(float.NegativeInfinity));

        // + 0 makes one zero of the two; negative numbers have all bits flipped, others the sign bit.
        Vector512<int> bits = (number + Vector512<float>.Zero).AsInt32();
        return ((bits >> 31) | Vector512.Create(int.MinValue)).AsUInt32() ^ bits.AsUInt32();
    }

    /// <summary>
    /// The value of rank <paramref name="rank"/> (from 1) among <paramref name="count"/> keys, by radix from the top byte; destroys the keys.
    /// <paramref name="ties"/> receives how many keys equal to it belong to the first <paramref name="rank"/>.
    /// </summary>
    private static uint Select(uint* keys, int count, int rank, out int ties)
    {
        int* histogram = stackalloc int[256];
        uint value = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            new Span<int>(histogram, 256).Clear();
            for (int i = 0; i < count; i++)
            {
                histogram[(keys[i] >> shift) & 255]++;
            }

            uint digit = 0;
            while (rank > histogram[digit])
            {
                rank -= histogram[digit];
                digit++;
            }

            int kept = 0;
            for (int i = 0; i < count; i++)
            {
                uint key = keys[i];
                keys[kept] = key;
                kept += ((key >> shift) & 255) == digit ? 1 : 0;
            }

            count = kept;
            value |= digit << shift;
        }

        ties = rank;
        return value;
    }

    private struct RemaskArguments
    {
        public nint* Scratch;
        public RemaskOperands Operands;
        public int Positions;
        public ulong Key;
        public int Step;
        public int Steps;
        public CountRule Rule;
        public int MaskToken;
    }
}
