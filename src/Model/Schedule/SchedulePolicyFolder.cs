using System.Text.Json;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Model.Schedule;

/// <summary>
/// A learned schedule on disk: <c>config.json</c> (sizes, trained steps, action space) and <c>model.safetensors</c>, in the folder
/// <see cref="Name"/> of a checkpoint, beside transformer and text_encoder.
/// </summary>
public sealed class SchedulePolicyFolder : IDisposable
{
    /// <summary>Name of the folder within a checkpoint.</summary>
    public const string Name = "schedule_policy";

    private const string ConfigFile = "config.json";
    private const string WeightsFile = "model.safetensors";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        ReadCommentHandling = JsonCommentHandling.Skip,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    private SchedulePolicyFolder(SchedulePolicy policy, SchedulePolicySettings settings, ScheduleParametrization parametrization) =>
        (Policy, Settings, Parametrization) = (policy, settings, parametrization);

    /// <summary>The files in the folder.</summary>
    public static IReadOnlyList<string> Files { get; } = [ConfigFile, WeightsFile];

    /// <summary>The network, owned by this object.</summary>
    public SchedulePolicy Policy { get; }

    /// <summary>The settings it was trained with.</summary>
    public SchedulePolicySettings Settings { get; }

    /// <summary>The action space of <see cref="Settings"/>.</summary>
    public ScheduleParametrization Parametrization { get; }

    /// <summary>The learned schedule's folder where <paramref name="path"/> is that folder, or a checkpoint that contains it.</summary>
    /// <exception cref="ModelException">There is none.</exception>
    public static string Resolve(string path)
    {
        string inside = Path.Combine(path, Name);
        if (File.Exists(Path.Combine(inside, ConfigFile)))
        {
            return inside;
        }

        return File.Exists(Path.Combine(path, ConfigFile)) && File.Exists(Path.Combine(path, WeightsFile))
            ? path
            : throw new ModelException($"{path}: wanted a checkpoint with a folder {Name}, or that folder itself, found no {ConfigFile} in either; name a checkpoint of a run that trained its schedule");
    }

    /// <summary>
    /// Writes the folder <paramref name="folder"/> (by convention <see cref="Name"/> within a checkpoint) in one step, replacing what is there as a
    /// whole.
    /// </summary>
    /// <exception cref="IOException">The disk is full or another error of the file system.</exception>
    public static void Save(string folder, SchedulePolicy policy, SchedulePolicySettings settings)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(settings);
        string config = JsonSerializer.Serialize(SchedulePolicyDocument.Of(policy.Config, settings), Json);
        AtomicDirectory.Write(folder, aside =>
        {
            AtomicFile.WriteAllText(Path.Combine(aside, ConfigFile), config);
            ParameterFile.Save(Path.Combine(aside, WeightsFile), policy.Parameters, policy.Parameters.Values, policy.Backend, Metadata);
        });
    }

    /// <summary>Reads a folder that <see cref="Resolve"/> finds for <paramref name="path"/>.</summary>
    /// <exception cref="ModelException">It is missing, or its configuration is wrong, or the weights do not fit it.</exception>
    /// <exception cref="SafetensorsException">The weight file is damaged.</exception>
    public static SchedulePolicyFolder Load(string path, IBackend backend)
    {
        string folder = Resolve(path);
        string file = Path.Combine(folder, ConfigFile);
        SchedulePolicyDocument document = Read(file);
        SchedulePolicyConfig sizes = document.Sizes(file);
        SchedulePolicySettings settings = document.Settings(file);
        ScheduleParametrization parametrization;
        try
        {
            parametrization = new ScheduleParametrization(settings.Parametrization);
        }
        catch (ArgumentException error)
        {
            throw new ModelException($"{file}: {error.Message}");
        }

        var policy = new SchedulePolicy(sizes, backend);
        try
        {
            string weights = Path.Combine(folder, WeightsFile);
            if (!File.Exists(weights))
            {
                throw new ModelException(
                    $"{weights}: wanted the weights of the schedule policy, the file is missing; restore it from the run that wrote {ConfigFile}"
                );
            }

            ParameterFile.Load(weights, policy.Parameters, backend);
            return new SchedulePolicyFolder(policy, settings, parametrization);
        }
        catch
        {
            policy.Dispose();
            throw;
        }
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => Policy.Dispose();

    private static SchedulePolicyDocument Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<SchedulePolicyDocument>(File.ReadAllText(file), Json)
                ?? throw new ModelException($"{file}: wanted a JSON object, got null; restore the file from the run that wrote it");
        }
        catch (JsonException error)
        {
            throw new ModelException($"{file}: wanted the configuration of a schedule policy, got an error at line {error.LineNumber + 1 ?? 1}: {error.Message}; restore the file from the run that wrote it");
        }
    }
}
