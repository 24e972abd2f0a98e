using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private const int EmaBlock = 4096;

    /// <inheritdoc cref="IBackend.Ema"/>
    public void Ema(Tensor average, Tensor x, float decay)
    {
        long count = average.Shape.Count;
        Require.Count(average, count);
        Require.Count(x, count);
        EmaArguments a = new() { Count = count, Average = average.F32, X = x.F32, Decay = decay };
        _team.For(checked((int)((count + EmaBlock - 1) / EmaBlock)), &EmaBlocks, &a, 8);
    }

    private static void EmaBlocks(void* state, int start, int end, int worker)
    {
        EmaArguments* a = (EmaArguments*)state;
        float* average = a->Average;
        float* x = a->X;
        float decay = a->Decay;
        float gain = 1f - decay;
        long stop = Math.Min(a->Count, (long)end * EmaBlock);
        long i = (long)start * EmaBlock;
        for (; i + 16 <= stop; i += 16)
        {
            Vector512.FusedMultiplyAdd(Vector512.Create(gain), Vector512.Load(x + i), Vector512.Load(average + i) * Vector512.Create(decay)).Store(average + i);
        }

        for (; i < stop; i++)
        {
            average[i] = MathF.FusedMultiplyAdd(gain, x[i], average[i] * decay);
        }
    }

    private struct EmaArguments
    {
        public long Count;
        public float* Average;
        public float* X;
        public float Decay;
    }
}
