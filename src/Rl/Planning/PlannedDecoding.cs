using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Planning;

/// <summary>Writes into trajectories what a hand-made schedule decodes at every step, since a device that executes nothing decodes nothing.</summary>
/// <param name="settings">The schedule.</param>
/// <param name="height">Rows of the code grid.</param>
/// <param name="width">Columns of the code grid.</param>
/// <param name="sharedTokens">Whether 2 x 2 codes share a token: then those of one step are taken from as many tokens as there are, the most work
/// there can be.</param>
internal sealed class PlannedDecoding(HandMadeSettings settings, int height, int width, bool sharedTokens)
{
    /// <summary>
    /// Fills in the first <paramref name="images"/> trajectories; those behind them decode nothing, and an update passes over them.
    /// </summary>
    public void Fill(Trajectories trajectories, int images)
    {
        int codes = trajectories.Codes;
        int steps = trajectories.Steps;
        Array.Fill(trajectories.DecodedStep, ushort.MaxValue);
        int before = codes;
        for (int step = 0; step < steps; step++)
        {
            ScheduleAction action = settings.At(step, steps);
            int after = RemaskCount.Of(codes, action.Remask, before, step, steps);
            for (int b = 0; b < trajectories.Images; b++)
            {
                trajectories.Actions[(b * steps) + step] = action;
                trajectories.MaskedBefore[(b * steps) + step] = before;
            }

            for (int i = codes - before; i < codes - after; i++)
            {
                int position = Position(i);
                for (int b = 0; b < images; b++)
                {
                    trajectories.DecodedStep[(b * codes) + position] = (ushort)step;
                }
            }

            before = after;
        }
    }

    /// <summary>The position decoded as number <paramref name="i"/>: one corner of every token, then the next.</summary>
    private int Position(int i)
    {
        if (!sharedTokens)
        {
            return i;
        }

        (int corner, int token) = Math.DivRem(i, height * width / 4);
        (int y, int x) = Math.DivRem(token, width / 2);
        return (((2 * y) + (corner / 2)) * width) + (2 * x) + (corner % 2);
    }
}
