using BenchmarkDotNet.Attributes;
using CoGrpo.Model;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends.Cpu;

namespace CoGrpo.Bench.Suites;

/// <summary>
/// The published picture model at its full size, one picture of 256 x 256 pixels. Operations: its convolutions as they are performed.
/// </summary>
public class PictureModel : IMeasuredWork
{
    private const int Grid = 16;

    private CpuBackend _backend = null!;
    private VqModel _model = null!;
    private Arena _arena = null!;
    private Tensor _codes;
    private Tensor _picture;

    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend();
        _model = new VqModel(new VqConfig(), _backend);
        Initialisation.FromScratch(_model.Parameters, _backend, 1);
        _arena = _backend.CreateArena("picture", 1 << 22);
        _codes = _arena.Allocate(new Shape(1, Grid, Grid), ElementType.Int32);
        _backend.Upload<int>([.. Enumerable.Range(0, Grid * Grid).Select(i => i * 7919 % _model.Config.NumVqEmbeddings)], _codes);
        _picture = _arena.Allocate(new Shape(1, Grid * _model.Config.Factor, Grid * _model.Config.Factor, 3));
        _backend.Upload<float>([.. Enumerable.Range(0, (int)_picture.Shape.Count).Select(i => i * 7919 % 256 / 255f)], _picture);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _arena.Dispose();
        _model.Dispose();
        _backend.Dispose();
    }

    [Benchmark]
    public void Decode() => _model.Decode(_codes);

    [Benchmark]
    public void Encode() => _model.Encode(_picture);

    public Work WorkOf(string method)
    {
        var config = new VqConfig();
        double macs =
            method == nameof(Decode)
                ? VqCost.DecodeMacs(config, Grid, Grid, performed: true)
                : VqCost.EncodeMacs(config, Grid * config.Factor, Grid * config.Factor);
        return new Work(2e-9 * macs, double.NaN, Environment.ProcessorCount);
    }
}
