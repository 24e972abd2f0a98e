using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.EmojiScenes;

/// <summary>The judge and the diversity of a rollout's pictures.</summary>
public sealed class SceneWatch : IRolloutWatch
{
    private readonly SceneLayout _layout;
    private readonly SceneReader _reader;
    private readonly Judge _judge;
    private SceneCell[] _cells = [];

    /// <summary>For pictures of <paramref name="layout"/>.</summary>
    public SceneWatch(SceneLayout layout)
    {
        _layout = layout;
        _reader = new SceneReader(layout);
        _judge = new Judge(layout);
    }

    /// <inheritdoc/>
    public (double Judge, double Diversity) Watch(ReadOnlySpan<IPrompt> prompts, ReadOnlySpan<int> codes, int group)
    {
        int cells = _layout.CellCount;
        if (_cells.Length != group * cells)
        {
            _cells = new SceneCell[group * cells];
        }

        double judged = 0;
        double diversity = 0;
        for (int first = 0; first < prompts.Length; first += group)
        {
            for (int g = 0; g < group; g++)
            {
                Span<SceneCell> picture = _cells.AsSpan(g * cells, cells);
                _reader.Read(codes.Slice((first + g) * _layout.CodeCount, _layout.CodeCount), picture);
                judged += _judge.Of((Prompt)prompts[first + g], picture);
            }

            diversity += Diversity.Of(_layout, _cells);
        }

        return (judged / prompts.Length, diversity / (prompts.Length / group));
    }
}
