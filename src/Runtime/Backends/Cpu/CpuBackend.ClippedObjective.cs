using CoGrpo.Runtime.Optimization;

namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.ClippedObjective"/>
    public void ClippedObjective(in ClippedObjectiveOperands operands, in ClippedSurrogate surrogate, double normalizer, double klWeight)
    {
        int segments = Require.ClippedObjective(operands, klWeight);
        double* advantages = (double*)operands.Advantages.Address;
        double* weights = (double*)operands.Weights.Address;
        float* logProb = operands.LogProb.F32;
        for (int s = 0; s < segments; s++)
        {
            (int first, int end) = (operands.Starts.I32[s], operands.Starts.I32[s + 1]);
            double logRatio = 0;
            for (int r = first; r < end && !operands.OldLogProb.IsNone; r++)
            {
                logRatio += (double)logProb[r] - operands.OldLogProb.F32[r];
            }

            surrogate.Value(logRatio, advantages[s], out double slope, out _);
            double policy = -slope * weights[s] / normalizer;
            for (int r = first; r < end; r++)
            {
                double gradient = policy;
                if (klWeight > 0)
                {
                    double d = (double)operands.ReferenceLogProb.F32[r] - logProb[r];
                    gradient += Math.Abs(d) <= surrogate.LogRatioClamp ? klWeight * weights[s] / normalizer * (1 - Math.Exp(d)) : 0;
                }

                operands.Upstream.F32[r] = (float)gradient;
            }
        }
    }
}
