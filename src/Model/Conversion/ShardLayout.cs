using System.Globalization;
using System.Text.Json.Nodes;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>
/// How the tensors of a network are spread over weight files: one file, or several with an index, named as the libraries name them.
/// </summary>
internal static class ShardLayout
{
    /// <summary>
    /// Files and their tensors in order of name: <c>STEM.safetensors</c> for one, else <c>STEM-00001-of-0000N.safetensors</c> with about equal bytes
    /// each, as many of the wanted number as there are tensors for.
    /// </summary>
    public static IReadOnlyList<(string File, IReadOnlyList<SafetensorsTensor> Tensors)> Split(
        string stem,
        IReadOnlyList<SafetensorsTensor> tensors,
        int shards
    )
    {
        SafetensorsTensor[] ordered = [.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
        shards = Math.Clamp(shards, 1, ordered.Length);
        double share = ordered.Sum(tensor => tensor.ByteCount) / (double)shards;
        var files = new List<(string, IReadOnlyList<SafetensorsTensor>)>();
        int next = 0;
        double done = 0;
        for (int shard = 0; shard < shards; shard++)
        {
            int begin = next;
            int last = ordered.Length - (shards - shard - 1);
            do
            {
                done += ordered[next++].ByteCount;
            }
            while (next < last && (shard == shards - 1 || done < share * (shard + 1)));

            string name =
                shards == 1
                    ? $"{stem}.safetensors"
                    : string.Create(CultureInfo.InvariantCulture, $"{stem}-{shard + 1:00000}-of-{shards:00000}.safetensors");
            files.Add((name, ordered[begin..next]));
        }

        return files;
    }

    /// <summary>The index that belongs to several files.</summary>
    public static JsonObject Index(IReadOnlyList<(string File, IReadOnlyList<SafetensorsTensor> Tensors)> files)
    {
        var map = new JsonObject();
        foreach ((string file, IReadOnlyList<SafetensorsTensor> tensors) in files)
        {
            foreach (SafetensorsTensor tensor in tensors)
            {
                map.Add(tensor.Name, file);
            }
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["total_size"] = files.Sum(file => file.Tensors.Sum(tensor => tensor.ByteCount)) },
            ["weight_map"] = map,
        };
    }
}
