namespace CoGrpo.Runtime.Sampling;

/// <summary>Host memory of the sampling loop, made once for its largest micro-batch.</summary>
internal sealed class SamplerBuffers(int images, int codes)
{
    // Per image.
    public readonly int[] Masked = new int[images];
    public readonly int[] Counts = new int[images];
    public readonly int[] Trajectories = new int[images];
    public readonly int[] EmptyPrompts = new int[images];
    public readonly int[] Distinct = new int[images];
    public readonly int[] DistinctOf = new int[images];
    public readonly int[] FirstRow = new int[images + 1];
    public readonly float[] Fractions = new float[images];
    public readonly double[] StartFraction = new double[images];
    public readonly ScheduleState[] States = new ScheduleState[images];
    public readonly ScheduleAction[] Actions = new ScheduleAction[images];
    public readonly double[] RawActions = new double[images * ScheduleAction.Count];
    public readonly double[] Means = new double[images * ScheduleAction.Count];

    // Per position.
    public readonly int[] Canvas = new int[images * codes];
    public readonly int[] Integers = new int[images * codes];
    public readonly float[] Confidence = new float[images * codes];

    // Per masked position, image by image.
    public readonly int[] Rows = new int[images * codes];
    public readonly int[] Positions = new int[images * codes];
    public readonly int[] RowTrajectories = new int[images * codes];
    public readonly float[] Guidance = new float[images * codes];
    public readonly float[] Temperature = new float[images * codes];
    public readonly int[] RowTokens = new int[images * codes];
    public readonly float[] RowLogProb = new float[images * codes];
    public readonly float[] RowConfidence = new float[images * codes];

    /// <summary>Lists the masked positions of the first <paramref name="count"/> images in <see cref="Rows"/>; returns their number.</summary>
    public int ListMasked(int count, int maskToken)
    {
        int row = 0;
        for (int b = 0; b < count; b++)
        {
            FirstRow[b] = row;
            for (int i = 0; i < codes; i++)
            {
                if (Canvas[(b * codes) + i] == maskToken)
                {
                    Rows[row] = (b * codes) + i;
                    Positions[row] = i;
                    RowTrajectories[row] = Trajectories[b];
                    row++;
                }
            }
        }

        FirstRow[count] = row;
        return row;
    }

    /// <summary>Whether image <paramref name="image"/> needs unconditional logits in this step.</summary>
    public bool IsGuided(int image) => Actions[image].IsGuided;

    /// <summary>Gives every row its image's guidance and sampling temperature.</summary>
    public void SpreadActions(int count)
    {
        for (int b = 0; b < count; b++)
        {
            int length = FirstRow[b + 1] - FirstRow[b];
            Guidance.AsSpan(FirstRow[b], length).Fill((float)Actions[b].Guidance);
            Temperature.AsSpan(FirstRow[b], length).Fill((float)Actions[b].SamplingTemperature);
        }
    }
}
