using System.Text.Json;
using System.Text.Json.Nodes;
using CoGrpo.Model;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>The picture model beside its golden values: published sizes, memory, batches, files and what is refused.</summary>
public sealed class VqModelTests : IDisposable
{
    private static readonly VqConfig Small = new()
    {
        BlockOutChannels = [16, 24, 40],
        DownBlockTypes = Times("DownEncoderBlock2D"),
        UpBlockTypes = Times("UpDecoderBlock2D"),
        LayersPerBlock = 1,
        NormNumGroups = 8,
        LatentChannels = 6,
        NumVqEmbeddings = 40,
        VqEmbedDim = 5,
    };

    private readonly CpuBackend _backend = new(2);
    private readonly Arena _arena;

    public VqModelTests() => _arena = _backend.CreateArena("test", 1 << 20);

    public void Dispose()
    {
        _arena.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void Published_sizes_have_the_published_parameters()
    {
        using PlanBackend plan = new();
        using VqModel model = new(new VqConfig(), plan);
        long Count(string prefix) =>
            model.Parameters.Parameters.Where(p => p.Name.StartsWith(prefix, StringComparison.Ordinal)).Sum(p => p.Shape.Count);
        Assert.Equal(277, model.Parameters.Parameters.Count);
        Assert.Equal(146_244_675, model.Parameters.ParameterCount);
        Assert.Equal(
            [58_693_568, 4_160, 524_288, 4_160, 87_018_499],
            new[] { "encoder.", "quant_conv.", "quantize.", "post_quant_conv.", "decoder." }.Select(Count)
        );
        Assert.Equal(new Shape(512, 256, 3, 3), model.Parameters.Find("encoder.down_blocks.3.resnets.0.conv1.weight")!.Shape);
        Assert.Equal(new Shape(128, 256, 1, 1), model.Parameters.Find("decoder.up_blocks.4.resnets.0.conv_shortcut.weight")!.Shape);
    }

    [Fact]
    public void Published_sizes_cost_what_the_specification_says()
    {
        Assert.Equal(7.64, 2e-12 * VqCost.DecodeMacs(new VqConfig(), 64, 64), 2);
        Assert.Equal(3.46, 2e-12 * VqCost.EncodeMacs(new VqConfig(), 1024, 1024), 2);
    }

    /// <summary>
    /// What a plan counts is what is done, and a picture of 1024 pixels needs three of its largest maps: one of 256 channels and two of 128.
    /// </summary>
    [Fact]
    public void A_plan_of_the_published_sizes_counts_work_and_memory()
    {
        using PlanBackend plan = new();
        using VqModel model = new(new VqConfig(), plan);
        using Arena arena = plan.CreateArena("codes", 1 << 16);
        plan.TakeWork();
        model.Decode(arena.Allocate(new Shape(1, 64, 64), ElementType.Int32));
        Assert.Equal(
            2 * VqCost.DecodeMacs(model.Config, 64, 64, performed: true),
            plan.Costs["Conv3x3"].Operations + plan.Costs["Linear"].Operations,
            1e6
        );
        Assert.InRange(model.WorkBytes, 1024L * 1024 * (256 + 128 + 128) * 4, (1024L * 1024 * (256 + 128 + 128) * 4) + (4L << 20));
        model.ReleaseMemory();
        plan.TakeWork();
        model.Encode(arena.Allocate(new Shape(1, 1024, 1024, 3)));
        Assert.Equal(2 * VqCost.EncodeMacs(model.Config, 1024, 1024), plan.Costs["Conv3x3"].Operations + plan.Costs["Linear"].Operations, 1e6);
        Assert.InRange(model.WorkBytes, 1024L * 1024 * 3 * 128 * 4, (1024L * 1024 * 3 * 128 * 4) + (16L << 20));
    }

    [Theory]
    [InlineData(1, 4, 6)]
    [InlineData(3, 1, 1)]
    [InlineData(2, 7, 2)]
    public void Planned_memory_is_what_is_held(int images, int rows, int columns)
    {
        using PlanBackend plan = new();
        using VqModel planned = new(Small, plan), held = Filled();
        using Arena arena = plan.CreateArena("codes", 1 << 16);
        Shape grid = new(images, rows, columns), pixels = new(images, 4 * rows, 4 * columns, 3);
        planned.Decode(arena.Allocate(grid, ElementType.Int32));
        held.Decode(Codes(grid));
        Assert.Equal(planned.WorkBytes, held.WorkBytes);
        planned.Encode(arena.Allocate(pixels));
        held.Encode(Picture(pixels));
        Assert.Equal(planned.WorkBytes, held.WorkBytes);
        held.ReleaseMemory();
        Assert.Equal(0, held.WorkBytes);
    }

    [Fact]
    public void A_picture_has_the_same_bits_and_codes_in_any_batch()
    {
        using VqModel model = Filled();
        Shape grid = new(3, 3, 5), pixels = new(3, 12, 20, 3);
        Tensor codes = Codes(grid), pictures = Picture(pixels);
        (float[] decoded, int[] encoded) = (Floats(model.Decode(codes)), Integers(model.Encode(pictures)));
        Assert.True(encoded.Distinct().Count() > 1);
        for (int b = 0; b < 3; b++)
        {
            Tensor alone = new(codes.Address + (b * 15 * sizeof(int)), new Shape(1, 3, 5), ElementType.Int32);
            Tensor picture = new(pictures.Address + (b * 720 * sizeof(float)), new Shape(1, 12, 20, 3), ElementType.Float32);
            Assert.Equal(decoded[(b * 720)..((b + 1) * 720)], Floats(model.Decode(alone)));
            Assert.Equal(encoded[(b * 15)..((b + 1) * 15)], Integers(model.Encode(picture)));
        }
    }

    /// <summary>Weights that lie with their channels last are written as published.</summary>
    [Fact]
    public void A_folder_is_read_and_its_weights_are_written_as_they_were()
    {
        using TemporaryFolder folder = new();
        string golden = (string)((IEnumerable<object[]>)ParityCase.Folders(VqParity.Area, "outputs.safetensors")).First()[0];
        string weights = FixtureFolder.At(VqParity.Area, golden, "model.safetensors"), copy = folder.File("copy.safetensors");
        File.Copy(weights, folder.File("diffusion_pytorch_model.safetensors"));
        File.Copy(FixtureFolder.At(VqParity.Area, golden, "config.json"), folder.File("config.json"));
        using VqModel model = VqModel.Load(folder.Path, _backend);
        ParameterFile.Save(copy, model.Parameters, model.Parameters.Values, _backend);
        FixtureFile before = new(weights), after = new(copy);
        Assert.Equal(before.Names.Order(StringComparer.Ordinal), after.Names.Order(StringComparer.Ordinal));
        Assert.All(before.Names, name =>
        {
            Assert.Equal(before.Shape(name), after.Shape(name));
            Assert.Equal(before.Floats(name), after.Floats(name));
        });
    }

    [Theory]
    [InlineData("mid_block_add_attention", "true", "mid_block_add_attention: wanted false, got true")]
    [InlineData("norm_type", "\"spatial\"", "norm_type: wanted group, got spatial")]
    [InlineData("act_fn", "null", "act_fn: wanted silu, got null")]
    [InlineData("block_out_channels", "null", "block_out_channels: wanted 1 to 10 levels, got 0")]
    [InlineData("block_out_channels", "[16,24,44]", "block_out_channels: wanted multiples of norm_num_groups = 8 up to 2048, got 16,24,44")]
    [InlineData(
        "up_block_types",
        "[\"UpDecoderBlock2D\"]",
        "up_block_types: wanted 3 times UpDecoderBlock2D, one for each of block_out_channels, got UpDecoderBlock2D"
    )]
    [InlineData("in_channels", "4", "in_channels: wanted 3, got 4")]
    [InlineData("layers_per_block", "0", "layers_per_block: wanted 1 to 64, got 0")]
    [InlineData("layers_per_block", "\"many\"", "wanted a JSON object of published keys, got an error at line")]
    public void Configurations_of_other_models_are_refused(string key, string value, string message)
    {
        using TemporaryFolder folder = new();
        JsonNode config = JsonNode.Parse(JsonSerializer.Serialize(Small))!;
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        Assert.Contains(message, Assert.Throws<ModelException>(() => VqModel.Load(folder.Path, _backend)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_folder_and_inputs_of_other_shapes_are_refused()
    {
        Assert.Contains(
            "the file is missing",
            Assert.Throws<ModelException>(() => VqModel.Load("/nowhere", _backend)).Message,
            StringComparison.Ordinal
        );
        using VqModel model = Filled();
        Assert.Contains(
            "multiples of 4",
            Assert.Throws<ModelException>(() => model.Encode(Picture(new Shape(1, 8, 6, 3)))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "got Float32[1,8,8]",
            Assert.Throws<ModelException>(() => model.Encode(Picture(new Shape(1, 8, 8)))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "wanted Int32",
            Assert.Throws<ModelException>(() => model.Decode(Picture(new Shape(1, 8, 8)))).Message,
            StringComparison.Ordinal
        );
    }

    private static string[] Times(string kind) => [kind, kind, kind];

    private VqModel Filled()
    {
        var model = new VqModel(Small, _backend);
        Initialisation.FromScratch(model.Parameters, _backend, 1);
        return model;
    }

    private Tensor Codes(Shape shape)
    {
        Tensor codes = _arena.Allocate(shape, ElementType.Int32);
        _backend.Upload<int>([.. Enumerable.Range(0, (int)shape.Count).Select(i => i * 17 % 40)], codes);
        return codes;
    }

    private Tensor Picture(Shape shape)
    {
        Tensor picture = _arena.Allocate(shape);
        _backend.Upload<float>([.. Enumerable.Range(0, (int)shape.Count).Select(i => i * 7919 % 256 / 255f)], picture);
        return picture;
    }

    private float[] Floats(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        _backend.Download<float>(tensor, values);
        return values;
    }

    private int[] Integers(Tensor tensor)
    {
        int[] values = new int[tensor.Shape.Count];
        _backend.Download<int>(tensor, values);
        return values;
    }
}
