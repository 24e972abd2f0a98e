using System.Globalization;
using CoGrpo.Model;
using CoGrpo.Model.Images;
using CoGrpo.Model.Lora;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Schedule;
using CoGrpo.Model.TextToImage;
using CoGrpo.Model.Tokenizers;
using CoGrpo.Rl.Configuration;
using CoGrpo.Rl.EmojiScenes;
using CoGrpo.Rl.Evaluation;
using CoGrpo.Rl.Logging;
using CoGrpo.Rl.Planning;
using CoGrpo.Rl.Prompts;
using CoGrpo.Rl.Serving;
using CoGrpo.Rl.Training;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Optimization;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Rl.Runs;

/// <summary>
/// The <c>train</c> command's work: a Co-GRPO run in a run folder, from the evaluation of the base to the report with pictures and curves,
/// resumable to the bit at every checkpoint. A plan without iterations scores the base and trains nothing.
/// </summary>
public sealed class TrainRun : IDisposable
{
    private readonly RunConfiguration _configuration;
    private readonly IProgressReporter _progress;
    private readonly CancellationToken _cancellation;
    private readonly string _checkpoint;
    private readonly IRunData _data;
    private readonly IBackend _backend;
    private readonly ComputeDevice _device;
    private readonly TextToImageModel _model;
    private readonly SchedulePolicy _policy;
    private readonly LaneSet _lanes;
    private readonly CoGrpoTrainer _trainer;
    private readonly IRunEvaluator _evaluator;
    private readonly RunFolder _folder;
    private readonly TrainingState _state;
    private readonly RewardAlarms _alarms;
    private long _evaluated;

    private TrainRun(RunConfiguration configuration, ComputeDevice device, bool resume, IProgressReporter progress, CancellationToken cancellation)
    {
        _configuration = configuration;
        _progress = progress;
        _cancellation = cancellation;
        _device = device;
        _checkpoint = configuration.Model.Checkpoint ?? ShippedModel.Find();
        _model = TextToImageModel.Load(_checkpoint, device.Backend);
        if (configuration.Train.Model.Lora is { Rank: > 0 } lora)
        {
            var config = new LoraConfig(lora.Rank, lora.Alpha, lora.Targets);
            _model.Transformer.AddLora(LoraTargets.Select(config, _model.Transformer.LoraSlots)).Initialise((ulong)configuration.Seed);
        }

        _data = Data(configuration, _checkpoint, _model, _backend = device.LaneBackend(Threads(configuration)));
        _policy = new SchedulePolicy(SchedulePolicyConfig.ForWidth(configuration.Schedule.PolicyWidth), device.Backend);
        if (UsesLearnedSchedule)
        {
            CheckPolicy(_policy.Config, _model.Transformer.Config, _data.Pictures, _data.PixelsPerCode);
        }

        Initialisation.SchedulePolicy(_policy.Parameters, device.Backend, (ulong)configuration.Seed);
        _lanes = Lanes(configuration, device, _model, _policy, _data.Pictures.GridHeight, _data.Pictures.GridWidth, _data.PixelsPerCode);
        _trainer = new CoGrpoTrainer(configuration, _lanes, _data.Prompts, _data.Rewards, _data.Pictures, _data.Watch);
        _evaluator = _data.Evaluator(_lanes);
        _folder = RunFolder.Open(configuration, resume, configuration.Train.KeepCheckpoints, progress);
        _state = State();
        _alarms = new RewardAlarms(progress, [.. _data.Rewards.Select(reward => reward.Name)]);
        if (_folder.Resumed is { } checkpoint)
        {
            Restore(checkpoint.Directory);
            List<Dictionary<string, double>> log = MetricsReader.Read(_folder.At("metrics.jsonl"));
            _alarms.Recall(log);
            _evaluated = (long)
                log.Where(line => ScoreTable.Read("eval", line).Means.Count > 0).Select(line => line["iteration"]).DefaultIfEmpty().Max();
        }
    }

    /// <summary>
    /// Trains to the end on <paramref name="device"/>, or until <paramref name="cancellation"/>, when a checkpoint is saved and
    /// <see cref="OperationCanceledException"/> thrown. Returns the run folder.
    /// </summary>
    /// <exception cref="ModelException">The configuration, the model or the run folder cannot be used.</exception>
    public static string Execute(
        RunConfiguration configuration,
        ComputeDevice device,
        bool resume,
        IProgressReporter progress,
        TextWriter output,
        CancellationToken cancellation
    )
    {
        using var run = new TrainRun(MemoryLimit.Apply(configuration, progress), device, resume, progress, cancellation);
        run.Train(output);
        return run._folder.Path;
    }

    /// <summary>Frees networks, lanes and logs; the device stays.</summary>
    public void Dispose()
    {
        _folder.Dispose();
        _trainer.Dispose();
        _lanes.Dispose();
        _data.Dispose();
        if (!ReferenceEquals(_backend, _device.Backend))
        {
            _backend.Dispose();
        }

        _policy.Dispose();
        _model.Dispose();
    }

    /// <summary>The lanes of a configuration for pictures of <paramref name="height"/> x <paramref name="width"/> codes.</summary>
    internal static LaneSet Lanes(
        RunConfiguration configuration,
        ComputeDevice device,
        TextToImageModel model,
        SchedulePolicy policy,
        int height,
        int width,
        int pixelsPerCode
    )
    {
        var setup = new LaneSetup(
            model,
            policy,
            RunFactory.Parametrization(configuration),
            configuration.Sampling.Steps,
            RunFactory.TrainedActions(configuration.Schedule),
            height,
            width,
            pixelsPerCode,
            configuration.Sampling.MicroBatch,
            RunFactory.Time(configuration.Model)
        );
        return new LaneSet(setup, device.Lanes(configuration.Lanes), () => PretrainRun.LaneBackend(configuration, device));
    }

    /// <summary>Fails where a learned schedule does not fit the model: it reads the model's features, pooled to a grid of its own.</summary>
    /// <exception cref="ModelException">Another width than the model's, or pictures whose grid does not divide.</exception>
    internal static void CheckPolicy(SchedulePolicyConfig policy, TransformerConfig transformer, IImageTokenizer pictures, int pixelsPerCode)
    {
        if (policy.FeatureDim != transformer.Width)
        {
            throw new ModelException(
                $"schedule.policyWidth: wanted the width of the model, {transformer.Width}, got {policy.FeatureDim}; set it, or train.mode to naive"
            );
        }

        int multiple = policy.PooledGrid * pixelsPerCode * (transformer.Downsample ? 2 : 1);
        (int width, int height) = (pictures.PictureWidth, pictures.PictureHeight);
        if (width % multiple != 0 || height % multiple != 0)
        {
            throw new ModelException(
                $"sampling.width and height: wanted multiples of {multiple}, which a learned schedule of width {transformer.Width} needs, got {width} x {height}; round them, or set train.mode to naive");
        }
    }

    private bool UsesLearnedSchedule => _configuration.Train.Mode != TrainMode.Naive;

    private HandMadeSchedule HandMade => new(RunFactory.HandMade(_configuration.Sampling.HandMade));

    private void Train(TextWriter output)
    {
        RunReport report = new(_configuration, _folder, _data, _lanes);
        if (_trainer.Plan.Count > 0)
        {
            Iterate(report);
        }

        Finish(report, output);
    }

    /// <summary>The base's scores, then all iterations.</summary>
    private void Iterate(RunReport report)
    {
        if (_trainer.Iteration == 0)
        {
            _progress.Begin("evaluate base", 1);
            ScoreSheet before = Evaluate(HandMade, "before.png", _configuration.Sampling.Steps);
            _progress.Metrics($"base, hand-made schedule: held-out {ScoreTable.Line(before)}");
            _folder.Log(0, ScoreTable.Flatten("eval", before));
            _alarms.Watch(0, before);
            report.Before = before;
        }

        _progress.Begin($"train {_configuration.Train.Mode}", _trainer.Plan.Count);
        _progress.Report(_trainer.Iteration, "");
        EvaluateBetween();
        while (_trainer.Iteration < _trainer.Plan.Count)
        {
            if (_cancellation.IsCancellationRequested)
            {
                Save();
                _cancellation.ThrowIfCancellationRequested();
            }

            IterationMetrics metrics = OrSave(() => _trainer.Train(_cancellation));
            _folder.Log(metrics.Iteration, metrics.Flatten());
            _alarms.Watch(metrics);
            _progress.Report(metrics.Iteration, Describe(metrics));
            EvaluateBetween();
            if (metrics.Iteration % _configuration.Train.CheckpointEvery == 0 && metrics.Iteration < _trainer.Plan.Count)
            {
                Save();
            }
        }

        Save();
    }

    /// <summary>The held-out evaluation where one is due: after an iteration, or when a run goes on that was stopped before its end.</summary>
    private void EvaluateBetween()
    {
        (int iteration, int every) = (_trainer.Iteration, _configuration.Train.Evaluation.Every);
        if (every == 0 || iteration % every != 0 || iteration == _evaluated || iteration == _trainer.Plan.Count)
        {
            return;
        }

        ScoreSheet scores = OrSave(() => Evaluate(Schedule(), $"iteration-{iteration:d4}.png", _configuration.Sampling.Steps));
        _folder.Log(iteration, ScoreTable.Flatten("eval", scores));
        _alarms.Watch(iteration, scores);
        _progress.Metrics($"iteration {iteration}: held-out {ScoreTable.Line(scores)}");
        _evaluated = iteration;
    }

    /// <summary>The last scores, what was trained if anything was, and the report.</summary>
    private void Finish(RunReport report, TextWriter output)
    {
        bool trained = _trainer.Plan.Count > 0;
        (string subject, string picture) = trained ? ("trained", "after") : ("base", "base");
        using (Averaged())
        {
            foreach (int steps in _configuration.Train.Evaluation.Steps)
            {
                _progress.Begin($"evaluate {subject}, {steps} steps", 1);
                ScoreSheet after = Evaluate(
                    Schedule(),
                    steps == _configuration.Sampling.Steps ? $"{picture}.png" : $"{picture}-{steps}-steps.png",
                    steps
                );
                _progress.Metrics($"{subject}, T = {steps}: held-out {ScoreTable.Line(after)}");
                report.After.Add((steps, after));
            }

            if (trained)
            {
                SaveTrained(_folder.At("model"));
            }
        }

        if (trained)
        {
            SaveMerged(_folder.At("model"));
        }

        _progress.End();
        report.Write();
        output.WriteLine($"report: {_folder.At("report.md")}");
        if (!trained)
        {
            return;
        }

        if (_model.Transformer.Lora is not null)
        {
            output.WriteLine($"adapters: {_folder.At(LoraFile.FolderName)}");
        }

        output.WriteLine($"model: {_folder.At("model")}");
    }

    /// <summary>
    /// Does what asks rewards. One that fails, a server above all, or an interruption ends the run with a checkpoint of before: neither iteration nor
    /// evaluation has changed anything then.
    /// </summary>
    private T OrSave<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is ModelException or OperationCanceledException)
        {
            Save();
            throw;
        }
    }

    /// <summary>What was trained: the model, or its adapters in a folder of their own, and the schedule policy.</summary>
    private void SaveTrained(string model)
    {
        if (_model.Transformer.Lora is { } lora)
        {
            LoraFile.Save(_folder.At(LoraFile.FolderName), lora, _device.Backend);
        }
        else
        {
            SaveModel(model);
        }

        if (UsesLearnedSchedule)
        {
            Directory.CreateDirectory(model);
            SchedulePolicyFolder.Save(
                Path.Combine(model, SchedulePolicyFolder.Name),
                _policy,
                new SchedulePolicySettings(
                    _configuration.Sampling.Steps,
                    RunFactory.TrainedActions(_configuration.Schedule),
                    RunFactory.Parametrization(_configuration).Settings
                )
            );
        }
    }

    /// <summary>The model with its adapters in its weights, which it keeps: the last act of a run.</summary>
    private void SaveMerged(string model)
    {
        if (_model.Transformer.Lora is { } lora)
        {
            _trainer.Model.Average?.CopyTo(lora.Parameters);
            lora.Fold(_model.Transformer.Parameters);
            SaveModel(model);
        }
    }

    /// <summary>A whole model folder: what training does not change is copied from the checkpoint.</summary>
    private void SaveModel(string model)
    {
        _model.Save(model);
        if (_configuration.Data.Name == DataName.Prompts)
        {
            FolderRemainder.Copy(_checkpoint, model);
        }
    }

    /// <summary>Rewards and pictures are made while no lane works: they have all threads.</summary>
    private static int Threads(RunConfiguration configuration) => configuration.Threads > 0 ? configuration.Threads : Environment.ProcessorCount;

    private static IRunData Data(RunConfiguration configuration, string checkpoint, TextToImageModel model, IBackend backend) =>
        configuration.Data.Name == DataName.Prompts ? new PromptRunData(configuration, checkpoint, model, backend) : new SceneRunData(configuration);

    private ISchedule? Schedule() => UsesLearnedSchedule ? null : HandMade;

    private ScoreSheet Evaluate(ISchedule? schedule, string picture, int steps)
    {
        ScoreSheet scores = _evaluator.Run(steps, schedule, _cancellation);
        PngWriter.Write(_folder.At("samples", picture), _evaluator.Grid());
        return scores;
    }

    private static string Describe(IterationMetrics metrics)
    {
        string rewards = string.Join(
            ' ',
            metrics.Rewards.Select((name, k) => string.Create(CultureInfo.InvariantCulture, $"{name} {metrics.RewardMean[k]:f3}"))
        );
        return string.Create(CultureInfo.InvariantCulture, $"{metrics.Phase.ToString().ToLowerInvariant()} {rewards} judge {metrics.Judge:f2}");
    }

    private TrainingState State()
    {
        var state = new TrainingState(_device.Backend);
        AddNetwork(
            _model.Transformer.Lora is null ? "transformer" : "lora",
            _model.Transformer.Trained,
            _trainer.Model.Optimizer,
            _trainer.Model.Average
        );
        AddNetwork("policy", _policy.Parameters, _trainer.Schedule.Optimizer, _trainer.Schedule.Average);
        return state;

        void AddNetwork(string name, ParameterStore store, AdamWOptimizer optimizer, ParameterAverage? average)
        {
            state.Add(name, store, store.Values);
            state.Add($"{name}.m", store, optimizer.Moments(0).First);
            state.Add($"{name}.v", store, optimizer.Moments(0).Second);
            if (average is not null)
            {
                state.Add($"{name}.average", store, average.Values);
            }
        }
    }

    private void Save()
    {
        _state.Counters["iteration"] = _trainer.Iteration;
        _state.Counters["model_steps"] = _trainer.Model.Optimizer.Steps;
        _state.Counters["model_nonfinite"] = _trainer.Model.Optimizer.NonFiniteSteps;
        _state.Counters["schedule_steps"] = _trainer.Schedule.Optimizer.Steps;
        _state.Counters["schedule_nonfinite"] = _trainer.Schedule.Optimizer.NonFiniteSteps;
        _folder.Checkpoints.Save(_trainer.Iteration, _state.Write);
    }

    private void Restore(string directory)
    {
        _state.Read(directory);
        _trainer.Iteration = (int)_state.Counter("iteration");
        _trainer.Model.Optimizer.Steps = (long)_state.Counter("model_steps");
        _trainer.Model.Optimizer.NonFiniteSteps = (long)_state.Counter("model_nonfinite");
        _trainer.Schedule.Optimizer.Steps = (long)_state.Counter("schedule_steps");
        _trainer.Schedule.Optimizer.NonFiniteSteps = (long)_state.Counter("schedule_nonfinite");
    }

    /// <summary>Puts averaged weights, where there are any, in place of the trained ones until disposed.</summary>
    private WeightSwap Averaged() =>
        new(_device.Backend, (_model.Transformer.Trained, _trainer.Model.Average), (_policy.Parameters, _trainer.Schedule.Average));
}
