using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.CrossEntropy"/>
    public void CrossEntropy(Tensor logits, Tensor labels, float weight, Tensor loss, Tensor dlogits)
    {
        Require.Matrix(logits, -1, -1);
        Require.Count(labels, logits.Rows, ElementType.Int32);
        Require.Count(loss, logits.Rows);
        if (!dlogits.IsNone)
        {
            Require.Matrix(dlogits, logits.Rows, logits.Columns);
        }

        RequireIndices(labels, logits.Columns, nameof(labels));
        CrossEntropyKernel kernel = new()
        {
            Logits = logits.F32,
            LogitsStride = logits.RowStride,
            Labels = labels.I32,
            Loss = loss.F32,
            Dlogits = dlogits.F32,
            DlogitsStride = dlogits.RowStride,
            Columns = logits.Columns,
            Weight = weight,
        };
        _team.For(logits.Rows, &CrossEntropyKernel.Run, &kernel, RowGrain(logits.Columns));
    }

    private struct CrossEntropyKernel
    {
        public float* Logits, Loss, Dlogits;
        public int* Labels;
        public int LogitsStride, DlogitsStride, Columns;
        public float Weight;

        public static void Run(void* state, int start, int end, int worker)
        {
            CrossEntropyKernel k = *(CrossEntropyKernel*)state;
            int columns = k.Columns;
            for (int row = start; row < end; row++)
            {
                float* logits = k.Logits + ((nint)row * k.LogitsStride);
                float* gradient = k.Dlogits == null ? null : k.Dlogits + ((nint)row * k.DlogitsStride);
                int label = k.Labels[row];
                float chosen = logits[label];
                float max = RowMax(logits, columns);
                float sum = gradient == null ? ExpSum(logits, columns, max) : ExpSumAndStore(logits, gradient, columns, max);

                // The small difference first: max + log(sum) alone can be large and would round the loss to its own ulp.
                // The logarithm takes numbers only, so a NaN in the row has to be handed on here.
                k.Loss[row] = float.IsNaN(sum) ? sum : SimdMath.Log(Vector512.Create(sum)).ToScalar() + (max - chosen);
                if (gradient == null)
                {
                    continue;
                }

                float probability = gradient[label] / sum;
                Vector512<float> factor = Vector512.Create(k.Weight / sum);
                int c = 0;
                for (; c <= columns - Lanes.Count; c += Lanes.Count)
                {
                    (Vector512.Load(gradient + c) * factor).Store(gradient + c);
                }

                for (; c < columns; c++)
                {
                    gradient[c] *= factor.ToScalar();
                }

                gradient[label] = k.Weight * (probability - 1f);
            }
        }

        private static float RowMax(float* x, int columns)
        {
            Vector512<float> m0 = Vector512.Create(float.NegativeInfinity);
            Vector512<float> m1 = m0;
            int c = 0;
            for (; c <= columns - 32; c += 32)
            {
                m0 = Vector512.MaxNative(m0, Vector512.Load(x + c));
                m1 = Vector512.MaxNative(m1, Vector512.Load(x + c + 16));
            }

            float max = Lanes.Max(Vector512.MaxNative(m0, m1));
            for (; c < columns; c++)
            {
                max = MathF.Max(max, x[c]);
            }

            return max;
        }

        private static float ExpSum(float* x, int columns, float max)
        {
            Vector512<float> m = Vector512.Create(max);
            Vector512<float> s0 = default, s1 = default;
            int c = 0;
            for (; c <= columns - 32; c += 32)
            {
                s0 += SimdMath.Exp(Vector512.Load(x + c) - m);
                s1 += SimdMath.Exp(Vector512.Load(x + c + 16) - m);
            }

            for (; c < columns; c += Lanes.Count)
            {
                s0 += TailExp(x + c, columns - c, m);
            }

            return Lanes.Sum(s0 + s1);
        }

        private static float ExpSumAndStore(float* x, float* y, int columns, float max)
        {
            Vector512<float> m = Vector512.Create(max);
            Vector512<float> s0 = default, s1 = default;
            int c = 0;
            for (; c <= columns - 32; c += 32)
            {
                Vector512<float> e0 = SimdMath.Exp(Vector512.Load(x + c) - m);
                Vector512<float> e1 = SimdMath.Exp(Vector512.Load(x + c + 16) - m);
                e0.Store(y + c);
                e1.Store(y + c + 16);
                s0 += e0;
                s1 += e1;
            }

            for (; c < columns; c += Lanes.Count)
            {
                Vector512<float> e = TailExp(x + c, columns - c, m);
                Lanes.Store(e, y + c, columns - c);
                s0 += e;
            }

            return Lanes.Sum(s0 + s1);
        }

        /// <summary>exp(x - max) of up to 16 elements, exactly 0 in the lanes beyond them.</summary>
        private static Vector512<float> TailExp(float* x, int left, Vector512<float> max)
        {
            Vector512<float> e = SimdMath.Exp(Lanes.Load(x, left) - max);
            return Vector512.ConditionalSelect(
                Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(left)).AsSingle(),
                e,
                Vector512<float>.Zero
            );
        }
    }
}
