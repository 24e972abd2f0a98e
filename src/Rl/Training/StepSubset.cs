using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Rl.Training;

/// <summary>
/// The trained steps of one trajectory (specs/grpo.md 6.4): all, or one uniform step from each of k equal blocks with weight T/k, which
/// leaves the gradient unbiased.
/// </summary>
public static class StepSubset
{
    /// <summary>
    /// Writes the trained steps, ascending and distinct, and returns their number; <paramref name="weight"/> is the weight of each.
    /// </summary>
    /// <param name="steps">T.</param>
    /// <param name="trained">k; 0 or T and more for all steps.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="trajectory">Global number of the trajectory.</param>
    /// <param name="chosen">Room for min(k, T), or T steps.</param>
    /// <param name="weight">T/k, or 1 for all steps.</param>
    /// <exception cref="ArgumentException">k does not divide T.</exception>
    public static int Draw(int steps, int trained, ulong seed, long trajectory, Span<int> chosen, out double weight)
    {
        if (trained <= 0 || trained >= steps)
        {
            for (int t = 0; t < steps; t++)
            {
                chosen[t] = t;
            }

            weight = 1;
            return steps;
        }

        if (steps % trained != 0)
        {
            throw new ArgumentException(
                $"trained steps: wanted a divisor of the {steps} sampling steps, got {trained}; equal blocks keep the gradient unbiased"
            );
        }

        var random = new RandomSequence(seed, RandomStream.StepSubset, (ulong)trajectory);
        int block = steps / trained;
        for (int k = 0; k < trained; k++)
        {
            chosen[k] = (k * block) + random.Next(block);
        }

        weight = block;
        return trained;
    }
}
