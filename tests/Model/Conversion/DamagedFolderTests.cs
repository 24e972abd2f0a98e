using CoGrpo.Model;
using CoGrpo.Model.Conversion;
using CoGrpo.Runtime.Files;
using CoGrpo.Tests.Cli;
using CoGrpo.Tests.Runtime.Files;
using CoGrpo.Tests.Runtime.Files.Torch;

namespace CoGrpo.Tests.Model.Conversion;

/// <summary>Each kind of damage is refused with one line that says what and where, and nothing is left where the output would have been.</summary>
public sealed class DamagedFolderTests(SyntheticSource source) : IClassFixture<SyntheticSource>, IDisposable
{
    private const string Conv = "embed.conv.weight";

    private static readonly Dictionary<string, (Action<string> Damage, string Said)> Cases = new()
    {
        ["truncated"] = (
            root => Rewrite(root, SyntheticSource.Transformer, bytes => bytes[..^1]),
            "transformer/diffusion_pytorch_model.safetensors: tensor"
        ),
        ["truncated in the header"] = (root => Rewrite(root, SyntheticSource.Text, bytes => bytes[..100]), "header length"),
        ["empty"] = (root => Rewrite(root, SyntheticSource.Pictures, _ => []), "at least 8 bytes"),
        ["bytes behind the data"] = (root => Rewrite(root, SyntheticSource.Text, bytes => [.. bytes, 0]), "data"),
        ["header too long"] = (
            root => Rewrite(root, SyntheticSource.Text, bytes => [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, .. bytes[8..]]),
            "header length"
        ),
        ["wrong type"] = (
            root =>
                Header(
                    root,
                    SyntheticSource.Transformer,
                    text => text.Replace($"\"{Conv}\":{{\"dtype\":\"F32\"", $"\"{Conv}\":{{\"dtype\":\"I32\"", StringComparison.Ordinal)
                ),
            $"transformer: {Conv} is I32, wanted F32"
        ),
        ["unknown type"] = (
            root => Header(root, SyntheticSource.Transformer, text => text.Replace("F32", "F8_E4M3", StringComparison.Ordinal)),
            "dtype"
        ),
        ["overlap"] = (root => Header(root, SyntheticSource.Transformer, Overlap), "data_offsets"),
        ["one name twice"] = (
            root =>
                Header(
                    root,
                    SyntheticSource.Transformer,
                    text => text.Replace("embed.layer_norm.weight", "encoder_proj_layer_norm.weight", StringComparison.Ordinal)
                ),
            "twice"
        ),
        ["missing"] = (root => Tensors(root, SyntheticSource.Transformer, tensors => tensors.Remove(Conv)), $"transformer: {Conv} is missing"),
        ["extra"] = (
            root =>
                Tensors(
                    root,
                    SyntheticSource.Pictures,
                    tensors => tensors.Add("spare.bias", (new SafetensorsTensor("spare.bias", SafetensorsType.F32, 1), new byte[4]))
                ),
            "vqvae: spare.bias is not a tensor of this network"
        ),
        ["renamed"] = (
            root => Tensors(root, SyntheticSource.Transformer, tensors => Move(tensors, Conv, "embed.convv.weight")),
            $"embed.convv.weight is not a tensor of this network, nearest is {Conv}"
        ),
        ["renamed by a prefix"] = (
            root => Tensors(root, SyntheticSource.Text, tensors => tensors.Keys.ToList().ForEach(name => Move(tensors, name, "x." + name))),
            "and 26 more"
        ),
        ["control characters in a name"] = (
            root =>
                Tensors(
                    root,
                    SyntheticSource.Pictures,
                    tensors => tensors.Add("\u001b[31m\n", (new SafetensorsTensor("\u001b[31m\n", SafetensorsType.F32, 1), new byte[4]))
                ),
            "?[31m? is not"
        ),
        ["wrong shape"] = (
            root =>
                Tensors(
                    root,
                    SyntheticSource.Transformer,
                    tensors => tensors[Conv] = (new SafetensorsTensor(Conv, SafetensorsType.F32, 32, 1, 32, 1), tensors[Conv].Bytes)
                ),
            $"{Conv} is [32,1,32,1], wanted [32,32,1,1]"
        ),
        ["too large for fp16"] = (
            root => Tensors(root, SyntheticSource.Transformer, tensors => BitConverter.TryWriteBytes(tensors[Conv].Bytes.AsSpan(8), 1e6f)),
            $"transformer, tensor {Conv}: wanted values up to 65504"
        ),
        ["no weights"] = (
            root => File.Delete(At(root, SyntheticSource.Pictures)),
            "vqvae: weights: expected diffusion_pytorch_model.safetensors or its index"
        ),
        ["no network"] = (root => Directory.Delete(At(root, "vqvae"), recursive: true), "missing are vqvae/"),
        ["no tokenizer"] = (root => Directory.Delete(At(root, "tokenizer"), recursive: true), "missing are tokenizer/"),
        ["no merges"] = (root => File.Delete(At(root, "tokenizer/merges.txt")), "missing are tokenizer/merges.txt"),
        ["no index of the parts"] = (root => File.Delete(At(root, "model_index.json")), "missing are model_index.json"),
        ["no configuration"] = (root => File.Delete(At(root, "vqvae/config.json")), "vqvae/config.json"),
        ["configuration that is no JSON"] = (
            root => File.WriteAllText(At(root, "transformer/config.json"), "{\"num_layers\": 1,\n"),
            "transformer/config.json: wanted a JSON object"
        ),
        ["configuration of other types"] = (
            root => File.WriteAllText(At(root, "transformer/config.json"), "{\"num_layers\": \"one\"}"),
            "transformer/config.json: wanted a JSON object"
        ),
        ["configuration that is null"] = (root => File.WriteAllText(At(root, "text_encoder/config.json"), "null"), "got null"),
        ["configuration with null"] = (
            root => Replace(root, "transformer/config.json", "\"axes_dims_rope\": [\n    4,\n    6,\n    6\n  ]", "\"axes_dims_rope\": null"),
            "axes_dims_rope"
        ),
        ["configuration without end"] = (
            root => Replace(root, "transformer/config.json", "\"num_layers\": 1", "\"num_layers\": 2000000000"),
            "num_layers: wanted 0 to 1024, got 2000000000"
        ),
        ["configuration beyond memory"] = (
            root => Replace(root, "text_encoder/config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000"),
            "text_encoder/config.json: text encoder configuration"
        ),
        ["configuration of 2^31 parameters"] = (ManyParameters, "vqvae/config.json: wanted sizes of a network"),
        ["configuration of a gigabyte"] = (root => Sparse(root, "transformer/config.json", 1 << 30), "wanted a configuration of at most"),
        ["other file that is no JSON"] = (root => File.WriteAllText(At(root, "model_index.json"), "[}"), "model_index.json: wanted JSON"),
        ["tokenizer that is no JSON"] = (
            root => File.WriteAllText(At(root, "tokenizer/special_tokens_map.json"), "<html>"),
            "special_tokens_map.json: wanted JSON"
        ),
        ["tokenizer of another vocabulary"] = (root => File.WriteAllText(At(root, "tokenizer/vocab.json"), "{\"a\": 0}"), "vocab.json"),
        ["large file beside"] = (root => Sparse(root, "tokenizer/notes.txt", 65 << 20), "tokenizer/notes.txt: wanted"),
        ["codebooks that differ"] = (root => OtherCodebook(root), "one codebook"),
        ["path out of the folder in an index"] = (
            root => Index(root, "{\"weight_map\":{\"a\":\"../../text_encoder/model.safetensors\"}}"),
            "a weight file in the same folder"
        ),
        ["index that is no JSON"] = (root => Index(root, "{\"weight_map\":"), "strict JSON"),
        ["index to nothing"] = (root => Index(root, "{\"weight_map\":{\"a\":\"none.safetensors\"}}"), "none.safetensors"),
        ["link out of the folder"] = (root => Link(root, SyntheticSource.Transformer), "expected a file within"),
        ["link out of the folder, small file"] = (root => Link(root, "tokenizer/merges.txt"), "expected a file within"),
        ["link out of the folder, configuration"] = (root => Link(root, "vqvae/config.json"), "expected a file within"),
        ["link of a folder out of the folder"] = (root => LinkFolder(root, "vqvae"), "expected a file within"),
        ["link to nothing"] = (root => Relink(root, SyntheticSource.Text, "nowhere"), "does not exist"),
        ["hostile pickle"] = (
            root =>
                Archive(
                    root,
                    TorchArchiveTests
                        .Zip(PickleWriter.Start.Global("os", "system").Text("touch pwned").Raw(0x85).Raw("R").Stop(), new byte[24])
                        .Finish()
                ),
            "'os system'"
        ),
        ["zip bomb"] = (root => Archive(root, Bomb()), "for 4000000000"),
        ["data of an archive changed"] = (Flip, "checksum"),
        ["archive of other tensors"] = (root => Archive(root, TorchArchiveTests.Simple().Finish()), "vqvae: x is not a tensor of this network"),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. Cases.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void Damage_is_refused_in_one_line_and_leaves_nothing(string name)
    {
        (Action<string> damage, string said) = Cases[name];
        string root = source.Copy(_folder.File("source"));
        damage(root);
        Directory.CreateDirectory(_folder.File("outputs"));
        CliRun run = CliRun.Of("convert", "import", root, _folder.File("outputs/model"), "--dtype", "fp16");
        Assert.True(run.Code == 1, $"{run.Code} {run.Error}");
        string line = run.Error.TrimEnd().Split(Environment.NewLine)[^1];
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.True(line.Contains(said, StringComparison.Ordinal), $"{said} is not in: {line}");
        Assert.DoesNotContain("unexpected", line, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Error, c => char.IsControl(c) && c is not ('\n' or '\r'));
        Assert.Single(run.Error.Split(Environment.NewLine), text => text.StartsWith("error", StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.File("outputs")));
        Assert.False(File.Exists("pwned"));
    }

    [Fact]
    public void Verify_lists_all_damage_of_all_parts()
    {
        string root = source.Copy(_folder.File("source"));
        foreach (string name in new[] { "missing", "extra", "truncated in the header", "no tokenizer" })
        {
            Cases[name].Damage(root);
        }

        CliRun run = CliRun.Of("convert", "verify", root);
        Assert.Equal(1, run.Code);
        Assert.Equal(3, run.Out.Split(Environment.NewLine).Count(line => line.StartsWith("problem: ", StringComparison.Ordinal)));
        Assert.Contains("3 problems, listed above", run.Error, StringComparison.Ordinal);
        Assert.Contains("not here: tokenizer/;", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("import")]
    [InlineData("export")]
    public void An_output_that_exists_stays_as_it_is(string command)
    {
        Directory.CreateDirectory(_folder.File("out"));
        File.WriteAllText(_folder.File("out/mine"), "x");
        CliRun run = CliRun.Of("convert", command, source.Model, _folder.File("out"));
        Assert.Equal(
            (1, $"error: {_folder.File("out")}: wanted a folder to make, got one that exists; choose another name or remove it{Environment.NewLine}"),
            (run.Code, run.Error)
        );
        Assert.Equal([_folder.File("out/mine")], Directory.EnumerateFileSystemEntries(_folder.File("out")));
    }

    [Fact]
    public void Interrupted_work_leaves_nothing()
    {
        using CancellationTokenSource stop = new();
        Directory.CreateDirectory(_folder.File("outputs"));
        SilentConversion progress = new()
        {
            OnAdvance = _ =>
            {
                Assert.Single(Directory.EnumerateFileSystemEntries(_folder.File("outputs")));
                stop.Cancel();
            },
        };
        Assert.Throws<OperationCanceledException>(() =>
            FolderConversion.Import(source.Model, _folder.File("outputs/a"), null, new SourceOptions(), progress, stop.Token)
        );
        Assert.Throws<OperationCanceledException>(() =>
            SyntheticFolder.Write(_folder.File("outputs/b"), SyntheticModel.Tiny, 1, SafetensorsType.F32, 1, new SilentConversion(), stop.Token)
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.File("outputs")));
    }

    /// <summary>Where the size of the disk is known the work does not begin; where only writing tells, it is undone.</summary>
    [Fact]
    public void A_full_disk_leaves_nothing()
    {
        Action<string> import = output => FolderConversion.Import(source.Model, output, null, new SourceOptions(), new SilentConversion(), default);
        using (SmallDisk disk = new(mount: true))
        {
            if (new DriveInfo(disk.Path).TotalSize <= 2 * SmallDisk.Bytes)
            {
                Assert.Contains(
                    "bytes of free space",
                    Assert.Throws<ModelException>(() => import(Path.Combine(disk.Path, "out"))).Message,
                    StringComparison.Ordinal
                );
            }

            Assert.Empty(Directory.EnumerateFileSystemEntries(disk.Path));
        }

        using (SmallDisk disk = new(mount: false))
        {
            SmallDisk.AssertFull(() => import(Path.Combine(disk.Path, "out")));
            Assert.Empty(Directory.EnumerateFileSystemEntries(disk.Path));
        }
    }

    [Theory]
    [InlineData("""{"format":"cogrpo-native model folder","version":1,"files":{"../x":{"bytes":1,"sha256":""}}}""", "the path '../x'")]
    [InlineData("""{"format":"cogrpo-native model folder","version":1,"files":{"/x":{"bytes":1,"sha256":""}}}""", "the path '/x'")]
    [InlineData("""{"format":"cogrpo-native model folder","version":2,"files":{}}""", "another format or version")]
    [InlineData("""{"format":"cogrpo-native model folder","version":1}""", "cogrpo-manifest.json: wanted sizes and checksums")]
    [InlineData("""[""", "cogrpo-manifest.json: wanted sizes and checksums")]
    public void A_damaged_manifest_is_a_problem(string text, string said)
    {
        string root = source.Copy(_folder.File("source"));
        File.WriteAllText(Path.Combine(root, "cogrpo-manifest.json"), text);
        string problem = Assert.Single(FolderVerification.Run(root, new SourceOptions(), new SilentConversion(), default).Problems);
        Assert.Contains(said, problem, StringComparison.Ordinal);
    }

    private static string At(string root, string file) => Path.Combine(root, file);

    private static void Rewrite(string root, string file, Func<byte[], byte[]> change) =>
        File.WriteAllBytes(At(root, file), change(File.ReadAllBytes(At(root, file))));

    private static void Replace(string root, string file, string from, string to)
    {
        string text = File.ReadAllText(At(root, file));
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(At(root, file), text.Replace(from, to, StringComparison.Ordinal));
    }

    private static void Header(string root, string file, Func<string, string> change) => SyntheticSource.ChangeHeader(At(root, file), text =>
    {
        string changed = change(text);
        Assert.NotEqual(text, changed);
        return changed;
    });

    private static void Tensors(string root, string file, Action<Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)>> change) =>
        SyntheticSource.Change(At(root, file), change);

    private static void Move(Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> tensors, string from, string to)
    {
        (SafetensorsTensor tensor, byte[] bytes) = tensors[from];
        tensors.Remove(from);
        tensors.Add(to, (new SafetensorsTensor(to, tensor.Type, tensor.Shape), bytes));
    }

    /// <summary>The second tensor begins where the first does.</summary>
    private static string Overlap(string header)
    {
        int second =
            header.IndexOf("data_offsets\":[", header.IndexOf("data_offsets\":[0,", StringComparison.Ordinal) + 1, StringComparison.Ordinal)
            + "data_offsets\":[".Length;
        int comma = header.IndexOf(',', second),
            end = header.IndexOf(']', second);
        long begin = long.Parse(header[second..comma], System.Globalization.CultureInfo.InvariantCulture),
            stop = long.Parse(header[(comma + 1)..end], System.Globalization.CultureInfo.InvariantCulture);
        return $"{header[..second]}0,{stop - begin}{header[end..]}";
    }

    private static void Sparse(string root, string file, long bytes)
    {
        using FileStream stream = File.Create(At(root, file));
        stream.SetLength(bytes);
    }

    private static void OtherCodebook(string root)
    {
        Replace(root, "vqvae/config.json", "\"num_vq_embeddings\": 100", "\"num_vq_embeddings\": 50");
        Tensors(
            root,
            SyntheticSource.Pictures,
            tensors =>
                tensors["quantize.embedding.weight"] = (
                    new SafetensorsTensor("quantize.embedding.weight", SafetensorsType.F32, 50, 4),
                    tensors["quantize.embedding.weight"].Bytes[..800]
                )
        );
    }

    private static void ManyParameters(string root)
    {
        Replace(root, "vqvae/config.json", "\"num_vq_embeddings\": 100", "\"num_vq_embeddings\": 1048576");
        Replace(root, "vqvae/config.json", "\"vq_embed_dim\": null", "\"vq_embed_dim\": 2048");
    }

    private static void Index(string root, string text)
    {
        File.Move(At(root, SyntheticSource.Pictures), At(root, "vqvae/a.safetensors"));
        File.WriteAllText(At(root, "vqvae/diffusion_pytorch_model.safetensors.index.json"), text);
    }

    private static void Link(string root, string file)
    {
        string outside = Path.Combine(Path.GetDirectoryName(root)!, "outside");
        File.Move(At(root, file), outside);
        File.CreateSymbolicLink(At(root, file), outside);
    }

    private static void Relink(string root, string file, string target)
    {
        File.Delete(At(root, file));
        File.CreateSymbolicLink(At(root, file), target);
    }

    private static void LinkFolder(string root, string folder)
    {
        string outside = Path.Combine(Path.GetDirectoryName(root)!, "outside");
        Directory.Move(At(root, folder), outside);
        Directory.CreateSymbolicLink(At(root, folder), outside);
    }

    private static void Archive(string root, byte[] bytes)
    {
        File.Delete(At(root, SyntheticSource.Pictures));
        File.WriteAllBytes(At(root, "vqvae/diffusion_pytorch_model.bin"), bytes);
    }

    private static byte[] Bomb()
    {
        ZipWriter zip = TorchArchiveTests.Simple();
        byte[] file = zip.Finish();
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(zip.Entries["m/data/0"] + 24), 4_000_000_000);
        return file;
    }

    /// <summary>An archive that fits the picture model but for one bit of its data.</summary>
    private static void Flip(string root)
    {
        Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> tensors = SyntheticSource.Read(At(root, SyntheticSource.Pictures));
        File.Delete(At(root, SyntheticSource.Pictures));
        SyntheticSource.WriteArchive(At(root, "vqvae/diffusion_pytorch_model.bin"), tensors, nested: false);
        Rewrite(root, "vqvae/diffusion_pytorch_model.bin", bytes =>
        {
            bytes[bytes.AsSpan().IndexOf(tensors["decoder.conv_in.weight"].Bytes)] ^= 1;
            return bytes;
        });
    }
}
