using System.Text.Json;
using CoGrpo.Model.Vq;
using CoGrpo.Runtime;
using CoGrpo.Tests.Fixtures;

namespace CoGrpo.Tests.Model;

/// <summary>A golden case of the picture model on any backend: every intermediate of encoder and decoder, the codes and the bytes.</summary>
internal sealed class VqParity : IDisposable
{
    public const string Area = "vq-model";

    private readonly ModelScope _scope;
    private readonly FixtureFile _inputs;
    private readonly FixtureFile _outputs;

    public VqParity(ModelScope scope, string folder)
    {
        _scope = scope;
        Model = new VqModel(JsonSerializer.Deserialize<VqConfig>(File.ReadAllText(FixtureFolder.At(Area, folder, "config.json")))!, scope.Backend);
        var weights = new FixtureFile(FixtureFolder.At(Area, folder, "model.safetensors"));
        scope.Load(weights, Model.Parameters);
        Codebook = weights.Doubles("quantize.embedding.weight");
        _inputs = new FixtureFile(FixtureFolder.At(Area, folder, "inputs.safetensors"));
        _outputs = new FixtureFile(FixtureFolder.At(Area, folder, "outputs.safetensors"));
        Model.Trace = (name, value) => Seen[name] = PlanesOf(value);
    }

    public VqModel Model { get; }

    /// <summary>Values of the passes so far as planes of channels, by name.</summary>
    public Dictionary<string, double[]> Seen { get; } = [];

    public IEnumerable<string> GoldenNames => _outputs.Names;

    private double[] Codebook { get; }

    /// <summary>Golden values.</summary>
    public double[] Golden(string name) => _outputs.Doubles(name);

    /// <summary>Golden codes.</summary>
    public int[] GoldenCodes() => _outputs.Ints("codes");

    /// <summary>Codes of the case's pictures; also leaves what the codes are nearer by than the second nearest as <c>distance_gap</c>.</summary>
    public int[] Encode()
    {
        int[] shape = _inputs.Shape("image");
        Tensor pictures = _scope.Upload(
            new Shape(shape[0], shape[2], shape[3], shape[1]),
            Array.ConvertAll(Exchanged(_inputs.Doubles("image"), shape[1], shape[2] * shape[3]), x => (float)x)
        );
        Tensor found = Model.Encode(pictures);
        int[] codes = new int[found.Shape.Count];
        _scope.Backend.Download<int>(found, codes);
        Seen["distance_gap"] = Gaps(Exchanged(Seen["latents"], Model.Config.CodeWidth, codes.Length / shape[0]));
        return codes;
    }

    /// <summary>Pictures of codes, under <paramref name="name"/>; also their bytes.</summary>
    public byte[] Decode(int[] codes, string name)
    {
        int[] shape = _inputs.Shape("random_codes");
        double[] values = _scope.Doubles(Model.Decode(_scope.Upload(new Shape(shape[0], shape[1], shape[2]), codes)));
        Seen[name] = Exchanged(values, values.Length / shape[0] / 3, 3);
        return Array.ConvertAll(Seen[name], x => VqTokenizer.ToByte((float)x));
    }

    /// <summary>The case's codes that belong to no picture.</summary>
    public int[] RandomCodes() => _inputs.Ints("random_codes");

    public void Dispose() => Model.Dispose();

    private double[] PlanesOf(Tensor map) => Exchanged(_scope.Doubles(map), map.Shape[1] * map.Shape[2], map.Columns);

    /// <summary>Every matrix of the given size transposed.</summary>
    private static double[] Exchanged(double[] from, int rows, int columns)
    {
        double[] to = new double[from.Length];
        for (int i = 0; i < from.Length; i++)
        {
            (int matrix, int within) = Math.DivRem(i, rows * columns);
            to[(matrix * rows * columns) + (within % columns * rows) + (within / columns)] = from[i];
        }

        return to;
    }

    private double[] Gaps(double[] vectors)
    {
        int width = Model.Config.CodeWidth;
        double[] gaps = new double[vectors.Length / width];
        for (int m = 0; m < gaps.Length; m++)
        {
            double[] distances =
            [
                .. Enumerable
                    .Range(0, Codebook.Length / width)
                    .Select(code =>
                        Math.Sqrt(Enumerable.Range(0, width).Sum(d => Math.Pow(vectors[(m * width) + d] - Codebook[(code * width) + d], 2)))
                    )
                    .Order()
                    .Take(2),
            ];
            gaps[m] = distances[1] - distances[0];
        }

        return gaps;
    }
}
