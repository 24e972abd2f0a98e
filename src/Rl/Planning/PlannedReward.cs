using CoGrpo.Model.Rewards;

namespace CoGrpo.Rl.Planning;

/// <summary>
/// What scoring costs the device: of every rollout one picture is decoded and scored for the longest prompt, since all of them cost the same. Scores
/// nothing. The work memory of a network is that of its largest pass, made once before anything is counted.
/// </summary>
internal sealed class PlannedReward : IReward
{
    private readonly bool _decodes;
    private readonly IRewardModel? _model;
    private readonly int[] _prompt;
    private readonly Func<int> _rollouts;
    private int _scored;
    private byte[] _rgb = [];

    /// <param name="name">Of the reward.</param>
    /// <param name="decodes">Whether it is the first that looks at pixels; the others find pictures decoded.</param>
    /// <param name="model">Its network, or null without one.</param>
    /// <param name="prompt">Ids of the longest prompt.</param>
    /// <param name="batch">Pictures of a pass.</param>
    /// <param name="rollouts">Number of rollouts so far.</param>
    public PlannedReward(string name, bool decodes, IRewardModel? model, int[] prompt, int batch, Func<int> rollouts)
    {
        (Name, _decodes, _model, _prompt, _rollouts) = (name, decodes, model, prompt, rollouts);
        if (model is not null)
        {
            Score(model, batch);
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
    {
        scores.Clear();
        if (_scored == _rollouts())
        {
            return;
        }

        _scored = _rollouts();
        if (_decodes)
        {
            Array.Resize(ref _rgb, batch.Pictures.PictureBytes);
            batch.Picture(0, _rgb);
        }

        if (_model is not null)
        {
            Score(_model, 1);
        }
    }

    private void Score(IRewardModel model, int pictures) =>
        model.Score(new float[pictures * 3 * model.ImageSize * model.ImageSize], [_prompt], new int[pictures], new double[pictures]);
}
