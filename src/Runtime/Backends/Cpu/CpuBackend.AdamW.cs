using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private const int AdamWBlock = 4096;

    /// <inheritdoc cref="IBackend.AdamW"/>
    /// <remarks>Every scalar of the update is formed in fp64 and rounded to fp32 once.</remarks>
    public void AdamW(Tensor parameter, Tensor gradient, Tensor firstMoment, Tensor secondMoment, in AdamWStep step, float gradientScale)
    {
        long count = parameter.Shape.Count;
        Require.Count(parameter, count);
        Require.Count(gradient, count);
        Require.Count(firstMoment, count);
        Require.Count(secondMoment, count);
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Step, 1, nameof(step));
        double correction1 = 1 - Math.Pow(step.Beta1, step.Step);
        double correction2 = 1 - Math.Pow(step.Beta2, step.Step);
        AdamWArguments a = new()
        {
            Count = count,
            Parameter = parameter.F32,
            Gradient = gradient.F32,
            FirstMoment = firstMoment.F32,
            SecondMoment = secondMoment.F32,
            GradientScale = gradientScale,
            Keep = (float)(1 - (step.LearningRate * step.WeightDecay)),
            First = (float)(1 - step.Beta1),
            Beta2 = (float)step.Beta2,
            Second = (float)(1 - step.Beta2),
            RootCorrection = (float)Math.Sqrt(correction2),
            Epsilon = (float)step.Epsilon,
            StepSize = (float)(-step.LearningRate / correction1),
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
            AdamWLanes(a, a->Parameter + i, a->Gradient + i, a->FirstMoment + i, a->SecondMoment + i);
        }

        int tail = (int)(stop - i);
        if (tail > 0)
        {
            // The same 16 lanes on copies: an element's bits do not depend on where the run ends.
            float* copy = stackalloc float[64];
            new Span<float>(copy, 64).Clear();
            int bytes = tail * sizeof(float);
            Buffer.MemoryCopy(a->Parameter + i, copy, bytes, bytes);
            Buffer.MemoryCopy(a->Gradient + i, copy + 16, bytes, bytes);
            Buffer.MemoryCopy(a->FirstMoment + i, copy + 32, bytes, bytes);
            Buffer.MemoryCopy(a->SecondMoment + i, copy + 48, bytes, bytes);
            AdamWLanes(a, copy, copy + 16, copy + 32, copy + 48);
            Buffer.MemoryCopy(copy, a->Parameter + i, bytes, bytes);
            Buffer.MemoryCopy(copy + 32, a->FirstMoment + i, bytes, bytes);
            Buffer.MemoryCopy(copy + 48, a->SecondMoment + i, bytes, bytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AdamWLanes(AdamWArguments* a, float* parameter, float* gradient, float* firstMoment, float* secondMoment)
    {
        Vector512<float> g = Vector512.Load(gradient) * Vector512.Create(a->GradientScale);
        Vector512<float> p = Vector512.Load(parameter) * Vector512.Create(a->Keep);
        Vector512<float> m = Vector512.Load(firstMoment);
        Vector512<float> v = Vector512.Load(secondMoment);
        m = Vector512.FusedMultiplyAdd(Vector512.Create(a->First), g - m, m);
        v = Vector512.FusedMultiplyAdd(Vector512.Create(a->Second) * g, g, v * Vector512.Create(a->Beta2));
        Vector512<float> denominator = (Vector512.Sqrt(v) / Vector512.Create(a->RootCorrection)) + Vector512.Create(a->Epsilon);
        p = Vector512.FusedMultiplyAdd(Vector512.Create(a->StepSize), m / denominator, p);
        p.Store(parameter);
        m.Store(firstMoment);
        v.Store(secondMoment);
    }

    private struct AdamWArguments
    {
        public long Count;
        public float* Parameter;
        public float* Gradient;
        public float* FirstMoment;
        public float* SecondMoment;
        public float GradientScale;
        public float Keep;
        public float First;
        public float Beta2;
        public float Second;
        public float RootCorrection;
        public float Epsilon;
        public float StepSize;
    }
}
