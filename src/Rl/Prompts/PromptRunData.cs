using CoGrpo.Model;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Vq;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Rewards;
using CoGrpo.Rl.Runs;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Rl.Prompts;

/// <summary>Prompts from files and a published picture model as the data of a run, judged by reward networks.</summary>
internal sealed class PromptRunData : IRunData
{
    private readonly EvaluationConfiguration _evaluation;
    private readonly ITextTokenizer _text;
    private readonly PromptSplit _split;
    private readonly VqModel _vq;
    private readonly VqTokenizer _pictures;
    private readonly List<IReward> _rewards = [];
    private readonly List<IReward> _metrics = [];
    private readonly string _files;

    /// <summary>
    /// Reads prompts, picture model, tokenizer and rewards. <paramref name="backend"/>, which stays the caller's, is driven by the thread that
    /// trains.
    /// </summary>
    /// <exception cref="ModelException">Something is missing or does not fit <paramref name="model"/>.</exception>
    public PromptRunData(RunConfiguration configuration, string checkpoint, TextToImageModel model, IBackend backend)
    {
        _evaluation = configuration.Train.Evaluation;
        _files = string.Join(", ", configuration.Data.PromptFiles.Select(path => Path.GetFileName(path)));
        _split = PromptSplit.Read(configuration.Data.PromptFiles, configuration.Data.HeldOutFiles);
        _text = ClipTokenizer.Load(Path.Combine(checkpoint, "tokenizer"));
        _vq = VqModel.Load(Path.Combine(checkpoint, "vqvae"), backend);
        try
        {
            TextToImagePipeline.Check(model, _vq, _text);
            (int height, int width) = TextToImagePipeline.Grid(model, _vq, Size(configuration.Sampling.Height), Size(configuration.Sampling.Width));
            int Size(int configured) => configured > 0 ? configured : RunFactory.PublishedSide(model.Transformer.Config) * _vq.Config.Factor;
            _pictures = new VqTokenizer(_vq, height, width, model.Transformer.Config.MaskToken);
            _rewards.AddRange(configuration.Train.Rewards.Select(reward => RewardRegistry.Create(reward, backend)));
            _metrics.AddRange(_evaluation.Metrics.Select(metric => RewardRegistry.Create(metric, backend)));
        }
        catch
        {
            Dispose();
            throw;
        }

        Prompts = new TextPromptSource(_split.Train, _text);
    }

    /// <inheritdoc/>
    public string Title => FormattableString.Invariant($"{_split.Train.Count} prompts of {_files}");

    /// <inheritdoc/>
    public string EvaluationNote => FormattableString.Invariant(
        $"Held-out prompts, {Math.Min(_evaluation.PromptsPerTask, _split.HeldOut.Count)} of {_split.HeldOut.Count}, {_evaluation.Samples} samples each.") +
        (_metrics.Count > 0 ? $" Never trained on: {string.Join(", ", _metrics.Select(metric => metric.Name))}." : "") +
        string.Concat(_rewards.Concat(_metrics).OfType<NetworkReward>().Where(reward => reward.TruncatedPrompts > 0)
            .Select(reward => FormattableString.Invariant($" {reward.TruncatedPrompts} prompts were longer than {reward.Name} reads.")));

    /// <inheritdoc/>
    public IImageTokenizer Pictures => _pictures;

    /// <inheritdoc/>
    public int PixelsPerCode => _vq.Config.Factor;

    /// <inheritdoc/>
    public IPromptSource Prompts { get; }

    /// <inheritdoc/>
    public IReadOnlyList<IReward> Rewards => _rewards;

    /// <inheritdoc/>
    public IRolloutWatch Watch { get; } = new CodeDiversityWatch();

    /// <inheritdoc/>
    public IRunEvaluator Evaluator(LaneSet lanes) =>
        new PromptEvaluator(lanes, Prompts, _split.HeldOut, [.. _rewards, .. _metrics], _pictures, Watch, _evaluation);

    /// <summary>Frees picture model and rewards.</summary>
    public void Dispose()
    {
        foreach (IDisposable reward in _rewards.Concat(_metrics).OfType<IDisposable>())
        {
            reward.Dispose();
        }

        _pictures?.Dispose();
        _vq.Dispose();
    }
}
