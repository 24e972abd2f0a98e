using System.Globalization;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Rl.Charts;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Pretraining;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Files;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Runs;

/// <summary>The <c>pretrain</c> command's work: a masked-token training run in a run folder, resumable to the bit.</summary>
public static class PretrainRun
{
    /// <summary>
    /// Trains to the end on <paramref name="device"/>, or until <paramref name="cancellation"/>, when a checkpoint is saved and
    /// <see cref="OperationCanceledException"/> thrown. Returns the folder of the finished model.
    /// </summary>
    public static string Execute(
        RunConfiguration configuration,
        ComputeDevice device,
        bool resume,
        IProgressReporter progress,
        TextWriter output,
        CancellationToken cancellation
    )
    {
        PretrainConfiguration settings = configuration.Pretrain;
        SceneLayout layout = RunFactory.Layout(configuration.Data);
        ulong seed = (ulong)configuration.Seed;
        IBackend backend = device.Backend;
        using TextToImageModel model = FromConfiguration(configuration, backend, seed);
        using TextToImageModel average = FromConfiguration(configuration, backend, seed);
        TaskWeights weights = settings.TaskWeights;
        var source = new ScenePictureSource(
            layout,
            [weights.Single, weights.Two, weights.Counting, weights.Colours, weights.Position, weights.Attribution]
        );
        using var trainer = new Pretrainer(model, source, Options(configuration, device), seed, () => LaneBackend(configuration, device));
        using RunFolder folder = RunFolder.Open(configuration, resume, settings.KeepCheckpoints, progress);
        TrainingState state = State(backend, model, trainer);
        if (folder.Resumed is { } checkpoint)
        {
            state.Read(checkpoint.Directory);
            trainer.Step = (long)state.Counter("step");
            trainer.Optimizer.Steps = (long)state.Counter("optimizer_steps");
            trainer.Optimizer.NonFiniteSteps = (long)state.Counter("nonfinite_steps");
        }

        progress.Begin("pretrain", settings.Steps);
        var steps = new List<double>();
        var losses = new List<double>();
        double sum = 0;
        int count = 0;
        while (trainer.Step < settings.Steps)
        {
            if (cancellation.IsCancellationRequested)
            {
                Save(folder, state, trainer);
                cancellation.ThrowIfCancellationRequested();
            }

            PretrainingMetrics metrics = trainer.Train();
            sum += metrics.Loss;
            count++;
            if (metrics.Step % settings.LogEvery == 0 || metrics.Step == settings.Steps)
            {
                steps.Add(metrics.Step);
                losses.Add(sum / count);
                folder.Log(
                    metrics.Step,
                    [new("pretrain/loss", sum / count), new("pretrain/grad_norm", metrics.GradientNorm), new("pretrain/lr", metrics.LearningRate)]
                );
                progress.Report(metrics.Step, string.Create(CultureInfo.InvariantCulture, $"loss {sum / count:f3}"));
                (sum, count) = (0, 0);
            }

            if (settings.EvaluateEvery > 0 && metrics.Step % settings.EvaluateEvery == 0 && metrics.Step < settings.Steps)
            {
                Evaluate(configuration, device, layout, trainer, average, folder, progress, cancellation);
            }

            if (metrics.Step % settings.CheckpointEvery == 0 && metrics.Step < settings.Steps)
            {
                Save(folder, state, trainer);
            }
        }

        Save(folder, state, trainer);
        Evaluate(configuration, device, layout, trainer, average, folder, progress, cancellation);
        string path = folder.At("model");
        average.Save(path);
        if (steps.Count > 1)
        {
            AtomicFile.WriteAllText(
                folder.At("loss.svg"),
                new LineChart("Masked cross-entropy", "step", "nats per code", [new ChartSeries("loss", steps, losses)]).ToSvg()
            );
        }

        progress.End();
        output.WriteLine($"model: {path}");
        return path;
    }

    /// <summary>The backend of one lane: its share of the configuration's threads.</summary>
    internal static IBackend LaneBackend(RunConfiguration configuration, ComputeDevice device)
    {
        int threads = configuration.Threads > 0 ? configuration.Threads : Environment.ProcessorCount;
        return device.LaneBackend(Math.Max(1, threads / configuration.Lanes));
    }

    private static TextToImageModel FromConfiguration(RunConfiguration configuration, IBackend backend, ulong seed)
    {
        var model = new TextToImageModel(
            RunFactory.Transformer(configuration.Model),
            RunFactory.TextEncoder(configuration.Model.TextEncoder),
            backend
        );
        Initialisation.FromScratch(model.Transformer.Parameters, backend, seed);
        Initialisation.FromScratch(model.TextEncoder.Parameters, backend, seed + 1);
        return model;
    }

    private static PretrainingOptions Options(RunConfiguration configuration, ComputeDevice device)
    {
        PretrainConfiguration c = configuration.Pretrain;
        return new PretrainingOptions
        {
            Steps = c.Steps,
            Batch = c.Batch,
            MicroBatch = c.MicroBatch,
            RecomputeBlocks = c.RecomputeBlocks,
            Lanes = device.Lanes(configuration.Lanes),
            LearningRate = c.LearningRate,
            Warmup = c.Warmup,
            DecayFraction = c.DecayFraction,
            Beta1 = c.Betas[0],
            Beta2 = c.Betas[1],
            Epsilon = c.Epsilon,
            WeightDecay = c.WeightDecay,
            ClipNorm = c.ClipNorm,
            Ema = c.Ema,
            TextDropout = c.TextDropout,
            PixelsPerCode = SceneTiles.PatchSize,
        };
    }

    private static TrainingState State(IBackend backend, TextToImageModel model, Pretrainer trainer)
    {
        var state = new TrainingState(backend);
        state.Add("transformer", model.Transformer.Parameters, model.Transformer.Parameters.Values);
        state.Add("transformer.m", model.Transformer.Parameters, trainer.Optimizer.Moments(0).First);
        state.Add("transformer.v", model.Transformer.Parameters, trainer.Optimizer.Moments(0).Second);
        state.Add("transformer.average", model.Transformer.Parameters, trainer.TransformerAverage.Values);
        state.Add("text", model.TextEncoder.Parameters, model.TextEncoder.Parameters.Values);
        state.Add("text.m", model.TextEncoder.Parameters, trainer.Optimizer.Moments(1).First);
        state.Add("text.v", model.TextEncoder.Parameters, trainer.Optimizer.Moments(1).Second);
        state.Add("text.average", model.TextEncoder.Parameters, trainer.TextAverage.Values);
        return state;
    }

    private static void Save(RunFolder folder, TrainingState state, Pretrainer trainer)
    {
        state.Counters["step"] = trainer.Step;
        state.Counters["optimizer_steps"] = trainer.Optimizer.Steps;
        state.Counters["nonfinite_steps"] = trainer.Optimizer.NonFiniteSteps;
        folder.Checkpoints.Save(trainer.Step, state.Write);
    }

    private static void Evaluate(
        RunConfiguration configuration,
        ComputeDevice device,
        SceneLayout layout,
        Pretrainer trainer,
        TextToImageModel average,
        RunFolder folder,
        IProgressReporter progress,
        CancellationToken cancellation
    )
    {
        trainer.TransformerAverage.CopyTo(average.Transformer.Parameters);
        trainer.TextAverage.CopyTo(average.TextEncoder.Parameters);
        using var policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(configuration.Schedule.PolicyWidth), average.Backend);
        using LaneSet lanes = TrainRun.Lanes(
            configuration,
            device,
            average,
            policy,
            layout.Tokenizer.GridHeight,
            layout.Tokenizer.GridWidth,
            SceneTiles.PatchSize
        );
        EvaluationConfiguration e = configuration.Train.Evaluation;
        var evaluator = new SceneEvaluator(
            lanes,
            layout,
            new EvaluationSet(PromptSet.HeldOut, e.PromptsPerTask, (ulong)e.Seed, e.Samples),
            (ulong)e.Seed
        );
        EvaluationReport report = evaluator.Run(
            configuration.Sampling.Steps,
            new HandMadeSchedule(RunFactory.HandMade(configuration.Sampling.HandMade)),
            cancellation
        );
        folder.Log(trainer.Step, ScoreTable.Flatten("eval", report.Sheet()));
        progress.Metrics($"step {trainer.Step}: held-out {ScoreTable.Line(report.Sheet())}");
        PngWriter.Write(folder.At("samples", $"step-{trainer.Step:d6}.png"), SceneGridPicture.Of(evaluator.Set, layout, evaluator.Codes));
    }
}
