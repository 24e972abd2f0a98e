namespace CoGrpo.Rl.EmojiScenes;

/// <summary>How many of the statements that a prompt makes about a picture hold.</summary>
/// <param name="Held">Facts that hold.</param>
/// <param name="Total">Facts of the prompt's task: 3, 4 for position, 5 for attribution.</param>
public readonly record struct Facts(int Held, int Total)
{
    /// <summary>The share that holds, 0..1.</summary>
    public double Share => (double)Held / Total;

    /// <summary>True when every fact holds.</summary>
    public bool All => Held == Total;

    /// <summary>Number of facts of a task.</summary>
    public static int Count(SceneTask task) => task switch
    {
        SceneTask.Attribution => 5,
        SceneTask.Position => 4,
        _ => 3,
    };

    /// <summary>
    /// Checks a prompt against the cells of a picture. With n(K) the cells of kind K and occ the cells that are not blank:
    /// single: n(K) >= 1, n(K) = 1, occ = n(K); counting: n(K) >= 1, n(K) = n, occ = n(K); colours: n(S) = 1, one S of colour C,
    /// occ = n(S); two: n(A) = 1, n(B) = 1, occ = n(A) + n(B); position: these and the relation, which is false unless A and B
    /// are there exactly once; attribution: n(S1) = 1, n(S2) = 1, S1 once and of colour C1, S2 once and of colour C2, occ = n(S1) + n(S2).
    /// </summary>
    public static Facts Check(Prompt prompt, SceneLayout layout, ReadOnlySpan<SceneCell> cells)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(layout);
        int occupied = 0;
        foreach (SceneCell cell in cells)
        {
            occupied += cell.Tile == SceneTiles.Blank ? 0 : 1;
        }

        Found first = Find(cells, prompt.First, prompt.FirstColour);
        if (prompt.Second < 0)
        {
            bool alone = occupied == first.Count;
            return prompt.Task switch
            {
                SceneTask.Single => Of(first.Count >= 1, first.Count == 1, alone),
                SceneTask.Counting => Of(first.Count >= 1, first.Count == prompt.Count, alone),
                _ => Of(first.Count == 1, first.Coloured == 1, alone),
            };
        }

        Found second = Find(cells, prompt.Second, prompt.SecondColour);
        bool firstOnce = first.Count == 1;
        bool secondOnce = second.Count == 1;
        Facts both = Of(firstOnce, secondOnce, occupied == first.Count + second.Count);
        return prompt.Task switch
        {
            SceneTask.Position => both.And(firstOnce && secondOnce && layout.Satisfies(prompt.Relation, first.Cell, second.Cell)),
            SceneTask.Attribution => both.And(firstOnce && first.Coloured == 1).And(secondOnce && second.Coloured == 1),
            _ => both,
        };
    }

    private static Found Find(ReadOnlySpan<SceneCell> cells, int kind, int colour)
    {
        var found = new Found(0, 0, -1);
        for (int cell = 0; cell < cells.Length; cell++)
        {
            int tile = cells[cell].Tile;
            if (SceneTiles.KindOf(tile) == kind)
            {
                found = new Found(found.Count + 1, found.Coloured + (colour >= 0 && SceneTiles.ColourOf(tile) == colour ? 1 : 0), cell);
            }
        }

        return found;
    }

    private static Facts Of(bool a, bool b, bool c) => new Facts(0, 0).And(a).And(b).And(c);

    private Facts And(bool fact) => new(Held + (fact ? 1 : 0), Total + 1);

    private readonly record struct Found(int Count, int Coloured, int Cell);
}
