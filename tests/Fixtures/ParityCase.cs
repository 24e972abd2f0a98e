using System.Globalization;
using System.Text.Json;

namespace CoGrpo.Tests.Fixtures;

/// <summary>
/// Compares the tensors of one golden case with fp64 golden values. The allowance of each tensor is a multiple of the error of the original code
/// in the same precision (<c>torch_fp32_error.json</c>, 4 times; <c>torch_bf16_error.json</c>, twice), where that error counts at least as much as
/// the rounding of the golden value to fp32 (2^-24 of its scale). Both the largest and the root-mean-square error must stay inside.
/// </summary>
/// <remarks>
/// The largest error of a gradient in bf16 may reach four times the original's: of two equally noisy runs the larger of some thousand errors is by
/// chance more than twice the other's in a few of 300 tensors. Its root mean square, which is not a matter of chance, has the same allowance as every
/// other.
/// </remarks>
internal sealed class ParityCase
{
    private readonly double _allowance;
    private readonly double _largestOfGradients;
    private static readonly Lock Gate = new();

    private readonly string _name;
    private readonly JsonElement _errors;
    private readonly List<string> _failures = [];
    private (string Tensor, double Error, double Ratio) _worst = ("none", 0, 0);
    private int _compared;

    /// <param name="name">Folder and case.</param>
    /// <param name="errors">The object of the original code's own errors.</param>
    /// <param name="allowance">Errors of the original code that are allowed.</param>
    /// <param name="largestOfGradients">The same for the largest error of a gradient; 0: as the others.</param>
    public ParityCase(string name, JsonElement errors, double allowance = 4, double largestOfGradients = 0)
    {
        _allowance = allowance;
        _largestOfGradients = largestOfGradients == 0 ? allowance : largestOfGradients;
        _name = name;
        _errors = errors;
    }

    /// <summary>Whether the original code's error of this tensor is known.</summary>
    public bool Knows(string key) => _errors.TryGetProperty(key, out _);

    /// <summary>Compares one tensor; <paramref name="key"/> is its name in the error table.</summary>
    public void Compare(string key, ReadOnlySpan<double> golden, ReadOnlySpan<double> got)
    {
        Assert.True(golden.Length == got.Length, $"{_name} {key}: {got.Length} elements instead of {golden.Length}");
        Assert.True(_errors.TryGetProperty(key, out JsonElement reference), $"{_name} {key}: not among the original code's errors");
        double largest = 0;
        double squares = 0;
        double scale = 0;
        for (int i = 0; i < golden.Length; i++)
        {
            double error = Math.Abs(got[i] - golden[i]);
            largest = error <= largest ? largest : error;
            squares += error * error;
            scale = Math.Max(scale, Math.Abs(golden[i]));
        }

        double rounding = scale * Math.Pow(2, -24);
        double rms = Math.Sqrt(squares / Math.Max(1, golden.Length));
        double most = key.StartsWith("grad.", StringComparison.Ordinal) ? _largestOfGradients : _allowance;
        double ratio = largest == 0 ? 0 : Math.Max(_allowance / most * largest / Math.Max(reference.GetProperty("max_abs").GetDouble(), rounding),
            rms / Math.Max(reference.GetProperty("rms").GetDouble(), rounding));
        _compared++;
        if (!(ratio <= _worst.Ratio))
        {
            _worst = (key, largest, ratio);
        }

        if (!(ratio <= _allowance))
        {
            _failures.Add($"{key}: error {largest:g3} (rms {rms:g3}) is {ratio:f2} times the original code's");
        }
    }

    /// <summary>Writes the case's line of the table and fails when a tensor was outside or nothing was compared.</summary>
    public void Finish()
    {
        string line = string.Create(CultureInfo.InvariantCulture,
            $"{_name,-34} {_compared,4} tensors   largest error {_worst.Error:e2} at ratio {_worst.Ratio,5:f2}   {_worst.Tensor}");
        if (Environment.GetEnvironmentVariable("COGRPO_PARITY_TABLE") is { Length: > 0 } path)
        {
            lock (Gate)
            {
                File.AppendAllText(path, line + "\n");
            }
        }

        Assert.True(_compared > 0, $"{_name}: nothing was compared");
        Assert.True(
            _failures.Count == 0,
            $"{_name}: {_failures.Count} of {_compared} tensors outside {_allowance} times the original code's error\n{string.Join('\n', _failures)}"
        );
    }

    /// <summary>Folders below <paramref name="area"/> that hold <paramref name="file"/>: the cases.</summary>
    public static TheoryData<string> Folders(string area, string file)
    {
        var cases = new TheoryData<string>();
        string root = FixtureFolder.At(area);
        if (File.Exists(Path.Combine(root, file)))
        {
            cases.Add("");
        }

        if (Directory.Exists(root))
        {
            foreach (string folder in Directory.GetDirectories(root).Order(StringComparer.Ordinal).Where(f => File.Exists(Path.Combine(f, file))))
            {
                cases.Add(Path.GetFileName(folder));
            }
        }

        return cases;
    }
}
