using CoGrpo.Runtime.Files;

namespace CoGrpo.Tests.Runtime.Files;

public sealed class WeightsFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.safetensors", null)]
    [InlineData("model.fp16.safetensors", null)]
    [InlineData("model.fp16.safetensors", "fp16")]
    public void One_file_with_or_without_a_variant(string name, string? variant)
    {
        Write(name, ("a", 1), ("b", 2));
        using ITensorSource source = WeightsFolder.Open(_folder.Path, ["model"], variant);
        Assert.Equal((1, 2), (Value(source, "a"), Value(source, "b")));
        Assert.Equal("pt", source.Metadata["format"]);
    }

    [Fact]
    public void Files_without_a_variant_come_first_and_one_of_two_can_be_named()
    {
        Write("model.safetensors", ("a", 1));
        Write("model.fp16.safetensors", ("a", 2));
        Write("model.bf16.safetensors", ("a", 3));
        Assert.Equal(1, Read(null));
        Assert.Equal(2, Read("fp16"));
        File.Delete(_folder.File("model.safetensors"));
        Assert.Contains("bf16, fp16", Refused(null), StringComparison.Ordinal);
        Assert.Contains("expected model.fp8.safetensors", Refused("fp8"), StringComparison.Ordinal);

        float Read(string? variant)
        {
            using ITensorSource source = WeightsFolder.Open(_folder.Path, ["model"], variant);
            return Value(source, "a");
        }
    }

    [Theory]
    [InlineData("model.safetensors.index.json", "model-00001-of-00002.safetensors")]
    [InlineData("model.safetensors.index.fp16.json", "model.fp16-00001-of-00002.safetensors")]
    public void Several_files_are_read_as_one(string index, string shard)
    {
        string second = shard.Replace("00001", "00002", StringComparison.Ordinal);
        Write(shard, ("a", 1), ("b", 2));
        Write(second, ("c", 3));
        File.WriteAllText(
            _folder.File(index),
            $$"""{"metadata":{"total_size":12},"weight_map":{"a":"{{shard}}","b":"{{shard}}","c":"{{second}}"} }"""
        );
        using ITensorSource source = WeightsFolder.Open(_folder.Path, ["model"]);
        Assert.Equal(["a", "b", "c"], source.Tensors.Keys.Order());
        Assert.Equal((1, 2, 3), (Value(source, "a"), Value(source, "b"), Value(source, "c")));
        Assert.Equal("pt", source.Metadata["format"]);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../one.safetensors"}}""", "'../one.safetensors'")]
    [InlineData("""{"weight_map":{"a":"/etc/one.safetensors"}}""", "'/etc/one.safetensors'")]
    [InlineData("""{"weight_map":{"a":"c:\\one.safetensors"}}""", "one.safetensors'")]
    [InlineData("""{"weight_map":{"a":"config.json"}}""", "'config.json'")]
    [InlineData("""{"weight_map":{"a":".."}}""", "'..'")]
    [InlineData("""{"weight_map":{"a":7}}""", "'7'")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}""", "'a' twice")]
    [InlineData(
        """{"weight_map":{"a":"one.safetensors","z":"one.safetensors"}}""",
        "'b' in one.safetensors, which the index does not say and 1 more"
    )]
    [InlineData("""{"weight_map":{"a":"one.safetensors"}}""", "'b' in one.safetensors, which the index does not say")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","b":"none.safetensors"}}""", "none.safetensors")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}""", "'b' in one.safetensors, which the index does not say")]
    [InlineData("""{"weight_map":{}}""", "0")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("""[]""", "weight_map")]
    [InlineData("""{"weight_map":{""", "strict JSON")]
    [InlineData("", "strict JSON")]
    public void An_index_that_does_not_tell_the_truth_is_one_line(string index, string said)
    {
        Write("one.safetensors", ("a", 1), ("b", 2));
        Write("two.safetensors", ("b", 2));
        File.WriteAllText(_folder.File("model.safetensors.index.json"), index);
        string message = Refused(null);
        Assert.Contains(said, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void What_could_mean_two_things_is_refused()
    {
        Write("model.safetensors", ("a", 1));
        File.WriteAllText(_folder.File("model.safetensors.index.json"), """{"weight_map":{"a":"model.safetensors"}}""");
        Assert.Contains("model.safetensors and model.safetensors.index.json", Refused(null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_weights_says_what_is_there()
    {
        Assert.Contains("no such file", Refused(null), StringComparison.Ordinal);
        Write("wrong.safetensors", ("a", 1));
        Assert.Contains("found wrong.safetensors", Refused(null), StringComparison.Ordinal);
        Assert.Contains(
            _folder.File("none"),
            Assert.Throws<WeightsFolderException>(() => WeightsFolder.Open(_folder.File("none"), ["model"])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Links_stay_within_the_folder_or_lead_into_the_cache_of_the_hub()
    {
        string root = _folder.File("models--a--b/snapshots/0123"), blobs = _folder.File("models--a--b/blobs");
        Directory.CreateDirectory(Path.Combine(root, "inside"));
        Directory.CreateDirectory(blobs);
        foreach (string file in new[] { Path.Combine(blobs, "blob"), _folder.File("secret"), Path.Combine(root, "inside", "file") })
        {
            File.WriteAllText(file, "x");
        }

        foreach (
            (string name, string target, bool allowed) in new[]
            {
                ("a", "inside/file", true),
                ("b", "../../blobs/blob", true),
                ("c", "../../../secret", false),
                ("d", _folder.File("secret"), false),
                ("e", "c", false),
                ("f", "b", true),
                ("g", "g", false),
                ("h", "inside/none", false),
            }
        )
        {
            string link = Path.Combine(root, name);
            File.CreateSymbolicLink(link, target);
            Exception? error = Record.Exception(() => FolderLinks.Check(root, link));
            Assert.True(allowed ? error is null : error is WeightsFolderException, $"{name}: {error}");
        }

        Directory.CreateSymbolicLink(Path.Combine(root, "out"), _folder.Path);
        Assert.Throws<WeightsFolderException>(() => FolderLinks.Check(root, Path.Combine(root, "out", "secret")));
        FolderLinks.Check(root, Path.Combine(root, "inside", "file"));
    }

    private static float Value(ITensorSource source, string name)
    {
        float[] value = new float[1];
        source.ReadFloat32(name, value);
        return value[0];
    }

    private string Refused(string? variant) =>
        Assert.ThrowsAny<WeightsFileException>(() => WeightsFolder.Open(_folder.Path, ["model"], variant).Dispose()).Message;

    private void Write(string name, params (string Name, float Value)[] tensors)
    {
        using FileStream stream = File.Create(_folder.File(name));
        var writer = new SafetensorsWriter(
            stream,
            tensors.Select(tensor => new SafetensorsTensor(tensor.Name, SafetensorsType.F32, 1)),
            new Dictionary<string, string> { ["format"] = "pt" }
        );
        foreach ((string tensor, float value) in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            writer.WriteFloat32(tensor, [value]);
        }

        writer.Complete();
    }
}
