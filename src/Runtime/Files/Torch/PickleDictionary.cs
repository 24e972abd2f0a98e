namespace CoGrpo.Runtime.Files.Torch;

/// <summary>A dictionary of a pickle: keys are texts or whole numbers, each once, in the order of the file.</summary>
internal sealed class PickleDictionary
{
    private readonly Dictionary<object, object?> _values = [];
    private readonly List<object> _order = [];

    /// <summary>Keys in order.</summary>
    public IReadOnlyList<object> Keys => _order;

    /// <summary>The value of a key that is there.</summary>
    public object? this[object key] => _values[key];

    /// <summary>Adds an entry; false when the key is there.</summary>
    public bool TryAdd(object key, object? value)
    {
        bool added = _values.TryAdd(key, value);
        if (added)
        {
            _order.Add(key);
        }

        return added;
    }

    /// <summary>The value of <paramref name="key"/>, when there is one.</summary>
    public bool TryGet(string key, out object? value) => _values.TryGetValue(key, out value);
}
