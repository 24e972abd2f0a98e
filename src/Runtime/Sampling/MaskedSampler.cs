using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// Fills masked canvases in T steps. Per step: conditional forward, the schedule chooses actions, unconditional forward if any image may be
/// guided, draw of candidates, re-mask. Canvases, schedules and counts stay on the device: the T steps of a micro-batch are queued without
/// waiting for it, and where the device records work they are one launch from the second time on. Noise is addressed by trajectory number,
/// so the split into micro-batches changes no bit. After the first calls of its size a call allocates no managed memory. Driven by one thread.
/// </summary>
public sealed class MaskedSampler : IDisposable
{
    private const int MostRecordings = 8;

    private readonly IMaskedModel _model;
    private readonly IBackend _backend;
    private readonly SamplerOptions _options;
    private readonly SamplerMemory _device;
    private readonly SamplerBuffers _host;
    private readonly Dictionary<Loop, IRecording?> _recordings = [];
    private readonly Action _runLoop;
    private readonly int _codes;
    private Loop _loop;

    /// <summary>A sampler for <paramref name="model"/>; memory is taken here and, for guidance, features and steps, at their first use.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The micro-batch is not positive.</exception>
    public MaskedSampler(IMaskedModel model, SamplerOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MicroBatch);
        _model = model;
        _backend = model.Backend;
        _options = options;
        _codes = model.Codes;
        _host = new SamplerBuffers(options.MicroBatch, _codes);
        _device = new SamplerMemory(model, options.MicroBatch);
        _runLoop = RunLoop;
    }

    /// <summary>Bytes of device memory the loop itself holds; the model's own come on top.</summary>
    public long ReservedBytes => _device.ReservedBytes;

    /// <summary>Loops the device has recorded and runs in one launch each.</summary>
    public int RecordedLoops => _recordings.Values.Count(recording => recording is not null);

    /// <summary>Samples one image per prompt into <paramref name="record"/>.</summary>
    /// <param name="request">Prompts, steps, seed, start canvases.</param>
    /// <param name="schedule">Chooses the actions.</param>
    /// <param name="record">Receives codes, decode steps, log-probabilities and actions; its sizes must be those of the request.</param>
    /// <param name="observer">Null, or sees every step.</param>
    /// <exception cref="ArgumentException">Sizes disagree, a start code is out of range, or the schedule gave an invalid action.</exception>
    public void Sample(in SampleRequest request, ISchedule schedule, SampleRecord record, ISampleObserver? observer = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(record);
        Check(request, record);
        if (_device.Reserve(request.Steps))
        {
            DropRecordings();
        }

        _host.Reserve(request.Steps);
        Span<long> keys =
        [
            (long)Philox.Key(request.Seed, RandomStream.TokenSampling),
            (long)Philox.Key(request.Seed, RandomStream.Remask),
        ];
        _backend.Upload<long>(keys, _device.Keys);
        for (int first = 0; first < request.Prompts.Length; first += _options.MicroBatch)
        {
            int images = Math.Min(_options.MicroBatch, request.Prompts.Length - first);
            bool anyMasked = Begin(request, first, images, out int distinct);
            if (anyMasked)
            {
                schedule.Begin(new ScheduleCall
                {
                    Backend = _backend,
                    Steps = request.Steps,
                    Images = images,
                    FirstImage = first,
                    Actions = Actions(_device.Actions, 0, request.Steps * images),
                    RawActions = Actions(_device.RawActions, 0, request.Steps * images),
                    Means = Actions(_device.Means, 0, request.Steps * images),
                });
                _loop = new Loop(images, request.FirstStep, request.Steps, distinct, schedule, observer, _model);
                Run();
                observer?.OnImages(first, images, request.Steps);
            }

            Store(first, images, request.Steps, anyMasked, record);
            observer?.OnStored(first, images);
        }
    }

    /// <summary>Gives the sampler's device memory and recorded loops back; the model is not touched.</summary>
    public void Dispose()
    {
        DropRecordings();
        _device.Dispose();
    }

    /// <summary>
    /// Uploads what a micro-batch starts from; returns whether any position is masked, and how many prompts a shared first step has (0: it is not
    /// shared).
    /// </summary>
    private bool Begin(in SampleRequest request, int first, int images, out int distinct)
    {
        int count = images * _codes;
        Span<int> canvas = _host.Canvas.AsSpan(0, count);
        if (request.Start.IsEmpty)
        {
            canvas.Fill(_model.MaskToken);
        }
        else
        {
            request.Start.Slice(first * _codes, count).CopyTo(canvas);
        }

        (bool fullyMasked, bool anyMasked) = (true, false);
        for (int b = 0; b < images; b++)
        {
            int masked = canvas.Slice(b * _codes, _codes).Count(_model.MaskToken);
            fullyMasked &= masked == _codes;
            anyMasked |= masked > 0;
            _host.StartShare[b] = request.RemaskBase ?? (_options.ScaleToStart ? masked / (double)_codes : 1);
            _host.Trajectories[b] = request.Trajectories.IsEmpty ? request.FirstTrajectory + first + b : request.Trajectories[first + b];
        }

        _backend.Upload<int>(canvas, Part(_device.Canvas, count));
        Span<int> integers = _host.Integers.AsSpan(0, count);
        integers.Fill(-1);
        _backend.Upload<int>(integers, Part(_device.DecodedStep, count));
        _backend.Fill(Part(_device.DecodedLogProb, count), 0);
        _backend.Upload(request.Prompts.Slice(first, images), Part(_device.Prompts, images));
        _backend.Upload<int>(_host.Trajectories.AsSpan(0, images), Part(_device.Trajectories, images));
        _backend.Upload<double>(_host.StartShare.AsSpan(0, images), Part(_device.StartShare, images));
        distinct = fullyMasked && _options.ShareFirstStep ? UploadDistinct(request.Prompts.Slice(first, images), images) : 0;
        return anyMasked;
    }

    /// <summary>
    /// At step 0 all canvases are equal, so equal prompts have equal logits: which prompts differ, and where each image finds its logits.
    /// </summary>
    private int UploadDistinct(ReadOnlySpan<int> prompts, int images)
    {
        int distinct = 0;
        for (int b = 0; b < images; b++)
        {
            int k = _host.Distinct.AsSpan(0, distinct).IndexOf(prompts[b]);
            if (k < 0)
            {
                _host.Distinct[distinct] = prompts[b];
                k = distinct++;
            }

            _host.DistinctOf[b] = k;
        }

        int count = images * _codes;
        _backend.Upload<int>(_host.Distinct.AsSpan(0, distinct), Part(_device.DistinctPrompts, distinct));
        _backend.Upload<int>(_host.DistinctOf.AsSpan(0, images), Part(_device.DistinctOf, images));
        for (int i = 0; i < count; i++)
        {
            _host.Integers[i] = (_host.DistinctOf[i / _codes] * _codes) + (i % _codes);
        }

        _backend.Upload<int>(_host.Integers.AsSpan(0, count), Part(_device.ConditionalAt, count));
        for (int i = 0; i < count; i++)
        {
            _host.Integers[i] = i % _codes;
        }

        _backend.Upload<int>(_host.Integers.AsSpan(0, count), Part(_device.UnconditionalAt, count));
        return distinct;
    }

    /// <summary>
    /// The first time the steps run as they are, so that all memory is there; the second time they are recorded where the device can.
    /// </summary>
    private void Run()
    {
        if (!_loop.IsRecordable)
        {
            RunLoop();
            return;
        }

        if (!_recordings.TryGetValue(_loop, out IRecording? recording))
        {
            if (_recordings.Count >= MostRecordings)
            {
                DropRecordings();
            }

            RunLoop();

            // What made its memory just now is at another version than before.
            _recordings.TryAdd(_loop.Now(_model), null);
            return;
        }

        if (recording is null)
        {
            recording = _backend.Record(_runLoop);
            if (recording is null)
            {
                RunLoop();
                return;
            }

            _recordings[_loop] = recording;
        }

        recording.Launch();
    }

    private void RunLoop()
    {
        for (int step = _loop.First; step < _loop.Steps; step++)
        {
            Step(step, step == _loop.First ? _loop.Distinct : 0);
        }
    }

    private void Step(int step, int distinct)
    {
        (int images, int steps, ISchedule schedule) = (_loop.Images, _loop.Steps, _loop.Schedule);
        int count = images * _codes;
        Tensor canvas = Canvas(images);
        _backend.MaskedRows(
            canvas,
            _model.MaskToken,
            Part(_device.Rows, count),
            _device.RowCount,
            Slice(_device.Masked, step * images, images),
            Part(_device.Fractions, images)
        );
        Tensor rows = Part(_device.Rows, count).WithLiveRows(_device.RowCount);
        Tensor features = schedule.NeedsFeatures ? Features(_device.Features, images) : default;
        if (distinct > 0)
        {
            PredictDistinct(step, distinct, images, features);
        }
        else
        {
            Predict(step, canvas, Part(_device.Prompts, images), rows, _device.Conditional, features);
        }

        Tensor actions = Actions(_device.Actions, step * images, images);
        schedule.Act(new ScheduleStep
        {
            Step = step,
            Steps = steps,
            Features = features,
            Actions = actions,
            RawActions = Actions(_device.RawActions, step * images, images),
            Means = Actions(_device.Means, step * images, images),
        });
        _loop.Observer?.OnStep(new SampleStep { Step = step, Steps = steps, Canvas = canvas, Features = features, Actions = actions });
        bool guided = schedule.Guides(step, steps);
        if (guided && distinct > 0)
        {
            Predict(step, Canvas(1), Part(_device.EmptyPrompts, 1), Part(_device.Rows, _codes), _device.Unconditional, default);
        }
        else if (guided)
        {
            Predict(step, canvas, Part(_device.EmptyPrompts, images), rows, _device.Unconditional, default);
        }

        Draw(step, images, rows, actions, guided, distinct > 0);
        _backend.Remask(new RemaskOperands
        {
            Canvas = canvas,
            Candidates = Positions(_device.Candidates, images),
            Confidence = Positions(_device.Confidence, images),
            LogProb = Positions(_device.LogProb, images),
            Actions = actions,
            StartShare = Part(_device.StartShare, images),
            Trajectories = Part(_device.Trajectories, images),
            DecodedStep = Positions(_device.DecodedStep, images),
            DecodedLogProb = Positions(_device.DecodedLogProb, images),
        }, new NoiseAddress(Slice(_device.Keys, 1, 1), step), steps, _options.CountRule, _model.MaskToken);
    }

    private void Predict(int step, Tensor canvas, Tensor prompts, Tensor rows, Tensor output, Tensor features)
    {
        var batch = new MaskedBatch
        {
            Canvas = canvas,
            Prompts = prompts,
            MaskedFractions = Part(_device.Fractions, canvas.Shape[0]),
            Step = step,
            Steps = _loop.Steps,
            Rows = rows,
        };
        int count = (int)rows.Shape.Count;
        _model.Predict(batch, new Tensor(output.Address, new Shape(count, output.Columns), output.Type, liveRows: rows.LiveRows), features);
    }

    /// <summary>One pass per distinct prompt; rows of all images are listed in order, so those of the first images are the first.</summary>
    private void PredictDistinct(int step, int distinct, int images, Tensor features)
    {
        Tensor some = features.IsNone || distinct == images ? features : _device.DistinctFeatures;
        Predict(step, Canvas(distinct), Part(_device.DistinctPrompts, distinct), Part(_device.Rows, distinct * _codes), _device.Conditional,
            some.IsNone ? default : Features(some, distinct));
        if (!features.IsNone && distinct < images)
        {
            int width = _device.Features.Columns;
            _backend.GatherRows(
                Matrix(_device.DistinctFeatures, distinct, width),
                Part(_device.DistinctOf, images),
                Matrix(_device.Features, images, width)
            );
        }
    }

    private void Draw(int step, int images, Tensor rows, Tensor actions, bool guided, bool shared)
    {
        var places = new GuidedRows
        {
            Rows = rows,
            Codes = _codes,
            Actions = actions,
            Trajectories = Part(_device.Trajectories, images),
            ConditionalAt = shared ? Part(_device.ConditionalAt, images * _codes) : default,
            UnconditionalAt = shared ? Part(_device.UnconditionalAt, images * _codes) : default,
            Tokens = Part(_device.Candidates, images * _codes),
            LogProb = Part(_device.LogProb, images * _codes),
            Confidence = Part(_device.Confidence, images * _codes),
        };
        var noise = new NoiseAddress(Slice(_device.Keys, 0, 1), step);
        Tensor conditional = Matrix(_device.Conditional, images * _codes, _device.Conditional.Columns);
        Tensor unconditional = guided ? Matrix(_device.Unconditional, images * _codes, conditional.Columns) : default;
        if (_model.Head.IsNone)
        {
            _backend.GuidedSample(conditional, unconditional, places, noise);
        }
        else
        {
            _backend.HeadSample(conditional, unconditional, _model.Head, places, noise);
        }
    }

    private void Store(int first, int images, int steps, bool anyMasked, SampleRecord record)
    {
        int at = first * _codes;
        int count = images * _codes;
        _backend.Download(Part(_device.Canvas, count), record.Tokens.AsSpan(at, count));
        _backend.Download(Part(_device.DecodedStep, count), record.DecodedStep.AsSpan(at, count));
        _backend.Download(Part(_device.DecodedLogProb, count), record.LogProb.AsSpan(at, count));
        int values = steps * images;
        if (anyMasked)
        {
            _backend.Download(Actions(_device.Actions, 0, values), _host.Actions.AsSpan(0, values * ScheduleAction.Count));
            _backend.Download(Actions(_device.RawActions, 0, values), _host.RawActions.AsSpan(0, values * ScheduleAction.Count));
            _backend.Download(Actions(_device.Means, 0, values), _host.Means.AsSpan(0, values * ScheduleAction.Count));
            _backend.Download(Slice(_device.Masked, 0, values), _host.Masked.AsSpan(0, values));
            _host.Masked.AsSpan(0, _loop.First * images).Clear();
        }
        else
        {
            _host.Masked.AsSpan(0, values).Clear();
        }

        for (int t = 0; t < steps; t++)
        {
            for (int b = 0; b < images; b++)
            {
                StoreAction(t, b, (t * images) + b, ((first + b) * steps) + t, record);
            }
        }
    }

    private void StoreAction(int step, int image, int source, int target, SampleRecord record)
    {
        const int Count = ScheduleAction.Count;
        record.MaskedBefore[target] = _host.Masked[source];
        Span<double> raw = record.RawActions.AsSpan(target * Count, Count);
        Span<double> means = record.Means.AsSpan(target * Count, Count);
        if (_host.Masked[source] == 0)
        {
            // Known from the start: nothing was decided.
            record.Actions[target] = default;
            raw.Clear();
            means.Clear();
            return;
        }

        ReadOnlySpan<double> a = _host.Actions.AsSpan(source * Count, Count);
        var action = new ScheduleAction(a[0], a[1], a[2], a[3]);
        if (!action.IsValid)
        {
            throw new ArgumentException($"schedule: wanted a valid action at step {step} of image {image}, got {action}; " +
                "the schedule's weights are not finite, resume from an earlier checkpoint with a lower learning rate");
        }

        record.Actions[target] = action;
        _host.RawActions.AsSpan(source * Count, Count).CopyTo(raw);
        _host.Means.AsSpan(source * Count, Count).CopyTo(means);
    }

    private void DropRecordings()
    {
        foreach (IRecording? recording in _recordings.Values)
        {
            recording?.Dispose();
        }

        _recordings.Clear();
    }

    private Tensor Canvas(int images) => Positions(_device.Canvas, images);

    private Tensor Positions(Tensor whole, int images) => new(whole.Address, new Shape(images, _codes), whole.Type);

    private Tensor Features(Tensor whole, int images)
    {
        Shape one = _model.FeatureShape;
        return new(whole.Address, new Shape(images, one[0], one[1]), whole.Type);
    }

    private static Tensor Actions(Tensor whole, int first, int rows) =>
        new(whole.Address + ((nint)first * ScheduleAction.Count * sizeof(double)), new Shape(rows, ScheduleAction.Count), whole.Type);

    private static Tensor Matrix(Tensor whole, int rows, int columns) => new(whole.Address, new Shape(rows, columns), whole.Type);

    private static Tensor Part(Tensor whole, int count) => new(whole.Address, new Shape(count), whole.Type);

    private static Tensor Slice(Tensor whole, int first, int count) =>
        new(whole.Address + ((nint)first * whole.Type.Size()), new Shape(count), whole.Type);

    private void Check(in SampleRequest request, SampleRecord record)
    {
        int images = request.Prompts.Length;
        if (
            request.FirstStep < 0
            || request.FirstStep >= Math.Max(1, request.Steps)
            || request.RemaskBase is < 0 or > 1
            || request.RemaskBase is double.NaN
        )
        {
            throw new ArgumentException(
                $"request: wanted a first step in [0,{request.Steps}) and a remask base in [0,1], got {request.FirstStep} and {request.RemaskBase}",
                nameof(request)
            );
        }

        if (images == 0 || request.Steps < 1 || record.Images != images || record.Codes != _codes || record.Steps != request.Steps)
        {
            throw new ArgumentException($"record: wanted {images} images of {_codes} codes over {request.Steps} steps (all at least 1), " +
                $"got {record.Images} of {record.Codes} over {record.Steps}; make the record with the sizes of the request", nameof(record));
        }

        if (
            (!request.Trajectories.IsEmpty && request.Trajectories.Length != images)
            || (!request.Start.IsEmpty && request.Start.Length != images * _codes)
        )
        {
            throw new ArgumentException($"request: wanted {images} trajectory numbers and {images * _codes} start codes or none, " +
                $"got {request.Trajectories.Length} and {request.Start.Length}", nameof(request));
        }

        foreach (int code in request.Start)
        {
            if (code != _model.MaskToken && (uint)code >= (uint)_model.Vocabulary)
            {
                throw new ArgumentException(
                    $"start: wanted codes in [0,{_model.Vocabulary}) or the mask token {_model.MaskToken}, got {code}",
                    nameof(request)
                );
            }
        }
    }

    /// <summary>What determines the queued work of a micro-batch, apart from the values in device memory.</summary>
    private readonly record struct Loop(
        int Images,
        int First,
        int Steps,
        int Distinct,
        ISchedule Schedule,
        int ScheduleVersion,
        ISampleObserver? Observer,
        int ObserverVersion,
        int ModelVersion
    )
    {
        public Loop(int images, int first, int steps, int distinct, ISchedule schedule, ISampleObserver? observer, IMaskedModel model)
            : this(
                images,
                first,
                steps,
                distinct,
                schedule,
                schedule.RecordingVersion,
                observer,
                observer?.RecordingVersion ?? 0,
                model.RecordingVersion
            ) { }

        public bool IsRecordable => ScheduleVersion >= 0 && ObserverVersion >= 0 && ModelVersion >= 0;

        /// <summary>The same loop at the versions of this moment.</summary>
        public Loop Now(IMaskedModel model) => new(Images, First, Steps, Distinct, Schedule, Observer, model);
    }
}
