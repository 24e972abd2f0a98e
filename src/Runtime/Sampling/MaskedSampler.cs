using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Randomness;

namespace CoGrpo.Runtime.Sampling;

/// <summary>
/// Fills masked canvases in T steps. Per step: conditional forward, the schedule chooses actions, unconditional forward if any image is
/// guided, draw of candidates, re-mask. Images run through all steps in micro-batches; noise is addressed by trajectory number, so the
/// split changes no bit. After the first call of its size a call allocates no managed memory. Driven by one thread.
/// </summary>
public sealed class MaskedSampler : IDisposable
{
    private readonly IMaskedModel _model;
    private readonly IBackend _backend;
    private readonly SamplerOptions _options;
    private readonly Arena _arena;
    private readonly SamplerBuffers _host;
    private readonly int _codes;

    private readonly Tensor _canvas;
    private readonly Tensor _candidates;
    private readonly Tensor _confidence;
    private readonly Tensor _decodedStep;
    private readonly Tensor _counts;
    private readonly Tensor _imageTrajectories;
    private readonly Tensor _remaskTemperature;
    private readonly Tensor _rows;
    private readonly Tensor _positions;
    private readonly Tensor _rowTrajectories;
    private readonly Tensor _guidance;
    private readonly Tensor _temperature;
    private readonly Tensor _rowTokens;
    private readonly Tensor _rowLogProb;
    private readonly Tensor _rowConfidence;
    private readonly Tensor _conditional;
    private Tensor _unconditional;
    private Tensor _firstUnconditional;
    private Tensor _features;
    private bool _firstUnconditionalReady;

    /// <summary>A sampler for <paramref name="model"/>; memory is taken here and, for guidance and features, at their first use.</summary>
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
        int images = options.MicroBatch;
        int rows = checked(images * _codes);
        _host = new SamplerBuffers(images, _codes);
        _arena = _backend.CreateArena("sampler", 1 << 20);
        _canvas = _arena.Allocate(new Shape(images, _codes), ElementType.Int32);
        _candidates = _arena.Allocate(new Shape(images, _codes), ElementType.Int32);
        _confidence = _arena.Allocate(new Shape(images, _codes));
        _decodedStep = _arena.Allocate(new Shape(images, _codes), ElementType.Int32);
        _counts = _arena.Allocate(new Shape(images), ElementType.Int32);
        _imageTrajectories = _arena.Allocate(new Shape(images), ElementType.Int32);
        _remaskTemperature = _arena.Allocate(new Shape(images));
        _rows = _arena.Allocate(new Shape(rows), ElementType.Int32);
        _positions = _arena.Allocate(new Shape(rows), ElementType.Int32);
        _rowTrajectories = _arena.Allocate(new Shape(rows), ElementType.Int32);
        _guidance = _arena.Allocate(new Shape(rows));
        _temperature = _arena.Allocate(new Shape(rows));
        _rowTokens = _arena.Allocate(new Shape(rows), ElementType.Int32);
        _rowLogProb = _arena.Allocate(new Shape(rows));
        _rowConfidence = _arena.Allocate(new Shape(rows));
        _conditional = _arena.Allocate(new Shape(rows, model.Vocabulary));
    }

    /// <summary>Bytes of device memory the loop itself holds; the model's own come on top.</summary>
    public long ReservedBytes => _arena.ReservedBytes;

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
        _firstUnconditionalReady = false;
        if (schedule.NeedsFeatures && _features.IsNone)
        {
            Shape one = _model.FeatureShape;
            _features = _arena.Allocate(new Shape(_options.MicroBatch, one[0], one[1]));
        }

        for (int first = 0; first < request.Prompts.Length; first += _options.MicroBatch)
        {
            int images = Math.Min(_options.MicroBatch, request.Prompts.Length - first);
            bool fullyMasked = Begin(request, first, images);
            record.LogProb.AsSpan(first * _codes, images * _codes).Clear();
            for (int step = 0; step < request.Steps; step++)
            {
                Step(request, step, first, images, step == 0 && fullyMasked && _options.ShareFirstStep, schedule, record, observer);
            }

            int at = first * _codes;
            int count = images * _codes;
            _host.Canvas.AsSpan(0, count).CopyTo(record.Tokens.AsSpan(at, count));
            _backend.Download(Part(_decodedStep, images, _codes), record.DecodedStep.AsSpan(at, count));
        }
    }

    /// <summary>Gives the sampler's device memory back; the model is not touched.</summary>
    public void Dispose() => _arena.Dispose();

    private bool Begin(in SampleRequest request, int first, int images)
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

        bool fullyMasked = true;
        for (int b = 0; b < images; b++)
        {
            int masked = canvas.Slice(b * _codes, _codes).Count(_model.MaskToken);
            fullyMasked &= masked == _codes;
            _host.Masked[b] = masked;
            _host.StartFraction[b] = _options.ScaleToStart ? masked / (double)_codes : 1;
            _host.Trajectories[b] = request.Trajectories.IsEmpty ? request.FirstTrajectory + first + b : request.Trajectories[first + b];
            _host.States[b] = ScheduleState.Start;
        }

        _host.Integers.AsSpan(0, count).Fill(-1);
        _backend.Upload<int>(_host.Integers.AsSpan(0, count), Part(_decodedStep, images, _codes));
        _backend.Upload<int>(canvas, Part(_canvas, images, _codes));
        _backend.Upload<int>(_host.Trajectories.AsSpan(0, images), Part(_imageTrajectories, images));
        return fullyMasked;
    }

    private void Step(in SampleRequest request, int step, int first, int images, bool shared, ISchedule schedule, SampleRecord record, ISampleObserver? observer)
    {
        int rows = _host.ListMasked(images, _model.MaskToken);
        Span<ScheduleAction> actions = _host.Actions.AsSpan(0, images);
        if (rows == 0)
        {
            // Start canvases without a masked position: there is nothing to decide.
            for (int b = 0; b < images; b++)
            {
                record.Actions[((first + b) * request.Steps) + step] = default;
                record.MaskedBefore[((first + b) * request.Steps) + step] = 0;
            }

            return;
        }

        ReadOnlySpan<int> prompts = request.Prompts.Slice(first, images);
        Tensor features = schedule.NeedsFeatures ? FeaturesOf(images) : default;
        _backend.Upload<int>(_host.Rows.AsSpan(0, rows), Part(_rows, rows));
        Tensor canvas = Part(_canvas, images, _codes);
        if (shared)
        {
            PredictDistinct(prompts, images, features);
        }
        else
        {
            Predict(canvas, prompts, rows, Part(_conditional, rows, _model.Vocabulary), features);
        }

        Act(request, step, first, images, schedule, features, actions, observer);
        bool guided = false;
        foreach (ScheduleAction action in actions)
        {
            guided |= action.IsGuided;
        }

        if (guided && shared)
        {
            PredictFirstUnconditional();
        }
        else if (guided)
        {
            if (_unconditional.IsNone)
            {
                _unconditional = _arena.Allocate(_conditional.Shape);
            }

            Predict(canvas, _host.EmptyPrompts.AsSpan(0, images), rows, Part(_unconditional, rows, _model.Vocabulary), default);
        }

        Draw(request, step, images, rows, shared);
        Decode(request, step, first, images, rows, record);
    }

    private void Act(in SampleRequest request, int step, int first, int images, ISchedule schedule, Tensor features, Span<ScheduleAction> actions,
        ISampleObserver? observer)
    {
        Span<double> raw = _host.RawActions.AsSpan(0, images * ScheduleAction.Count);
        Span<double> means = _host.Means.AsSpan(0, images * ScheduleAction.Count);
        raw.Clear();
        means.Clear();
        ReadOnlySpan<int> trajectories = _host.Trajectories.AsSpan(0, images);
        var state = new ScheduleStep
        {
            Step = step,
            Steps = request.Steps,
            FirstImage = first,
            Trajectories = trajectories,
            States = _host.States.AsSpan(0, images),
            RawActions = raw,
            Means = means,
        };
        schedule.Act(state, features, actions);
        for (int b = 0; b < images; b++)
        {
            if (!actions[b].IsValid)
            {
                throw new ArgumentException($"schedule: wanted a valid action at step {step}, got {actions[b]}; check the schedule", nameof(schedule));
            }

            double share = actions[b].Remask * _host.StartFraction[b];
            _host.Counts[b] = _options.CountRule == CountRule.Double
                ? RemaskCount.Of(_codes, share, _host.Masked[b], step, request.Steps)
                : RemaskCount.OfSingle(_codes, (float)share, _host.Masked[b], step, request.Steps);
        }

        observer?.OnStep(new SampleStep
        {
            Step = step,
            Steps = request.Steps,
            FirstImage = first,
            Trajectories = trajectories,
            Canvas = Part(_canvas, images, _codes),
            Features = features,
            Actions = actions,
            RawActions = raw,
            Means = means,
            MaskedBefore = _host.Masked.AsSpan(0, images),
            MaskedAfter = _host.Counts.AsSpan(0, images),
        });
    }

    private void Predict(Tensor canvas, ReadOnlySpan<int> prompts, int rows, Tensor logits, Tensor features)
    {
        for (int b = 0; b < prompts.Length; b++)
        {
            _host.Fractions[b] = _host.Masked[b] / (float)_codes;
        }

        var batch = new MaskedBatch
        {
            Canvas = canvas,
            Prompts = prompts,
            MaskedFractions = _host.Fractions.AsSpan(0, prompts.Length),
            Rows = Part(_rows, rows),
        };
        _model.Predict(batch, logits, features);
    }

    // All canvases are equal, so equal prompts have equal logits and features. Logits of distinct prompt k stand at rows [kN, kN+N).
    private void PredictDistinct(ReadOnlySpan<int> prompts, int images, Tensor features)
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

        int rows = distinct * _codes;
        Predict(Part(_canvas, distinct, _codes), _host.Distinct.AsSpan(0, distinct), rows, Part(_conditional, rows, _model.Vocabulary),
            features.IsNone ? default : FeaturesOf(distinct));
        if (features.IsNone || distinct == images)
        {
            return;
        }

        // In place from the last image to the first: an image's source never stands behind the image itself.
        int tokens = features.Shape[1];
        for (int b = images - 1; b > 0; b--)
        {
            if (_host.DistinctOf[b] != b)
            {
                _backend.Copy(features.RowRange(_host.DistinctOf[b] * tokens, tokens), features.RowRange(b * tokens, tokens));
            }
        }
    }

    private void PredictFirstUnconditional()
    {
        if (_firstUnconditionalReady)
        {
            return;
        }

        if (_firstUnconditional.IsNone)
        {
            _firstUnconditional = _arena.Allocate(new Shape(_codes, _model.Vocabulary));
        }

        Predict(Part(_canvas, 1, _codes), _host.EmptyPrompts.AsSpan(0, 1), _codes, _firstUnconditional, default);
        _firstUnconditionalReady = true;
    }

    private void Draw(in SampleRequest request, int step, int images, int rows, bool shared)
    {
        _host.SpreadActions(images);
        _backend.Upload<int>(_host.Positions.AsSpan(0, rows), Part(_positions, rows));
        _backend.Upload<int>(_host.RowTrajectories.AsSpan(0, rows), Part(_rowTrajectories, rows));
        _backend.Upload<float>(_host.Guidance.AsSpan(0, rows), Part(_guidance, rows));
        _backend.Upload<float>(_host.Temperature.AsSpan(0, rows), Part(_temperature, rows));
        var noise = new NoiseAddress(request.Seed, RandomStream.TokenSampling, step);

        // Consecutive images are drawn together unless one is guided and the next is not: u + 1(c - u) is not c to the bit, and the
        // company an image keeps must not show in it. Images of a shared first step each read another image's logits.
        for (int b = 0; b < images;)
        {
            int end = b + 1;
            bool guided = _host.IsGuided(b);
            while (end < images && !shared && _host.IsGuided(end) == guided)
            {
                end++;
            }

            int row = _host.FirstRow[b];
            int count = _host.FirstRow[end] - row;
            if (count > 0)
            {
                int source = shared ? _host.DistinctOf[b] * _codes : row;
                Tensor unconditional = !guided ? default : shared ? _firstUnconditional : _unconditional.RowRange(row, count);
                _backend.GuidedSample(_conditional.RowRange(source, count), unconditional, Slice(_guidance, row, count), Slice(_temperature, row, count),
                    Slice(_positions, row, count), Slice(_rowTrajectories, row, count), noise, Slice(_rowTokens, row, count),
                    Slice(_rowLogProb, row, count), Slice(_rowConfidence, row, count));
            }

            b = end;
        }
    }

    private void Decode(in SampleRequest request, int step, int first, int images, int rows, SampleRecord record)
    {
        int count = images * _codes;
        _backend.Download(Part(_rowTokens, rows), _host.RowTokens.AsSpan(0, rows));
        _backend.Download(Part(_rowConfidence, rows), _host.RowConfidence.AsSpan(0, rows));
        _backend.Download(Part(_rowLogProb, rows), _host.RowLogProb.AsSpan(0, rows));
        for (int r = 0; r < rows; r++)
        {
            _host.Integers[_host.Rows[r]] = _host.RowTokens[r];
            _host.Confidence[_host.Rows[r]] = _host.RowConfidence[r];
        }

        Span<float> remaskTemperature = _host.Fractions.AsSpan(0, images);
        for (int b = 0; b < images; b++)
        {
            remaskTemperature[b] = (float)_host.Actions[b].RemaskTemperature;
        }

        Tensor canvas = Part(_canvas, images, _codes);
        _backend.Upload<int>(_host.Integers.AsSpan(0, count), Part(_candidates, images, _codes));
        _backend.Upload<float>(_host.Confidence.AsSpan(0, count), Part(_confidence, images, _codes));
        _backend.Upload<float>(remaskTemperature, Part(_remaskTemperature, images));
        _backend.Upload<int>(_host.Counts.AsSpan(0, images), Part(_counts, images));
        _backend.Remask(canvas, Part(_candidates, images, _codes), Part(_confidence, images, _codes), Part(_remaskTemperature, images),
            Part(_counts, images), Part(_imageTrajectories, images), new NoiseAddress(request.Seed, RandomStream.Remask, step), _model.MaskToken,
            Part(_decodedStep, images, _codes));
        _backend.Download(canvas, _host.Canvas.AsSpan(0, count));

        Span<float> logProb = record.LogProb.AsSpan(first * _codes, count);
        for (int r = 0; r < rows; r++)
        {
            if (_host.Canvas[_host.Rows[r]] != _model.MaskToken)
            {
                logProb[_host.Rows[r]] = _host.RowLogProb[r];
            }
        }

        for (int b = 0; b < images; b++)
        {
            int at = ((first + b) * request.Steps) + step;
            record.Actions[at] = _host.Actions[b];
            record.MaskedBefore[at] = _host.Masked[b];
            _host.Masked[b] = Math.Min(_host.Masked[b], _host.Counts[b]);
        }
    }

    private Tensor FeaturesOf(int images) => new(_features.Address, new Shape(images, _features.Shape[1], _features.Shape[2]), _features.Type);

    private static Tensor Part(Tensor whole, int images, int columns) => new(whole.Address, new Shape(images, columns), whole.Type);

    private static Tensor Part(Tensor whole, int count) => new(whole.Address, new Shape(count), whole.Type);

    private static Tensor Slice(Tensor whole, int first, int count) =>
        new(whole.Address + ((nint)first * whole.Type.Size()), new Shape(count), whole.Type);

    private void Check(in SampleRequest request, SampleRecord record)
    {
        int images = request.Prompts.Length;
        if (images == 0 || request.Steps < 1 || record.Images != images || record.Codes != _codes || record.Steps != request.Steps)
        {
            throw new ArgumentException($"record: wanted {images} images of {_codes} codes over {request.Steps} steps (all at least 1), " +
                $"got {record.Images} of {record.Codes} over {record.Steps}; make the record with the sizes of the request", nameof(record));
        }

        if ((!request.Trajectories.IsEmpty && request.Trajectories.Length != images) || (!request.Start.IsEmpty && request.Start.Length != images * _codes))
        {
            throw new ArgumentException($"request: wanted {images} trajectory numbers and {images * _codes} start codes or none, " +
                $"got {request.Trajectories.Length} and {request.Start.Length}", nameof(request));
        }

        foreach (int code in request.Start)
        {
            if (code != _model.MaskToken && (uint)code >= (uint)_model.Vocabulary)
            {
                throw new ArgumentException($"start: wanted codes in [0,{_model.Vocabulary}) or the mask token {_model.MaskToken}, got {code}", nameof(request));
            }
        }
    }
}
