using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Training;

/// <summary>
/// B sampled trajectories in compact form (specs/grpo.md 6.2). As a decoded code never changes, final codes and decode steps are the whole
/// trajectory: V^t_i = X_i if S_i &lt; t else the mask, I_t = {i : S_i = t}. For schedule training also raw actions, means and the policy's input.
/// </summary>
public sealed class Trajectories : IDisposable
{
    private readonly Arena _arena;

    /// <summary>
    /// Room for B images of N codes over T steps; with <paramref name="features"/> [n,d] also for the policy's input at every step, in
    /// <paramref name="storage"/>.
    /// </summary>
    public Trajectories(IBackend backend, int images, int codes, int steps, Shape features = default, ElementType storage = ElementType.Float32)
    {
        if (steps > ushort.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"wanted at most {ushort.MaxValue} steps");
        }

        (Images, Codes, Steps) = (images, codes, steps);
        Tokens = new ushort[images * codes];
        DecodedStep = new ushort[images * codes];
        LogProb = new float[images * codes];
        Actions = new ScheduleAction[images * steps];
        MaskedBefore = new int[images * steps];
        RawActions = new double[images * steps * ScheduleAction.Count];
        Means = new double[images * steps * ScheduleAction.Count];
        Prompts = new int[images];
        Advantages = new double[images];
        FeatureShape = features;
        _arena = backend.CreateArena("trajectories", 1 << 20);
        if (features.Rank > 0)
        {
            Features = _arena.Allocate(new Shape(images * steps, checked((int)features.Count)), storage);
        }
    }

    /// <summary>B.</summary>
    public int Images { get; }

    /// <summary>N.</summary>
    public int Codes { get; }

    /// <summary>T.</summary>
    public int Steps { get; }

    /// <summary>[B,N] final codes.</summary>
    public ushort[] Tokens { get; }

    /// <summary>[B,N] step at which each position was decoded.</summary>
    public ushort[] DecodedStep { get; }

    /// <summary>[B,N] log-probability of the code under guidance and temperature at its step, in the rollout.</summary>
    public float[] LogProb { get; }

    /// <summary>[B,T] used actions.</summary>
    public ScheduleAction[] Actions { get; }

    /// <summary>[B,T] positions masked before the step.</summary>
    public int[] MaskedBefore { get; }

    /// <summary>[B,T,4] raw actions.</summary>
    public double[] RawActions { get; }

    /// <summary>[B,T,4] policy means of the rollout.</summary>
    public double[] Means { get; }

    /// <summary>[B] prompt index of each image, 1 for the first prompt (0 is the empty one).</summary>
    public int[] Prompts { get; }

    /// <summary>[B] advantages, filled in after scoring.</summary>
    public double[] Advantages { get; }

    /// <summary>[n,d] of one step's policy input; default without features.</summary>
    public Shape FeatureShape { get; }

    /// <summary>[B*T,n*d] policy input of image b at step t in row b*T + t; none without features.</summary>
    public Tensor Features { get; }

    /// <summary>The rows of <see cref="Features"/> of images [first, first + count) at one step, as a strided view [count,n*d].</summary>
    public Tensor FeaturesAt(int first, int count, int step)
    {
        int width = Features.Columns;
        return new Tensor(
            Features.Address + ((nint)((first * Steps) + step) * width * Features.Type.Size()),
            new Shape(count, width),
            Features.Type,
            Steps * width
        );
    }

    /// <summary>Writes V^t of an image and returns the number of masked positions.</summary>
    public int Canvas(int image, int step, int maskToken, Span<int> canvas)
    {
        int masked = 0;
        int at = image * Codes;
        for (int i = 0; i < Codes; i++)
        {
            bool known = DecodedStep[at + i] < step;
            canvas[i] = known ? Tokens[at + i] : maskToken;
            masked += known ? 0 : 1;
        }

        return masked;
    }

    /// <summary>Copies a lane's record of images [first, first + record.Images) in.</summary>
    public void Store(SampleRecord record, int first)
    {
        int at = first * Codes;
        for (int i = 0; i < record.Images * Codes; i++)
        {
            Tokens[at + i] = (ushort)record.Tokens[i];
            DecodedStep[at + i] = (ushort)record.DecodedStep[i];
        }

        record.LogProb.CopyTo(LogProb, at);
        record.Actions.CopyTo(Actions, first * Steps);
        record.MaskedBefore.CopyTo(MaskedBefore, first * Steps);
        record.RawActions.CopyTo(RawActions, first * Steps * ScheduleAction.Count);
        record.Means.CopyTo(Means, first * Steps * ScheduleAction.Count);
    }

    /// <summary>Frees the stored features.</summary>
    public void Dispose() => _arena.Dispose();
}
