using System.Globalization;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Benchmarks;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// The work of <c>eval export</c>: pictures of a benchmark's prompts in the folder <c>images</c> of the output folder, which holds exactly what the
/// official evaluator reads, and the settings beside it. Files that are whole are kept, so that an export can be stopped and started again; each file
/// appears in one step. Picture k of item i draws the noise of trajectory n i + k of the seed.
/// </summary>
public sealed class ExportService
{
    /// <summary>The folder of pictures within the output folder.</summary>
    public const string Images = "images";

    private readonly RunConfiguration _configuration;
    private readonly ExportOptions _options;
    private readonly ExportLayout _layout;
    private readonly string _folder;
    private readonly string _checkpoint;
    private readonly (int Width, int Height) _size;

    private ExportService(RunConfiguration configuration, ExportOptions options)
    {
        (_configuration, _options, _layout) = (configuration, options, options.Layout);
        _folder = Path.GetFullPath(configuration.Output.Directory);
        _checkpoint = PictureSession.CheckpointOf(configuration);
        int side = PictureSession.PublishedSide(_checkpoint);
        SamplingConfiguration sampling = configuration.Sampling;
        _size = (sampling.Width > 0 ? sampling.Width : side, sampling.Height > 0 ? sampling.Height : side);
        if (_layout.IsTiled && _size.Width != _size.Height)
        {
            throw new ModelException($"picture size: wanted squares, since the evaluator of DPG-Bench cuts its grids into squares, got {_size.Width} x {_size.Height}; make width and height equal");
        }
    }

    /// <summary>
    /// Draws what is missing. Returns the folder of pictures, the numbers of picture files there were and were made, and their size in pixels.
    /// </summary>
    /// <exception cref="ModelException">Model, schedule, adapters and size do not fit together, or the folder holds pictures of other
    /// settings.</exception>
    /// <exception cref="WeightsFileException">A weight file is damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the files written so far are whole and stay.</exception>
    public static ExportResult Run(
        RunConfiguration configuration,
        ComputeDevice device,
        ExportOptions options,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        return new ExportService(configuration, options).Run(device, progress, cancellation);
    }

    private ExportResult Run(ComputeDevice device, IProgressReporter progress, CancellationToken cancellation)
    {
        string images = Path.Combine(_folder, Images);
        ExportItem[] items = [.. _layout.Items.Where(item => item.PlaceInPart < (_options.Limit ?? int.MaxValue))];
        if (_layout.Items.Count != _layout.PublishedItems)
        {
            progress.Warning($"the source has {_layout.Items.Count} prompts, the published benchmark {_layout.PublishedItems}: scores cannot be compared with published ones");
        }

        Dictionary<string, string> settings = Settings();
        ExportSettings.Check(_folder, settings, HasFiles(images));
        List<ExportItem> missing = Missing(images, items, progress, cancellation);
        int all = items.Sum(item => item.Pictures.Count);
        int there = all - missing.Sum(item => item.Pictures.Count);
        if (missing.Count > 0)
        {
            progress.Begin($"load {Path.GetFileName(Path.TrimEndingDirectorySeparator(_checkpoint))}", 1);
            using PictureSession session = PictureSession.Open(_configuration, device, new PictureSessionOptions
            {
                Pictures = missing.Count * _layout.PicturesPerItem,
                Width = _size.Width,
                Height = _size.Height,
                Schedule = _options.Schedule,
                Lora = _options.Lora,
                ReferenceCounts = _options.ReferenceCounts,
            });

            // Not before the model is known to work: a wrong one leaves nothing behind.
            Directory.CreateDirectory(images);
            ExportSettings.Write(_folder, settings);
            Draw(session, images, missing, items.Length, progress, cancellation);
        }

        (int Width, int Height) size = _layout.IsTiled ? (2 * _size.Width, 2 * _size.Height) : _size;
        return new ExportResult(images, there, all - there, size.Width, size.Height);
    }

    private void Draw(
        PictureSession session,
        string images,
        List<ExportItem> missing,
        int total,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        int n = _layout.PicturesPerItem, steps = _configuration.Sampling.Steps, done = total - missing.Count;
        progress.Begin("export", (long)total * n * steps, (long)done * n * steps);
        var watch = new DrawProgress(progress, total * n, cancellation);
        for (int first = 0; first < missing.Count;)
        {
            // Pictures that are drawn together have to be next to each other in the benchmark.
            int count = 1;
            while (
                first + count < missing.Count && (count + 1) * n <= session.Together && missing[first + count].Number == missing[first].Number + count
            )
            {
                count++;
            }

            watch.Start((done + first) * n, missing[first].Prompt);
            IReadOnlyList<RgbImage> pictures = session.Pipeline.Draw(
                new PictureRequest
                {
                    Prompts = [.. missing.Skip(first).Take(count).Select(item => item.Prompt)],
                    PicturesPerPrompt = n,
                    FirstPicture = checked(missing[first].Number * n),
                    Steps = steps,
                    Seed = (ulong)_configuration.Seed,
                },
                session.Schedule, watch);
            for (int i = 0; i < count; i++)
            {
                Write(images, missing[first + i], [.. pictures.Skip(i * n).Take(n)]);
            }

            first += count;
        }

        cancellation.ThrowIfCancellationRequested();
        progress.End();
    }

    private void Write(string images, ExportItem item, IReadOnlyList<RgbImage> pictures)
    {
        foreach (string path in item.Pictures.Concat(item.Texts.Select(text => text.Path)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(images, path))!);
        }

        foreach ((string path, string text) in item.Texts)
        {
            AtomicFile.WriteAllText(Path.Combine(images, path), text);
        }

        for (int k = 0; k < item.Pictures.Count; k++)
        {
            AtomicFile.WriteAllBytes(Path.Combine(images, item.Pictures[k]), _layout.Encode(_layout.IsTiled ? pictures : [pictures[k]]));
        }
    }

    /// <summary>
    /// The items of which a file is missing or not whole. What an earlier run was just writing when it was killed is removed: evaluators list
    /// folders.
    /// </summary>
    private List<ExportItem> Missing(string images, ExportItem[] items, IProgressReporter progress, CancellationToken cancellation)
    {
        if (!Directory.Exists(images))
        {
            return [.. items];
        }

        foreach (string aside in Directory.GetFiles(images, ".*.tmp", SearchOption.AllDirectories))
        {
            File.Delete(aside);
        }

        List<ExportItem> missing = [];
        progress.Begin("check files", items.Length);
        for (int i = 0; i < items.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress.Report(i, items[i].Prompt);
            if (
                !items[i].Texts.All(text => IsText(Path.Combine(images, text.Path), text.Text))
                || !items[i].Pictures.All(path => IsWhole(Path.Combine(images, path)))
            )
            {
                missing.Add(items[i]);
            }
        }

        progress.End();
        return missing;
    }

    private static bool IsText(string path, string text) =>
        File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(text));

    private bool IsWhole(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            RgbImage picture = PictureFile.Read(path);
            return (picture.Width, picture.Height) == (_layout.IsTiled ? (2 * _size.Width, 2 * _size.Height) : _size);
        }
        catch (Exception error) when (error is ModelException or PngException)
        {
            return false;
        }
    }

    private Dictionary<string, string> Settings()
    {
        SamplingConfiguration sampling = _configuration.Sampling;
        static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
        Dictionary<string, string> settings = new(StringComparer.Ordinal)
        {
            ["benchmark"] = _layout.Benchmark.ToString(),
            ["prompts"] = ExportSettings.Fingerprint(
                _layout.Items.SelectMany(item => item.Texts.Select(text => text.Text).Concat(item.Pictures).Prepend(item.Prompt))
            ),
            ["format"] = _layout.Format.ToString(),
            ["model"] = ExportSettings.WeightsFingerprint(_checkpoint),
            ["schedule"] = _options.Schedule is { } schedule
                ? ExportSettings.WeightsFingerprint(schedule)
                : string.Create(CultureInfo.InvariantCulture, $"hand-made: {sampling.HandMade}"),
            ["counts"] = _options.ReferenceCounts ? "reference" : "own",
            ["steps"] = Text(sampling.Steps),
            ["seed"] = Text(_configuration.Seed),
            ["size"] = $"{Text(_size.Width)} x {Text(_size.Height)}",
            ["device"] = _configuration.Device == DeviceName.Cpu ? "cpu" : $"cuda {_configuration.Precision} {_configuration.Gemm}",
            ["time"] = _configuration.Model.Time.ToString(),
        };
        if (_options.Lora is { } lora)
        {
            settings["lora"] = string.Create(CultureInfo.InvariantCulture, $"{ExportSettings.WeightsFingerprint(lora.Path)} at {lora.Scale}");
        }

        return settings;
    }

    private static bool HasFiles(string images) =>
        Directory.Exists(images) && Directory.EnumerateFiles(images, "*", SearchOption.AllDirectories).Any();
}
