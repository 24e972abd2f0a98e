using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>What a conversion or check found of one network.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="Tensors">Number of tensors.</param>
/// <param name="Parameters">Number of weights.</param>
/// <param name="Types">Element types of the weights, each once.</param>
public sealed record ConvertedNetwork(string Name, int Tensors, long Parameters, IReadOnlyList<SafetensorsType> Types)
{
    /// <summary>The counts of a list of tensors.</summary>
    internal static ConvertedNetwork Of(string name, IReadOnlyList<SafetensorsTensor> tensors) =>
        new(name, tensors.Count, tensors.Sum(tensor => tensor.Count), [.. tensors.Select(tensor => tensor.Type).Distinct().Order()]);
}
