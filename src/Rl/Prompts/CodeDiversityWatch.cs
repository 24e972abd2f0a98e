using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Prompts;

/// <summary>
/// How different the pictures of a group are: the mean, over pairs of a group, of the share of positions with different codes. Falls to 0 when all
/// pictures of a prompt become one. There is no judge.
/// </summary>
public sealed class CodeDiversityWatch : IRolloutWatch
{
    /// <inheritdoc/>
    public (double Judge, double Diversity) Watch(ReadOnlySpan<IPrompt> prompts, ReadOnlySpan<int> codes, int group)
    {
        if (group < 2)
        {
            return (double.NaN, double.NaN);
        }

        int count = codes.Length / prompts.Length;
        long different = 0;
        for (int first = 0; first < prompts.Length; first += group)
        {
            for (int a = first + 1; a < first + group; a++)
            {
                for (int b = first; b < a; b++)
                {
                    ReadOnlySpan<int> one = codes.Slice(a * count, count), other = codes.Slice(b * count, count);
                    for (int i = 0; i < count; i++)
                    {
                        different += one[i] != other[i] ? 1 : 0;
                    }
                }
            }
        }

        return (double.NaN, different / (count * (prompts.Length / group) * (group * (group - 1) / 2.0)));
    }
}
