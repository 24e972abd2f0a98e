using System.Text.Json;
using CoGrpo.Model;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// What a checkpoint directory holds so that a run resumes bit-equal: <c>state.safetensors</c> with every run of weights, moments and
/// averages under a prefix, and <c>state.json</c> with the counters. Random numbers are addressed by seed and counter, so they need nothing.
/// </summary>
internal sealed class TrainingState
{
    private const string TensorFile = "state.safetensors";
    private const string CounterFile = "state.json";

    private readonly IBackend _backend;
    private readonly List<(string Prefix, ParameterStore Store, Tensor Run)> _runs = [];

    public TrainingState(IBackend backend) => _backend = backend;

    /// <summary>Counters and small facts by name.</summary>
    public Dictionary<string, double> Counters { get; private set; } = [];

    /// <summary>Adds a run laid out like <paramref name="store"/>.</summary>
    public void Add(string prefix, ParameterStore store, Tensor run) => _runs.Add((prefix + ":", store, run));

    /// <summary>Writes both files into a directory.</summary>
    public void Write(string directory)
    {
        AtomicFile.Write(Path.Combine(directory, TensorFile), stream => ParameterFile.Write(stream, _runs, _backend));
        AtomicFile.WriteAllText(Path.Combine(directory, CounterFile), JsonSerializer.Serialize(Counters));
    }

    /// <summary>Reads both files back.</summary>
    /// <exception cref="SafetensorsException">The tensors are damaged or belong to another network.</exception>
    /// <exception cref="ModelException">The counters are damaged.</exception>
    public void Read(string directory)
    {
        string path = Path.Combine(directory, CounterFile);
        try
        {
            Counters = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(path)) ?? [];
        }
        catch (JsonException error)
        {
            throw new ModelException(
                $"{path}: wanted a JSON object of numbers, got an error: {error.Message}; resume from an older checkpoint by removing this one"
            );
        }

        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(directory, TensorFile));
        foreach ((string prefix, ParameterStore store, Tensor run) in _runs)
        {
            ParameterFile.ReadRun(file, prefix, store, run, _backend);
            store.RenewComputeCopy();
        }
    }

    /// <summary>A counter that must be there.</summary>
    public double Counter(string name) => Counters.TryGetValue(name, out double value)
        ? value
        : throw new ModelException($"{CounterFile}: wanted the counter {name}, got none; the checkpoint belongs to another kind of run");
}
