using System.Runtime.InteropServices;

namespace CoGrpo.Tests.Runtime.Files.Torch;

/// <summary>Small files of torch.save with fp32 tensors and, as the originals have them, buffers of whole numbers.</summary>
internal static class TorchFile
{
    /// <summary>Writes one.</summary>
    /// <param name="path">Where.</param>
    /// <param name="tensors">Names, shapes and values.</param>
    /// <param name="buffers">Names of buffers [1,n] that hold 0, 1, …; their n.</param>
    /// <param name="key">The key of an outer dictionary that has others too, or null.</param>
    /// <param name="prefix">Before every name.</param>
    public static void Write(
        string path,
        IEnumerable<(string Name, long[] Shape, float[] Values)> tensors,
        IReadOnlyDictionary<string, int> buffers,
        string? key,
        string prefix
    )
    {
        List<(string Name, long[] Shape, string Type, byte[] Data, int Count)> all =
        [
            .. tensors.Select(t => (t.Name, t.Shape, "FloatStorage", MemoryMarshal.AsBytes<float>(t.Values).ToArray(), t.Values.Length)),
            .. buffers.Select(b =>
                (
                    b.Key,
                    new long[] { 1, b.Value },
                    "LongStorage",
                    MemoryMarshal.AsBytes<long>([.. Enumerable.Range(0, b.Value).Select(i => (long)i)]).ToArray(),
                    b.Value
                )
            ),
        ];
        void Tensors(PickleWriter pickle)
        {
            for (int i = 0; i < all.Count; i++)
            {
                long[] strides = new long[all[i].Shape.Length];
                long stride = 1;
                for (int d = strides.Length - 1; d >= 0; d--)
                {
                    strides[d] = stride;
                    stride *= all[i].Shape[d];
                }

                pickle.Text(prefix + all[i].Name).Tensor($"{i}", all[i].Count, 0, all[i].Shape, strides, all[i].Type);
            }
        }

        byte[] pickle = PickleWriter.Start.Dictionary(outer =>
        {
            if (key is null)
            {
                Tensors(outer);
            }
            else
            {
                outer.Text("epoch").Number(7).Text(key).Dictionary(Tensors);
            }
        }).Stop();
        ZipWriter zip = new ZipWriter().Add("archive/data.pkl", pickle).Add("archive/version", "3\n");
        for (int i = 0; i < all.Count; i++)
        {
            zip.Add($"archive/data/{i}", all[i].Data);
        }

        File.WriteAllBytes(path, zip.Finish());
    }
}
