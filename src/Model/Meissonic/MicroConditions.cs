namespace CoGrpo.Model.Meissonic;

/// <summary>
/// The five picture scalars the published model is conditioned on: width, height, crop x, crop y, aesthetic score (specs/meissonic.md 1).
/// </summary>
public static class MicroConditions
{
    private const float Score = 6;

    /// <summary>Fills rows of five with a picture of this size, no crop and the score of the reference pipeline.</summary>
    public static void Fill(Span<float> rows, int height, int width)
    {
        for (int i = 0; i < rows.Length; i += MeissonicTransformer.MicroConditionCount)
        {
            rows[i] = width;
            rows[i + 1] = height;
            rows[i + 2] = 0;
            rows[i + 3] = 0;
            rows[i + 4] = Score;
        }
    }
}
