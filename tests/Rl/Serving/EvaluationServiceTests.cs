using CoGrpo.Runtime.Backends;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Serving;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl.Serving;

public sealed class EvaluationServiceTests
{
    private static readonly ComputeDevice Device = ComputeDevice.Cpu();

    private static readonly GridSearchPlan SmallPlan = new()
    {
        Guidance = [1, 1.5],
        RemaskTemperature = [1],
        CosineExponent = [0.3, 1],
        SamplingTemperature = [0.5],
        Rounds = [new(4, 1, 1), new(2, 1, 2)],
    };

    [Fact]
    public void Every_step_count_is_scored_with_every_schedule_and_written()
    {
        using ServingModel model = new();
        (IReadOnlyList<EvaluationRow> rows, string[] files) = Evaluate(model, "one", lanes: 1);
        Assert.Equal(
            [
                ("hand-made", "held-out", 2), ("learned, adaptive", "held-out", 2), ("learned, table", "held-out", 2),
                ("hand-made", "held-out", 4), ("learned, adaptive", "held-out", 4), ("learned, table", "held-out", 4),
                ("hand-made, searched", "held-out", 2), ("hand-made, searched", "held-out", 4),
            ],
            rows.Select(row => (row.Schedule, row.Split, row.Steps)));
        Assert.Equal(["eval.md", "eval.csv", "eval-grid.png", "eval-search.csv"], files.Select(Path.GetFileName));
        string[] csv = File.ReadAllLines(files[1]);
        Assert.Equal("schedule,split,steps,judge,error,adherence,fidelity,diversity,single,two,counting,colours,position,attribution", csv[0]);
        Assert.Equal(9, csv.Length);
        Assert.StartsWith("\"learned, adaptive\",held-out,2,", csv[2], StringComparison.Ordinal);
        Assert.Equal(1 + (2 * (4 + 2)), File.ReadAllLines(files[3]).Length);

        (_, string[] again) = Evaluate(model, "two", lanes: 2);
        foreach ((string a, string b) in files.Zip(again))
        {
            Assert.Equal(File.ReadAllBytes(a), File.ReadAllBytes(b));
        }
    }

    [Fact]
    public void Table_and_policy_are_the_same_schedule_when_the_policys_action_is_constant()
    {
        using ServingModel model = new(constantPolicy: true);
        RunConfiguration configuration = model.Configuration("run");
        using ServingSession session = ServingSession.Open(configuration, Device, model.Checkpoint);
        CheckProfile(session, ServingModel.TrainedSteps);
        CheckProfile(session, 7);
        var service = new EvaluationService(session, configuration, trainingPrompts: true);
        service.Evaluate(TransferMode.Both, new SilentProgress(), CancellationToken.None);
        foreach (EvaluationRow[] group in service.Rows.Chunk(3))
        {
            Assert.Equal("train", group[1].Split);
            Assert.Equal(group[1].Report.Mean, group[2].Report.Mean);
            Assert.NotEqual(group[0].Report.Mean, group[1].Report.Mean);
        }
    }

    [Fact]
    public void The_search_keeps_the_best_of_each_round()
    {
        using ServingModel model = new();
        using ServingSession session = ServingSession.Open(model.Configuration("run"), Device, null);
        GridSearchResult result = HandMadeGridSearch.Run(session, SmallPlan, 2, 5, new SilentProgress(), CancellationToken.None);
        Assert.Equal([1, 1, 1, 1, 2, 2], result.Scores.Select(score => score.Round));
        Assert.Equal(
            result.Scores.Take(2).Select(score => score.Settings).ToHashSet(),
            result.Scores.Skip(4).Select(score => score.Settings).ToHashSet()
        );
        foreach (GridSearchScore[] round in new[] { result.Scores.Take(4).ToArray(), [.. result.Scores.Skip(4)] })
        {
            Assert.Equal(round.Max(score => score.Report.Mean.Judge), round[0].Report.Mean.Judge);
        }

        Assert.Same(result.Scores[4], result.Winner);
        Assert.Equal(256, new GridSearchPlan().Candidates().Count);
        Assert.Throws<OperationCanceledException>(() =>
            HandMadeGridSearch.Run(session, SmallPlan, 2, 5, new SilentProgress(), new CancellationToken(canceled: true))
        );
    }

    private static void CheckProfile(ServingSession session, int steps)
    {
        ScheduleProfile profile = ScheduleProfile.Of(session, steps, 1, CancellationToken.None);
        bool[] trained = [.. ServingModel.Settings.TrainedActions];
        for (int i = 0; i < steps * ScheduleAction.Count; i++)
        {
            int k = i % ScheduleAction.Count;
            Assert.Equal(trained[k] ? ServingModel.ConstantAction[k] : 0, profile.RawMeans[i], 6);
            Assert.Equal(0, profile.Deviations[i], 12);
        }
    }

    private static (IReadOnlyList<EvaluationRow> Rows, string[] Files) Evaluate(ServingModel model, string output, int lanes)
    {
        RunConfiguration configuration = model.Configuration(output, lanes);
        using ServingSession session = ServingSession.Open(configuration, Device, model.Checkpoint);
        var service = new EvaluationService(session, configuration, trainingPrompts: false);
        service.Evaluate(TransferMode.Both, new SilentProgress(), CancellationToken.None);
        IReadOnlyList<GridSearchResult> searches = service.Search(SmallPlan, new SilentProgress(), CancellationToken.None);
        return (service.Rows, [.. service.Write(searches)]);
    }
}
