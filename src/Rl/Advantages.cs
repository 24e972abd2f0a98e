namespace CoGrpo.Rl;

/// <summary>
/// Group-relative advantages: each image's reward minus the mean of its group (the images of one prompt), over the group's unbiased
/// standard deviation plus an epsilon. One advantage per image, the same for all its steps. fp64, no allocation.
/// </summary>
public sealed class Advantages
{
    private readonly double[] _weights;
    private readonly double[] _epsilons;

    /// <summary>Advantages with the given settings.</summary>
    /// <exception cref="ArgumentException">The counts of weights and epsilons differ, or a value is out of range.</exception>
    public Advantages(AdvantageSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _weights = [.. settings.Weights];
        _epsilons = [.. settings.Epsilons];
        if (_weights.Length == 0 || _weights.Length != _epsilons.Length)
        {
            throw new ArgumentException(
                $"advantage: wanted one weight and one epsilon per reward, got {_weights.Length} weights and {_epsilons.Length} epsilons",
                nameof(settings)
            );
        }

        foreach (double epsilon in _epsilons)
        {
            if (!(epsilon >= 0))
            {
                throw new ArgumentException($"advantage: wanted epsilons of at least 0, got {epsilon}", nameof(settings));
            }
        }

        Settings = settings;
    }

    /// <summary>The settings it was made from.</summary>
    public AdvantageSettings Settings { get; }

    /// <summary>Number of rewards K.</summary>
    public int Rewards => _weights.Length;

    /// <summary>Computes one advantage per image.</summary>
    /// <param name="rewards">[K,B] reward by reward; the images of a group stand side by side.</param>
    /// <param name="groupSize">G; B is a multiple of it. A group of one has no spread, hence advantage 0.</param>
    /// <param name="advantages">[B] out.</param>
    /// <param name="perReward">Empty, or [K,B]: each reward's own normalised advantage.</param>
    /// <param name="zeroGroups">Empty, or [K]: per reward, the groups without signal.</param>
    /// <returns>Groups in which every advantage is 0 because nothing had signal.</returns>
    /// <exception cref="ArgumentException">Lengths disagree, or a reward is not finite.</exception>
    public int Compute(
        ReadOnlySpan<double> rewards,
        int groupSize,
        Span<double> advantages,
        Span<double> perReward = default,
        Span<int> zeroGroups = default
    )
    {
        int images = advantages.Length;
        if (
            groupSize < 1
            || images % groupSize != 0
            || rewards.Length != images * Rewards
            || (perReward.Length != 0 && perReward.Length != rewards.Length)
            || (zeroGroups.Length != 0 && zeroGroups.Length != Rewards)
        )
        {
            throw new ArgumentException(
                $"advantage: wanted {Rewards} rewards for each of {images} images in groups of {groupSize}, got {rewards.Length} rewards; "
                    + "the number of images must be a multiple of the group size",
                nameof(rewards)
            );
        }

        foreach (double reward in rewards)
        {
            if (!double.IsFinite(reward))
            {
                throw new ArgumentException($"advantage: wanted finite rewards, got {reward}; check the reward model", nameof(rewards));
            }
        }

        zeroGroups.Clear();
        advantages.Clear();
        int empty = 0;
        for (int first = 0; first < images; first += groupSize)
        {
            Span<double> group = advantages.Slice(first, groupSize);
            bool signal = false;
            for (int k = 0; k < Rewards; k++)
            {
                ReadOnlySpan<double> own = rewards.Slice((k * images) + first, groupSize);
                (double mean, double deviation) = Moments(own);
                bool zero = deviation < Settings.ZeroDeviation;
                double scale = zero ? 0 : 1 / (deviation + _epsilons[k]);
                if (zero && zeroGroups.Length != 0)
                {
                    zeroGroups[k]++;
                }

                for (int g = 0; g < groupSize; g++)
                {
                    double normalised = zero ? 0 : (own[g] - mean) * scale;
                    if (perReward.Length != 0)
                    {
                        perReward[(k * images) + first + g] = normalised;
                    }

                    group[g] += _weights[k] * (Settings.Mix == AdvantageMix.Advantages ? normalised : own[g]);
                }

                signal |= !zero && _weights[k] != 0;
            }

            if (Settings.Mix == AdvantageMix.Sums)
            {
                (double mean, double deviation) = Moments(group);
                signal = !(deviation < Settings.ZeroDeviation);
                for (int g = 0; g < groupSize; g++)
                {
                    group[g] = signal ? (group[g] - mean) / (deviation + Settings.SumEpsilon) : 0;
                }
            }

            empty += signal ? 0 : 1;
        }

        return empty;
    }

    // Two passes: a reward such as a cosine near 0.28 has a spread of 0.01, which a sum of squares would lose.
    private static (double Mean, double Deviation) Moments(ReadOnlySpan<double> values)
    {
        double mean = 0;
        foreach (double value in values)
        {
            mean += value;
        }

        mean /= values.Length;
        double squares = 0;
        foreach (double value in values)
        {
            squares += (value - mean) * (value - mean);
        }

        return (mean, values.Length < 2 ? 0 : Math.Sqrt(squares / (values.Length - 1)));
    }
}
