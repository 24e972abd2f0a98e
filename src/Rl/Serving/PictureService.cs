using System.Globalization;
using System.Text;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// The <c>sample</c> command's work with a model folder in the published layout: pictures for any prompts as PNG files, and a grid of small copies
/// where there are several. Picture i draws the noise of trajectory i of the seed, so the files depend on model, schedule, prompts, samples, steps,
/// size and seed alone.
/// </summary>
public sealed class PictureService
{
    private const int GridPictures = 64;
    private const int GridSide = 256;
    private const int GridColumns = 8;
    private const int GridPadding = 8;
    private const int LongestName = 60;

    private readonly RunConfiguration _configuration;
    private readonly PictureOptions _options;
    private readonly string _folder;
    private readonly List<string> _files = [];
    private readonly List<RgbImage> _grid = [];

    private PictureService(RunConfiguration configuration, PictureOptions options) =>
        (_configuration, _options, _folder) = (configuration, options, Path.GetFullPath(configuration.Output.Directory));

    /// <summary>Whether a folder holds a published text-to-image model: one with a tokenizer and a VQ model of its own.</summary>
    public static bool IsPictureModel(string? folder) =>
        folder is not null && (File.Exists(Path.Combine(folder, "model_index.json")) || File.Exists(Path.Combine(folder, "vqvae", "config.json")));

    /// <summary>
    /// Loads model.checkpoint of <paramref name="configuration"/> and writes <c>samples/0001-a-dog.png</c> and so on, prompt by prompt, to the output
    /// folder, and <c>grid.png</c> if there are several; each file replaces one of its name in one step and is there as soon as it is drawn. Returns
    /// their paths, the grid last.
    /// </summary>
    /// <exception cref="ModelException">Model, schedule, adapters and sizes do not fit together, or a part is missing.</exception>
    /// <exception cref="WeightsFileException">A weight file is damaged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the files written so far are whole and stay.</exception>
    public static IReadOnlyList<string> Run(
        RunConfiguration configuration,
        ComputeDevice device,
        PictureOptions options,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        var service = new PictureService(configuration, options);
        service.Run(device, progress, cancellation);
        return service._files;
    }

    private void Run(ComputeDevice device, IProgressReporter progress, CancellationToken cancellation)
    {
        string checkpoint = PictureSession.CheckpointOf(_configuration);
        int total = checked(_options.Prompts.Count * _options.Samples);
        progress.Begin($"load {Path.GetFileName(Path.TrimEndingDirectorySeparator(checkpoint))}", 1);
        using (PictureSession session = PictureSession.Open(_configuration, device, Options(checkpoint, total)))
        {
            progress.Begin("sample", (long)total * _configuration.Sampling.Steps);
            Draw(session, total, new DrawProgress(progress, total, cancellation));
        }

        if (_grid.Count > 1)
        {
            string grid = Path.Combine(_folder, "grid.png");
            int square = (int)Math.Ceiling(Math.Sqrt(_grid.Count));
            string[] captions = [.. Enumerable.Range(0, _grid.Count).Select(i => _options.Prompts[i / _options.Samples])];
            PngWriter.Write(
                grid,
                ImageGrid.Render(_grid, Math.Min(GridColumns, _options.Samples > 1 ? _options.Samples : square), captions, 1, GridPadding)
            );
            _files.Add(grid);
        }

        progress.End();
    }

    private void Draw(PictureSession session, int total, DrawProgress progress)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "samples"));
        for (int first = 0; first < total; first += session.Together)
        {
            progress.Start(first, Prompt(first));
            IReadOnlyList<RgbImage> pictures = session.Pipeline.Draw(
                new PictureRequest
                {
                    Prompts = [.. Enumerable.Range(first, Math.Min(session.Together, total - first)).Select(Prompt)],
                    NegativePrompt = _options.NegativePrompt,
                    FirstPicture = first,
                    Steps = _configuration.Sampling.Steps,
                    Seed = (ulong)_configuration.Seed,
                    Source = _options.Source,
                    Strength = _options.Strength,
                    Mask = _options.Mask,
                },
                session.Schedule, progress);
            for (int i = 0; i < pictures.Count; i++)
            {
                Write(first + i, pictures[i]);
            }

            progress.Start(first + pictures.Count, Prompt(first));
        }
    }

    private string Prompt(int picture) => _options.Prompts[picture / _options.Samples];

    private void Write(int index, RgbImage picture)
    {
        string path = Path.Combine(
            _folder,
            "samples",
            string.Create(CultureInfo.InvariantCulture, $"{index + 1:d4}-{FileNamePart(Prompt(index))}.png")
        );
        PngWriter.Write(path, picture);
        _files.Add(path);
        if (_grid.Count < GridPictures)
        {
            _grid.Add(picture.Shrink(Math.Max(1, Math.Max(picture.Width, picture.Height) / GridSide)));
        }
    }

    /// <summary>The configured size; without one that of the source picture, else the one that the architecture was published for.</summary>
    private PictureSessionOptions Options(string checkpoint, int total)
    {
        SamplingConfiguration sampling = _configuration.Sampling;
        int side = PictureSession.PublishedSide(checkpoint);
        (int width, int height) = (
            sampling.Width > 0 ? sampling.Width : _options.Source?.Width ?? side,
            sampling.Height > 0 ? sampling.Height : _options.Source?.Height ?? side
        );
        foreach ((string name, RgbImage? picture) in new[] { ("start picture", _options.Source), ("mask", _options.Mask) })
        {
            if (picture is not null && (picture.Width, picture.Height) != (width, height))
            {
                throw new ModelException($"{name}: wanted a picture of {width} x {height}, got {picture.Width} x {picture.Height}; scale it, or give its size as the size to draw");
            }
        }

        return new PictureSessionOptions
        {
            Pictures = total,
            Width = width,
            Height = height,
            Schedule = _options.Schedule,
            Lora = _options.Lora,
            ReferenceCounts = _options.ReferenceCounts,
        };
    }

    /// <summary>Letters and digits of a prompt, joined by hyphens: a name that every file system takes.</summary>
    private static string FileNamePart(string prompt)
    {
        var name = new StringBuilder();
        foreach (char c in prompt)
        {
            if (char.IsAsciiLetterOrDigit(c))
            {
                name.Append(char.ToLowerInvariant(c));
            }
            else if (name.Length > 0 && name[^1] != '-')
            {
                name.Append('-');
            }

            if (name.Length == LongestName)
            {
                break;
            }
        }

        string text = name.ToString().TrimEnd('-');
        return text.Length > 0 ? text : "picture";
    }
}
