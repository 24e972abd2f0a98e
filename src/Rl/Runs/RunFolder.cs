using CoGrpo.Model;
using CoGrpo.Rl.Checkpoints;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// The folder of one run: config.json (resolved), metrics.jsonl, TensorBoard events, samples/, curves as SVG, checkpoints/, model/ and report.md.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string ConfigurationFile = "config.json";

    private RunFolder(string path, CheckpointStore checkpoints, Checkpoint? resumed)
    {
        Path = path;
        Checkpoints = checkpoints;
        Resumed = resumed;

        // A run from its beginning measures its base again.
        Metrics = new MetricsWriter(At("metrics.jsonl"), resumed is { Step: > 0 } ? resumed.Step : -1);
        TensorBoard = new TensorBoardWriter(path, resumed?.Step);
        Directory.CreateDirectory(At("samples"));
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Its checkpoints.</summary>
    public CheckpointStore Checkpoints { get; }

    /// <summary>The checkpoint to go on from, or null.</summary>
    public Checkpoint? Resumed { get; }

    /// <summary>metrics.jsonl.</summary>
    public MetricsWriter Metrics { get; }

    /// <summary>TensorBoard events.</summary>
    public TensorBoardWriter TensorBoard { get; }

    /// <summary>Makes the folder of a new run, or opens that of an interrupted one.</summary>
    /// <exception cref="ModelException">A run is there already, or there is none to resume, or it had another configuration.</exception>
    public static RunFolder Open(RunConfiguration configuration, bool resume, int keep, IProgressReporter progress)
    {
        string path = System.IO.Path.GetFullPath(configuration.Output.Directory);
        string configurationPath = System.IO.Path.Combine(path, ConfigurationFile);
        string text = ConfigurationLoader.Write(configuration);
        var checkpoints = new CheckpointStore(System.IO.Path.Combine(path, "checkpoints"), keep);
        bool exists = Exists(path);
        if (!resume)
        {
            if (exists)
            {
                throw new ModelException($"{path}: wanted an empty run folder, a run is there already; add --resume to go on with it, choose another --output, or remove the folder");
            }

            Directory.CreateDirectory(path);
            AtomicFile.WriteAllText(configurationPath, text);
            return new RunFolder(path, checkpoints, null);
        }

        if (!exists)
        {
            throw new ModelException($"{path}: wanted an interrupted run to resume, found none; leave --resume out to start one");
        }

        if (!Holds(path, configuration))
        {
            throw new ModelException(
                $"{configurationPath}: wanted the configuration the run was started with, got another one; resume with --config {configurationPath}"
            );
        }

        Checkpoint? newest = checkpoints.FindNewest(progress.Warning);
        if (newest is null)
        {
            progress.Warning("no intact checkpoint was found: the run starts from its beginning");
        }

        return new RunFolder(path, checkpoints, newest);
    }

    /// <summary>Whether the folder has a run, begun or finished.</summary>
    public static bool Exists(string path) => File.Exists(System.IO.Path.Combine(path, ConfigurationFile));

    /// <summary>Whether the run in the folder was started with this configuration; threads and place may differ.</summary>
    /// <exception cref="ConfigurationException">The folder's configuration cannot be read.</exception>
    public static bool Holds(string path, RunConfiguration configuration)
    {
        RunConfiguration stored = ConfigurationLoader.Load(System.IO.Path.Combine(path, ConfigurationFile), []);
        return ConfigurationLoader.Write(stored with { Threads = configuration.Threads, Output = configuration.Output })
            == ConfigurationLoader.Write(configuration);
    }

    /// <summary>A path in the folder.</summary>
    public string At(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes one set of numbers to metrics.jsonl and TensorBoard.</summary>
    public void Log(long iteration, IEnumerable<KeyValuePair<string, double>> values)
    {
        KeyValuePair<string, double>[] list = [.. values];
        Metrics.Write(iteration, list);
        foreach ((string name, double value) in list)
        {
            TensorBoard.Scalar(name, iteration, value);
        }
    }

    /// <summary>Closes the logs.</summary>
    public void Dispose()
    {
        Metrics.Dispose();
        TensorBoard.Dispose();
    }
}
