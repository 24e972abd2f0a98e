using CoGrpo.Runtime.Files.Torch;

namespace CoGrpo.Runtime.Files;

/// <summary>
/// Finds and opens the weights of one network in its folder: <c>STEM.safetensors</c>, <c>STEM.VARIANT.safetensors</c>, or several files with
/// <c>STEM.safetensors.index.json</c> or <c>STEM.safetensors.index.VARIANT.json</c>, a variant being a word such as fp16; where there is none of
/// these, the same with the endings of PyTorch archives.
/// </summary>
public static class WeightsFolder
{
    private const string Safetensors = ".safetensors";

    private static readonly string[] Endings = [Safetensors, ".bin", ".pt", ".pth"];

    /// <summary>Whether a file of this name holds weights in a form that can be read.</summary>
    public static bool IsWeightFile(string name) => Endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    /// <summary>
    /// Opens the weights. Files without a variant are preferred; where there are none, the only variant is taken. Stems are tried in order.
    /// </summary>
    /// <param name="folder">The network's folder.</param>
    /// <param name="stems">What the weight file may be called.</param>
    /// <param name="variant">The variant wanted, or null.</param>
    /// <returns>The tensors, owned by the caller.</returns>
    /// <exception cref="WeightsFolderException">There are no weights, or several and nothing says which.</exception>
    /// <exception cref="WeightsFileException">A file is damaged.</exception>
    public static ITensorSource Open(string folder, IReadOnlyList<string> stems, string? variant = null)
    {
        ArgumentNullException.ThrowIfNull(stems);
        string[] names = Names(folder);
        foreach (string stem in stems)
        {
            foreach (string ending in Endings)
            {
                if (Choose(folder, names, stem, ending, variant) is { } file)
                {
                    return OpenFile(Path.Combine(folder, file));
                }
            }
        }

        string wanted = $"{stems[0]}{(variant is null ? "" : "." + variant)}{Safetensors} or its index";
        string[] near = [.. names.Where(name => IsWeightFile(name) || name.EndsWith(".json", StringComparison.Ordinal)).Take(5)];
        throw new WeightsFolderException(
            folder,
            "weights",
            wanted,
            near.Length == 0 ? "no such file" : string.Join(", ", near),
            "give the folder as it was published"
        );
    }

    /// <summary>Opens one weight file, or the files of an index.</summary>
    /// <exception cref="WeightsFileException">A file is missing or damaged.</exception>
    public static ITensorSource OpenFile(string path)
    {
        if (!path.EndsWith(".json", StringComparison.Ordinal))
        {
            return path.EndsWith(Safetensors, StringComparison.Ordinal) ? SafetensorsFile.Open(path) : TorchTensorSource.Open(path);
        }

        ShardIndex index = ShardIndex.Read(path);
        List<(string Name, ITensorSource File)> files = [];
        try
        {
            foreach (string name in index.Files)
            {
                files.Add((name, OpenFile(Path.Combine(Path.GetDirectoryName(path)!, name))));
            }

            index.Check(files);
        }
        catch
        {
            files.ForEach(file => file.File.Dispose());
            throw;
        }

        return new TensorShards(files);
    }

    /// <summary>The weight file or index to open, or null.</summary>
    private static string? Choose(string folder, string[] names, string stem, string ending, string? variant)
    {
        // Variants of the names that are there; "" for those without.
        ILookup<string, string> byVariant = names
            .Select(name => (Name: name, Variant: Variant(name, stem, ending)))
            .Where(entry => entry.Variant is not null)
            .ToLookup(entry => entry.Variant!, entry => entry.Name);
        string[] variants = [.. byVariant.Select(group => group.Key).Order(StringComparer.Ordinal)];
        string? chosen = variant is not null ? variant : variants.Contains("") ? "" : variants.Length == 1 ? variants[0] : null;
        if (chosen is null && variants.Length > 1)
        {
            throw new WeightsFolderException(folder, "weights", "one variant", string.Join(", ", variants), "say which one is meant");
        }

        string[] files = chosen is null ? [] : [.. byVariant[chosen]];
        return files.Length < 2
            ? files.FirstOrDefault()
            : throw new WeightsFolderException(
                folder,
                "weights",
                "one file or one index",
                string.Join(" and ", files),
                "remove the one that is not meant"
            );
    }

    /// <summary>
    /// fp16 of <c>STEM.fp16ENDING</c> and <c>STEMENDING.index.fp16.json</c>, the empty word without a variant, null for other names.
    /// </summary>
    private static string? Variant(string name, string stem, string ending)
    {
        string index = $"{stem}{ending}.index";
        (string front, string back) = name.StartsWith(index, StringComparison.Ordinal) ? (index, ".json") : (stem, ending);
        if (
            name.Length < front.Length + back.Length
            || !name.StartsWith(front, StringComparison.Ordinal)
            || !name.EndsWith(back, StringComparison.Ordinal)
        )
        {
            return null;
        }

        string middle = name[front.Length..^back.Length];
        return middle.Length == 0 ? "" : middle.Length > 1 && middle[0] == '.' && middle.Skip(1).All(char.IsAsciiLetterOrDigit) ? middle[1..] : null;
    }

    private static string[] Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WeightsFolderException(
                folder,
                "weights",
                "a readable folder",
                error.Message.TrimEnd('.'),
                "give the folder as it was published",
                error
            );
        }
    }
}
