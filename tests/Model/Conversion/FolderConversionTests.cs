using System.Runtime.InteropServices;
using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Model.Conversion;
using CoGrpo.Model.Images;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Model.Conversion;

public sealed class FolderConversionTests(SyntheticSource source) : IClassFixture<SyntheticSource>, IDisposable
{
    private static readonly string[] Weights = [SyntheticSource.Transformer, SyntheticSource.Pictures, SyntheticSource.Text];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_comes_back_byte_for_byte_with_the_same_files()
    {
        string model = source.Copy(_folder.File("model"));
        File.WriteAllText(Path.Combine(model, "README.md"), "about");
        File.WriteAllText(Path.Combine(model, "scheduler/scheduler.py"), "pass");
        SilentConversion progress = new();
        IReadOnlyList<ConvertedNetwork> networks = FolderConversion.Import(model, _folder.File("in"), null, new SourceOptions(), progress, default);
        Assert.Equal(progress.Bytes, progress.Done);
        Assert.Equal(Weights.Sum(file => SyntheticSource.Read(Path.Combine(model, file)).Values.Sum(entry => entry.Bytes.LongLength)), progress.Done);
        Assert.Equal(["transformer", "vqvae", "text_encoder"], networks.Select(network => network.Name));
        FolderConversion.Export(_folder.File("in"), _folder.File("out"), null, new SourceOptions(), new SilentConversion(), default);
        Assert.Equal(Files(model), Files(_folder.File("out")));
        Assert.Equal(Files(model).Append("cogrpo-manifest.json").Order(StringComparer.Ordinal), Files(_folder.File("in")));
        Assert.All(Files(model), file => Assert.Equal(File.ReadAllBytes(Path.Combine(model, file)), File.ReadAllBytes(_folder.File("out/" + file))));
    }

    [Fact]
    public void Shards_become_one_file_with_the_same_tensors_and_sample_as_they_are()
    {
        SyntheticFolder.Write(_folder.File("shards"), SyntheticModel.Tiny, 7, SafetensorsType.F32, 3, new SilentConversion(), default);
        Assert.True(File.Exists(_folder.File("shards/vqvae/diffusion_pytorch_model-00003-of-00003.safetensors")));
        Import(_folder.File("shards"));
        AssertSameTensors(source.Model);
        Assert.Equal(Draw(source.Model), Draw(_folder.File("shards")));
    }

    [Theory]
    [InlineData(SafetensorsType.F16)]
    [InlineData(SafetensorsType.BF16)]
    public void Another_type_is_the_rounded_values_and_samples(SafetensorsType type)
    {
        Import(source.Model, type);
        foreach (string file in Weights)
        {
            Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> whole = SyntheticSource.Read(Path.Combine(source.Model, file)),
                half = SyntheticSource.Read(_folder.File("in/" + file));
            Assert.Equal(whole.Keys.Order(), half.Keys.Order());
            Assert.All(half, entry => Assert.Equal(type, entry.Value.Tensor.Type));
            Assert.All(
                half,
                entry =>
                    Assert.Equal(
                        MemoryMarshal
                            .Cast<byte, float>(whole[entry.Key].Bytes)
                            .ToArray()
                            .Select(v => type == SafetensorsType.F16 ? BitConverter.HalfToUInt16Bits((Half)v) : BFloat16.Bits(v)),
                        MemoryMarshal.Cast<byte, ushort>(entry.Value.Bytes).ToArray()
                    )
            );
        }

        Assert.NotEmpty(Draw(_folder.File("in")));
        FolderConversion.Import(_folder.File("in"), _folder.File("back"), SafetensorsType.F32, new SourceOptions(), new SilentConversion(), default);
        Assert.Equal(Draw(_folder.File("in")), Draw(_folder.File("back")));
        Assert.Empty(Verify(_folder.File("back")).Problems);
    }

    [Fact]
    public void Variants_are_taken_by_name_or_where_they_are_the_only_ones()
    {
        string model = source.Copy(_folder.File("model"));
        SyntheticFolder.Write(_folder.File("half"), SyntheticModel.Tiny, 7, SafetensorsType.F16, 1, new SilentConversion(), default);
        foreach (string file in Weights)
        {
            File.Copy(_folder.File("half/" + file), Path.Combine(model, file.Replace(".safetensors", ".fp16.safetensors", StringComparison.Ordinal)));
        }

        Import(model);
        AssertSameTensors(source.Model);
        FolderConversion.Import(model, _folder.File("named"), null, new SourceOptions { Variant = "fp16" }, new SilentConversion(), default);
        AssertSameTensors(_folder.File("half"), "named");
        Weights.ToList().ForEach(file => File.Delete(Path.Combine(model, file)));
        FolderConversion.Import(model, _folder.File("only"), null, new SourceOptions(), new SilentConversion(), default);
        AssertSameTensors(_folder.File("half"), "only");
    }

    [Fact]
    public void A_file_without_notes_stays_one()
    {
        string model = source.Copy(_folder.File("model")), file = Path.Combine(model, SyntheticSource.Transformer);
        SyntheticSource.Write(file, SyntheticSource.Read(file), metadata: false);
        Import(model);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_folder.File("in/" + SyntheticSource.Transformer)));
    }

    [Fact]
    public void Monetico_has_no_resampling_blocks()
    {
        SyntheticFolder.Write(
            _folder.File("monetico"),
            SyntheticModel.Tiny.WithoutResampling(),
            7,
            SafetensorsType.F32,
            1,
            new SilentConversion(),
            default
        );
        Import(_folder.File("monetico"));
        AssertSameTensors(_folder.File("monetico"));
        Assert.DoesNotContain(
            SyntheticSource.Read(_folder.File("in/" + SyntheticSource.Transformer)).Keys,
            name => name.StartsWith("down_block", StringComparison.Ordinal)
        );
        Assert.NotEmpty(Draw(_folder.File("in")));
    }

    /// <summary>The map of specs/reward-models.md 2.3, written here in the other direction.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_text_tower_of_open_clip_is_the_same_encoder(bool inTheFolder)
    {
        Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> tower = SyntheticSource.Read(Path.Combine(source.Model, SyntheticSource.Text)),
            renamed = [];
        void Add(string name, long[] shape, byte[] bytes) => renamed.Add(name, (new SafetensorsTensor(name, SafetensorsType.F32, shape), bytes));
        Add("visual.proj", [1], new byte[4]);
        Add("logit_scale", [], new byte[4]);
        foreach ((string name, (SafetensorsTensor tensor, byte[] bytes)) in tower)
        {
            string other = name.Replace("text_model.encoder.layers.", "transformer.resblocks.", StringComparison.Ordinal)
                .Replace("self_attn", "attn", StringComparison.Ordinal)
                .Replace("layer_norm", "ln_", StringComparison.Ordinal)
                .Replace("mlp.fc1", "mlp.c_fc", StringComparison.Ordinal)
                .Replace("mlp.fc2", "mlp.c_proj", StringComparison.Ordinal)
                .Replace("text_model.embeddings.token_embedding", "token_embedding", StringComparison.Ordinal)
                .Replace("text_model.embeddings.position_embedding.weight", "positional_embedding", StringComparison.Ordinal)
                .Replace("text_model.final_ln_", "ln_final", StringComparison.Ordinal);
            if (name == "text_projection.weight")
            {
                float[] values = MemoryMarshal.Cast<byte, float>(bytes).ToArray();
                int rows = (int)tensor.Shape[0],
                    columns = (int)tensor.Shape[1];
                Add(
                    "text_projection",
                    [columns, rows],
                    MemoryMarshal
                        .AsBytes(Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)]).ToArray().AsSpan())
                        .ToArray()
                );
            }
            else if (name.Contains(".q_proj.", StringComparison.Ordinal))
            {
                byte[] joint =
                [
                    .. bytes,
                    .. tower[name.Replace("q_proj", "k_proj", StringComparison.Ordinal)].Bytes,
                    .. tower[name.Replace("q_proj", "v_proj", StringComparison.Ordinal)].Bytes,
                ];
                long[] shape = tensor.Shape.ToArray();
                shape[0] *= 3;
                Add(other.Replace("q_proj.", "in_proj_", StringComparison.Ordinal), shape, joint);
            }
            else if (!name.Contains(".k_proj.", StringComparison.Ordinal) && !name.Contains(".v_proj.", StringComparison.Ordinal))
            {
                Add(other, tensor.Shape.ToArray(), bytes);
            }
        }

        Assert.Contains("transformer.resblocks.1.attn.in_proj_weight", renamed.Keys);
        Assert.Contains("ln_final.bias", renamed.Keys);
        string model = source.Copy(_folder.File("model"));
        string file = inTheFolder ? Path.Combine(model, "text_encoder/open_clip_model.safetensors") : _folder.File("anything.safetensors");
        SyntheticSource.Write(file, renamed);
        File.Delete(Path.Combine(model, SyntheticSource.Text));
        FolderConversion.Import(
            model,
            _folder.File("in"),
            null,
            new SourceOptions { TextEncoder = inTheFolder ? null : file },
            new SilentConversion(),
            default
        );
        AssertSameTensors(source.Model);
        if (inTheFolder)
        {
            Assert.Equal(Draw(source.Model), Draw(model));
        }
    }

    /// <summary>The published file of the encoder's own makers holds the picture tower as well.</summary>
    [Fact]
    public void A_whole_clip_model_gives_its_text_tower()
    {
        string model = source.Copy(_folder.File("model"));
        SyntheticSource.Change(Path.Combine(model, SyntheticSource.Text), tensors =>
        {
            foreach (string name in new[] { "text_model.embeddings.position_ids", "vision_model.x.weight", "visual_projection.weight", "logit_scale" })
            {
                tensors.Add(name, (new SafetensorsTensor(name, SafetensorsType.I64, 1), new byte[8]));
            }
        });
        Import(model);
        AssertSameTensors(source.Model);
    }

    [Theory]
    [InlineData("text_encoder/pytorch_model.bin", SyntheticSource.Text, false)]
    [InlineData("vqvae/diffusion_pytorch_model.bin", SyntheticSource.Pictures, true)]
    public void PyTorch_archives_are_read(string archive, string file, bool nested)
    {
        string model = source.Copy(_folder.File("model"));
        SyntheticSource.WriteArchive(Path.Combine(model, archive), SyntheticSource.Read(Path.Combine(model, file)), nested);
        File.Delete(Path.Combine(model, file));
        Import(model);
        AssertSameTensors(source.Model);
        Assert.Equal(File.ReadAllBytes(Path.Combine(source.Model, file)), File.ReadAllBytes(_folder.File("in/" + file)));
        Assert.Empty(Verify(model).Problems);
    }

    /// <summary>What training leaves has neither VQ model nor tokenizer, and configurations with this project's keys alone.</summary>
    [Fact]
    public void A_trained_model_goes_out_with_the_parts_of_its_base()
    {
        using var backend = new CpuBackend(1);
        using (TextToImageModel model = TextToImageModel.Load(source.Model, backend))
        using (var policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(64), backend))
        {
            Initialisation.SchedulePolicy(policy.Parameters, backend, 3);
            model.Save(_folder.File("trained"));
            SchedulePolicyFolder.Save(
                _folder.File("trained/schedule_policy"),
                policy,
                new SchedulePolicySettings(8, [true, true, true, true], new ScheduleParametrizationSettings())
            );
        }

        string message = Assert
            .Throws<ModelException>(() =>
                FolderConversion.Export(_folder.File("trained"), _folder.File("out"), null, new SourceOptions(), new SilentConversion(), default)
            )
            .Message;
        Assert.Contains("vqvae/", message, StringComparison.Ordinal);
        Assert.Contains("tokenizer/", message, StringComparison.Ordinal);
        SourceOptions options = new() { Base = source.Model };
        FolderConversion.Import(_folder.File("trained"), _folder.File("in"), null, options, new SilentConversion(), default);
        Assert.True(File.Exists(_folder.File("in/schedule_policy/model.safetensors")));
        Assert.Empty(Verify(_folder.File("in")).Problems);
        FolderConversion.Export(_folder.File("in"), _folder.File("out"), null, new SourceOptions(), new SilentConversion(), default);
        AssertSameTensors(source.Model, "out");
        Assert.Equal(Files(source.Model), Files(_folder.File("out")));
        foreach (string config in new[] { "transformer/config.json", "text_encoder/config.json" })
        {
            Assert.Equal(Json(Path.Combine(source.Model, config)), Json(_folder.File("out/" + config)));
        }
    }

    [Fact]
    public void Verify_finds_every_change()
    {
        Import(source.Model);
        FolderReport whole = Verify(_folder.File("in"));
        Assert.Empty(whole.Problems);
        Assert.Empty(whole.Missing);
        Assert.True(whole.HasChecksums);
        Assert.Equal([145_280, 59_991, 796_752], whole.Networks.Select(network => network.Parameters));
        byte[] bytes = File.ReadAllBytes(_folder.File("in/" + SyntheticSource.Pictures));
        bytes[^1] ^= 1;
        File.WriteAllBytes(_folder.File("in/" + SyntheticSource.Pictures), bytes);
        File.AppendAllText(_folder.File("in/tokenizer/special_tokens_map.json"), " ");
        File.Delete(_folder.File("in/tokenizer/merges.txt"));
        File.WriteAllText(_folder.File("in/vqvae/extra.txt"), "x");
        SyntheticSource.Change(_folder.File("in/" + SyntheticSource.Transformer), tensors => tensors.Remove("embed.conv.weight"));
        IReadOnlyList<string> problems = Verify(_folder.File("in")).Problems;
        Assert.Equal(
            [
                "tokenizer/merges.txt is missing",
                "tokenizer/special_tokens_map.json has 461 bytes, written were 460",
                "transformer/",
                "the bytes of vqvae/diffusion_pytorch_model.safetensors have changed",
                "vqvae/extra.txt was not written with the others",
                "transformer: embed.conv.weight is missing",
            ],
            problems.Select(problem => problem.StartsWith("transformer/", StringComparison.Ordinal) ? "transformer/" : problem)
        );
    }

    private static string Json(string path)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
        return JsonSerializer.Serialize(json);
    }

    private static FolderReport Verify(string folder) => FolderVerification.Run(folder, new SourceOptions(), new SilentConversion(), default);

    private static string[] Files(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder, file))
                .Order(StringComparer.Ordinal),
        ];

    private static byte[] Draw(string folder)
    {
        using var backend = new CpuBackend(1);
        using TextToImagePipeline pipeline = TextToImagePipeline.Load(folder, backend, new PipelineOptions { Height = 16, Width = 16 });
        RgbImage picture = pipeline.Draw(
            new PictureRequest
            {
                Prompts = ["a red fox"],
                Steps = 2,
                Seed = 1,
            },
            new HandMadeSchedule(new HandMadeSettings { Guidance = 3 })
        )[0];
        return picture.Pixels;
    }

    private void Import(string model, SafetensorsType? type = null) =>
        FolderConversion.Import(model, _folder.File("in"), type, new SourceOptions(), new SilentConversion(), default);

    private void AssertSameTensors(string model, string output = "in")
    {
        foreach (string file in Weights)
        {
            Dictionary<string, (SafetensorsTensor Tensor, byte[] Bytes)> wanted = SyntheticSource.Read(Path.Combine(model, file)),
                got = SyntheticSource.Read(_folder.File($"{output}/{file}"));
            Assert.Equal(wanted.Values.Select(entry => entry.Tensor.ToString()).Order(), got.Values.Select(entry => entry.Tensor.ToString()).Order());
            Assert.All(wanted, entry => Assert.Equal(entry.Value.Bytes, got[entry.Key].Bytes));
        }
    }
}
