using System.Globalization;
using CoGrpo.Cli.Commands;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;

namespace CoGrpo.Cli;

/// <summary>The bodies of <c>sample</c>, <c>eval</c> and <c>schedule</c>: services called, results printed.</summary>
internal static class ServingCommands
{
    /// <summary>Pictures for prompts.</summary>
    public static int Sample(CliContext context, SampleRequest request, TextWriter output, IProgressReporter progress, CancellationToken cancellation)
    {
        if (request.Pictures is { } pictured)
        {
            using ComputeDevice place = DeviceOption.Open(request.Configuration, context);
            foreach (string path in PictureService.Run(request.Configuration, place, pictured, progress, cancellation))
            {
                output.WriteLine(path);
            }

            return ExitCode.Success;
        }

        IReadOnlyList<Prompt> prompts = [.. request.Prompts.Select(Parse)];
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        using ServingSession session = ServingSession.Open(request.Configuration, device, request.Schedule, request.Lora);
        output.WriteLine($"model: {session.Checkpoint}{(request.Lora is { } lora ? $" with {lora.Path}" : "")}");
        (IReadOnlyList<SampledPicture> pictures, string grid) = SampleService.Run(
            session,
            request.Configuration,
            prompts,
            request.Samples,
            progress,
            cancellation
        );
        foreach (SampledPicture picture in pictures)
        {
            output.WriteLine(picture.Path);
        }

        string cut = pictures.Count > SampleService.GridPictures ? $" (the first {SampleService.GridPictures} pictures)" : "";
        output.WriteLine($"grid: {grid}{cut}");
        output.WriteLine($"judge: {pictures.Count(picture => picture.Passes)} of {pictures.Count} pictures show their prompt");
        return ExitCode.Success;
    }

    /// <summary>Scores of a checkpoint.</summary>
    public static int Eval(CliContext context, EvalRequest request, TextWriter output, IProgressReporter progress, CancellationToken cancellation)
    {
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        if (request.Pictures is { } pictures)
        {
            PictureEvaluationService evaluation = PictureEvaluationService.Run(request.Configuration, device, pictures, progress, cancellation);
            progress.End();
            TableOutput.Write(output, evaluation.Table);
            foreach (string line in evaluation.Notes.Concat(evaluation.Write()))
            {
                output.WriteLine(line);
            }

            return ExitCode.Success;
        }

        using ServingSession session = ServingSession.Open(request.Configuration, device, request.Schedule, request.Lora);
        output.WriteLine($"model: {session.Checkpoint}{(request.Lora is { } lora ? $" with {lora.Path}" : "")}");
        var service = new EvaluationService(session, request.Configuration, request.TrainingPrompts);
        service.Evaluate(request.Transfer, progress, cancellation);
        IReadOnlyList<GridSearchResult> searches = request.Grid ? service.Search(new GridSearchPlan(), progress, cancellation) : [];
        progress.End();
        TableOutput.Write(output, EvaluationRow.Table(service.Rows));
        foreach (GridSearchResult search in searches)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"best hand-made schedule in {search.Steps} steps, judge {search.Winner.Report.Mean.Judge:f3} on training prompts: {GridSearchResult.Options(search.Winner.Settings)}"));
        }

        foreach (string path in service.Write(searches))
        {
            output.WriteLine(path);
        }

        return ExitCode.Success;
    }

    /// <summary>The four curves.</summary>
    public static int Schedule(
        CliContext context,
        ScheduleRequest request,
        TextWriter output,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        using ComputeDevice device = DeviceOption.Open(request.Configuration, context);
        ScheduleService service = ScheduleService.Open(request.Configuration, device, request.Schedule, cancellation);
        TableOutput.Write(output, service.Table());
        if (request.Picture is { } picture)
        {
            string path = Path.GetFullPath(picture);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.WriteAllText(path, service.ToSvg());
            output.WriteLine(path);
        }

        return ExitCode.Success;
    }

    private static Prompt Parse(string text)
    {
        try
        {
            return Prompt.Parse(text);
        }
        catch (FormatException error)
        {
            // Errors about a single word do not say which prompt it stands in.
            string message = error.Message.StartsWith("prompt '", StringComparison.Ordinal) ? error.Message : $"prompt '{text}': {error.Message}";
            throw new CommandException(message, ExitCode.Usage);
        }
    }
}
