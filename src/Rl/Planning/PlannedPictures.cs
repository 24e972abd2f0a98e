namespace CoGrpo.Rl.Planning;

/// <summary>What scoring costs the device before a reward model sees anything: one picture of a batch is decoded, all of them cost the same. Scores nothing.</summary>
/// <param name="name">Of the reward.</param>
/// <param name="decodes">Whether it looks at pixels.</param>
internal sealed class PlannedPictures(string name, bool decodes) : IReward
{
    private byte[] _rgb = [];

    public string Name => name;

    public void Score(RewardBatch batch, Span<double> scores)
    {
        scores.Clear();
        if (decodes)
        {
            Array.Resize(ref _rgb, batch.Pictures.PictureBytes);
            batch.Picture(0, _rgb);
        }
    }
}
