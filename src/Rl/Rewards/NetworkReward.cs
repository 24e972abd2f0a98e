using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.Rewards;
using CoGrpo.Model.Tokenizers;

namespace CoGrpo.Rl.Rewards;

/// <summary>
/// A published network as a reward: pictures through its preprocessing, prompts through its tokenizer, scores as published. Driven by the thread that
/// drives the network's backend.
/// </summary>
public sealed class NetworkReward : IReward, IDisposable
{
    private readonly IRewardModel _model;
    private readonly ITextTokenizer _tokenizer;
    private readonly IImagePreprocessing _preprocessing;
    private readonly int _batch;
    private readonly HashSet<string> _cut = new(StringComparer.Ordinal);

    /// <param name="name">Name in configurations and logs.</param>
    /// <param name="model">Owned from here on.</param>
    /// <param name="tokenizer">The network's.</param>
    /// <param name="preprocessing">The network's.</param>
    /// <param name="batch">Most pictures that are preprocessed and scored together.</param>
    public NetworkReward(string name, IRewardModel model, ITextTokenizer tokenizer, IImagePreprocessing preprocessing, int batch)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(preprocessing);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (model.ImageSize != preprocessing.Size)
        {
            throw new ArgumentException(
                $"preprocessing: wanted pictures of {model.ImageSize} pixels, got {preprocessing.Size}; make it for the network's size",
                nameof(preprocessing)
            );
        }

        (Name, _model, _tokenizer, _preprocessing, _batch) = (name, model, tokenizer, preprocessing, batch);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Distinct prompts so far that have more tokens than the network reads; their ends have no part in the score.</summary>
    public int TruncatedPrompts => _cut.Count;

    /// <inheritdoc/>
    /// <exception cref="ModelException">The network gave a score that is no number.</exception>
    public void Score(RewardBatch batch, Span<double> scores, CancellationToken cancellation = default)
    {
        batch.CheckScores(scores.Length);
        int perPicture = 3 * _model.ImageSize * _model.ImageSize;
        float[] pixels = new float[Math.Min(_batch, batch.Count) * perPicture];
        for (int first = 0; first < batch.Count; first += _batch)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(_batch, batch.Count - first);
            var pictures = new RgbImage[count];
            var texts = new List<string>();
            int[] promptOf = new int[count];
            for (int i = 0; i < count; i++)
            {
                pictures[i] = batch.Image(first + i);
                string text = batch.Prompt(first + i).Text;
                int at = texts.IndexOf(text);
                if (at < 0)
                {
                    (at, texts) = (texts.Count, [.. texts, text]);
                }

                promptOf[i] = at;
            }

            // The pictures depend on nothing but themselves, so that their split over threads changes no bit.
            System.Threading.Tasks.Parallel.For(0, count, i => _preprocessing.Apply(pictures[i], pixels.AsSpan(i * perPicture, perPicture)));
            _model.Score(pixels.AsMemory(0, count * perPicture), [.. texts.Select(Ids)], promptOf, scores.Slice(first, count));
        }

        foreach (double score in scores)
        {
            if (!double.IsFinite(score))
            {
                throw new ModelException(
                    $"{Name}: wanted finite scores, got {score}; the weights are damaged or of another network, check them with convert verify"
                );
            }
        }
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => _model.Dispose();

    private int[] Ids(string text)
    {
        int[] ids = new int[_tokenizer.Length];
        int count = _tokenizer.Encode(text, ids, out bool isCut);
        if (isCut)
        {
            _cut.Add(text);
        }

        return ids[..count];
    }
}
