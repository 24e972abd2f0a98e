using CoGrpo.Model.Images;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Rewards;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Training;

/// <summary>The trajectories of one iteration with their prompts, pictures and rewards; reused from iteration to iteration.</summary>
internal sealed class Rollout : IDisposable
{
    // Decoded pictures are kept for all rewards: a few dozen of the largest are a hundred megabytes.
    private const int PicturesTogether = 32;

    private readonly double[] _rewards;
    private readonly RgbImage?[] _decoded;
    private readonly int[] _zeroGroups;
    private readonly List<(int Reward, int First, Task<double[]> Scores)> _sent = [];
    private CancellationTokenSource? _stop;

    public Rollout(IBackend backend, int images, int group, int codes, int steps, Shape features, int rewards)
    {
        Group = group;
        Trajectories = new Trajectories(backend, images, codes, steps, features, backend.Storage);
        Prompts = new IPrompt[images];
        GroupPrompts = new IPrompt[images / group];
        Codes = new int[images * codes];
        _decoded = new RgbImage?[Math.Max(group, PicturesTogether)];
        _rewards = new double[rewards * images];
        _zeroGroups = new int[rewards];
    }

    public int Group { get; }

    public Trajectories Trajectories { get; }

    /// <summary>[B] prompt of each picture.</summary>
    public IPrompt[] Prompts { get; }

    /// <summary>[P] prompt of each group.</summary>
    public IPrompt[] GroupPrompts { get; }

    /// <summary>[B,N] final codes.</summary>
    public int[] Codes { get; }

    /// <summary>
    /// What sends pictures to remote rewards as soon as they are drawn, first image and codes [b,N], while others are still sampled; null without
    /// such a reward. Servers wait for nobody then, and <see cref="Score"/> waits for what is left. Scores are those of the other order, since a
    /// picture's score depends on nothing but picture and prompt. <see cref="EndSent"/> ends it all.
    /// </summary>
    public Action<int, ReadOnlySpan<int>>? SendAhead(IReadOnlyList<IReward> rewards, IImageTokenizer tokenizer, CancellationToken cancellation)
    {
        for (int k = 0; k < rewards.Count; k++)
        {
            if (rewards[k] is RemoteReward)
            {
                _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                return Sender(rewards, tokenizer, _stop.Token);
            }
        }

        return null;
    }

    /// <summary>Ends what was sent and is not answered, and waits until it has ended: no request outlives its iteration, however that went.</summary>
    public void EndSent()
    {
        if (_stop is not null)
        {
            _stop.Cancel();
            RemoteReward.AwaitEnd(_sent.Select(sent => sent.Scores));
            _sent.Clear();
            _stop.Dispose();
            _stop = null;
        }
    }

    /// <summary>Scores the pictures, fills in the advantages and returns the share of groups with signal.</summary>
    public double Score(
        IReadOnlyList<IReward> rewards,
        IImageTokenizer tokenizer,
        Advantages advantages,
        IterationMetrics metrics,
        CancellationToken cancellation
    )
    {
        int images = Trajectories.Images;
        for (int i = 0; i < Codes.Length; i++)
        {
            Codes[i] = Trajectories.Tokens[i];
        }

        int together = Math.Max(Group, PicturesTogether / Group * Group), codes = tokenizer.CodeCount;
        for (int first = 0; first < images; first += together)
        {
            int count = Math.Min(together, images - first);
            var batch = new RewardBatch(Prompts.AsSpan(first, count), Codes.AsSpan(first * codes, count * codes), tokenizer, _decoded);
            for (int k = 0; k < rewards.Count; k++)
            {
                if (_sent.Count == 0 || rewards[k] is not RemoteReward)
                {
                    rewards[k].Score(batch, _rewards.AsSpan((k * images) + first, count), cancellation);
                }
            }

            Array.Clear(_decoded);
        }

        foreach ((int reward, int first, Task<double[]> scores) in _sent)
        {
            scores.GetAwaiter().GetResult().CopyTo(_rewards, (reward * images) + first);
        }

        for (int k = 0; k < rewards.Count; k++)
        {
            Describe(_rewards.AsSpan(k * images, images), k, metrics);
        }

        int silent = advantages.Compute(_rewards, Group, Trajectories.Advantages, default, _zeroGroups);
        int groups = images / Group;
        _zeroGroups.CopyTo(metrics.ZeroGroups, 0);
        metrics.Groups = groups;
        metrics.AdvantageMean = 0;
        metrics.AdvantageMaximum = 0;
        foreach (double advantage in Trajectories.Advantages)
        {
            metrics.AdvantageMean += Math.Abs(advantage) / images;
            metrics.AdvantageMaximum = Math.Max(metrics.AdvantageMaximum, Math.Abs(advantage));
        }

        return (groups - silent) / (double)groups;
    }

    public void Dispose() => Trajectories.Dispose();

    private Action<int, ReadOnlySpan<int>> Sender(IReadOnlyList<IReward> rewards, IImageTokenizer tokenizer, CancellationToken cancellation) => (first, codes) =>
    {
        // Lanes come at once, and pictures are decoded by one thread at a time.
        lock (_sent)
        {
            int count = codes.Length / tokenizer.CodeCount;
            var batch = new RewardBatch(Prompts.AsSpan(first, count), codes, tokenizer);
            string[] prompts = new string[count];
            var pictures = new RgbImage[count];
            for (int i = 0; i < count; i++)
            {
                (prompts[i], pictures[i]) = (batch.Prompt(i).Text, batch.Image(i));
            }

            for (int k = 0; k < rewards.Count; k++)
            {
                if (rewards[k] is RemoteReward reward)
                {
                    _sent.Add((k, first, reward.Start(prompts, pictures, cancellation)));
                }
            }
        }
    };

    private void Describe(ReadOnlySpan<double> scores, int reward, IterationMetrics metrics)
    {
        (double mean, double deviation) = Moments(scores);
        double within = 0;
        double low = double.PositiveInfinity;
        double high = double.NegativeInfinity;
        for (int first = 0; first < scores.Length; first += Group)
        {
            within += Moments(scores.Slice(first, Group)).Deviation;
        }

        foreach (double score in scores)
        {
            low = Math.Min(low, score);
            high = Math.Max(high, score);
        }

        metrics.RewardMean[reward] = mean;
        metrics.RewardDeviation[reward] = deviation;
        metrics.RewardGroupDeviation[reward] = within / (scores.Length / Group);
        metrics.RewardMinimum[reward] = low;
        metrics.RewardMaximum[reward] = high;
    }

    private static (double Mean, double Deviation) Moments(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values)
        {
            sum += value;
        }

        double mean = sum / values.Length;
        double squares = 0;
        foreach (double value in values)
        {
            squares += (value - mean) * (value - mean);
        }

        return (mean, values.Length > 1 ? Math.Sqrt(squares / (values.Length - 1)) : 0);
    }
}
