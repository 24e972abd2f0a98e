using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// Which rows the head reads when logits are wanted for some codes only: the grid tokens that own a wanted code, and, with an up block, the
/// place of each wanted code among the four codes of those tokens. Lists in device memory stay there (<see cref="IBackend.HeadRows"/>); for a
/// pass with a backward the rows are known to the host, which then knows the number of tokens too.
/// </summary>
internal sealed class HeadRows
{
    private int[] _tokens = [];
    private int[] _place = [];
    private int[] _codes = [];

    /// <summary>Int32 [R']: rows of z seen as [B*(L+n),C].</summary>
    public Tensor Tokens { get; private set; }

    /// <summary>Int32 [R]: rows of the up block's output seen as [4R',C]; none without up block.</summary>
    public Tensor Codes { get; private set; }

    public void Prepare(Tape tape, in TransformerInput input, in HeadGrid grid)
    {
        if (!input.DeviceRows.IsNone)
        {
            PrepareOnDevice(tape, input.DeviceRows, grid);
        }
        else
        {
            Prepare(tape, input.Rows, grid);
        }
    }

    private void PrepareOnDevice(Tape tape, Tensor rows, in HeadGrid grid)
    {
        int count = (int)rows.Shape.Count;
        Tensor tokenCount = tape.Activations.Allocate(new Shape(1), ElementType.Int32);
        Tensor tokens = tape.Activations.Allocate(new Shape(Math.Min(count, grid.Images * grid.Tokens)), ElementType.Int32);
        Tensor codes = grid.Upsample ? tape.Activations.Allocate(rows.Shape, ElementType.Int32) : default;
        tape.Backend.HeadRows(rows, grid, tokens, tokenCount, codes);
        Tokens = tokens.WithLiveRows(tokenCount);
        Codes = codes.IsNone ? default : new Tensor(codes.Address, codes.Shape, codes.Type, liveRows: rows.LiveRows);
    }

    private void Prepare(Tape tape, ReadOnlySpan<int> rows, in HeadGrid grid)
    {
        int stride = grid.TextTokens + grid.Tokens;
        int count = rows.IsEmpty ? grid.Images * grid.Codes : rows.Length;
        Reserve(grid);
        Span<int> place = _place.AsSpan(0, grid.Images * grid.Tokens);
        place.Clear();
        for (int r = 0; r < count; r++)
        {
            place[TokenOf(rows.IsEmpty ? r : rows[r], grid, out _)] = 1;
        }

        int tokenCount = 0;
        for (int token = 0; token < place.Length; token++)
        {
            if (place[token] != 0)
            {
                (int image, int within) = Math.DivRem(token, grid.Tokens);
                _tokens[tokenCount] = (image * stride) + grid.TextTokens + within;
                place[token] = tokenCount++;
            }
        }

        Tokens = Upload(tape, _tokens.AsSpan(0, tokenCount));
        Codes = default;
        if (grid.Upsample)
        {
            for (int r = 0; r < count; r++)
            {
                int token = TokenOf(rows.IsEmpty ? r : rows[r], grid, out int corner);
                _codes[r] = (4 * place[token]) + corner;
            }

            Codes = Upload(tape, _codes.AsSpan(0, count));
        }
    }

    /// <summary>Room for every code, so that a later pass of the same size with more wanted rows allocates nothing.</summary>
    private void Reserve(in HeadGrid grid)
    {
        if (_codes.Length < grid.Images * grid.Codes)
        {
            _tokens = new int[grid.Images * grid.Codes];
            _codes = new int[grid.Images * grid.Codes];
        }

        if (_place.Length < grid.Images * grid.Tokens)
        {
            _place = new int[grid.Images * grid.Tokens];
        }
    }

    private static Tensor Upload(Tape tape, ReadOnlySpan<int> values)
    {
        Tensor tensor = tape.Activations.Allocate(new Shape(values.Length), ElementType.Int32);
        tape.Backend.Upload(values, tensor);
        return tensor;
    }

    private static int TokenOf(int row, in HeadGrid grid, out int corner)
    {
        (int image, int code) = Math.DivRem(row, grid.Codes);
        corner = 0;
        if (!grid.Upsample)
        {
            return (image * grid.Tokens) + code;
        }

        (int y, int x) = Math.DivRem(code, grid.Width);
        corner = (2 * (y & 1)) + (x & 1);
        return (image * grid.Tokens) + (y / 2 * (grid.Width / 2)) + (x / 2);
    }
}
