using BenchmarkDotNet.Attributes;
using CoGrpo.Model;
using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Vq;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// The published model at its full size and 1024 x 1024 pixels, random weights: one pass of the transformer as a sampling step makes it (all codes
/// masked, hidden states of all codes; the product with the codebook is made in the draw), and the decoder of the picture model. Operations:
/// <see cref="TransformerCost"/> without that product, and the decoder's convolutions as they are performed. Needs 6 GB of memory.
/// </summary>
[WarmupCount(1), IterationCount(3), InvocationCount(1)]
public class PublishedModel : IMeasuredWork
{
    private const int Side = 64;
    private const int PixelsPerCode = 16;

    private static readonly ModelConfiguration Published = Presets.Of(PresetName.Paper).Model;

    private CpuBackend _backend = null!;
    private TextToImageModel _model = null!;
    private TextToImageMaskedModel _masked = null!;
    private VqModel _vq = null!;
    private Arena _arena = null!;
    private Tensor _hidden;
    private Tensor _codes;
    private Tensor _canvas;
    private Tensor _fractions;
    private Tensor _prompts;
    private Tensor _rows;

    [GlobalSetup(Target = nameof(Forward))]
    public void SetupTransformer()
    {
        _backend = new CpuBackend();
        ClipTextConfig text = RunFactory.TextEncoder(Published.TextEncoder) with { NumHiddenLayers = 1 };
        _model = new TextToImageModel(RunFactory.Transformer(Published), text, _backend);
        Initialisation.FromScratch(_model.Transformer.Parameters, _backend, 1);
        Initialisation.FromScratch(_model.TextEncoder.Parameters, _backend, 2);
        _masked = new TextToImageMaskedModel(_model, Side, Side, PixelsPerCode, TimeInput.StepCounter);
        int[] ids = new int[2 * text.MaxPositionEmbeddings];
        Array.Fill(ids, 49407);
        _masked.SetPrompts(ids);
        _arena = _backend.CreateArena("bench", 1 << 22);
        _canvas = Upload([.. Enumerable.Repeat(_masked.MaskToken, Side * Side)], new Shape(1, Side * Side));
        _prompts = Upload([1], new Shape(1));
        _rows = Upload([.. Enumerable.Range(0, Side * Side)], new Shape(Side * Side));
        _fractions = _arena.Allocate(new Shape(1));
        _backend.Fill(_fractions, 1);
        _hidden = _arena.Allocate(new Shape(Side * Side, Published.Width));
    }

    [GlobalSetup(Target = nameof(Decode))]
    public void SetupDecoder()
    {
        _backend = new CpuBackend();
        _vq = new VqModel(new VqConfig(), _backend);
        Initialisation.FromScratch(_vq.Parameters, _backend, 1);
        _arena = _backend.CreateArena("bench", 1 << 16);
        _codes = Upload([.. Enumerable.Range(0, Side * Side).Select(i => i * 7919 % _vq.Config.NumVqEmbeddings)], new Shape(1, Side, Side));
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _masked?.Dispose();
        _model?.Dispose();
        _vq?.Dispose();
        _arena.Dispose();
        _backend.Dispose();
    }

    [Benchmark]
    public void Forward() =>
        _masked.Predict(
            new MaskedBatch
            {
                Canvas = _canvas,
                Prompts = _prompts,
                MaskedFractions = _fractions,
                Rows = _rows,
                Step = 0,
                Steps = 2,
            },
            _hidden,
            default
        );

    [Benchmark]
    public void Decode() => _vq.Decode(_codes);

    public Work WorkOf(string method)
    {
        double macs = method == nameof(Decode)
            ? VqCost.DecodeMacs(new VqConfig(), Side, Side, performed: true)
            : TransformerCost.ForwardMacs(RunFactory.Transformer(Published), Published.TextEncoder.MaxPositionEmbeddings, Side, Side, Side * Side)
                - ((double)Published.Width * Published.CodebookSize * Side * Side);
        return new Work(2e-9 * macs, double.NaN, Environment.ProcessorCount);
    }

    private Tensor Upload(int[] values, Shape shape)
    {
        Tensor tensor = _arena.Allocate(shape, ElementType.Int32);
        _backend.Upload<int>(values, tensor);
        return tensor;
    }
}
