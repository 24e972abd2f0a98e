using System.Runtime.CompilerServices;

namespace CoGrpo.Runtime.Backends;

/// <summary>An interpolated message of <see cref="Require"/> that skips its parts, and their allocation, when the condition holds.</summary>
[InterpolatedStringHandler]
internal ref struct WantedMessage
{
    private DefaultInterpolatedStringHandler _text;

    /// <summary>Called by the compiler; <paramref name="build"/> tells it whether to append at all.</summary>
    public WantedMessage(int literalLength, int formattedCount, bool condition, out bool build)
    {
        build = !condition;
        _text = build ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    /// <summary>The finished message.</summary>
    public string Text => _text.ToStringAndClear();

    /// <summary>Called by the compiler for the fixed parts.</summary>
    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    /// <summary>Called by the compiler for the values.</summary>
    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);
}
