namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// Everything that happened to B images over T steps. Decoded codes never change, so final codes and decode steps rebuild every
/// intermediate canvas: position i of V^t holds Tokens[i] if Steps[i] &lt; t, else the mask. Host memory, reusable from call to call.
/// </summary>
public sealed class SampleRecord
{
    /// <summary>Room for <paramref name="images"/> images of <paramref name="codes"/> codes over <paramref name="steps"/> steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public SampleRecord(int images, int codes, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(images);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(codes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        (Images, Codes, Steps) = (images, codes, steps);
        Tokens = new int[images * codes];
        DecodedStep = new int[images * codes];
        LogProb = new float[images * codes];
        Actions = new ScheduleAction[images * steps];
        RawActions = new double[images * steps * ScheduleAction.Count];
        Means = new double[images * steps * ScheduleAction.Count];
        MaskedBefore = new int[images * steps];
    }

    /// <summary>B.</summary>
    public int Images { get; }

    /// <summary>N.</summary>
    public int Codes { get; }

    /// <summary>T.</summary>
    public int Steps { get; }

    /// <summary>[B,N] final codes.</summary>
    public int[] Tokens { get; }

    /// <summary>[B,N] step at which the position was decoded; -1 if it was known from the start.</summary>
    public int[] DecodedStep { get; }

    /// <summary>[B,N] log-probability of the code under softmax(z/τ_s) at the step that decoded it; 0 if known from the start.</summary>
    public float[] LogProb { get; }

    /// <summary>[B,T] actions used; r, τ_s, τ_r, s. Default for an image that was known from the start.</summary>
    public ScheduleAction[] Actions { get; }

    /// <summary>[B,T,4] raw actions of a learned schedule, else zero.</summary>
    public double[] RawActions { get; }

    /// <summary>[B,T,4] policy means η the raw actions were drawn around, else zero.</summary>
    public double[] Means { get; }

    /// <summary>[B,T] positions masked before the step. The difference to the next step's (0 after the last) is the number decoded.</summary>
    public int[] MaskedBefore { get; }
}
