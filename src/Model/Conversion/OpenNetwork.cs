using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>One network of a folder that is open for conversion.</summary>
/// <param name="Network">Which.</param>
/// <param name="ConfigPath">Its configuration.</param>
/// <param name="Where">File or folder of its weights.</param>
/// <param name="Expected">The tensors it asks for.</param>
/// <param name="Source">Its weights, owned.</param>
internal sealed record OpenNetwork(
    NetworkFolder Network,
    string ConfigPath,
    string Where,
    IReadOnlyList<SafetensorsTensor> Expected,
    ITensorSource Source
) : IDisposable
{
    /// <summary>What does not fit, each with the network's name in front.</summary>
    public IEnumerable<string> Problems() =>
        TensorFit.Problems(Expected, Source.Tensors, Network.Ignores).Select(problem => $"{Network.Name}: {problem}");

    /// <summary>Closes the weights.</summary>
    public void Dispose() => Source.Dispose();
}
