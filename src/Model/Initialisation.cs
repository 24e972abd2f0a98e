using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Model;

/// <summary>
/// Initial weights. Every parameter draws from its own substream of the seed, addressed by its place in the store, so that adding a
/// network changes no other.
/// </summary>
public static class Initialisation
{
    /// <summary>
    /// For training a Meissonic transformer or text encoder from scratch: matrices Xavier-uniform, embeddings N(0, 0.02), norm weights 1,
    /// biases 0, and zero for every AdaLN modulation (name contains <c>norm</c> and ends with <c>linear.weight</c>), so that each block
    /// starts as the identity (AdaLN-Zero, Peebles and Xie 2023).
    /// </summary>
    public static void FromScratch(ParameterStore store, IBackend backend, ulong seed)
    {
        for (int i = 0; i < store.Parameters.Count; i++)
        {
            Parameter parameter = store.Parameters[i];
            var random = new RandomSequence(seed, RandomStream.Initialisation, (ulong)i);
            float[] values = new float[parameter.Shape.Count];
            if (parameter.Shape.Rank == 1)
            {
                values.AsSpan().Fill(parameter.Name.EndsWith(".bias", StringComparison.Ordinal) ? 0 : 1);
            }
            else if (parameter.Name.Contains("embedding", StringComparison.Ordinal))
            {
                Normal(values, 0.02, ref random);
            }
            else if (!IsModulation(parameter.Name))
            {
                XavierUniform(values, parameter.Shape, ref random);
            }

            backend.Upload<float>(values, parameter.Value);
        }

        store.RenewComputeCopy();
    }

    /// <summary>
    /// For the schedule policy (specs/schedule-policy.md 5): Xavier-uniform with zero biases, time MLP N(0, 0.02), AdaLN modulations zero,
    /// last layer zero, hence δ = 0 for every state.
    /// </summary>
    public static void SchedulePolicy(ParameterStore store, IBackend backend, ulong seed)
    {
        for (int i = 0; i < store.Parameters.Count; i++)
        {
            Parameter parameter = store.Parameters[i];
            var random = new RandomSequence(seed, RandomStream.Initialisation, (1UL << 32) + (ulong)i);
            float[] values = new float[parameter.Shape.Count];
            if (parameter.Name.StartsWith("t_embedder", StringComparison.Ordinal) && parameter.Shape.Rank > 1)
            {
                Normal(values, 0.02, ref random);
            }
            else if (
                parameter.Shape.Rank > 1
                && !parameter.Name.Contains("adaLN_modulation", StringComparison.Ordinal)
                && parameter.Name != "linear3.weight"
            )
            {
                XavierUniform(values, parameter.Shape, ref random);
            }

            backend.Upload<float>(values, parameter.Value);
        }

        store.RenewComputeCopy();
    }

    private static bool IsModulation(string name) =>
        name.EndsWith("norm.linear.weight", StringComparison.Ordinal) || name.EndsWith("norm1.linear.weight", StringComparison.Ordinal)
        || name.EndsWith("norm1_context.linear.weight", StringComparison.Ordinal);

    private static void Normal(Span<float> values, double deviation, ref RandomSequence random)
    {
        foreach (ref float value in values)
        {
            value = (float)(deviation * random.NextNormal());
        }
    }

    private static void XavierUniform(Span<float> values, Shape shape, ref RandomSequence random)
    {
        double receptive = shape.Count / ((double)shape[0] * shape[1]);
        double bound = Math.Sqrt(6 / (receptive * (shape[0] + shape[1])));
        foreach (ref float value in values)
        {
            value = (float)(bound * ((2 * random.NextDouble()) - 1));
        }
    }
}
