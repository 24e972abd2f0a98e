namespace CoGrpo.Runtime.Sampling;

/// <summary>Host memory of the sampling loop, made for its largest micro-batch and number of steps.</summary>
internal sealed class SamplerBuffers(int images, int codes)
{
    // Per image.
    public readonly int[] Trajectories = new int[images];
    public readonly int[] Distinct = new int[images];
    public readonly int[] DistinctOf = new int[images];
    public readonly double[] StartShare = new double[images];

    // Per position.
    public readonly int[] Canvas = new int[images * codes];
    public readonly int[] Integers = new int[images * codes];

    // Per image and step.
    public double[] Actions = [];
    public double[] RawActions = [];
    public double[] Means = [];
    public int[] Masked = [];

    /// <summary>Makes room for <paramref name="steps"/> steps.</summary>
    public void Reserve(int steps)
    {
        if (Masked.Length < images * steps)
        {
            Masked = new int[images * steps];
            Actions = new double[Masked.Length * ScheduleAction.Count];
            RawActions = new double[Actions.Length];
            Means = new double[Actions.Length];
        }
    }
}
