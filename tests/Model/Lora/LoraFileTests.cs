using System.Text.Json.Nodes;
using CoGrpo.Model;
using CoGrpo.Model.Lora;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Files;
using CoGrpo.Tests.Rl;
using CoGrpo.Tests.Rl.Serving;

namespace CoGrpo.Tests.Model.Lora;

/// <summary>Adapters in files: what is written, what is read, what is refused, and the merged model.</summary>
public sealed class LoraFileTests : IDisposable
{
    private const string Module = "single_transformer_blocks.0.attn.to_q";
    private readonly TemporaryFolder _folder = new();
    private readonly CpuBackend _backend = new(1);

    public void Dispose()
    {
        _backend.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void WhatIsWrittenIsReadBackAndIsInTheCommonForm()
    {
        using TextToImageModel source = Tiny(), target = Tiny();
        LoraAdapters written = Adapters(source, new LoraConfig(3, 7.5, [LoraTargets.Attention]));
        LoraFile.Save(_folder.Path, written, _backend);
        LoraAdapters read = LoraFile.Load(_folder.Path, target.Transformer, _backend);
        Assert.Equal(written.Shapes, read.Shapes);
        Assert.Equal(Values(written.Parameters), Values(read.Parameters));

        using SafetensorsFile file = SafetensorsFile.Open(_folder.File(LoraFile.WeightsName));
        Assert.Equal(2 * written.Shapes.Count, file.Tensors.Count);
        Assert.Equal([3, 64], file["transformer.transformer_blocks.0.attn.add_k_proj.lora_A.weight"].Shape.ToArray().Select(n => (int)n));
        Assert.Equal([64, 3], file["transformer.transformer_blocks.0.attn.to_out.0.lora_B.weight"].Shape.ToArray().Select(n => (int)n));
        Assert.Equal("pt", file.Metadata["format"]);
        JsonNode metadata = JsonNode.Parse(file.Metadata["lora_adapter_metadata"])!;
        JsonNode config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!;
        Assert.Equal((3, 7.5), ((int)metadata["transformer.r"]!, (double)metadata["transformer.lora_alpha"]!));
        Assert.Equal(("LORA", 3, 7.5), ((string)config["peft_type"]!, (int)config["r"]!, (double)config["lora_alpha"]!));
        string[] targets = [.. config["target_modules"]!.AsArray().Select(n => (string)n!)];
        Assert.Equal(
            ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "proj_out"],
            targets.Order().OrderBy(t => Array.IndexOf([.. LoraTargets.Known], t))
        );
    }

    /// <summary>The same adapters under every spelling, with α in the file, in the metadata, beside it, and nowhere.</summary>
    [Theory]
    [InlineData("transformer." + Module, ".lora_A.weight", ".lora_B.weight", "metadata", 6)]
    [InlineData(Module, ".lora_A.weight", ".lora_B.weight", "beside", 5)]
    [InlineData(Module, ".lora_A.weight", ".lora_B.weight", "", 2)]
    [InlineData("base_model.model." + Module, ".lora_A.weight", ".lora_B.weight", "pattern", 9)]
    [InlineData("lora_unet_single_transformer_blocks_0_attn_to_q", ".lora_down.weight", ".lora_up.weight", "tensor", 3)]
    [InlineData("lora_transformer_single_transformer_blocks_0_attn_to_q", ".lora_down.weight", ".lora_up.weight", "", 2)]
    [InlineData("transformer." + Module, ".lora_down.weight", ".lora_up.weight", "tensor", 3)]
    public void BothCommonFormsAreRead(string prefix, string a, string b, string alpha, double expected)
    {
        float[] down = Numbers(1, 2 * 64), up = Numbers(2, 64 * 2);
        List<(string, long[], float[])> tensors = [(prefix + a, [2, 64], down), (prefix + b, [64, 2], up)];
        if (alpha == "tensor")
        {
            tensors.Add((prefix + ".alpha", [], [3]));
        }

        string? metadata = alpha switch
        {
            "metadata" => """{"transformer.lora_alpha": 6, "transformer.r": 2}""",
            "pattern" => """{"lora_alpha": 6, "alpha_pattern": {"attn.to_q": 9}}""",
            _ => null,
        };
        if (alpha == "beside")
        {
            File.WriteAllText(_folder.File("adapter_config.json"), """{"lora_alpha": 5.0, "r": 2, "use_rslora": false}""");
        }

        string path = Write(tensors, metadata);
        using TextToImageModel model = Tiny();
        LoraAdapters adapters = LoraFile.Load(path, model.Transformer, _backend, 0.5);
        Assert.Equal([new LoraShape(Module, 2, expected / 2)], adapters.Shapes);
        Assert.Equal(down, Read(adapters.Parameters, Module + ".lora_A.weight"));
        Assert.Equal(up, Read(adapters.Parameters, Module + ".lora_B.weight"));
    }

    [Fact]
    public void AllThatDoesNotFitIsListedAtOnce()
    {
        string path = Write([
            ("transformer.nowhere.lora_A.weight", [2, 64], new float[128]), (Module + ".weight", [2], new float[2]),
            (Module + ".lora_A.weight", [2, 63], new float[126]), (Module + ".lora_B.weight", [64, 3], new float[192]),
            ("transformer_blocks.0.attn.to_k.lora_B.weight", [64, 2], new float[128]),
            ("transformer_blocks.0.attn.to_v.lora_A.weight", [2, 64], new float[128]),
            ("transformer_blocks_0_attn_to_v.lora_down.weight", [2, 64], new float[128]),
            ("transformer_blocks.0.attn.to_v.lora_B.weight", [64, 2], new float[128]),
        ]);
        string message = Refused<ModelException>(path);
        foreach (
            string part in new[]
            {
                "transformer.nowhere.lora_A.weight is not an adapter",
                Module + ".weight is not an adapter",
                Module + ".lora_A.weight is [2,63], wanted [r,64]",
                Module + ".lora_B.weight is [64,3], wanted [64,2]",
                "to_k: A (lora_A or lora_down) is missing",
                "the same tensor under two names",
            }
        )
        {
            Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("not a number", "finite")]
    [InlineData("no tensors", "no tensors")]
    [InlineData("metadata", "wanted a JSON object")]
    [InlineData("metadata list", "wanted a JSON object")]
    [InlineData("alpha word", "wanted a JSON object")]
    [InlineData("dora", "use_dora")]
    [InlineData("rank 0", "wanted [r,64]")]
    [InlineData("alpha", "alpha is NaN")]
    public void DamagedAdaptersAreRefusedInOneLine(string damage, string expected)
    {
        List<(string, long[], float[])> tensors =
        [
            (Module + ".lora_A.weight", [2, 64], new float[128]),
            (Module + ".lora_B.weight", [64, 2], new float[128]),
        ];
        string? metadata = damage switch
        {
            "metadata" => "{\"r\": ",
            "metadata list" => "[1]",
            "alpha word" => "{\"lora_alpha\": \"x\"}",
            "dora" => "{\"transformer.use_dora\": true}",
            _ => null,
        };
        switch (damage)
        {
            case "not a number":
                tensors[1].Item3[5] = float.NaN;
                break;
            case "no tensors":
                tensors = [];
                break;
            case "rank 0":
                tensors = [(Module + ".lora_A.weight", [0, 64], []), (Module + ".lora_B.weight", [64, 0], [])];
                break;
            case "alpha":
                tensors.Add((Module + ".alpha", [1], [float.NaN]));
                break;
        }

        Assert.Contains(expected, Refused<ModelException>(Write(tensors, metadata)), StringComparison.Ordinal);
    }

    [Fact]
    public void CutOffAndMissingFilesAreRefusedInOneLine()
    {
        string path = Write([(Module + ".lora_A.weight", [2, 64], new float[128]), (Module + ".lora_B.weight", [64, 2], new float[128])]);
        byte[] bytes = File.ReadAllBytes(path);
        foreach (int length in new[] { 0, 7, 40, bytes.Length - 1 })
        {
            File.WriteAllBytes(path, bytes[..length]);
            Refused<SafetensorsException>(path);
        }

        File.Delete(path);
        Assert.Contains(LoraFile.WeightsName, Refused<ModelException>(_folder.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void AMergedFolderHoldsTheSumAndWhatElseTheModelHad()
    {
        using var serving = new ServingModel();
        Directory.CreateDirectory(Path.Combine(serving.Checkpoint, "tokenizer", "deep"));
        File.WriteAllText(Path.Combine(serving.Checkpoint, "tokenizer", "deep", "vocab.json"), "{}");
        float[] down = Numbers(1, 2 * 64), up = Numbers(2, 64 * 2);
        string path = Write([(Module + ".lora_A.weight", [2, 64], down), (Module + ".lora_B.weight", [64, 2], up), (Module + ".alpha", [], [3])]);
        string merged = serving.At("merged");
        using ComputeDevice device = ComputeDevice.Cpu();
        MergeService.Run(serving.Checkpoint, new LoraSource(path, 0.8), merged, device);

        using TextToImageModel before = TextToImageModel.Load(serving.Checkpoint, _backend), after = TextToImageModel.Load(merged, _backend);
        foreach (Parameter parameter in before.Transformer.Parameters.Parameters)
        {
            float[] old = Read(before.Transformer.Parameters, parameter.Name), now = Read(after.Transformer.Parameters, parameter.Name);
            if (parameter.Name != Module + ".weight")
            {
                Assert.Equal(old, now);
                continue;
            }

            for (int i = 0; i < now.Length; i++)
            {
                (int n, int k) = Math.DivRem(i, 64);
                double exact = old[i] + (0.8 * 3 / 2 * (((double)up[2 * n] * down[k]) + ((double)up[(2 * n) + 1] * down[64 + k])));
                Assert.Equal(exact, now[i], 1e-6 * Math.Max(1, Math.Abs(exact)));
            }
        }

        Assert.Equal("{}", File.ReadAllText(Path.Combine(merged, "tokenizer", "deep", "vocab.json")));
        Assert.True(File.Exists(Path.Combine(merged, "schedule_policy", "config.json")));
        string message = Assert.Throws<ModelException>(() => MergeService.Run(serving.Checkpoint, new LoraSource(path, 1), merged, device)).Message;
        Assert.Contains("exists", message, StringComparison.Ordinal);
    }

    private TextToImageModel Tiny()
    {
        var model = new TextToImageModel(TinyRun.Transformer(false), TinyRun.Text(), _backend);
        Initialisation.FromScratch(model.Transformer.Parameters, _backend, 1);
        return model;
    }

    private LoraAdapters Adapters(TextToImageModel model, LoraConfig config)
    {
        LoraAdapters adapters = model.Transformer.AddLora(LoraTargets.Select(config, model.Transformer.LoraSlots));
        adapters.Initialise(5);
        foreach (Parameter parameter in adapters.Parameters.Parameters.Where(p => p.Name.EndsWith("lora_B.weight", StringComparison.Ordinal)))
        {
            Assert.All(Read(adapters.Parameters, parameter.Name), x => Assert.Equal(0, x));
            _backend.Upload<float>(Numbers(parameter.Name.Length, (int)parameter.Shape.Count), parameter.Value);
        }

        return adapters;
    }

    private string Write(IReadOnlyList<(string Name, long[] Shape, float[] Values)> tensors, string? metadata = null)
    {
        string path = _folder.File(LoraFile.WeightsName);
        Dictionary<string, float[]> values = tensors.ToDictionary(t => t.Name, t => t.Values);
        using FileStream stream = File.Create(path);
        var writer = new SafetensorsWriter(stream, tensors.Select(t => new SafetensorsTensor(t.Name, SafetensorsType.F32, t.Shape)),
            metadata is null ? null : new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
        foreach (SafetensorsTensor tensor in writer.Tensors)
        {
            writer.WriteFloat32(tensor.Name, values[tensor.Name]);
        }

        writer.Complete();
        return path;
    }

    private string Refused<T>(string path)
        where T : Exception
    {
        using TextToImageModel model = Tiny();
        string message = Assert.Throws<T>(() => LoraFile.Load(path, model.Transformer, _backend)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private float[] Values(ParameterStore store) => Read(store.Values);

    private float[] Read(ParameterStore store, string name) => Read(store.Find(name)!.Value);

    private float[] Read(CoGrpo.Runtime.Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        _backend.Download<float>(tensor, values);
        return values;
    }

    private static float[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)TinyRun.Gaussian(random))];
    }
}
