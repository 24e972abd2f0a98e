using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Meissonic;

/// <summary>Turns wanted code rows into the grid tokens that own them and, behind the up block, the places of the codes among those tokens' 2x2 outputs.</summary>
internal sealed class HeadRows
{
    private int[] _place = [];
    private int[] _tokens = [];
    private int[] _codes = [];

    /// <summary>Int32 [R']: rows of z seen as [B*(L+n),C].</summary>
    public Tensor Tokens { get; private set; }

    /// <summary>Int32 [R]: rows of the up block's output seen as [4R',C]; none without up block.</summary>
    public Tensor Codes { get; private set; }

    public void Prepare(Tape tape, ReadOnlySpan<int> rows, int images, int length, int n, int height, int width, bool upsample)
    {
        int codes = height * width;
        int count = rows.IsEmpty ? images * codes : rows.Length;
        if (_codes.Length < images * codes)
        {
            // Room for every code, so that a later pass of the same size with more wanted rows allocates nothing.
            _tokens = new int[images * codes];
            _codes = new int[images * codes];
        }

        if (_place.Length < images * n)
        {
            _place = new int[images * n];
        }

        int tokenCount = 0;
        Span<int> place = _place.AsSpan(0, images * n);
        place.Fill(-1);
        for (int r = 0; r < count; r++)
        {
            int row = rows.IsEmpty ? r : rows[r];
            (int image, int code) = Math.DivRem(row, codes);
            if (!upsample)
            {
                _tokens[tokenCount++] = (image * (length + n)) + length + code;
                continue;
            }

            (int y, int x) = Math.DivRem(code, width);
            int token = (image * n) + (y / 2 * (width / 2)) + (x / 2);
            if (place[token] < 0)
            {
                place[token] = tokenCount;
                _tokens[tokenCount++] = (image * (length + n)) + length + (token - (image * n));
            }

            _codes[r] = (4 * place[token]) + (2 * (y & 1)) + (x & 1);
        }

        Tokens = tape.Activations.Allocate(new Shape(tokenCount), ElementType.Int32);
        tape.Backend.Upload<int>(_tokens.AsSpan(0, tokenCount), Tokens);
        Codes = default;
        if (upsample)
        {
            Codes = tape.Activations.Allocate(new Shape(count), ElementType.Int32);
            tape.Backend.Upload<int>(_codes.AsSpan(0, count), Codes);
        }
    }
}
