using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private const int AdamWBlock = 4096;

    /// <inheritdoc cref="IBackend.AdamW"/>
    public void AdamW(in AdamWOperands operands, in AdamWStep step)
    {
        long count = operands.Parameter.Shape.Count;
        Require.AdamW(operands);
        Require.That(
            operands.Compute.IsNone,
            nameof(operands.Compute),
            operands.Compute,
            "none: networks compute with the parameters themselves here"
        );
        double norm = Math.Sqrt(*(double*)operands.SquaredNorm.Address);
        if (!double.IsFinite(norm))
        {
            Fill(operands.Gradient, 0);
            return;
        }

        AdamWArguments a = new()
        {
            Count = count,
            Parameter = operands.Parameter.F32,
            Gradient = operands.Gradient.F32,
            FirstMoment = operands.FirstMoment.F32,
            SecondMoment = operands.SecondMoment.F32,
            Decays = (byte*)operands.Decays.Address,
            Average = operands.Average.F32,
            AverageDecay = operands.AverageDecay,
            GradientScale = step.ClipNorm > 0 ? (float)Math.Min(1, step.ClipNorm / (norm + 1e-6)) : 1,
            Factors = step.Factors(),
        };
        _team.For(checked((int)((count + AdamWBlock - 1) / AdamWBlock)), &AdamWBlocks, &a, 4);
    }

    private static void AdamWBlocks(void* state, int start, int end, int worker)
    {
        AdamWArguments* a = (AdamWArguments*)state;
        long stop = Math.Min(a->Count, (long)end * AdamWBlock);
        long i = (long)start * AdamWBlock;
        for (; i + 16 <= stop; i += 16)
        {
            AdamWLanes(
                a,
                Keep(a, i),
                a->Parameter + i,
                a->Gradient + i,
                a->FirstMoment + i,
                a->SecondMoment + i,
                a->Average == null ? null : a->Average + i
            );
        }

        int tail = (int)(stop - i);
        if (tail > 0)
        {
            // The same 16 lanes on copies: an element's bits do not depend on where the run ends.
            float* copy = stackalloc float[80];
            new Span<float>(copy, 80).Clear();
            float** arrays = stackalloc float*[5] { a->Parameter, a->Gradient, a->FirstMoment, a->SecondMoment, a->Average };
            int used = a->Average == null ? 4 : 5;
            int bytes = tail * sizeof(float);
            for (int k = 0; k < used; k++)
            {
                Buffer.MemoryCopy(arrays[k] + i, copy + (16 * k), bytes, bytes);
            }

            AdamWLanes(a, Keep(a, i), copy, copy + 16, copy + 32, copy + 48, a->Average == null ? null : copy + 64);
            for (int k = 0; k < used; k++)
            {
                Buffer.MemoryCopy(copy + (16 * k), arrays[k] + i, bytes, bytes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Keep(AdamWArguments* a, long i) => a->Decays == null || a->Decays[i / AdamWOperands.DecayBlock] != 0 ? a->Factors.Keep : 1f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AdamWLanes(
        AdamWArguments* a,
        float keep,
        float* parameter,
        float* gradient,
        float* firstMoment,
        float* secondMoment,
        float* average
    )
    {
        Vector512<float> g = Vector512.Load(gradient) * Vector512.Create(a->GradientScale);
        Vector512<float> p = Vector512.Load(parameter) * Vector512.Create(keep);
        Vector512<float> m = Vector512.Load(firstMoment);
        Vector512<float> v = Vector512.Load(secondMoment);
        m = Vector512.FusedMultiplyAdd(Vector512.Create(a->Factors.First), g - m, m);
        v = Vector512.FusedMultiplyAdd(Vector512.Create(a->Factors.Second) * g, g, v * Vector512.Create(a->Factors.Beta2));
        Vector512<float> denominator = (Vector512.Sqrt(v) / Vector512.Create(a->Factors.RootCorrection)) + Vector512.Create(a->Factors.Epsilon);
        p = Vector512.FusedMultiplyAdd(Vector512.Create(a->Factors.StepSize), m / denominator, p);
        p.Store(parameter);
        m.Store(firstMoment);
        v.Store(secondMoment);
        Vector512<float>.Zero.Store(gradient);
        if (average != null)
        {
            Vector512
                .FusedMultiplyAdd(Vector512.Create(1f - a->AverageDecay), p, Vector512.Load(average) * Vector512.Create(a->AverageDecay))
                .Store(average);
        }
    }

    private struct AdamWArguments
    {
        public long Count;
        public float* Parameter;
        public float* Gradient;
        public float* FirstMoment;
        public float* SecondMoment;
        public byte* Decays;
        public float* Average;
        public float AverageDecay;
        public float GradientScale;
        public AdamWFactors Factors;
    }
}
