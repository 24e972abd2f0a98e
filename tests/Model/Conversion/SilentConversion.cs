using CoGrpo.Model.Conversion;

namespace CoGrpo.Tests.Model.Conversion;

/// <summary>Counts what a conversion says, and may stop it in the middle.</summary>
internal sealed class SilentConversion : IConversionProgress
{
    public long Bytes { get; private set; }

    public long Done { get; private set; }

    /// <summary>Called with every advance.</summary>
    public Action<string> OnAdvance { get; init; } = _ => { };

    public void Begin(long bytes) => Bytes = bytes;

    public void Advance(long bytes, string name)
    {
        Done += bytes;
        OnAdvance(name);
    }
}
