using CoGrpo.Model.Images;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Runs;
using CoGrpo.Rl.Training;

namespace CoGrpo.Rl.Serving;

/// <summary>
/// The <c>sample</c> command's work: pictures for prompts as PNG files and a grid of them. Picture i draws the noise of trajectory i of the
/// seed, so the files depend on model, schedule, prompts, samples, steps and seed alone.
/// </summary>
public sealed class SampleService
{
    /// <summary>Most pictures in the grid; the others have files of their own only.</summary>
    public const int GridPictures = 256;

    private const int GridScale = 4;
    private const int GridPadding = 8;
    private const int GridColumns = 8;
    private const int PicturesPerLane = 32;

    private readonly ServingSession _session;
    private readonly IReadOnlyList<Prompt> _prompts;
    private readonly int _samples;
    private readonly int _steps;
    private readonly ulong _seed;
    private readonly string _folder;
    private readonly SceneReader _reader;
    private readonly Judge _judge;
    private readonly List<SampledPicture> _pictures = [];
    private readonly List<RgbImage> _grid = [];

    private SampleService(ServingSession session, RunConfiguration configuration, IReadOnlyList<Prompt> prompts, int samples)
    {
        _session = session;
        _prompts = prompts;
        _samples = samples;
        _steps = configuration.Sampling.Steps;
        _seed = (ulong)configuration.Seed;
        _folder = Path.GetFullPath(configuration.Output.Directory);
        _reader = new SceneReader(session.Layout);
        _judge = new Judge(session.Layout);
    }

    /// <summary>
    /// Writes <c>samples/0001-a-dog.png</c> and so on, prompt by prompt, and <c>grid.png</c> to the output folder; each file replaces one of
    /// its name in one step. Returns the pictures in order and the grid's path.
    /// </summary>
    /// <exception cref="Model.ModelException">The model or the schedule cannot be used.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between batches; the files written so far are whole and stay.</exception>
    public static (IReadOnlyList<SampledPicture> Pictures, string Grid) Run(
        ServingSession session,
        RunConfiguration configuration,
        IReadOnlyList<Prompt> prompts,
        int samples,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        var service = new SampleService(session, configuration, prompts, samples);
        return (service._pictures, service.Run(progress, cancellation));
    }

    private string Run(IProgressReporter progress, CancellationToken cancellation)
    {
        int total = checked(_prompts.Count * _samples);
        Directory.CreateDirectory(Path.Combine(_folder, "samples"));
        progress.Begin("sample", total);
        int batch = PicturesPerLane * _session.Lanes.Count;
        for (int first = 0; first < total; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            Sample(first, Math.Min(batch, total - first));
            progress.Report(_pictures.Count, _pictures[^1].Prompt.Text);
        }

        string grid = Path.Combine(_folder, "grid.png");
        int square = (int)Math.Ceiling(Math.Sqrt(_grid.Count));
        int columns = Math.Min(GridColumns, _samples > 1 ? _samples : square);
        string[] captions = [.. _pictures.Take(_grid.Count).Select(picture => picture.Prompt.Text)];
        PngWriter.Write(grid, ImageGrid.Render(_grid, columns, captions, GridScale, GridPadding));
        progress.End();
        return grid;
    }

    private void Sample(int first, int count)
    {
        int firstPrompt = first / _samples;
        var prompts = new IPrompt[((first + count - 1) / _samples) - firstPrompt + 1];
        for (int p = 0; p < prompts.Length; p++)
        {
            prompts[p] = _prompts[firstPrompt + p];
        }

        var table = new PromptTable(new ScenePromptSource());
        table.Set(prompts);
        _session.Lanes.SetPrompts(table.Ids);
        int codes = _session.Layout.CodeCount;
        using var trajectories = new Trajectories(_session.Lanes.Setup.Model.Backend, count, codes, _steps);
        for (int i = 0; i < count; i++)
        {
            trajectories.Prompts[i] = 1 + ((first + i) / _samples) - firstPrompt;
        }

        _session.Lanes.Sample(trajectories, _session.Schedule, exploration: null, _seed, first, group: 1);
        var picture = new int[codes];
        for (int i = 0; i < count; i++)
        {
            for (int n = 0; n < codes; n++)
            {
                picture[n] = trajectories.Tokens[(i * codes) + n];
            }

            Write(first + i, _prompts[(first + i) / _samples], picture);
        }
    }

    private void Write(int index, Prompt prompt, ReadOnlySpan<int> codes)
    {
        RgbImage image = SceneGridPicture.Picture(_session.Layout, codes);
        string path = Path.Combine(_folder, "samples", $"{index + 1:d4}-{prompt.Text.Replace(' ', '-')}.png");
        PngWriter.Write(path, image);
        Span<SceneCell> cells = stackalloc SceneCell[_session.Layout.CellCount];
        _reader.Read(codes, cells);
        _pictures.Add(new SampledPicture(path, prompt, _judge.Of(prompt, cells) == 1));
        if (_grid.Count < GridPictures)
        {
            _grid.Add(image);
        }
    }
}
