namespace CoGrpo.Model.Conversion;

/// <summary>Where a conversion tells how far it is. Calls come from one thread.</summary>
public interface IConversionProgress
{
    /// <summary>Work on <paramref name="bytes"/> bytes begins.</summary>
    void Begin(long bytes);

    /// <summary>So many more bytes are done, the last ones of the tensor or file <paramref name="name"/>.</summary>
    void Advance(long bytes, string name);
}
