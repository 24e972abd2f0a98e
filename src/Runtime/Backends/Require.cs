using System.Runtime.CompilerServices;

namespace CoGrpo.Runtime.Backends;

/// <summary>
/// The checks that every launcher shares. Each failure names the tensor, what was wanted, what came and the remedy; passing allocates nothing.
/// </summary>
internal static class Require
{
    /// <summary>The tensor is present and has the given rows, columns and element type. -1 leaves a size free.</summary>
    public static void Matrix(
        Tensor x,
        int rows,
        int columns,
        ElementType type = ElementType.Float32,
        [CallerArgumentExpression(nameof(x))] string name = ""
    )
    {
        if (x.IsNone || (rows >= 0 && x.Rows != rows) || (columns >= 0 && x.Columns != columns) || x.Type != type)
        {
            Fail(name, x, $"{type} with {(rows < 0 ? "any number of" : rows)} rows of {(columns < 0 ? "any number of" : columns)} elements");
        }
    }

    /// <summary>As <see cref="Matrix"/>, and rows are adjacent.</summary>
    public static void Contiguous(
        Tensor x,
        int rows,
        int columns,
        ElementType type = ElementType.Float32,
        [CallerArgumentExpression(nameof(x))] string name = ""
    )
    {
        Matrix(x, rows, columns, type, name);
        if (!x.IsContiguous)
        {
            Fail(name, x, "adjacent rows");
        }
    }

    /// <summary>The tensor is contiguous and holds exactly <paramref name="count"/> elements of <paramref name="type"/>.</summary>
    public static void Count(Tensor x, long count, ElementType type = ElementType.Float32, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.IsNone || x.Shape.Count != count || x.Type != type || !x.IsContiguous)
        {
            Fail(name, x, $"{count} adjacent elements of {type}");
        }
    }

    /// <summary>As <see cref="Count"/>, or none.</summary>
    public static void OptionalCount(
        Tensor x,
        long count,
        ElementType type = ElementType.Float32,
        [CallerArgumentExpression(nameof(x))] string name = ""
    )
    {
        if (!x.IsNone)
        {
            Count(x, count, type, name);
        }
    }

    /// <summary>
    /// The operands of an operation on gathered logit rows fit together; returns the number of rows. Guidance may be none when there is nothing to
    /// guide away from.
    /// </summary>
    public static int GatheredRows(Tensor conditional, Tensor unconditional, Tensor guidance, Tensor temperature, Tensor tokens)
    {
        Matrix(conditional, -1, -1);
        int rows = conditional.Rows;
        if (!unconditional.IsNone)
        {
            Matrix(unconditional, rows, conditional.Columns);
        }

        if (!unconditional.IsNone || !guidance.IsNone)
        {
            Count(guidance, rows);
        }

        Count(temperature, rows);
        Count(tokens, rows, ElementType.Int32);
        return rows;
    }

    /// <summary>The tensor is present and stored as fp32 or bf16.</summary>
    public static void Storage(Tensor x, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.IsNone || x.Type is not (ElementType.Float32 or ElementType.BFloat16))
        {
            Fail(name, x, "Float32 or BFloat16");
        }
    }

    /// <summary>The tensors have one element type, or one of them is fp32 and the other bf16.</summary>
    public static void Convertible(Tensor x, Tensor y, [CallerArgumentExpression(nameof(y))] string name = "")
    {
        if (
            x.Type != y.Type
            && !(x.Type is ElementType.Float32 && y.Type is ElementType.BFloat16)
            && !(x.Type is ElementType.BFloat16 && y.Type is ElementType.Float32)
        )
        {
            Fail(name, y, x.Type is ElementType.Float32 or ElementType.BFloat16 ? "Float32 or BFloat16" : $"{x.Type}");
        }
    }

    /// <summary>The lists, schedules and outputs of an operation on guided rows fit together.</summary>
    public static void GuidedRows(in GuidedRows rows, NoiseAddress noise)
    {
        int images = rows.Trajectories.IsNone ? -1 : (int)rows.Trajectories.Shape.Count;
        long places = (long)images * rows.Codes;
        Count(rows.Rows, rows.Rows.Shape.Count, ElementType.Int32);
        That(rows.Rows.Shape.Count <= places, "rows.Rows", rows.Rows, $"at most {places} rows for {images} images of {rows.Codes} codes");
        Count(rows.Trajectories, images, ElementType.Int32);
        Count(rows.Actions, 4L * images, ElementType.Float64);
        Count(rows.Tokens, places, ElementType.Int32);
        Count(rows.LogProb, places);
        Count(rows.Confidence, places);
        Count(noise.Key, 1, ElementType.Int64);
        if (!rows.ConditionalAt.IsNone)
        {
            Count(rows.ConditionalAt, places, ElementType.Int32);
        }

        if (!rows.UnconditionalAt.IsNone)
        {
            Count(rows.UnconditionalAt, places, ElementType.Int32);
        }
    }

    /// <summary>The operands of an objective fit together; returns the number of segments.</summary>
    public static int ClippedObjective(in ClippedObjectiveOperands a, double klWeight)
    {
        long rows = a.LogProb.Shape.Count;
        int segments = (int)a.Starts.Shape.Count - 1;
        Count(a.LogProb, rows);
        Count(a.Upstream, rows);
        OptionalCount(a.OldLogProb, rows);
        if (klWeight > 0)
        {
            Count(a.ReferenceLogProb, rows);
        }

        Count(a.Starts, segments + 1, ElementType.Int32);
        Count(a.Advantages, segments, ElementType.Float64);
        Count(a.Weights, segments, ElementType.Float64);
        return segments;
    }

    /// <summary>The operands of an optimizer step fit together.</summary>
    public static void AdamW(in AdamWOperands a)
    {
        long count = a.Parameter.Shape.Count;
        Count(a.Parameter, count);
        Count(a.Gradient, count);
        Count(a.FirstMoment, count);
        Count(a.SecondMoment, count);
        Count(a.SquaredNorm, 1, ElementType.Float64);
        if (!a.Decays.IsNone)
        {
            Count(a.Decays, (count + AdamWOperands.DecayBlock - 1) / AdamWOperands.DecayBlock, ElementType.UInt8);
        }

        if (!a.Compute.IsNone)
        {
            Storage(a.Compute);
            Count(a.Compute, count, a.Compute.Type);
        }

        if (!a.Average.IsNone)
        {
            Count(a.Average, count);
        }
    }

    /// <summary>The operands of a re-mask fit together.</summary>
    public static void Remask(in RemaskOperands a, NoiseAddress noise)
    {
        Rank(a.Canvas, 2);
        (int images, int positions) = (a.Canvas.Shape[0], a.Canvas.Shape[1]);
        Contiguous(a.Canvas, images, positions, ElementType.Int32);
        Contiguous(a.Candidates, images, positions, ElementType.Int32);
        Contiguous(a.Confidence, images, positions);
        Contiguous(a.LogProb, images, positions);
        Contiguous(a.DecodedStep, images, positions, ElementType.Int32);
        Contiguous(a.DecodedLogProb, images, positions);
        Count(a.Actions, 4L * images, ElementType.Float64);
        Count(a.StartShare, images, ElementType.Float64);
        Count(a.Trajectories, images, ElementType.Int32);
        Count(noise.Key, 1, ElementType.Int64);
    }

    /// <summary>The lists of the head's rows fit the grid.</summary>
    public static void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes)
    {
        long count = rows.Shape.Count;
        Count(rows, count, ElementType.Int32);
        That(count <= (long)grid.Images * grid.Codes, nameof(rows), rows, $"at most {(long)grid.Images * grid.Codes} rows");
        That(!grid.Upsample || (grid.Height % 2 == 0 && grid.Width % 2 == 0), nameof(grid), rows, $"even sides, got {grid.Height} x {grid.Width}");
        Count(tokens, Math.Min(count, (long)grid.Images * grid.Tokens), ElementType.Int32);
        Count(tokenCount, 1, ElementType.Int32);
        if (grid.Upsample)
        {
            Count(codes, count, ElementType.Int32);
        }
    }

    /// <summary>The operands of a group norm fit together; all are of the type of x.</summary>
    public static void GroupNorm(Tensor x, Tensor weight, Tensor bias, Tensor y, int groups)
    {
        That(x.Shape.Rank >= 3, nameof(x), x, "[images,...,channels]");
        That(x.Columns <= 2048, nameof(x), x, "at most 2048 channels");
        That(groups > 0 && x.Columns % groups == 0, nameof(groups), x, $"channels in {groups} groups of one size");
        Matrix(y, x.Rows, x.Columns, x.Type);
        Count(weight, x.Columns, x.Type);
        Count(bias, x.Columns, x.Type);
    }

    /// <summary>The operands of a 3x3 convolution fit together; all are of the type of x, y of that or fp32.</summary>
    public static void Conv3x3(Tensor x, Tensor weight, Tensor bias, Tensor y, ConvForm form, Tensor residual)
    {
        Rank(x, 4);
        Rank(y, 4);
        Matrix(y, -1, -1, y.Type == ElementType.Float32 ? y.Type : x.Type);
        (int height, int width) = form switch
        {
            ConvForm.Halved => (x.Shape[1] / 2, x.Shape[2] / 2),
            ConvForm.Doubled => (2 * x.Shape[1], 2 * x.Shape[2]),
            _ => (x.Shape[1], x.Shape[2]),
        };
        That(
            y.Shape[0] == x.Shape[0] && y.Shape[1] == height && y.Shape[2] == width,
            nameof(y),
            y,
            $"[{x.Shape[0]},{height},{width},.], the images of x convolved with {form}"
        );
        Count(weight, 9L * x.Columns * y.Columns, x.Type);
        OptionalCount(bias, y.Columns, x.Type);
        if (!residual.IsNone)
        {
            Matrix(residual, y.Rows, y.Columns, x.Type);
        }
    }

    /// <summary>The operands of a nearest-code search fit together.</summary>
    public static void NearestCode(Tensor x, Tensor codebook, Tensor codes)
    {
        Matrix(x, -1, -1);
        Matrix(codebook, -1, x.Columns);
        That(codebook.Rows > 0, nameof(codebook), codebook, "at least one code");
        Count(codes, x.Rows, ElementType.Int32);
    }

    /// <summary>The operands of a schedule step fit together.</summary>
    public static void ScheduleActions(Tensor delta, Tensor exploration, Tensor state, Tensor means, Tensor raw, Tensor actions, Tensor clampHits)
    {
        int images = delta.Rows;
        Contiguous(delta, images, 4);
        Count(exploration, 4L * images, ElementType.Float64);
        Count(state, 5L * images, ElementType.Float64);
        Count(means, 4L * images, ElementType.Float64);
        Count(raw, 4L * images, ElementType.Float64);
        Count(actions, 4L * images, ElementType.Float64);
        Count(clampHits, images, ElementType.Int32);
    }

    /// <summary>The tensor has the given rank.</summary>
    public static void Rank(Tensor x, int rank, [CallerArgumentExpression(nameof(x))] string name = "")
    {
        if (x.Shape.Rank != rank)
        {
            Fail(name, x, $"rank {rank}");
        }
    }

    /// <summary>A condition between arguments that no single tensor shows.</summary>
    public static void That(bool condition, string name, Tensor got, string wanted)
    {
        if (!condition)
        {
            Fail(name, got, wanted);
        }
    }

    /// <summary>As the other, with a message that is built only when the condition fails: a passing check allocates nothing.</summary>
    public static void That(bool condition, string name, Tensor got, [InterpolatedStringHandlerArgument(nameof(condition))] ref WantedMessage wanted)
    {
        if (!condition)
        {
            Fail(name, got, wanted.Text);
        }
    }

    private static void Fail(string name, Tensor got, string wanted) =>
        throw new TensorException(name, wanted, got.IsNone ? "none" : got.ToString(), "check the shapes where the tensor was made");
}
