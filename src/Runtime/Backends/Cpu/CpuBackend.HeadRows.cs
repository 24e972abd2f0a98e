namespace CoGrpo.Runtime.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc cref="IBackend.HeadRows"/>
    public void HeadRows(Tensor rows, in HeadGrid grid, Tensor tokens, Tensor tokenCount, Tensor codes)
    {
        Require.HeadRows(rows, grid, tokens, tokenCount, codes);
        int live = Live(rows);
        int stride = grid.TextTokens + grid.Tokens;
        if (!grid.Upsample)
        {
            for (int r = 0; r < live; r++)
            {
                (int image, int code) = Math.DivRem(rows.I32[r], grid.Codes);
                tokens.I32[r] = (image * stride) + grid.TextTokens + code;
            }

            *tokenCount.I32 = live;
            return;
        }

        // First which tokens are wanted, then their places in ascending order, then the places of their codes.
        int* place = (int*)_team.Scratch(0, (nuint)grid.Images * (nuint)grid.Tokens * sizeof(int));
        new Span<int>(place, grid.Images * grid.Tokens).Clear();
        for (int r = 0; r < live; r++)
        {
            place[TokenOf(rows.I32[r], grid, out _)] = 1;
        }

        int count = 0;
        for (int token = 0; token < grid.Images * grid.Tokens; token++)
        {
            if (place[token] != 0)
            {
                (int image, int within) = Math.DivRem(token, grid.Tokens);
                tokens.I32[count] = (image * stride) + grid.TextTokens + within;
                place[token] = count++;
            }
        }

        *tokenCount.I32 = count;
        for (int r = 0; r < live; r++)
        {
            int token = TokenOf(rows.I32[r], grid, out int corner);
            codes.I32[r] = (4 * place[token]) + corner;
        }
    }

    /// <summary>The token, counted over all images, that owns a code; and which of its 2x2 codes it is.</summary>
    private static int TokenOf(int row, in HeadGrid grid, out int corner)
    {
        (int image, int code) = Math.DivRem(row, grid.Codes);
        (int y, int x) = Math.DivRem(code, grid.Width);
        corner = (2 * (y & 1)) + (x & 1);
        return (image * grid.Tokens) + (y / 2 * (grid.Width / 2)) + (x / 2);
    }
}
