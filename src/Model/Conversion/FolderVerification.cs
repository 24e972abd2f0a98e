using CoGrpo.Model.Schedule;
using CoGrpo.Runtime.Backends.Plan;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Conversion;

/// <summary>Checks a model folder without changing it: checksums where there is a manifest, then configurations, weights and whether the parts belong
/// together.</summary>
public static class FolderVerification
{
    /// <summary>Checks the folder. A part that cannot be opened is a problem in the report, and the others are checked all the same.</summary>
    /// <exception cref="ModelException">There is no model folder at the path.</exception>
    public static FolderReport Run(string path, SourceOptions options, IConversionProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!NetworkFolder.All.Any(network => Directory.Exists(Path.Combine(root, network.Name))))
        {
            throw new ModelException($"{root}: wanted a model folder with transformer/, vqvae/ or text_encoder/, got {(Directory.Exists(root) ? "one without them" : "none")}; check the path");
        }

        List<string> problems = [];
        FolderManifest? manifest = null;
        Try(problems, () =>
        {
            manifest = FolderManifest.Read(root);
            if (manifest is not null)
            {
                progress.Begin(manifest.Bytes);
                problems.AddRange(manifest.Problems(root, progress, cancellation));
            }
        });
        List<ConvertedNetwork> networks = [];
        IReadOnlyList<string> missing = [];
        Try(problems, () =>
        {
            using ModelFolder folder = ModelFolder.Open(root, options);
            missing = folder.Missing;
            problems.AddRange(folder.Problems);
            networks.AddRange(folder.Networks.Where(open => !open.Problems().Any()).Select(open => ConvertedNetwork.Of(open.Network.Name, NetworkCopy.Written(open.Source, open.Expected, null))));
            foreach (OpenNetwork open in folder.Networks)
            {
                Try(problems, open.Source.CheckData);
            }

            if (folder.Problems.Count == 0)
            {
                folder.CheckTogether();
            }
        });
        string policy = Path.Combine(root, SchedulePolicyFolder.Name);
        if (Directory.Exists(policy))
        {
            Try(problems, () => SchedulePolicyFolder.Load(policy, new PlanBackend()).Dispose());
        }

        return new FolderReport(networks, missing, manifest is not null, problems);
    }

    private static void Try(List<string> problems, Action check)
    {
        try
        {
            check();
        }
        catch (Exception error) when (error is ModelException or WeightsFileException)
        {
            problems.Add(error.Message);
        }
    }
}
