using System.Buffers.Binary;
using System.Text;
using CoGrpo.Model.Conversion;
using CoGrpo.Runtime.Files;
using CoGrpo.Tests.Runtime.Files.Torch;

namespace CoGrpo.Tests.Model.Conversion;

/// <summary>A tiny model folder in the published layout, made once, and copies of it that a test may damage.</summary>
public sealed class SyntheticSource : IDisposable
{
    public const string Transformer = "transformer/diffusion_pytorch_model.safetensors";
    public const string Pictures = "vqvae/diffusion_pytorch_model.safetensors";
    public const string Text = "text_encoder/model.safetensors";

    private readonly TemporaryFolder _folder = new();

    public SyntheticSource() =>
        SyntheticFolder.Write(_folder.File("model"), SyntheticModel.Tiny, 7, SafetensorsType.F32, 1, new SilentConversion(), default);

    /// <summary>The folder itself, not to be changed.</summary>
    public string Model => _folder.File("model");

    public void Dispose() => _folder.Dispose();

    /// <summary>A copy of the folder at <paramref name="path"/>.</summary>
    public string Copy(string path)
    {
        foreach (string file in Directory.EnumerateFiles(Model, "*", SearchOption.AllDirectories))
        {
            string to = Path.Combine(path, Path.GetRelativePath(Model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return path;
    }

    /// <summary>All tensors of a file with their bytes.</summary>
    internal static Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> Read(string path)
    {
        using ITensorSource source = WeightsFolder.OpenFile(path);
        return source.Tensors.Values.ToDictionary(tensor => tensor.Name, tensor =>
        {
            byte[] bytes = new byte[tensor.ByteCount];
            source.ReadBytes(tensor.Name, 0, bytes);
            return (tensor, bytes);
        });
    }

    internal static void Write(string path, Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> tensors, bool metadata = true)
    {
        using FileStream stream = File.Create(path);
        var writer = new SafetensorsWriter(
            stream,
            tensors.Values.Select(entry => entry.Tensor),
            metadata ? new Dictionary<string, string> { ["format"] = "pt" } : null
        );
        foreach (SafetensorsTensor tensor in writer.Tensors)
        {
            writer.WriteBytes(tensor.Name, tensors[tensor.Name].Bytes);
        }

        writer.Complete();
    }

    /// <summary>Writes a file again with other tensors.</summary>
    internal static void Change(string path, Action<Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)>> change)
    {
        Dictionary<string, (SafetensorsTensor, byte[])> tensors = Read(path);
        change(tensors);
        Write(path, tensors);
    }

    /// <summary>Writes a file again with another header text over the same data.</summary>
    internal static void ChangeHeader(string path, Func<string, string> change)
    {
        byte[] file = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] header = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(file, 8, length)));
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        File.WriteAllBytes(path, [.. prefix, .. header, .. file.AsSpan(8 + length)]);
    }

    /// <summary>
    /// Writes the tensors, all F32, as torch.save does: as they are, or as the state dictionary of a checkpoint of parallel training.
    /// </summary>
    internal static void WriteArchive(string path, Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> tensors, bool nested)
    {
        void Entries(PickleWriter pickle)
        {
            foreach ((string name, (SafetensorsTensor tensor, byte[] bytes), int i) in tensors.Select((entry, i) => (entry.Key, entry.Value, i)))
            {
                long[] strides = new long[tensor.Shape.Length];
                long stride = 1;
                for (int d = strides.Length - 1; d >= 0; d--)
                {
                    (strides[d], stride) = (stride, stride * tensor.Shape[d]);
                }

                pickle.Text(nested ? "module." + name : name).Tensor($"{i}", bytes.Length / 4, 0, tensor.Shape.ToArray(), strides);
            }
        }

        byte[] pickle = PickleWriter
            .Start.Dictionary(nested ? outer => outer.Text("epoch").Number(3).Text("state_dict").Dictionary(Entries) : Entries)
            .Stop();
        ZipWriter zip = new ZipWriter().Add("m/data.pkl", pickle).Add("m/byteorder", "little");
        foreach ((byte[] bytes, int i) in tensors.Values.Select((entry, i) => (entry.Bytes, i)))
        {
            zip.Add($"m/data/{i}", bytes);
        }

        File.WriteAllBytes(path, zip.Add("m/version", "3\n").Finish());
    }
}
