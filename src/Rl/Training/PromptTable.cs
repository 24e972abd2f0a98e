namespace CoGrpo.Rl.Training;

/// <summary>Token ids of the empty prompt followed by P prompts: what the models of all lanes encode before a rollout.</summary>
public sealed class PromptTable
{
    private readonly IPromptSource _source;
    private int[] _ids = [];

    /// <summary>An empty table over <paramref name="source"/>.</summary>
    public PromptTable(IPromptSource source) => _source = source;

    /// <summary>Ids [1 + P, L], the empty prompt first.</summary>
    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, (1 + Count) * _source.TextLength);

    /// <summary>P.</summary>
    public int Count { get; private set; }

    /// <summary>Replaces the prompts; prompt i gets index i + 1.</summary>
    public void Set(ReadOnlySpan<IPrompt> prompts)
    {
        int length = _source.TextLength;
        Count = prompts.Length;
        if (_ids.Length < (1 + Count) * length)
        {
            _ids = new int[(1 + Count) * length];
        }

        _source.Encode("", _ids.AsSpan(0, length));
        for (int i = 0; i < Count; i++)
        {
            _source.Encode(prompts[i].Text, _ids.AsSpan((1 + i) * length, length));
        }
    }
}
